"""The edits that make one string of another: the shortest list of them (Levenshtein)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from codefit.tasks.repairs.packed import (
    DELETE,
    INSERT,
    PLACE_SHIFT,
    SUBSTITUTE,
    TERMINAL_BITS,
    Edit,
    unpack,
)


@njit(cache=True)
def _distances(a, b):  # type: ignore[no-untyped-def]
    table = np.empty((len(a) + 1, len(b) + 1), np.int32)
    for j in range(len(b) + 1):
        table[0, j] = j
    for i in range(1, len(a) + 1):
        table[i, 0] = i
        for j in range(1, len(b) + 1):
            best = table[i - 1, j - 1] + (a[i - 1] != b[j - 1])
            table[i, j] = min(best, table[i - 1, j] + 1, table[i, j - 1] + 1)
    return table


@njit(cache=True)
def packed_edits(a, b, out):  # type: ignore[no-untyped-def]
    """Write the fewest edits of `a` that give `b` into `out`, by their places; how many, -1 where there is no room."""
    table = _distances(a, b)
    i, j = len(a), len(b)
    count = table[i, j]
    if count > len(out):
        return -1
    at = count
    while i > 0 or j > 0:
        here = table[i, j]
        if i > 0 and j > 0 and a[i - 1] != b[j - 1] and here == table[i - 1, j - 1] + 1:
            i, j, at = i - 1, j - 1, at - 1
            out[at] = _packed(i, SUBSTITUTE, b[j])
        elif i > 0 and here == table[i - 1, j] + 1:
            i, at = i - 1, at - 1
            out[at] = _packed(i, DELETE, 0)
        elif j > 0 and here == table[i, j - 1] + 1:
            j, at = j - 1, at - 1
            out[at] = _packed(i, INSERT, b[j])
        else:
            i, j = i - 1, j - 1
    return count


@njit(cache=True, inline="always")
def _packed(place, kind, terminal):  # type: ignore[no-untyped-def]
    return (np.int64(place) << PLACE_SHIFT) | (kind << TERMINAL_BITS) | terminal


def _array(tokens: Sequence[int]) -> npt.NDArray[np.int32]:
    return np.asarray(tokens, dtype=np.int32)


def distance(a: Sequence[int], b: Sequence[int]) -> int:
    """How many edits make `b` of `a` at least."""
    return int(_distances(_array(a), _array(b))[-1, -1])


def edits_between(a: Sequence[int], b: Sequence[int]) -> list[Edit]:
    """The fewest edits of `a` that give `b`, by their places in `a`; of equal lists the one with later edits."""
    out = np.empty(len(a) + len(b), dtype=np.int64)
    count = packed_edits(_array(a), _array(b), out)
    return [unpack(int(number)) for number in out[:count]]
