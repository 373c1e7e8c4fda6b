"""Pieces in rows: each once, whole, in few rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codefit.train.packing import pack


@settings(deadline=None)
@given(st.lists(st.integers(1, 80), max_size=80), st.integers(1, 64))
def test_every_piece_stands_in_one_row_that_holds_it(sizes: list[int], capacity: int) -> None:
    rows = pack(np.array(sizes, dtype=np.int64), capacity)
    assert sorted(piece for row in rows for piece in row) == list(range(len(sizes)))
    assert all(row for row in rows)
    for row in rows:
        assert len(row) == 1 or sum(sizes[piece] for piece in row) <= capacity


@settings(deadline=None)
@given(st.lists(st.integers(1, 64), min_size=1, max_size=200))
def test_no_two_rows_would_go_into_one(sizes: list[int]) -> None:
    rows = pack(np.array(sizes), 64)
    fills = sorted(sum(sizes[piece] for piece in row) for row in rows)
    assert len(rows) == 1 or fills[0] + fills[1] > 64
    assert len(rows) <= 2 * -(-sum(sizes) // 64)


def test_the_fullest_row_with_room_is_taken() -> None:
    assert pack(np.array([6, 5, 4, 3]), 10) == [[0, 2], [1, 3]]
    assert pack(np.array([3, 6, 7]), 10) == [[2, 0], [1]]


def test_full_rows_leave_less_than_a_hundredth_of_the_room() -> None:
    sizes = np.random.default_rng(0).integers(16, 513, size=4000)
    rows = pack(sizes, 512)
    assert sizes.sum() / (len(rows) * 512) > 0.99


@pytest.mark.parametrize("sizes", [[], [7], [10, 10], [11]])
def test_small_cases(sizes: list[int]) -> None:
    assert pack(np.array(sizes, dtype=np.int64), 10) == [[number] for number in range(len(sizes))]


def test_equal_pieces_keep_their_order() -> None:
    assert pack(np.array([5, 5, 5, 5]), 10) == [[0, 1], [2, 3]]
