"""Chunks of like length hold every text once, fit, and cost the least that any cut of the sorted texts can."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from codefit.models.length_chunks import length_chunks


def cost(lengths, chunks, chunk_cost):
    return sum(len(rows) * int(lengths[rows].max()) + chunk_cost for rows in chunks)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=60), st.integers(1, 300), st.sampled_from([0, 1, 16, 64]))
def test_every_text_stands_in_one_chunk_that_fits(lengths, most, chunk_cost):
    lengths = np.array(lengths)
    chunks = length_chunks(lengths, most, chunk_cost)
    assert sorted(np.concatenate(chunks).tolist()) == list(range(len(lengths)))
    for rows in chunks:
        assert len(rows) == 1 or len(rows) * lengths[rows].max() <= most
        assert (np.diff(lengths[rows]) >= 0).all()
    assert [rows.tolist() for rows in chunks] == [rows.tolist() for rows in length_chunks(lengths, most, chunk_cost)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=9), st.sampled_from([0, 3, 10]))
def test_no_cut_between_lengths_costs_less(lengths, chunk_cost):
    lengths = np.array(lengths)
    values = tuple(np.unique(lengths).tolist())

    @lru_cache
    def least(end):
        if end == 0:
            return 0
        return min(
            least(start) + chunk_cost + values[end - 1] * int(np.isin(lengths, values[start:end]).sum())
            for start in range(end)
        )

    assert cost(lengths, length_chunks(lengths, 10_000, chunk_cost), chunk_cost) == least(len(values))


def test_without_a_cost_a_chunk_has_one_length():
    lengths = np.random.default_rng(0).integers(1, 40, 500)
    assert all(len(set(lengths[rows].tolist())) == 1 for rows in length_chunks(lengths, 10_000, 0))


def test_padding_of_real_lengths_is_next_to_nothing():
    lengths = np.minimum(256, np.random.default_rng(0).lognormal(3.5, 1, 256).astype(int) + 1)
    chunks = length_chunks(lengths, 2_048)
    padded = sum(len(rows) * int(lengths[rows].max()) for rows in chunks)
    assert padded < 1.1 * lengths.sum()
    assert len(lengths) * lengths.max() > 3 * lengths.sum()
