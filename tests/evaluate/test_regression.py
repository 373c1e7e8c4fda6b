"""Figures of scorers: scipy and scikit-learn agree, intervals hold what they should, no answer is no number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from codefit.evaluate.regression import Interval, regression_report, spearman_estimate

Values = st.lists(st.integers(10, 100).map(lambda tenths: tenths / 10), min_size=3, max_size=40)


@settings(max_examples=25, deadline=None)
@given(st.data(), Values)
def test_figures_are_those_of_other_libraries(data: st.DataObject, truth: list[float]) -> None:
    score = data.draw(st.lists(st.floats(1, 10), min_size=len(truth), max_size=len(truth)))
    report = regression_report(truth, score)
    assert report.mae is not None
    assert report.rmse is not None
    assert report.mae.mean == pytest.approx(mean_absolute_error(truth, score))
    assert report.rmse.mean == pytest.approx(mean_squared_error(truth, score) ** 0.5)
    assert (report.n, report.invalid) == (len(truth), 0)
    if len(set(truth)) > 1:
        assert report.r2 is not None
        assert report.r2.mean == pytest.approx(r2_score(truth, score), rel=1e-6, abs=1e-6)
    if len(set(truth)) > 1 and len(set(score)) > 1:
        assert report.spearman is not None
        assert report.kendall is not None
        assert report.spearman.mean == pytest.approx(spearmanr(truth, score).statistic)
        assert report.kendall.mean == pytest.approx(kendalltau(truth, score).statistic)
    else:
        assert report.spearman is None


def test_an_answer_that_is_none_is_counted_and_in_no_figure() -> None:
    report = regression_report([2.0, 4.0, 6.0], [2.0, None, 7.0])
    assert (report.n, report.invalid) == (3, 1)
    assert report.mae is not None
    assert report.mae.mean == 0.5  # were it scored 0, the error would be 5 / 3


def test_where_nothing_is_answered_there_is_no_figure() -> None:
    report = regression_report([2.0, 4.0], [None, None])
    assert (report.n, report.invalid) == (2, 2)
    assert report.mae is report.rmse is report.r2 is report.spearman is report.coverage is None


def test_coverage_is_the_share_of_truths_inside() -> None:
    intervals = [Interval(1, 3), Interval(3, 3.5), None, Interval(5, 9)]
    report = regression_report([2.0, 4.0, 6.0, 9.0], [2.0, 4.0, 6.0, 7.0], intervals)
    assert report.coverage is not None
    assert report.coverage.mean == pytest.approx(2 / 3)
    assert report.width == pytest.approx((2 + 0.5 + 4) / 3)


def test_an_interval_holds_the_figure_and_narrows_with_more_functions() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(1, 10, 2_000)
    score = truth + rng.normal(0, 1, 2_000)
    few = regression_report(truth[:100].tolist(), score[:100].tolist())
    many = regression_report(truth.tolist(), score.tolist())
    for name in ("mae", "rmse", "r2", "spearman", "kendall"):
        small, large = getattr(few, name), getattr(many, name)
        assert small.low <= small.mean <= small.high
        assert large.high - large.low < small.high - small.low


def test_a_constant_scorer_has_no_correlation_and_an_r2_of_nought_at_the_mean() -> None:
    truth = [1.0, 2.0, 3.0]
    report = regression_report(truth, [2.0, 2.0, 2.0])
    assert report.spearman is report.kendall is None
    assert report.r2 is not None
    assert report.r2.mean == pytest.approx(0)
    assert spearman_estimate(np.array(truth), np.array([2.0, 2.0, 2.0])) is None


def test_lengths_must_be_the_same_and_there_must_be_functions() -> None:
    with pytest.raises(ValueError, match="2 truths and 1 scores"):
        regression_report([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="no function"):
        regression_report([], [])


def test_figures_as_json_have_the_ends_of_their_intervals() -> None:
    row = regression_report([1.0, 2.0, 4.0], [1.0, 2.0, 3.0]).to_dict()
    assert row["mae"][0] == pytest.approx(1 / 3)
    assert len(row["mae"]) == 3
    assert row["coverage"] is None
