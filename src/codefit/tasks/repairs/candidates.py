"""Candidates for the repair of a broken string: the sentences of Python within a few edits, best first."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from codefit.source.syntax.lalr import Tables
from codefit.source.syntax.python import python_tables
from codefit.source.syntax.terminals import NEWLINE, NUMBERS
from codefit.tasks.repairs import packed, search, stacks
from codefit.tasks.repairs.ngrams import NgramModel, count_ngrams, smooth
from codefit.tasks.repairs.packed import Edit, unpack

LIMIT = 1_000
SECONDS = 1.0
STEPS_AT_ONCE = 200_000  # of the parser, between two looks at the clock: some ten milliseconds
ITEMS = 1 << 18
REPAIRS = 1 << 16
_NESTINGS = ((("(", ")"), ("[", "]"), ("{", "}")), (("INDENT", "DEDENT"),))


@dataclass(frozen=True, slots=True)
class EditScores:
    """What each edit of a string of n terminals adds to a repair's score: (n + 1, 90), (n, 90) and (n,)."""

    insert: npt.NDArray[np.float32]
    substitute: npt.NDArray[np.float32]
    delete: npt.NDArray[np.float32]


class EditModel(Protocol):
    """Says how likely edits are."""

    @property
    def weight(self) -> float:
        """Of the n-gram model's log probability beside the scores of edits."""

    def scores(self, tokens: npt.NDArray[np.int32], first_error: int, last_error: int) -> EditScores:
        """The scores of all edits; the string can be read up to `first_error` and, backwards, to `last_error`."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What was found: n strings of terminals, best first, and how.

    `scores` (n,) are those of the search, `likelihood` (n,) the n-gram model's log probability of each string, `packed`
    (n, MAX_EDITS) the edits. `least_edits` is the fewest edits that give a sentence (4: more than three), None where
    time ran out before it was known; `complete` says that no better candidate was left out for lack of time or room.
    """

    strings: list[list[int]]
    scores: npt.NDArray[np.float32]
    likelihood: npt.NDArray[np.float32]
    packed: npt.NDArray[np.int64]
    least_edits: int | None
    most_edits: int
    complete: bool
    seconds: float

    @property
    def edits(self) -> list[list[Edit]]:
        """The edits of each string, by their places."""
        return [[unpack(edit) for edit in row if edit != packed.NO_EDIT] for row in self.packed.tolist()]


def closed(tokens: Sequence[int]) -> list[int]:
    """The string with the NEWLINE that ends its last line, where it is missing."""
    return list(tokens) if tokens and tokens[-1] == NEWLINE else [*tokens, NEWLINE]


def error_places(tokens: Sequence[int]) -> tuple[int, int]:
    """Where a string fails: the first token that cannot be read, and the last part that no sentence holds (-1: none).

    Both are places in `tokens`; the first is their number where only the end is missing.
    """
    _, follows = python_tables()
    return _error_places(tokens, stacks.needed_edits(follows, np.array(tokens, dtype=np.int32)))


def _error_places(tokens: Sequence[int], needed: npt.NDArray[np.int32]) -> tuple[int, int]:
    error = python_tables()[0].first_error(tokens)
    last = int(np.flatnonzero(needed > 0)[-1]) if needed.any() else -1
    return len(tokens) if error is None else error, last


def find_candidates(
    broken: Sequence[int],
    language_model: NgramModel,
    edit_model: EditModel,
    *,
    limit: int = LIMIT,
    seconds: float = SECONDS,
    steps: int | None = None,
    most_edits: int | None = None,
) -> Candidates:
    """The sentences within min(least edits + 1, 3) edits of a broken string, best first, at most `limit`.

    The score is that of the edits and `edit_model.weight` times the n-gram model's log probability. `most_edits` asks
    for another distance. After `seconds` what was found by then is returned. `steps` of the parser instead of seconds
    end the search at the same place on any machine. A sound string has itself first.
    """
    _compile()
    budget = _Budget(time.perf_counter(), seconds if steps is None else math.inf, steps)
    return _find(broken, language_model, edit_model, limit, budget, most_edits)


