"""Bootstrap intervals, held against scipy's and against what an interval promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from codefit.evaluate import intervals
from codefit.evaluate.intervals import LEVEL, bootstrap, bootstrap_ratio, paired_difference


@pytest.mark.parametrize("kind", ["normal", "skewed", "ranks"])
def test_the_interval_is_scipys(kind: str) -> None:
    rng = np.random.default_rng(5)
    values = {
        "normal": rng.normal(3, 2, 300),
        "skewed": rng.lognormal(0, 1, 300),
        "ranks": 1 / rng.integers(1, 30, 300),
    }[kind]
    found = bootstrap(values, resamples=20_000)
    draws = np.random.default_rng(1)
    peer = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=20_000,
        method="percentile",
        confidence_level=LEVEL,
        rng=draws,
    ).confidence_interval
    # The ends are quantiles of 20,000 draws: their own error is about a fiftieth of the interval.
    allowed = 0.02 * (peer.high - peer.low)
    assert found.low == pytest.approx(peer.low, abs=allowed)
    assert found.high == pytest.approx(peer.high, abs=allowed)
    assert found.mean == values.mean()


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    estimates = [bootstrap(rng.normal(1, 3, 100), resamples=400, seed=i) for i in range(400)]
    covered = np.mean([e.low <= 1 <= e.high for e in estimates])
    assert 0.91 <= covered <= 0.98


def test_a_seed_decides_the_interval_and_slices_do_not_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(2).random(50)
    assert bootstrap(values) == bootstrap(values)
    assert bootstrap(values, seed=1) != bootstrap(values)
    whole = bootstrap(values, resamples=1000)
    monkeypatch.setattr(intervals, "_SLICE_CELLS", 130)
    assert bootstrap(values, resamples=1000) == whole


def test_the_number_of_resamples_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    quantile = np.quantile
    monkeypatch.setattr(intervals, "_SLICE_CELLS", 70)
    monkeypatch.setattr(intervals.np, "quantile", lambda means, q: (drawn.append(len(means)), quantile(means, q))[1])
    bootstrap(np.arange(10.0), resamples=33)
    bootstrap(np.arange(1000.0), resamples=3)
    assert drawn == [33, 3]


def test_constant_values_have_no_width_and_no_values_are_refused() -> None:
    assert bootstrap(np.full(9, 0.25)) == (0.25, 0.25, 0.25)
    assert bootstrap(np.array([7.0])) == (7.0, 7.0, 7.0)
    with pytest.raises(ValueError, match="no values to resample"):
        bootstrap(np.array([]))


def test_a_paired_difference_resamples_the_same_items_for_both() -> None:
    rng = np.random.default_rng(3)
    hard = rng.normal(0, 10, 500)
    better = hard + 1 + rng.normal(0, 0.1, 500)
    found = paired_difference(better, hard)
    assert found.low > 0.98
    assert found.high < 1.02
    assert found == bootstrap(better - hard)
    opposite = paired_difference(hard, better)
    assert (opposite.mean, opposite.low) == pytest.approx((-found.mean, -found.high), abs=1e-3)


def test_paired_values_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        paired_difference(np.zeros(3), np.zeros(4))


def test_the_interval_of_a_ratio_of_sums_is_scipys() -> None:
    rng = np.random.default_rng(6)
    sizes = rng.lognormal(5, 1, 200).round()
    costs = sizes * rng.normal(2, 0.3, 200)
    found = bootstrap_ratio(costs, sizes, resamples=20_000)
    peer = stats.bootstrap(
        (costs, sizes),
        lambda above, below, axis: above.sum(axis=axis) / below.sum(axis=axis),
        paired=True,
        n_resamples=20_000,
        method="percentile",
        confidence_level=LEVEL,
        rng=np.random.default_rng(1),
    ).confidence_interval
    allowed = 0.02 * (peer.high - peer.low)
    assert found.low == pytest.approx(peer.low, abs=allowed)
    assert found.high == pytest.approx(peer.high, abs=allowed)
    assert found.mean == pytest.approx(costs.sum() / sizes.sum())
    assert abs(found.mean - (costs / sizes).mean()) > 1e-4


def test_items_of_one_size_have_the_interval_of_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(7).random(80)
    assert bootstrap_ratio(values * 4, np.full(80, 4.0)) == pytest.approx(bootstrap(values))
    whole = bootstrap_ratio(values, values + 1, resamples=500)
    monkeypatch.setattr(intervals, "_SLICE_CELLS", 130)
    assert bootstrap_ratio(values, values + 1, resamples=500) == whole


def test_items_without_size_weigh_nothing() -> None:
    costs, sizes = np.array([3.0, 0.0, 5.0, 0.0]), np.array([2.0, 0.0, 4.0, 0.0])
    assert bootstrap_ratio(costs, sizes) == bootstrap_ratio(costs[[0, 2]], sizes[[0, 2]])
    assert bootstrap_ratio(np.array([6.0, 0.0]), np.array([3.0, 0.0])) == (2.0, 2.0, 2.0)
    with pytest.raises(ValueError, match="no values to resample"):
        bootstrap_ratio(np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="differ in shape"):
        bootstrap_ratio(np.zeros(3), np.zeros(4))
