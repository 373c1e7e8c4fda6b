"""Alignment, snippets and synthetic mistakes."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from codefit.source.lexemes import lex
from codefit.source.syntax.python import python_tables
from codefit.source.syntax.terminals import DEDENT, INDENT, from_names
from codefit.tasks.repairs.align import distance, edits_between
from codefit.tasks.repairs.breaks import break_code, learn_mistakes
from codefit.tasks.repairs.candidates import closed
from codefit.tasks.repairs.snippets import snippets

TOKENS = st.lists(st.integers(0, 5), max_size=9)
SOUND = [
    from_names("NAME = [ STRING , STRING , STRING , STRING ]"),
    from_names("def NAME ( NAME ) : NEWLINE INDENT return NAME NEWLINE DEDENT"),
]
BROKEN = [
    from_names("NAME = [ STRING STRING : STRING STRING ]"),
    from_names("def NAME ( NAME ) NEWLINE INDENT return NAME NEWLINE DEDENT"),
]


def plain_distance(a: list[int], b: list[int]) -> int:
    if not a or not b:
        return len(a) + len(b)
    return min(
        plain_distance(a[1:], b[1:]) + (a[0] != b[0]), plain_distance(a[1:], b) + 1, plain_distance(a, b[1:]) + 1
    )


@settings(deadline=None)  # compiled when first called
@given(TOKENS.filter(lambda a: len(a) < 6), TOKENS.filter(lambda b: len(b) < 6))
def test_distance_is_levenshteins(a: list[int], b: list[int]) -> None:
    assert distance(a, b) == plain_distance(a, b)


@settings(deadline=None)  # compiled when first called
@given(TOKENS, TOKENS)
def test_edits_are_the_fewest_and_lead_there(a: list[int], b: list[int]) -> None:
    edits = edits_between(a, b)
    assert len(edits) == distance(a, b)
    assert [edit.place for edit in edits] == sorted(edit.place for edit in edits)
    result: list[int] = []
    at = 0
    for edit in edits:
        result += a[at : edit.place]
        at = edit.place + (edit.kind != "insert")
        result += [] if edit.terminal is None else [edit.terminal]
    assert result + a[at:] == b


def test_snippets_are_sentences_of_the_file_in_order() -> None:
    tokens = lex(Path(argparse.__file__).read_text(encoding="utf-8")).terminals
    found = list(snippets(tokens, np.random.default_rng(0)))
    tables, _ = python_tables()
    assert len(found) > 100
    assert max(map(len, found)) <= 78
    assert len({len(snippet) for snippet in found}) > 30
    assert all(tables.accepts(snippet) for snippet in found)
    assert sum(map(len, found)) > 0.6 * len(tokens)  # what is left out are the heads of longer statements
    text, at = bytes(tokens), 0
    for snippet in found:
        at = text.index(bytes(snippet), at) + len(snippet)
        assert snippet.count(INDENT) == snippet.count(DEDENT)


def test_mistakes_are_those_that_were_seen() -> None:
    mistakes = learn_mistakes(list(zip(BROKEN, SOUND, strict=True)))
    assert [(m.kind, m.terminal) for m in mistakes.seen] == [
        ("delete", None), ("substitute", from_names(":")[0]), ("delete", None), ("delete", None)
    ]  # fmt: skip
    assert mistakes.repeats == 2 / 4  # of two further mistakes one repeats the first, and one of each before any
    rng = np.random.default_rng(0)
    tables, _ = python_tables()
    sound = from_names(
        "NAME = [ STRING , STRING , NAME ] NEWLINE def NAME ( NAME ) : NEWLINE INDENT pass NEWLINE DEDENT"
    )
    for count in (1, 2, 3):
        for _ in range(20):
            broken = break_code(sound, mistakes, count, rng)
            assert broken is not None
            assert distance(broken, closed(sound)) == count
            assert not tables.accepts(broken)


def test_where_no_mistake_fits_there_is_none() -> None:
    mistakes = learn_mistakes([(BROKEN[1], SOUND[1])])
    assert break_code(from_names("NAME NEWLINE"), mistakes, 1, np.random.default_rng(0)) is None