@lru_cache(maxsize=1)
def _compile() -> None:
    """Have numba compile or load everything, which is not to be taken from the time of the first search."""
    model = smooth(count_ngrams([[NUMBERS["NAME"], NEWLINE]], 2))
    budget = _Budget(time.perf_counter(), math.inf, None)
    _find([NUMBERS["NAME"]] * 2, model, _NoEdits(), limit=1, budget=budget, most_edits=1)


@dataclass(frozen=True, slots=True)
class _Budget:
    started: float
    seconds: float
    steps: int | None

    def is_spent(self, memory: stacks.Ints) -> bool:
        over = self.steps is not None and memory[stacks.WORK] >= self.steps
        return bool(over) or time.perf_counter() > self.started + self.seconds


@dataclass(frozen=True, slots=True)
class _NoEdits:
    weight: float = 1.0

    def scores(self, tokens: npt.NDArray[np.int32], first_error: int, last_error: int) -> EditScores:
        n, terminals = len(tokens), len(NUMBERS)
        return EditScores(*(np.zeros(size, dtype=np.float32) for size in ((n + 1, terminals), (n, terminals), (n,))))


def _find(
    broken: Sequence[int],
    language_model: NgramModel,
    edit_model: EditModel,
    limit: int,
    budget: _Budget,
    most_edits: int | None,
) -> Candidates:
    _, follows = python_tables()
    parser = _parser()
    language = search.Language(language_model.log_probability, language_model.after, language_model.cheapest)
    tokens = np.array(closed(broken), dtype=np.int32)
    contexts = language_model.contexts(tokens.tolist())
    needed = stacks.needed_edits(follows, tokens)
    snippet = _prepare(tokens, contexts, needed, language, edit_model, *_error_places(tokens.tolist(), needed))
    memory = stacks.new_memory()
    least = _least_edits(parser, memory, snippet, budget)
    most = most_edits if most_edits is not None else min((least or 0) + 1, packed.MAX_EDITS)
    found = search.new_found(REPAIRS, limit)
    state, left_out = 0, 0
    weight = np.float32(edit_model.weight)
    score = np.float32(edit_model.weight * language_model.log_likelihood(tokens.tolist()))
    # First those of the fewest edits, which are mostly the right ones and soon found, then those of one more.
    for edits in range(max(least or 1, 1), most + 1) if least is not None else ():
        agenda = search.new_agenda(ITEMS)
        search.begin(parser, memory, snippet, agenda, edits, language_model.first, score)
        state = 0
        while state == 0 and not budget.is_spent(memory):
            work = memory[stacks.WORK] + STEPS_AT_ONCE
            state = search.search(parser, language, memory, snippet, contexts, agenda, found, weight, work)
        left_out += int(agenda.counts[2])
    return _collect(tokens, found, language_model, limit, least, most, state == 1 and not left_out, budget.started)


@lru_cache(maxsize=1)
def _parser() -> stacks.Ints:
    tables, _ = python_tables()
    terminals = tables.action.shape[1] - 1
    opens = np.zeros((terminals + 1, stacks.NESTINGS), dtype=np.int8)
    for kind, pairs in enumerate(_NESTINGS):
        for opening, closing in pairs:
            opens[NUMBERS[opening], kind], opens[NUMBERS[closing], kind] = 1, -1
    holds = np.zeros((len(tables.action), stacks.NESTINGS), dtype=np.int8)
    sure = np.full(len(tables.action), -1, dtype=np.int16)
    for state, actions in enumerate(tables.action):
        for terminal in np.flatnonzero(actions[:terminals] > 0):
            holds[actions[terminal] - 1] = opens[terminal]
        different = set(actions[actions != 0].tolist())
        if len(different) == 1 and min(different) < 0:
            sure[state] = -min(different) - 1
    return stacks.parser_of(
        tables.action, tables.goto, tables.length, tables.left, sure, opens, holds, *_settled(tables)
    )


def _settled(tables: Tables) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int16]]:
    """What productions of one symbol lead to, see `codefit.tasks.repairs.stacks.parser_of`."""
    places = np.argwhere(tables.goto >= 0)
    pair = np.full(tables.goto.shape, -1, dtype=np.int32)
    pair[tuple(places.T)] = np.arange(len(places))
    states = tables.goto[tuple(places.T)]
    actions = tables.action[states]
    productions = np.where(actions < 0, -actions - 1, 0)
    single = (actions < 0) & (tables.length[productions] == 1)
    after = np.where(single, pair[places[:, :1], tables.left[productions]], np.arange(len(places))[:, None])
    column = np.arange(actions.shape[1])
    while not np.array_equal(further := after[after, column], after):
        after = further
    return pair, states[after]


