"""How likely a person made the mistake that an edit mends: a log-linear model of edits in their surroundings.

The score of an edit is the sum of the weights of what is seen around it (its features): the tokens before and after,
the token that begins the line, the bracket that is open, how far it is from the place where the parser fails. A
repair's score is the sum over its edits and `weight` times the n-gram model's log probability, so that the search can
add it up edit by edit. The weights are learned by `codefit.train.edit_model`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from codefit.source.syntax.terminals import DEDENT, INDENT, NEWLINE, NUMBERS, TERMINALS
from codefit.tasks.repairs.candidates import EditScores
from codefit.tasks.repairs.packed import DELETE, INSERT, NO_EDIT, PLACE_SHIFT, SUBSTITUTE, TERMINAL_BITS

T = len(TERMINALS)
S = T + 1  # and the edge of the string
EDGE = T
# Distances from a place of failure, in tokens; beyond the last the bucket is the last.
_STEPS = (0, 1, 2, 3, 4, 6, 9, 14, 22, 40)
BUCKETS = 2 * len(_STEPS) + 1
BRACKETS = 4  # none, ( [ {
_TRIPLE = S * S * T
# Of each kind of edit the features that it has one weight of, and how many of them there are. The last digit of a
# weight's number is a terminal: what is written, or of a deletion what is taken away.
_BLOCKS = {
    "insert": {
        "own": T, "before": S * T, "after": S * T, "around": _TRIPLE, "two before": _TRIPLE, "two after": _TRIPLE,
        "from first": BUCKETS * T, "from last": BUCKETS * T, "bracket": BRACKETS * T, "line": S * T, "same line": 2 * T,
    },
    "substitute": {
        "own": S * T, "before": _TRIPLE, "after": _TRIPLE, "from first": BUCKETS * T, "from last": BUCKETS * T,
        "old from first": BUCKETS * T, "bracket": BRACKETS * T, "line": S * T,
    },
    "delete": {
        "own": T, "around": _TRIPLE, "two before": _TRIPLE, "two after": _TRIPLE, "before": S * T, "after": S * T,
        "line": S * T, "from first": BUCKETS * T, "from last": BUCKETS * T, "bracket": BRACKETS * T,
    },
}  # fmt: skip
MOST_FEATURES = max(len(blocks) for blocks in _BLOCKS.values())
_SIZES = [size for blocks in _BLOCKS.values() for size in blocks.values()]
_STARTS = np.concatenate([[0], np.cumsum(_SIZES)])[:-1].astype(np.int64)
_INSERT_BLOCKS, _SUBSTITUTE_BLOCKS, _DELETE_BLOCKS = (len(blocks) for blocks in _BLOCKS.values())

Indices = npt.NDArray[np.int64]


def feature_count() -> int:
    """How many weights the model has, most of them 0."""
    return sum(_SIZES)


def surroundings(tokens: npt.NDArray[np.int32], first_error: int, last_error: int) -> Indices:
    """What is seen from each place of a string, (n + 1, 10).

    Two tokens before, the token there, two after; buckets of the distance from `first_error`, up to which the string
    can be read, and from `last_error`, from which it can; the open bracket; what begins the line; whether that is what
    begins the line that fails.
    """
    n = len(tokens)
    padded = np.concatenate([[EDGE, EDGE], tokens, [EDGE, EDGE, EDGE]]).astype(np.int64)
    place = np.arange(n + 1)
    bracket, head = _brackets_and_heads(tokens)
    return np.stack(
        [
            *(padded[k : k + n + 1] for k in range(5)),
            _bucket(place - first_error),
            _bucket(place - last_error),
            bracket,
            head,
            (head == head[min(first_error, n)]).astype(np.int64),
        ],
        axis=1,
    )


def _bucket(distance: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    size = np.searchsorted(np.array(_STEPS), np.abs(distance), side="right")
    return np.where(distance < 0, len(_STEPS) - size, len(_STEPS) + size).clip(0, BUCKETS - 1)


def _brackets_and_heads(tokens: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The innermost open bracket at each place (0: none), and the first token of its line (EDGE: at its beginning)."""
    opening = {NUMBERS["("]: 1, NUMBERS["["]: 2, NUMBERS["{"]: 3}
    closing = {NUMBERS[")"], NUMBERS["]"], NUMBERS["}"]}
    n = len(tokens)
    bracket, head = np.zeros(n + 1, dtype=np.int64), np.full(n + 1, EDGE, dtype=np.int64)
    open_: list[int] = []
    line = EDGE
    for place, token in enumerate(tokens.tolist()):
        bracket[place], head[place] = (open_[-1] if open_ else 0), line
        if token in opening:
            open_.append(opening[token])
        elif token in closing and open_:
            open_.pop()
        if token in (NEWLINE, INDENT, DEDENT):
            line = EDGE
        elif line == EDGE:
            line = token
    bracket[n], head[n] = (open_[-1] if open_ else 0), line
    return bracket, head


