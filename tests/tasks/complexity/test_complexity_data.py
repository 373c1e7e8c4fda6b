"""Scored functions: labels, sides, chats, variants, variables."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from codefit.corpus.manifest import Receipt
from codefit.errors import CodefitError, InputError
from codefit.records import Document, write_rows
from codefit.source.metrics.figures import formula
from codefit.source.metrics.measure import measure
from codefit.tasks.complexity.chat import ANSWER_PATTERN, SCORES, answer, conversation, read_score
from codefit.tasks.complexity.counted import counted_at
from codefit.tasks.complexity.dataset import KNOWN, REPEATED, Sides, chat_of, check_sides, divide, label_agreement
from codefit.tasks.complexity.functions import FunctionRow, in_context, mine_functions, read_functions, score_row
from codefit.tasks.complexity.label import Label, is_method, label_of_code
from codefit.tasks.complexity.variables import count_variables
from codefit.tasks.complexity.variants import broken, laid_out, renamed
from tasks.complexity.complexity_examples import scored_functions

METHOD = "static async load(a, { b = 1 }) {\n  if (a && b) {\n    return a;\n  }\n}"


def test_the_label_is_the_reference_formula() -> None:
    # 0.5 · min(10, 2 · log2(4 + 1)) + 0.3 · min(10, 22 / 40) + 0.2 · min(10, 5 / 8)
    assert label_of_code(METHOD, "javascript") == Label(2.6, 4, 22, 5)
    assert formula(4, 22, 5) == 2.6
    assert formula(1, 1, 1) == 1.0
    assert formula(10_000, 10_000, 10_000) == 10.0


def test_code_in_which_lizard_finds_no_function_has_the_lowest_label() -> None:
    assert label_of_code("x = 1", "javascript") == Label(1.0)
    assert label_of_code("", "javascript") == Label(1.0)
    assert label_of_code("x = 1", "python") == Label(1.0)


def test_other_languages_are_labelled_by_their_metrics() -> None:
    code = "def f(a):\n    if a and a.b:\n        return 1\n"
    (own,) = measure(code, "python").functions
    assert label_of_code(code, "python") == Label(own.score, own.ccn, own.tokens, own.lines)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a() {}", True),
        ("get a() {}", True),
        ("*a(b) {\n}", True),
        ("['x' + y](b) {}", True),
        ("constructor(a, b) {\n  super(a);\n}", True),
        ("function a() {}", False),
        ("async function a() {}", False),
        ("async (a) => { b() }", False),
        ("(a) => { b() }", False),
        ("if (a) { b() }", False),
    ],
)
def test_methods_are_told_from_functions(code: str, expected: bool) -> None:
    assert is_method(code) == expected


def test_places_add_up_to_the_label() -> None:
    for row in scored_functions(40):
        starts = [found.start() for found in re.finditer(r"\w+|\W", row.code)]
        places = counted_at(row.code, "javascript", starts)
        assert places is not None
        figures = [row.metrics[f"label_{name}"] for name in ("ccn", "tokens", "lines")]
        assert places.sum(axis=0).tolist() == [figures[0] - 1, *figures[1:]]


def test_places_of_a_method_and_of_other_languages() -> None:
    places = counted_at(METHOD, "javascript", list(range(len(METHOD))))
    assert places is not None
    branches = np.flatnonzero(places[:, 0])
    assert [METHOD[place] for place in branches] == ["=", "i", "&"]
    assert counted_at("def f(): pass", "python", [0]) is None


def test_rows_keep_the_scores_that_they_bring(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, [{"code": "function f() {}", "complexity": 7.5, "repo": "a/b"}, {"code": "function g() {}"}])
    receipt = Receipt()
    given, computed = read_functions([path], receipt)
    assert (given.score, given.source) == (7.5, "a/b")
    assert computed.score == label_of_code(computed.code, "javascript").score
    assert label_agreement([given, computed], [1.0, computed.score]) == {
        "rows": 2,
        "same": 1,
        "mean_absolute_difference": 3.25,
    }


def test_rows_of_an_unknown_language_and_long_ones(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, [{"code": "x", "language": "cobol"}])
    with pytest.raises(InputError, match="no metrics for cobol"):
        read_functions([path], Receipt())
    assert score_row(FunctionRow(code="function f() {" + "a();" * 100_000 + "}")) is None


def test_functions_are_mined_with_their_names_lines_and_without_indentation() -> None:
    text = "class A {\n  m(a) {\n    return a ? () => 1 : 2;\n  }\n}\nfunction broken( {\n"
    receipt = Receipt()
    found = mine_functions([Document(path="a.js", text=text, language="javascript", repo="r")], receipt, workers=0)
    assert [(row.code, row.line, row.source) for row in found] == [
        ("m(a) {\n  return a ? () => 1 : 2;\n}", 2, "r"),
        ("() => 1", 3, "r"),
    ]


def test_whole_files_choose_and_near_duplicates_are_left_out() -> None:
    rows = scored_functions(90)
    twin = msgspec.structs.replace(rows[0], source="example/two", path="copy.js")
    evaluation = [*scored_functions(10, seed=1, source="example/two"), twin]
    receipt = Receipt()
    sides = divide([*rows, rows[5]], evaluation, receipt, validation_share=0.2, seed=0, threshold=0.95)
    files = [{row.path for row in side} for side in (sides.train, sides.validation)]
    assert files[0].isdisjoint(files[1])
    assert 10 <= len(sides.validation) <= 18
    assert rows[0].code not in {row.code for row in [*sides.train, *sides.validation]}
    assert receipt.by_reason()[KNOWN] >= 1
    assert receipt.by_reason()[REPEATED] == 1
    assert {row.split for row in sides.evaluation} == {"evaluation"}


def test_a_repository_on_both_sides_and_a_leak_stop_the_work() -> None:
    rows = scored_functions(30)
    with pytest.raises(InputError, match="example/one is to be learned from and measured on"):
        divide(rows, rows[:3], Receipt(), validation_share=0.1, seed=0)
    with pytest.raises(CodefitError, match="known from training"):
        check_sides(Sides(rows, [], [msgspec.structs.replace(rows[3], source="other")]))


def test_a_chat_has_the_reference_form_and_its_answer_is_read_back() -> None:
    (row,) = scored_functions(1)
    chat = chat_of(row)
    assert [message.role for message in chat.messages] == ["system", "user", "assistant"]
    assert row.code in chat.messages[1].content
    said = chat.messages[2].content
    assert re.fullmatch(ANSWER_PATTERN, said)
    assert read_score(said) == row.score
    assert len(chat_of(row, answered=False).messages) == 2


def test_every_score_can_be_answered_and_nothing_else_is_read() -> None:
    assert len(SCORES) == 91
    for score in SCORES:
        assert read_score(answer(120, 3, 5_000, float(score))) == float(score)
        assert re.fullmatch(ANSWER_PATTERN, answer(120, 3, 5_000, float(score)))
    for text in ("", "7.4", "Complexity Score: high", "Complexity Score: 0.0", "Complexity Score: 10.1"):
        assert read_score(text) is None
    assert conversation("x", "go", None, source="s").messages[1].content == "Language: go\n\n```go\nx\n```"


def test_a_broken_variant_does_not_parse_and_a_renamed_one_keeps_its_label() -> None:
    rng = np.random.default_rng(0)
    for row in scored_functions(20):
        changed = broken(row.code, "javascript", rng)
        assert changed is not None
        assert len(changed) == len(row.code) - 1
        assert not measure(in_context(changed, "javascript"), "javascript").module.complete or any(
            not own.complete for own in measure(in_context(changed, "javascript"), "javascript").functions
        )
        other = renamed(row.code, "javascript", rng)
        assert other is not None
        assert label_of_code(other, "javascript").score == row.score
        assert not set(re.findall(r"\b(?:item|total)\b(?!\()", re.sub(r"//.*|\.\w+", "", other)))
        new = laid_out(row.code, "javascript", rng)
        assert new is not None
        assert new.split() == row.code.split()


def test_what_cannot_be_varied_is_none() -> None:
    rng = np.random.default_rng(0)
    assert broken("a b", "javascript", rng) is None
    assert renamed("() => 1", "javascript", rng) is None
    assert renamed("f(arguments, undefined)", "javascript", rng) == "name0(arguments, undefined)"
    assert laid_out("f(`a\nb`)", "javascript", rng) is None


@pytest.mark.parametrize(
    ("language", "code", "count"),
    [
        ("javascript", "function f(a) { let b = 1, { c, d: [e] } = a; var b; for (const g of h) i() }", 4),
        ("typescript", "const f = (a: B) => { const b: C = a }", 2),
        ("python", "def f(a):\n    b, (c, d) = a\n    b = 2\n    for e in a: pass\n    if (g := 1): pass\n", 5),
        ("java", "void f() { int a = 1, b; for (String c : d) { } }", 3),
        ("go", "func f() { a, b := 1, 2; var c int; for i := range x {} }", 4),
        ("rust", "fn f() { let (a, mut b) = c; for d in e {} }", 3),
        ("ruby", "def f\n  a = 1\n  @b = 2\nend", 2),
        ("php", "<?php function f() { $a = 1; foreach ($b as $c) {} }", 3),
        ("c", "int f(void) { int a = 1, *b; return a; }", 2),
        ("cpp", "int f() { auto a = 1; for (auto& b : c) {} }", 2),
    ],
)
def test_variables_are_counted_once_each(language: str, code: str, count: int) -> None:
    assert count_variables(in_context(code, language), language) == count
