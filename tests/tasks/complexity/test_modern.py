"""Older JavaScript in newer clothes: each kind of change is made, and what comes of it parses."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from codefit.tasks.complexity.modern import _NEW, _placed, modernized
from codefit.tasks.complexity.variants import has_error
from tasks.complexity.complexity_examples import scored_functions

OLD = """\
function(first, second) {
  var total = 0;
  var sum = function(part) {
    return part.value;
  };
  for (var i = 0; i < first.length; i++) {
    if (first[i] && second.has('name')) {
      total += sum(first[i]);
    }
  }
  second.each(function(one, two) {
    total += one.size();
  });
  return second.find(function(it) { return { it: it }; });
}"""


def _made(code: str, count: int = 400) -> list[str]:
    rng = np.random.default_rng(0)
    names = (f"new{number}" for number in itertools.count())
    return [modernized(code, "javascript", rng, lambda: next(names)) for _ in range(count)]


@pytest.fixture(scope="module")
def made() -> list[str]:
    return _made(OLD)


def test_what_parsed_parses(made: list[str]) -> None:
    assert not has_error(OLD, "javascript")
    assert [code for code in made if has_error(code, "javascript")] == []
    for row in scored_functions(30):
        assert [code for code in _made(row.code, 10) if has_error(code, "javascript")] == []


@pytest.mark.parametrize(
    "expected",
    [
        "const total = 0",
        "let i = 0",
        "const sum = (part) => part.value",
        "const sum = part => part.value",
        "second.each((one, two) => {",
        "(it) => ({ it: it })",
        '"name"',
        "first?.length",
        "if (first[i] &&\n    second",
        "if (first[i]\n    && second",
        "var total = 0\n",
    ],
)
def test_each_kind_of_change_is_made(made: list[str], expected: str) -> None:
    assert any(expected in code for code in made)


@pytest.mark.parametrize(
    "expected",
    [
        r"`name \$\{new\d+\}`",
        r"\(\{ first, new\d+ \}, second\)",
        r"second = new\d+\)",
        r"second\.has\('name', \{ new\d+: \w+ \}\)",
        r"const \{ new\d+, new\d+ \} = new\d+;\n",
    ],
)
def test_each_kind_of_change_with_a_name_in_it_is_made(made: list[str], expected: str) -> None:
    assert any(re.search(expected, code) for code in made)


def test_what_has_nothing_to_change_stays() -> None:
    assert _made("function f() { return; }", 20).count("function f() { return; }") > 5
    assert _made("a ==", 20) == ["a =="] * 20


def test_names_take_the_places_of_letters_alone() -> None:
    assert _placed("A.ABC(A, BA)", {"A": "x"}) == "x.ABC(x, BA)"
    for statement in _NEW:
        text = _placed(statement, dict.fromkeys("ABCDE", "name"))
        assert not re.search(r"\b[A-E]\b(?! of)", text.split("//")[-1]) or "//" in text
        assert not has_error(f"function f() {{\n{text}\n}}", "javascript"), text
