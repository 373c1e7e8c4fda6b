"""Candidates: all sentences within the edits and no others, in the order of their score, within the time given."""

from __future__ import annotations

import itertools
import time

import numpy as np
import numpy.typing as npt
import pytest
from pyformlang.cfg import CFG

from codefit.source.syntax.python import GRAMMAR_FILE, python_tables
from codefit.source.syntax.terminals import TERMINALS, from_names, to_names
from codefit.tasks.repairs.align import distance
from codefit.tasks.repairs.candidates import EditScores, closed, find_candidates
from codefit.tasks.repairs.ngrams import NgramModel, count_ngrams, smooth

SOUND = [
    "NAME = NAME ( STRING , NUMBER ) NEWLINE",
    "for NAME in NAME : NEWLINE INDENT NAME . NAME ( NAME ) NEWLINE DEDENT",
    "def NAME ( NAME , NAME = None ) : NEWLINE INDENT return NAME + NUMBER NEWLINE DEDENT",
    "if NAME == STRING : NEWLINE INDENT NAME [ NUMBER ] = { STRING : NAME } NEWLINE DEDENT "
    "else : NEWLINE INDENT pass NEWLINE DEDENT",
    "import NAME NEWLINE from NAME import NAME as NAME NEWLINE",
]
ALL = range(len(TERMINALS))


class RandomEdits:
    """Scores that differ from edit to edit, so that an order that is off shows."""

    weight = 0.7

    def scores(self, tokens: npt.NDArray[np.int32], first_error: int, last_error: int) -> EditScores:
        rng, n = np.random.default_rng(len(tokens)), len(tokens)
        return EditScores(*(rng.normal(-5, 2, size).astype(np.float32) for size in ((n + 1, 90), (n, 90), (n,))))


@pytest.fixture(scope="module")
def language_model() -> NgramModel:
    return smooth(count_ngrams([from_names(text) for text in SOUND], 4))


def neighbours(string: list[int]) -> set[tuple[int, ...]]:
    """All strings at distance one."""
    found = set()
    for place in range(len(string) + 1):
        found |= {(*string[:place], t, *string[place:]) for t in ALL}
        if place < len(string):
            found.add((*string[:place], *string[place + 1 :]))
            found |= {(*string[:place], t, *string[place + 1 :]) for t in ALL}
    return found - {tuple(string)}


@pytest.fixture(scope="module")
def oracle() -> CFG:
    lines = []
    for line in GRAMMAR_FILE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        left, _, right = line.partition(":")
        words = " ".join("|" if w == "|" else f"T{TERMINALS.index(w)}x" if w in TERMINALS else w for w in right.split())
        lines.append((left, words))
    productions = "\n".join(f"V{left} -> " + " ".join(_symbol(w) for w in words.split()) for left, words in lines)
    return CFG.from_text(productions, start_symbol="Vstart")


def _symbol(word: str) -> str:
    if word == "|":
        return word
    return f"t{word[1:-1]}" if word[0] == "T" and word[-1] == "x" and word[1:-1].isdigit() else f"V{word}"


@pytest.mark.parametrize("broken", ["NAME =", "NAME NAME", ") NEWLINE", "return ( NEWLINE"])
def test_one_edit_gives_what_pyformlang_says_is_the_language(
    broken: str, oracle: CFG, language_model: NgramModel
) -> None:
    string = closed(from_names(broken))
    expected = {s for s in neighbours(string) if oracle.contains([f"t{t}" for t in s])}
    found = find_candidates(string, language_model, RandomEdits(), limit=5_000, seconds=60, most_edits=1)
    assert {tuple(s) for s in found.strings} == expected
    assert found.complete
    assert found.least_edits == (1 if expected else 2)


