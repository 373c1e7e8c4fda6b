"""What names tell: keywords misspelt and calls written as statements, and that only edits which follow it gain."""

from __future__ import annotations

import numpy as np
import pytest

from codefit.models.repair import RepairModel
from codefit.source.lexemes import lex
from codefit.source.syntax.terminals import NUMBERS
from codefit.tasks.repairs.fix import fix_source
from codefit.tasks.repairs.names import CLOSE, NEAR, OPEN, SAME, clue_counts, clues_of, names_of, resembled
from codefit.tasks.repairs.packed import Edit, pack
from small_repairs import plain_edits, small_language


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        ("Class", ("class", SAME)), ("IF", ("if", SAME)), ("catch", ("except", SAME)), ("true", ("True", SAME)),
        ("retrun", ("return", NEAR)), ("lamda", ("lambda", NEAR)), ("form", ("from", NEAR)),
        ("impor", ("import", NEAR)), ("wihle", ("while", NEAR)), ("i", None), ("value", None), ("orders", None),
        ("printer", None),
    ],
)  # fmt: skip
def test_a_name_resembles_a_keyword(name: str, keyword: tuple[str, int] | None) -> None:
    assert resembled(name) == (None if keyword is None else (NUMBERS[keyword[0]], keyword[1]))


def test_the_clues_of_a_source() -> None:
    lexed = lex("import os\nprint 'a', b\nretrun x\n")
    clues = clues_of(lexed.terminals, names_of(lexed))
    assert clues.open == {4}
    assert clues.close == {7}
    assert clues.keywords == {8: (NUMBERS["return"], NEAR)}
    plain = lex("x = f(y)\n")
    assert not clues_of(plain.terminals, names_of(plain))
    edits = [
        [Edit("insert", 4, NUMBERS["("]), Edit("insert", 7, NUMBERS[")"])],
        [Edit("substitute", 8, NUMBERS["return"])],
        [Edit("substitute", 8, NUMBERS["del"]), Edit("insert", 5, NUMBERS["("])],
        [Edit("delete", 8, None), Edit("insert", 4, NUMBERS["["])],
    ]
    packed = np.full((4, 3), -1, dtype=np.int64)
    for row, made in enumerate(edits):
        packed[row, : len(made)] = [pack(edit) for edit in made]
    counts = clue_counts(clues, packed)
    assert counts[0, [OPEN, CLOSE]].tolist() == [1, 1]
    assert counts[1, NEAR] == 1
    assert counts.sum() == 3


def test_the_weights_raise_the_edits_that_follow_a_clue_by_just_that() -> None:
    lexed = lex("retrun a b\n")
    tokens, names = lexed.terminals, names_of(lexed)
    without = RepairModel(small_language(), plain_edits())
    known = RepairModel(small_language(), plain_edits(), name_weights=(0.0, 3.0, 0.0, 0.0))
    before = without.candidates(tokens, names=names, limit=5000, seconds=60)
    after = known.candidates(tokens, names=names, limit=5000, seconds=60)
    assert before.complete
    assert after.complete
    scores = {tuple(string): score for string, score in zip(before.strings, before.scores.tolist(), strict=True)}
    gains = clue_counts(clues_of(tokens, names), after.packed) @ np.array(known.name_weights)
    assert gains.max() == 3
    for string, score, gain in zip(after.strings, after.scores.tolist(), gains.tolist(), strict=True):
        assert score == pytest.approx(scores[tuple(string)] + gain, abs=1e-3)
    unnamed = known.candidates(tokens, limit=5000, seconds=60)
    assert unnamed.scores == pytest.approx(before.scores)


def test_a_file_is_mended_as_its_names_say() -> None:
    model = RepairModel(small_language(), plain_edits(), name_weights=(9.0, 9.0, 9.0, 9.0))

    def first(source: str) -> str:
        found = fix_source(source, lambda tokens, names: model.repairs(tokens, names=names, seconds=60))
        return found.repairs[0].source

    assert first("def f(a):\n    retrun a + 1\n") == "def f(a):\n    return a + 1\n"
    assert first("print 'a' % b\n") == "print('a' % b)\n"
    assert first("lass A(object):\n    pass\n") == "class A(object):\n    pass\n"