def _prepare(
    tokens: npt.NDArray[np.int32],
    contexts: npt.NDArray[np.int32],
    needed: npt.NDArray[np.int32],
    language: search.Language,
    edit_model: EditModel,
    first_error: int,
    last_error: int,
) -> search.Snippet:
    scores = edit_model.scores(tokens, first_error, last_error)
    n, terminals = len(tokens), scores.insert.shape[1]
    gains = search.alone_gains(
        language, tokens, contexts, scores.insert, scores.substitute, scores.delete, np.float32(edit_model.weight)
    )
    places = np.arange(n + 1, dtype=np.int64) << packed.PLACE_SHIFT
    numbers = np.arange(terminals, dtype=np.int64)
    edits = np.concatenate(
        [
            (places[:, None] | packed.INSERT << packed.TERMINAL_BITS | numbers).ravel(),
            (places[:n, None] | packed.SUBSTITUTE << packed.TERMINAL_BITS | numbers).ravel(),
            places[:n] | packed.DELETE << packed.TERMINAL_BITS,
        ]
    )
    flat = np.concatenate([gain.ravel() for gain in gains]).astype(np.float32)
    order = np.argsort(-flat, kind="stable")
    best = np.full(n + 2, -1e9, dtype=np.float32)
    best[: n + 1] = gains[0].max(axis=1)
    best[:n] = np.maximum(best[:n], np.maximum(gains[1].max(axis=1), gains[2]))
    best = np.maximum.accumulate(best[::-1])[::-1].copy()
    cheapest = np.float32(edit_model.weight) * language.cheapest
    near = np.full(n + 2 + search.NEAR, -1e9, dtype=np.float32)
    near[: n + 1] = (scores.insert + cheapest[:terminals]).max(axis=1)
    taken = np.maximum((scores.substitute + cheapest[:terminals]).max(axis=1), scores.delete) - cheapest[tokens]
    near[:n] = np.maximum(near[:n], taken)
    likeliest = np.lib.stride_tricks.sliding_window_view(near, search.NEAR + 1).max(axis=1)
    parser = _parser()
    start = parser[stacks.OPENS]
    opens = parser[start : start + stacks.NESTINGS * (terminals + 1)].reshape(-1, stacks.NESTINGS)
    balance = opens[tokens]
    open_ = np.concatenate([np.cumsum(balance[::-1], axis=0)[::-1], np.zeros((1, stacks.NESTINGS))]).astype(np.int32)
    return search.Snippet(
        tokens, needed, open_, scores.insert, scores.substitute, scores.delete, edits[order], flat[order], best,
        np.ascontiguousarray(likeliest[: n + 2]),
    )  # fmt: skip


def _least_edits(parser: stacks.Ints, memory: stacks.Ints, snippet: search.Snippet, budget: _Budget) -> int | None:
    while True:
        least = stacks.least_edits(parser, memory, snippet, memory[stacks.WORK] + STEPS_AT_ONCE)
        if least >= 0:
            return int(least)
        if budget.is_spent(memory):
            return None


def _collect(
    tokens: npt.NDArray[np.int32],
    found: search.Found,
    language_model: NgramModel,
    limit: int,
    least: int | None,
    most: int,
    complete: bool,
    started: float,
) -> Candidates:
    count = int(found.counts[0])
    order = np.argsort(-found.score[:count], kind="stable")[:limit]
    edits, scores = found.edits[order], found.score[order]
    if least == 0:  # nothing is wrong with it: itself first
        edits = np.concatenate([np.full((1, packed.MAX_EDITS), packed.NO_EDIT), edits])
        scores = np.concatenate([[np.float32(0)], scores])
    strings = []
    buffer = np.empty(len(tokens) + packed.MAX_EDITS + 1, dtype=np.int32)
    for row in edits:
        length = packed.write_repair(tokens, row, buffer)
        strings.append(buffer[:length].tolist())
    likelihood = language_model.log_likelihoods(strings)
    return Candidates(strings, scores, likelihood, edits, least, most, complete, time.perf_counter() - started)
