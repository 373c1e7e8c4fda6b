"""Functions in other styles: they parse, mean what they meant, and carry the label of the code that they became."""

from __future__ import annotations

import re

import lizard
import msgspec
import numpy as np
import pytest

from codefit.source.metrics.measure import measure
from codefit.tasks.complexity.augment import (
    Drawn,
    in_another_form,
    in_another_style,
    in_other_words,
    laid_out_at_random,
    with_callback,
    words_of,
)
from codefit.tasks.complexity.functions import in_context
from codefit.tasks.complexity.label import is_method, label_of_code
from codefit.tasks.complexity.lizard_reader import lizard_functions
from codefit.tasks.complexity.variants import has_error
from tasks.complexity.complexity_examples import scored_functions

METHOD = "area(width, height) {\n  if (width < 0) throw new RangeError('width');\n  return width * height;\n}"
CALL = "function f() {\n  draw(first, second);\n}"


def test_a_function_gets_another_as_a_callback_and_the_label_speaks_of_that_one() -> None:
    rng = np.random.default_rng(0)
    rows = scored_functions(20)
    made = [with_callback(row.code, rows[(number + 7) % 20].code, "javascript", rng) for number, row in enumerate(rows)]
    found = [code for code in made if code is not None]
    assert len(found) > 10
    for code in found:
        outer, inner = measure(code, "javascript").functions[:2]
        assert outer.complete
        assert inner.line > outer.line
        first = lizard_functions(code)[0]
        assert abs(first.tokens - inner.tokens) < 30
        assert label_of_code(code, "javascript").tokens == first.tokens
    assert with_callback("function f() {}", rows[0].code, "javascript", rng) is None


@pytest.mark.parametrize("code", [METHOD, "function" + METHOD[4:], "function " + METHOD])
def test_a_function_takes_every_form_and_keeps_its_figures(code: str) -> None:
    rng = np.random.default_rng(0)
    made = {in_another_form(code, rng) for _ in range(80)}
    heads = {re.split(r"[({]", form)[0] for form in made}
    assert heads == {"function", "function run", "run", "async run", "static run", "", "const run = "}
    for form in made:
        assert not has_error(form, "javascript"), form
        (own,) = measure(in_context(form, "javascript"), "javascript").functions
        assert (own.cyclomatic, own.cognitive, own.parameters) == (2, 1, 2)
    assert sum(map(is_method, made)) == 3


def test_a_head_that_cannot_be_changed_stays() -> None:
    rng = np.random.default_rng(0)
    assert in_another_form("const f = (a) => a", rng) == "const f = (a) => a"
    made = {in_another_form("function f({ a }, b = g()) { return a }", rng) for _ in range(40)}
    assert "async run({ a }, b = g()) { return a }" in made
    assert not [form for form in made if "=>" in form]


def test_other_words_change_names_alone() -> None:
    rng = np.random.default_rng(0)
    code = "constructor(a) {\n  super(a);\n  this.b = a.c(arguments, 'a');\n  const { d } = this.#e;\n}"
    made = in_other_words(code, "javascript", rng, ["graph"])
    assert made is not None
    assert not has_error(made, "javascript")
    lines = made.split("\n")
    (parameter,) = re.fullmatch(r"constructor\((\w+)\) {", lines[0]).groups()  # type: ignore[union-attr]
    assert lines[1] == f"  super({parameter});"
    assert re.fullmatch(rf"  this\.\w+ = {parameter}\.\w+\(arguments, 'a'\);", lines[2])
    assert re.fullmatch(r"  const { \w+ } = this\.#?\w+;", lines[3])
    assert not re.search(r"\b[abcd]\b(?!')", made)


def test_layout_changes_blanks_and_the_commas_behind_arguments_alone() -> None:
    rng = np.random.default_rng(0)
    for row in scored_functions(20):
        made = laid_out_at_random(row.code, rng)
        assert re.sub(r",?\s", "", made) == re.sub(r",?\s", "", row.code)
    wrapped = {laid_out_at_random(CALL, rng) for _ in range(60)}
    assert "function f() {\n    draw(\n        first,\n        second,\n    );\n}" in wrapped
    assert "function f() {\n\tdraw(first, second);\n}" in wrapped
    assert laid_out_at_random("f(`a\n  b`)", rng) == "f(`a\n  b`)"


def test_a_function_in_another_style_has_the_label_that_lizard_gives_it() -> None:
    rows = scored_functions(40)
    words = words_of(rows)
    assert "item" in words
    assert all(word == word.lower() for word in words)
    changed = 0
    for number, row in enumerate(rows):
        drawn = Drawn(row, rows[number - 1], (0, number))
        made = in_another_style(drawn, words)
        assert made is not None
        assert made == in_another_style(drawn, words)
        changed += made.code != row.code
        if has_error(made.code, "javascript"):
            pytest.fail(made.code)
        code = f"class X {{\n{made.code}\n}}" if is_method(made.code) else made.code
        reader = lizard.analyze_file.analyze_source_code("f.js", code)
        if reader.function_list and not is_method(made.code):
            own = reader.function_list[0]
            assert (made.metrics["label_ccn"], made.metrics["label_tokens"]) == (
                own.cyclomatic_complexity,
                own.token_count,
            )
    assert changed > 30


def test_only_javascript_is_written_in_another_style() -> None:
    row = msgspec.structs.replace(scored_functions(1)[0], language="python", code="def f():\n    return 1\n")
    assert in_another_style(Drawn(row, row, (0, 0)), ["word"]) is None


def test_typescript_gets_a_callback_too() -> None:
    rng = np.random.default_rng(0)
    code = "function f(a: number): number {\n  const b: number = a;\n  return b;\n}"
    made = with_callback(code, "function g(c: string) {\n  return c;\n}", "typescript", rng)
    assert made is not None
    assert not has_error(made, "typescript")
