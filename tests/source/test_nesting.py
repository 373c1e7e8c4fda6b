"""Depth in brackets and functions by a lexer: as a parser has it where code is sound, and sensible where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.source.metrics.measure import measure
from codefit.source.nesting import nesting
from codefit.tasks.complexity.functions import in_context
from tasks.complexity.complexity_examples import scored_functions

CODE = """\
area(a, b) {
  if (a) { return b.map(x => x.y, 1).filter((z) => { return z; }); }
  const q = function (r) { return { r }; };
  for (const s of /[(]"/.exec('}')) { `(${t}`; }
}"""


def _at(code: str, mark: str) -> tuple[int, ...]:
    return tuple(nesting(code).at([code.index(mark)])[0].tolist())


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("area", (0, 0, 0)),
        ("a, b", (1, 0, 0)),
        ("if", (1, 1, 0)),
        ("return b", (2, 1, 0)),
        ("x.y", (3, 2, 0)),
        ("1)", (3, 1, 1)),
        ("return z", (4, 2, 1)),
        ("const q", (1, 1, 2)),
        ("return { r", (2, 2, 2)),
        ("r };", (3, 2, 2)),
        ("for", (1, 1, 3)),
        ("`(", (2, 1, 3)),
    ],
)
def test_each_place_has_its_depths(mark: str, expected: tuple[int, ...]) -> None:
    assert _at(CODE, mark) == expected


def test_all_is_closed_at_the_end() -> None:
    assert nesting(CODE).at([len(CODE)]).tolist() == [[0, 0, 4]]


@pytest.mark.parametrize(
    ("code", "mark", "expected"),
    [
        ("f(a)) { x }", "x", (1, 1, 0)),  # closes nothing
        ("f() { a(b; c(); } d", "d", (0, 0, 1)),  # left open
        ("f() { if (a { b } } c", "c", (0, 0, 1)),
        ("f() { g('it) ; \n h }", "h", (1 + 1, 1, 0)),  # a string ends with its line
        ("f() { /* } ", " ", (0, 0, 0)),
        ("a(b)", ")", (1, 0, 0)),  # a bracket lies inside what it closes
        ("f() { [[[ } c", "c", (0, 0, 1)),
        ("f() { [[[[ } c", "c", (5, 1, 0)),  # too far from what it might close
        ("x => y", "y", (0, 1, 0)),
        ("x => y; z", "z", (0, 0, 1)),
        ("a(x => y => z, w)", "w", (1, 0, 2)),
        ("def f(a):\n    return [b]", "b", (1, 0, 0)),  # no braces, no function
        ("while (a) { b }", "b", (1, 0, 0)),
    ],
)
def test_broken_code_and_other_cases(code: str, mark: str, expected: tuple[int, ...]) -> None:
    assert _at(code, mark) == expected


def test_as_many_functions_end_as_the_parser_finds() -> None:
    for row in scored_functions(60):
        found = measure(in_context(row.code, "javascript"), "javascript").functions
        assert nesting(row.code).ended[-1] == len(found)


@given(st.text(alphabet="(){}[]=>,;'\"`/*\\\n ab$", max_size=60))
def test_any_text_has_depths(code: str) -> None:
    found = nesting(code)
    assert found.starts[0] == 0
    assert (np.diff(found.starts) >= 0).all()
    assert min(found.brackets.min(), found.functions.min(), found.ended.min()) >= 0
    assert (np.diff(found.ended) >= 0).all()
    assert (found.functions <= found.brackets + code.count("=>")).all()
    assert found.at(range(len(code) + 1)).shape == (len(code) + 1, 3)


def test_a_long_line_costs_its_length() -> None:
    assert nesting("f(" * 100_000).brackets[-1] == 100_000
    assert nesting("a" + "=>" * 50_000 + "b").ended[-1] == 0
    assert nesting("/" * 100_000 + "\n" + "'" * 99_999).brackets[-1] == 0
