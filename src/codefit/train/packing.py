"""Put pieces of text together into rows of a fixed length, so that a step has as many tokens as any other."""

from __future__ import annotations

from bisect import bisect_left, insort

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer]


def pack(lengths: IntArray, capacity: int) -> list[list[int]]:
    """Best-fit decreasing: rows of piece numbers whose `lengths` (n,) sum to at most `capacity`.

    Every piece stands in one row, whole; one longer than `capacity` has a row of its own. Of the rows that have room
    the fullest is taken (Johnson, Near-optimal bin packing algorithms, 1973: at most 11/9 of the best number of rows).
    """
    rows: list[list[int]] = []
    open_rows: list[tuple[int, int]] = []  # (room, number of the row), sorted
    for piece in np.argsort(-lengths, kind="stable").tolist():
        size = int(lengths[piece])
        place = bisect_left(open_rows, (size, -1))
        if place < len(open_rows):
            room, row = open_rows.pop(place)
            rows[row].append(piece)
        else:
            room, row = capacity, len(rows)
            rows.append([piece])
        if room - size > 0:
            insort(open_rows, (room - size, row))
    return rows
