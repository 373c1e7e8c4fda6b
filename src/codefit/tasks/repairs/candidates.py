"""Candidates for the repair of a broken string: the sentences of Python within a few edits, best first."""

from __future__ import annotations

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
from codefit.tasks.repairs import search as kernel
from codefit.tasks.repairs.ngrams import NgramModel, count_ngrams, smooth

LIMIT = 1_000
SECONDS = 1.0
STEPS_AT_ONCE = 200_000  # of the parser, between two looks at the clock: some ten milliseconds
ITEMS = 1 << 18
REPAIRS = 1 << 16
KINDS = ("insert", "substitute", "delete")
_NESTINGS = ((("(", ")"), ("[", "]"), ("{", "}")), (("INDENT", "DEDENT"),))
_SHIFT = kernel.TERMINAL_BITS + kernel.KIND_BITS


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
class Edit:
    """One edit: `kind` is insert, substitute or delete, `place` in the broken string, `terminal` what is written."""

    kind: str
    place: int
    terminal: int | None


@dataclass(frozen=True, slots=True)
class Candidates:
    """What was found: strings of terminals with their scores, best first, and how.

    `least_edits` is the fewest edits that give a sentence (4: more than three), None where time ran out before it was
    known; `complete` says that no better candidate was left out for lack of time or room.
    """

    strings: list[list[int]]
    scores: npt.NDArray[np.float32]
    edits: list[list[Edit]]
    least_edits: int | None
    most_edits: int
    complete: bool
    seconds: float


def closed(tokens: Sequence[int]) -> list[int]:
    """The string with the NEWLINE that ends its last line, where it is missing."""
    return list(tokens) if tokens and tokens[-1] == NEWLINE else [*tokens, NEWLINE]


def error_places(tokens: Sequence[int]) -> tuple[int, int]:
    """Where a string fails: the first token that cannot be read, and the last part that no sentence holds (-1: none).

    Both are places in `tokens`; the first is their number where only the end is missing.
    """
    _, follows = python_tables()
    return _error_places(tokens, kernel.needed_edits(follows, np.array(tokens, dtype=np.int32)))


def _error_places(tokens: Sequence[int], needed: npt.NDArray[np.int32]) -> tuple[int, int]:
    error = python_tables()[0].first_error(tokens)
    last = int(np.flatnonzero(needed > 0)[-1]) if needed.any() else -1
    return len(tokens) if error is None else error, last


def pack(edit: Edit) -> int:
    """An edit as one number, as the search has it."""
    return edit.place << _SHIFT | KINDS.index(edit.kind) << kernel.TERMINAL_BITS | (edit.terminal or 0)


def unpack(number: int) -> Edit:
    """The inverse of `pack`."""
    kind = number >> kernel.TERMINAL_BITS & 3
    return Edit(KINDS[kind], number >> _SHIFT, None if kind == kernel.DELETE else number & 127)


def find_candidates(
    broken: Sequence[int],
    language_model: NgramModel,
    edit_model: EditModel,
    *,
    limit: int = LIMIT,
    seconds: float = SECONDS,
    most_edits: int | None = None,
) -> Candidates:
    """The sentences within min(least edits + 1, 3) edits of a broken string, best first, at most `limit`.

    The score is that of the edits and `edit_model.weight` times the n-gram model's log probability. `most_edits` asks
    for another distance. After `seconds` what was found by then is returned. A sound string has itself first.
    """
    _compile()
    return _find(broken, language_model, edit_model, limit, seconds, most_edits)


@lru_cache(maxsize=1)
def _compile() -> None:
    """Have numba compile or load everything, which is not to be taken from the time of the first search."""
    model = smooth(count_ngrams([[NUMBERS["NAME"], NEWLINE]], 2))
    _find([NUMBERS["NAME"]] * 2, model, _NoEdits(), limit=1, seconds=600.0, most_edits=1)


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
    seconds: float,
    most_edits: int | None,
) -> Candidates:
    started = time.perf_counter()
    _, follows = python_tables()
    parser = _parser()
    language = kernel.Language(language_model.log_probability, language_model.after, language_model.cheapest)
    tokens = np.array(closed(broken), dtype=np.int32)
    contexts = language_model.contexts(tokens.tolist())
    needed = kernel.needed_edits(follows, tokens)
    snippet = _prepare(tokens, contexts, needed, language, edit_model, *_error_places(tokens.tolist(), needed))
    memory = kernel.new_memory()
    least = _least_edits(parser, memory, snippet, started + seconds)
    most = most_edits if most_edits is not None else min((least or 0) + 1, kernel.MAX_EDITS)
    found = kernel.new_found(REPAIRS, limit)
    state, left_out = 0, 0
    weight = np.float32(edit_model.weight)
    score = np.float32(edit_model.weight * language_model.log_likelihood(tokens.tolist()))
    # First those of the fewest edits, which are mostly the right ones and soon found, then those of one more.
    for edits in range(max(least or 1, 1), most + 1) if least is not None else ():
        agenda = kernel.new_agenda(ITEMS)
        kernel.begin(parser, memory, snippet, agenda, edits, language_model.first, score)
        state = 0
        while state == 0 and time.perf_counter() < started + seconds:
            work = memory[kernel.WORK] + STEPS_AT_ONCE
            state = kernel.search(parser, language, memory, snippet, contexts, agenda, found, weight, work)
        left_out += int(agenda.counts[2])
    return _collect(tokens, found, limit, least, most, state == 1 and not left_out, started)


