"""Batches never hold a false negative, use every row, and are the same for a resumed run."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_examples import make_pairs, tokens

from codefit.errors import InputError
from codefit.records import Pair
from codefit.train.pair_batches import TokenizedPairs, epoch_batches, number_groups, positive_keys


@st.composite
def data_and_batch(draw):
    rows = draw(st.integers(2, 80))
    keys = draw(st.lists(st.integers(0, rows), min_size=rows, max_size=rows))
    groups = draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows))
    ids = [np.array([i], dtype=np.int32) for i in range(rows)]
    data = TokenizedPairs(ids, ids, [[] for _ in ids], np.array(groups), np.array(keys))
    return data, draw(st.integers(1, max(1, len(set(keys)))))


@settings(max_examples=150, deadline=None)
@given(data_and_batch(), st.integers(0, 3), st.integers(0, 3))
def test_a_batch_is_full_and_has_no_positive_twice(example, seed, epoch):
    data, size = example
    batches = list(epoch_batches(data, size, seed=seed, epoch=epoch))
    again = list(epoch_batches(data, size, seed=seed, epoch=epoch))
    rows = [row for batch in batches for row in batch.tolist()]
    assert all(len(batch) == size for batch in batches)
    assert all(len(set(data.positive_key[batch])) == size for batch in batches)
    assert len(set(rows)) == len(rows), "a row stands twice in an epoch"
    assert [batch.tolist() for batch in batches] == [batch.tolist() for batch in again]
    assert batches, "an epoch without a batch would never end"


@settings(max_examples=40, deadline=None)
@given(st.integers(10, 200), st.integers(2, 10), st.integers(0, 5))
def test_of_different_positives_only_what_fills_no_batch_is_left_out(rows, size, seed):
    ids = [np.array([i], dtype=np.int32) for i in range(rows)]
    data = TokenizedPairs(ids, ids, [[] for _ in ids], np.arange(rows) % 3, np.arange(rows))
    batches = list(epoch_batches(data, size, seed=seed, epoch=0))
    assert len(batches) == rows // size


@pytest.mark.parametrize("first_step", [0, 1, 5, 13])
def test_a_resumed_run_sees_what_the_unbroken_one_saw(first_step):
    data = tokens(make_pairs(50))
    unbroken = [batch.tolist() for batch in islice(data.batches(8, seed=4, first_step=0), 30)]
    resumed = [batch.tolist() for batch in islice(data.batches(8, seed=4, first_step=first_step), 30 - first_step)]
    assert resumed == unbroken[first_step:]
    other = [batch.tolist() for batch in islice(data.batches(8, seed=5, first_step=0), 30)]
    assert unbroken != other
    assert unbroken[:6] != unbroken[6:12], "every epoch has its own order"


def test_a_batch_comes_from_one_source_where_that_has_rows_enough():
    rows, size = 240, 20
    ids = [np.array([i], dtype=np.int32) for i in range(rows)]
    data = TokenizedPairs(ids, ids, [[] for _ in ids], np.arange(rows) % 4, np.arange(rows))
    for batch in epoch_batches(data, size, seed=0, epoch=0):
        assert len(set(data.group[batch].tolist())) == 1


def test_too_few_positives_for_a_batch_are_refused():
    ids = [np.array([i], dtype=np.int32) for i in range(9)]
    data = TokenizedPairs(ids, ids, [[] for _ in ids], np.zeros(9, int), np.zeros(9, int))
    with pytest.raises(InputError, match="1 different positives do not fill a batch of 2; lower the batch size"):
        next(epoch_batches(data, 2, seed=0, epoch=0))


def test_keys_ignore_white_space_and_groups_are_sources_in_order():
    pairs = [
        Pair(anchor="a", positive=positive, source=source, split="train")
        for positive, source in (("f( x )", "b"), ("f(x)\n", "a"), ("g(x)", "b"))
    ]
    keys = positive_keys(pairs)
    assert keys[0] == keys[1] != keys[2]
    assert number_groups(pairs).tolist() == [0, 1, 0]


def test_tokens_are_those_of_all_texts_of_a_row():
    data = tokens(make_pairs(6, negatives=2))
    expected = sum(len(ids) for i in (1, 4) for ids in (data.anchors[i], data.positives[i], *data.negatives[i]))
    assert data.tokens(np.array([1, 4])) == expected
