"""Texts of a batch in chunks of like length, so that next to nothing is spent on padding."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer]

CPU_CHUNK_COST = 64  # tokens that a CPU could run through the network while it begins and ends a chunk


def length_chunks(lengths: IntArray, max_tokens: int, chunk_cost: int = CPU_CHUNK_COST) -> list[IntArray]:
    """Split texts into chunks, each to be padded to its longest; every text of `lengths` (n,) stands in one.

    A chunk holds at most `max_tokens` padded tokens (one text may be longer). Of all ways to cut the texts in order of
    length, this one has the least padded tokens plus `chunk_cost` a chunk, the work that a chunk costs by itself in
    tokens (Bellman's dynamic programme over the distinct lengths). Rows of a chunk are in order of length. Empty texts
    make a chunk of their own.
    """
    order = np.argsort(lengths, kind="stable")
    values, counts = np.unique(lengths, return_counts=True)
    ends = np.concatenate([[0], np.cumsum(counts)])
    best = np.zeros(len(values) + 1)
    start = np.zeros(len(values) + 1, dtype=np.int64)
    for end in range(1, len(values) + 1):
        first = 1 if end > 1 and values[0] == 0 else 0
        texts = ends[end] - ends[first:end]
        pieces = -(-texts // _texts_of(int(values[end - 1]), max_tokens))
        costs = best[first:end] + texts * values[end - 1] + pieces * chunk_cost
        start[end] = first + int(costs.argmin())
        best[end] = costs.min()
    chunks: list[IntArray] = []
    end = len(values)
    while end > 0:
        rows = order[ends[start[end]] : ends[end]]
        pieces = -(-len(rows) // _texts_of(int(values[end - 1]), max_tokens))
        chunks.extend(reversed(np.array_split(rows, pieces)))
        end = int(start[end])
    return chunks[::-1]


def _texts_of(length: int, max_tokens: int) -> int:
    return max(1, max_tokens // max(1, length))