@lru_cache(maxsize=1)
def _parser() -> kernel.Ints:
    tables, _ = python_tables()
    terminals = tables.action.shape[1] - 1
    opens = np.zeros((terminals + 1, kernel.NESTINGS), dtype=np.int8)
    for kind, pairs in enumerate(_NESTINGS):
        for opening, closing in pairs:
            opens[NUMBERS[opening], kind], opens[NUMBERS[closing], kind] = 1, -1
    holds = np.zeros((len(tables.action), kernel.NESTINGS), dtype=np.int8)
    sure = np.full(len(tables.action), -1, dtype=np.int16)
    for state, actions in enumerate(tables.action):
        for terminal in np.flatnonzero(actions[:terminals] > 0):
            holds[actions[terminal] - 1] = opens[terminal]
        different = set(actions[actions != 0].tolist())
        if len(different) == 1 and min(different) < 0:
            sure[state] = -min(different) - 1
    return kernel.parser_of(
        tables.action, tables.goto, tables.length, tables.left, sure, opens, holds, *_settled(tables)
    )


def _settled(tables: Tables) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int16]]:
    """What productions of one symbol lead to, see `codefit.tasks.repairs.search.parser_of`."""
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
    language: kernel.Language,
    edit_model: EditModel,
    first_error: int,
    last_error: int,
) -> kernel.Snippet:
    scores = edit_model.scores(tokens, first_error, last_error)
    n, terminals = len(tokens), scores.insert.shape[1]
    gains = kernel.alone_gains(
        language, tokens, contexts, scores.insert, scores.substitute, scores.delete, np.float32(edit_model.weight)
    )
    places = np.arange(n + 1, dtype=np.int64) << _SHIFT
    numbers = np.arange(terminals, dtype=np.int64)
    edits = np.concatenate(
        [
            (places[:, None] | kernel.INSERT << kernel.TERMINAL_BITS | numbers).ravel(),
            (places[:n, None] | kernel.SUBSTITUTE << kernel.TERMINAL_BITS | numbers).ravel(),
            places[:n] | kernel.DELETE << kernel.TERMINAL_BITS,
        ]
    )
    flat = np.concatenate([gain.ravel() for gain in gains]).astype(np.float32)
    order = np.argsort(-flat, kind="stable")
    best = np.full(n + 2, -1e9, dtype=np.float32)
    best[: n + 1] = gains[0].max(axis=1)
    best[:n] = np.maximum(best[:n], np.maximum(gains[1].max(axis=1), gains[2]))
    best = np.maximum.accumulate(best[::-1])[::-1].copy()
    cheapest = np.float32(edit_model.weight) * language.cheapest
    near = np.full(n + 2 + kernel.NEAR, -1e9, dtype=np.float32)
    near[: n + 1] = (scores.insert + cheapest[:terminals]).max(axis=1)
    taken = np.maximum((scores.substitute + cheapest[:terminals]).max(axis=1), scores.delete) - cheapest[tokens]
    near[:n] = np.maximum(near[:n], taken)
    likeliest = np.lib.stride_tricks.sliding_window_view(near, kernel.NEAR + 1).max(axis=1)
    parser = _parser()
    start = parser[kernel.OPENS]
    opens = parser[start : start + kernel.NESTINGS * (terminals + 1)].reshape(-1, kernel.NESTINGS)
    balance = opens[tokens]
    open_ = np.concatenate([np.cumsum(balance[::-1], axis=0)[::-1], np.zeros((1, kernel.NESTINGS))]).astype(np.int32)
    return kernel.Snippet(
        tokens, needed, open_, scores.insert, scores.substitute, scores.delete, edits[order], flat[order], best,
        np.ascontiguousarray(likeliest[: n + 2]),
    )  # fmt: skip


def _least_edits(parser: kernel.Ints, memory: kernel.Ints, snippet: kernel.Snippet, until: float) -> int | None:
    while True:
        least = kernel.least_edits(parser, memory, snippet, memory[kernel.WORK] + STEPS_AT_ONCE)
        if least >= 0:
            return int(least)
        if time.perf_counter() > until:
            return None


def _collect(
    tokens: npt.NDArray[np.int32],
    found: kernel.Found,
    limit: int,
    least: int | None,
    most: int,
    complete: bool,
    started: float,
) -> Candidates:
    count = int(found.counts[0])
    order = np.argsort(-found.score[:count], kind="stable")[:limit]
    strings = []
    buffer = np.empty(len(tokens) + kernel.MAX_EDITS + 1, dtype=np.int32)
    if least == 0:
        strings.append(tokens.tolist())
    for number in order:
        length = kernel.write_repair(tokens, found.edits[number], buffer)
        strings.append(buffer[:length].tolist())
    edits = [[unpack(edit) for edit in found.edits[number].tolist() if edit != kernel.NO_EDIT] for number in order]
    scores = found.score[order]
    if least == 0:
        edits.insert(0, [])
        scores = np.concatenate([[np.float32(0)], scores])
    return Candidates(strings, scores, edits, least, most, complete, time.perf_counter() - started)