@njit(cache=True)
def edit_features(seen, kind, new, starts, out):  # type: ignore[no-untyped-def]
    """Write which weights an edit has, at a place of which `seen` is a row of `surroundings`; how many they are."""
    before2, before, own, after, after2, first, last, bracket, head, same = seen
    if kind == INSERT:
        at = 0
        out[0] = new
        out[1] = before * T + new
        out[2] = own * T + new
        out[3] = (before * S + own) * T + new
        out[4] = (before2 * S + before) * T + new
        out[5] = (own * S + after) * T + new
        out[6] = first * T + new
        out[7] = last * T + new
        out[8] = bracket * T + new
        out[9] = head * T + new
        out[10] = same * T + new
        count = _INSERT_BLOCKS
    elif kind == SUBSTITUTE:
        at = _INSERT_BLOCKS
        out[0] = own * T + new
        out[1] = (before * S + own) * T + new
        out[2] = (own * S + after) * T + new
        out[3] = first * T + new
        out[4] = last * T + new
        out[5] = first * T + own
        out[6] = bracket * T + new
        out[7] = head * T + new
        count = _SUBSTITUTE_BLOCKS
    else:
        at = _INSERT_BLOCKS + _SUBSTITUTE_BLOCKS
        out[0] = own
        out[1] = (before * S + after) * T + own
        out[2] = (before2 * S + before) * T + own
        out[3] = (after * S + after2) * T + own
        out[4] = before * T + own
        out[5] = after * T + own
        out[6] = head * T + own
        out[7] = first * T + own
        out[8] = last * T + own
        out[9] = bracket * T + own
        count = _DELETE_BLOCKS
    for k in range(count):
        out[k] += starts[at + k]
    return count


@njit(cache=True)
def _total(weights, places, count):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    for k in range(count):
        total += weights[places[k]]
    return total


@njit(cache=True)
def _all_scores(seen, weights, starts, insert, substitute, delete):  # type: ignore[no-untyped-def]
    out = np.empty(MOST_FEATURES, np.int64)
    for place in range(len(insert)):
        row = (
            seen[place, 0], seen[place, 1], seen[place, 2], seen[place, 3], seen[place, 4],
            seen[place, 5], seen[place, 6], seen[place, 7], seen[place, 8], seen[place, 9],
        )  # fmt: skip
        for new in range(T):
            insert[place, new] = _total(weights, out, edit_features(row, INSERT, new, starts, out))
            if place < len(delete):
                substitute[place, new] = _total(weights, out, edit_features(row, SUBSTITUTE, new, starts, out))
        if place < len(delete):
            delete[place] = _total(weights, out, edit_features(row, DELETE, 0, starts, out))


def features_of(seen: Indices, packed: npt.NDArray[np.int64]) -> Indices:
    """The weights of edits in one row, given as the search packs them (NO_EDIT for none)."""
    out = np.empty(MOST_FEATURES, dtype=np.int64)
    parts = []
    for number in packed.tolist():
        if number != NO_EDIT:
            place, kind = number >> PLACE_SHIFT, number >> TERMINAL_BITS & 3
            count = edit_features(tuple(seen[place].tolist()), kind, number & 127, _STARTS, out)
            parts.append(out[:count].copy())
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class LogLinearEdits:
    """The model: `weights` (`feature_count()`,) and the weight of the n-gram model's log probability."""

    weights: npt.NDArray[np.float32]
    weight: float

    def scores(self, tokens: npt.NDArray[np.int32], first_error: int, last_error: int) -> EditScores:
        """The scores of all edits of a string."""
        n = len(tokens)
        found = EditScores(*(np.empty(size, dtype=np.float32) for size in ((n + 1, T), (n, T), (n,))))
        seen = surroundings(tokens, first_error, last_error)
        _all_scores(seen, self.weights, _STARTS, found.insert, found.substitute, found.delete)
        return found


def starting_edits(weight: float = 0.5) -> LogLinearEdits:
    """A model that knows nothing but that an edit is unlikely, and a deletion less so."""
    weights = np.zeros(feature_count(), dtype=np.float32)
    for at, score, size in (
        (0, -7.0, T),
        (_INSERT_BLOCKS, -7.0, S * T),
        (_INSERT_BLOCKS + _SUBSTITUTE_BLOCKS, -5.0, T),
    ):
        weights[_STARTS[at] : _STARTS[at] + size] = score
    return LogLinearEdits(weights, weight)