@pytest.mark.parametrize("broken", ["NAME =", "NAME NAME NAME", "( ]", "if NAME NEWLINE"])
def test_two_edits_give_all_sentences_at_that_distance(broken: str, language_model: NgramModel) -> None:
    string = closed(from_names(broken))
    tables, _ = python_tables()
    near = neighbours(string)
    strings = near | set(itertools.chain.from_iterable(neighbours(list(s)) for s in near))
    expected = {s for s in strings if s != tuple(string) and tables.accepts(s)}
    found = find_candidates(string, language_model, RandomEdits(), limit=60_000, seconds=60, most_edits=2)
    assert found.complete
    assert len(found.strings) == len({tuple(s) for s in found.strings})
    assert {tuple(s) for s in found.strings} == expected


@pytest.mark.parametrize("text", SOUND)
def test_the_best_few_are_the_best_of_all(text: str, language_model: NgramModel) -> None:
    sound = from_names(text)
    for place in (2, len(sound) // 2):
        broken = [*sound[:place], *sound[place + 1 :]]
        if python_tables()[0].accepts(closed(broken)):
            continue
        few = find_candidates(broken, language_model, RandomEdits(), limit=50, seconds=60)
        many = find_candidates(broken, language_model, RandomEdits(), limit=5_000, seconds=60)
        assert few.complete
        assert len(few.strings) == min(50, len(many.strings)) > 10
        assert few.scores == pytest.approx(many.scores[:50], abs=1e-3)
        assert (np.diff(few.scores) <= 0).all()


def test_scores_are_of_edits_and_language_model_and_edits_lead_to_the_string(language_model: NgramModel) -> None:
    broken = closed(from_names("for NAME NAME NAME NEWLINE INDENT NAME NEWLINE DEDENT"))
    found = find_candidates(broken, language_model, RandomEdits(), limit=300, seconds=60)
    own = RandomEdits().scores(np.array(broken, dtype=np.int32), 0, 0)
    assert found.least_edits == 2
    for string, score, edits in zip(found.strings, found.scores, found.edits, strict=True):
        total, rebuilt, shift = RandomEdits.weight * language_model.log_likelihood(string), list(broken), 0
        for edit in edits:
            at = edit.place + shift
            if edit.kind == "delete":
                total += own.delete[edit.place]
                del rebuilt[at]
                shift -= 1
            elif edit.kind == "insert":
                total += own.insert[edit.place, edit.terminal]
                rebuilt.insert(at, edit.terminal)
                shift += 1
            else:
                total += own.substitute[edit.place, edit.terminal]
                rebuilt[at] = edit.terminal
        assert rebuilt == string
        assert score == pytest.approx(total, abs=1e-2)
        assert python_tables()[0].accepts(string)
        assert distance(broken, string) <= 3


def test_a_sound_string_is_its_own_first_repair(language_model: NgramModel) -> None:
    sound = from_names(SOUND[0])
    found = find_candidates(sound, language_model, RandomEdits(), limit=10, seconds=10)
    assert (found.least_edits, found.strings[0], found.edits[0]) == (0, sound, [])


def test_what_three_edits_do_not_mend_is_said(language_model: NgramModel) -> None:
    found = find_candidates(from_names("NAME NAME " * 8), language_model, RandomEdits(), limit=10, seconds=10)
    assert (found.least_edits, found.strings) == (4, [])


def test_the_time_is_kept_and_the_result_says_so(language_model: NgramModel) -> None:
    broken = from_names(" ".join(["NAME = NAME ( NAME NAME ) NEWLINE"] * 3 + ["for NAME in NAME NEWLINE"] * 1))
    find_candidates(broken, language_model, RandomEdits(), limit=10, seconds=0.01)  # compiled by now
    started = time.perf_counter()
    found = find_candidates(broken, language_model, RandomEdits(), limit=1_000_000, seconds=0.2)
    assert time.perf_counter() - started < 3.0
    assert not found.complete
    tables, _ = python_tables()
    assert all(tables.accepts(string) for string in found.strings), [to_names(s) for s in found.strings[:3]]
