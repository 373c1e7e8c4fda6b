"""Fused scores: each side standardised, then weighed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codefit.models.fusion import DEFAULT_MODEL_WEIGHT, WEIGHT_GRID, fuse, standard_scores

ROWS = arrays(np.float32, (3, 6), elements=st.integers(-50, 50).map(float))


def test_rows_get_mean_zero_and_deviation_one() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(3, [[1], [20], [0.1]], (3, 400)).astype(np.float32)
    found = standard_scores(scores)
    np.testing.assert_allclose(found, (scores - scores.mean(1)[:, None]) / scores.std(1)[:, None], atol=1e-4)
    np.testing.assert_allclose(found.mean(1), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(1), 1, atol=1e-4)
    assert found.dtype == np.float32


@pytest.mark.parametrize("value", [0.0, 0.5, -7.0, 1e6])
def test_a_constant_row_becomes_zeros(value: float) -> None:
    assert standard_scores(np.full(5, value, dtype=np.float32)).tolist() == [0.0] * 5


def test_a_side_that_says_nothing_leaves_the_others_order() -> None:
    model = np.array([0.1, 0.9, 0.4], dtype=np.float32)
    nothing = np.zeros(3, dtype=np.float32)
    assert np.argsort(-fuse(model, nothing, 0.5)).tolist() == [1, 2, 0]
    assert np.argsort(-fuse(nothing, model, 0.5)).tolist() == [1, 2, 0]


@given(ROWS, ROWS)
def test_the_weights_1_and_0_give_one_sides_order(model: np.ndarray, lexical: np.ndarray) -> None:
    for weight, side in ((1.0, model), (0.0, lexical)):
        fused = fuse(model, lexical, weight)
        for row, own in zip(fused, side, strict=True):
            # Equal scores stay equal, larger ones stay larger.
            assert np.sign(np.subtract.outer(row, row)).tolist() == np.sign(np.subtract.outer(own, own)).tolist()


@given(ROWS, ROWS, st.sampled_from(WEIGHT_GRID))
def test_a_matrix_is_fused_row_by_row(model: np.ndarray, lexical: np.ndarray, weight: float) -> None:
    fused = fuse(model, lexical, weight)
    for i in range(len(model)):
        np.testing.assert_allclose(fused[i], fuse(model[i], lexical[i], weight), atol=1e-6)
        # The scale of either side does not matter.
        np.testing.assert_allclose(fuse(model[i] * 8 + 3, lexical[i], weight), fused[i], atol=1e-3)


def test_the_default_weight_is_one_that_fitting_may_find() -> None:
    assert DEFAULT_MODEL_WEIGHT in WEIGHT_GRID
    assert (WEIGHT_GRID[0], WEIGHT_GRID[-1], len(WEIGHT_GRID)) == (0.0, 1.0, 21)
