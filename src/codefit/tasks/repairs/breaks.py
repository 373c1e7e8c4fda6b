"""Broken code made of sound code by the mistakes that people make, learned from pairs of both.

A mistake is an edit with the tokens around it. One that was seen is put where the same tokens stand; where none do,
where the nearest of them do. Some mistakes come in numbers (a comma forgotten on every line), which is learned too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from codefit.errors import InputError
from codefit.source.syntax.python import python_tables
from codefit.tasks.repairs.align import edits_between
from codefit.tasks.repairs.candidates import closed
from codefit.tasks.repairs.instances import RepairPair
from codefit.tasks.repairs.packed import Edit

EDGE = -1
TRIES = 30


@dataclass(frozen=True, slots=True)
class Mistake:
    """An edit of sound code: the token before it, the one it is made at, the one after, and what is written."""

    kind: str
    before: int
    own: int
    after: int
    terminal: int | None


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Those that were seen, and the share of the further ones in a snippet that repeat its first."""

    seen: list[Mistake]
    repeats: float


def learn_mistakes(pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Mistakes:
    """From pairs of (broken, fixed)."""
    seen: list[Mistake] = []
    again = further = 1  # one of each before any is seen
    for broken, fixed in pairs:
        whole = closed(fixed)
        found = [_mistake(whole, edit) for edit in edits_between(whole, closed(broken))]
        seen.extend(found)
        for mistake in found[1:]:
            further += 1
            again += (mistake.kind, mistake.own, mistake.terminal) == (found[0].kind, found[0].own, found[0].terminal)
    return Mistakes(seen, again / (further + 1))


def _mistake(tokens: Sequence[int], edit: Edit) -> Mistake:
    def at(place: int) -> int:
        return tokens[place] if 0 <= place < len(tokens) else EDGE

    return Mistake(edit.kind, at(edit.place - 1), at(edit.place), at(edit.place + 1), edit.terminal)


def break_code(fixed: Sequence[int], mistakes: Mistakes, count: int, rng: np.random.Generator) -> list[int] | None:
    """The snippet with `count` mistakes, no sentence any more and at that distance; None where none would go in."""
    whole = closed(fixed)
    tables, _ = python_tables()
    for _ in range(TRIES):
        broken = list(whole)
        first: Mistake | None = None
        for _ in range(count):
            drawn = mistakes.seen[int(rng.integers(len(mistakes.seen)))]
            mistake = first if first is not None and rng.random() < mistakes.repeats else drawn
            place = _place(broken, mistake, rng)
            if place is None:
                break
            first = first or mistake
            _apply(broken, mistake, place)
        else:
            if len(edits_between(broken, whole)) == count and not tables.accepts(closed(broken)):
                return broken
    return None


def synthetic_pairs(
    sound: Sequence[Sequence[int]], mistakes: Mistakes, count: int, shares: Sequence[float], rng: np.random.Generator
) -> Iterator[tuple[int, RepairPair]]:
    """`count` broken strings made of sound ones, each with the number of the one it is made of.

    `shares` of them have one mistake, two, three. Strings in which no mistake would go are passed over; `InputError`
    where that is all of them.
    """
    weights = np.asarray(shares, dtype=np.float64) / sum(shares)
    made = tried = 0
    while made < count:
        number = int(rng.integers(len(sound)))
        broken = break_code(sound[number], mistakes, int(rng.choice(len(weights), p=weights)) + 1, rng)
        tried += 1
        if broken is not None:
            made += 1
            yield number, RepairPair(closed(broken), closed(sound[number]))
        elif tried > 100 and made == 0:
            raise InputError("none of the mistakes that were seen goes into any of the snippets")


def _place(tokens: Sequence[int], mistake: Mistake, rng: np.random.Generator) -> int | None:
    """A place with the mistake's surroundings, as much of them as there is."""
    ends = mistake.kind == "insert"
    padded = np.array([EDGE, *tokens, EDGE, EDGE])
    own = padded[1:-1] if ends else padded[1:-2]
    n = len(own)
    is_own, is_before, is_after = own == mistake.own, padded[:n] == mistake.before, padded[2 : n + 2] == mistake.after
    for fits in (is_own & is_before & is_after, is_own & is_before, is_own & is_after):
        places = np.flatnonzero(fits)
        if len(places):
            return int(places[rng.integers(len(places))])
    return None


def _apply(tokens: list[int], mistake: Mistake, place: int) -> None:
    if mistake.kind == "delete":
        del tokens[place]
    elif mistake.terminal is not None:
        tokens[place : place + (mistake.kind == "substitute")] = [mistake.terminal]
