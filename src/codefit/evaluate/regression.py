"""How well a scorer's numbers agree with the true ones, with intervals by bootstrap over the functions.

An answer that is none is counted by itself and in no other figure: a score of 0 in its place would be an error of its
own making. Rank correlations are Spearman's (1904) and Kendall's tau-b (1945), from scipy.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from codefit.evaluate.intervals import LEVEL, Estimate, bootstrap

FloatArray = npt.NDArray[np.float64]

Figure = Callable[[FloatArray, FloatArray], FloatArray]  # of truths and scores, over the last axis

RESAMPLES = 1000


class Interval(NamedTuple):
    """A scorer's own interval around its score."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RegressionReport:
    """Figures over the functions that were answered; `n` counts all, `invalid` those without an answer.

    All figures are None where nothing was answered. `r2` is 1 less the squared error over that of the truth's own mean;
    it and the correlations are None where the truth does not vary. `coverage` is the share of truths in the scorer's
    intervals, None where it gives none.
    """

    n: int
    invalid: int
    mae: Estimate | None
    rmse: Estimate | None
    r2: Estimate | None
    spearman: Estimate | None
    kendall: Estimate | None
    within_half: Estimate | None
    coverage: Estimate | None = None
    width: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON: each with the ends of its interval."""
        rows = asdict(self)
        return {
            name: [value.mean, value.low, value.high] if isinstance(value, Estimate) else rows[name]
            for name, value in ((name, getattr(self, name)) for name in rows)
        }


def regression_report(
    truths: Sequence[float],
    scores: Sequence[float | None],
    intervals: Sequence[Interval | None] | None = None,
    *,
    seed: int = 0,
) -> RegressionReport:
    """The figures of `scores` (n,), None where there is no answer, beside `truths` (n,).

    Raises `ValueError` where the lengths differ or there is no function.
    """
    if len(truths) != len(scores):
        raise ValueError(f"{len(truths)} truths and {len(scores)} scores")
    answered = [index for index, score in enumerate(scores) if score is not None]
    if not truths:
        raise ValueError("there is no function")
    if not answered:
        return RegressionReport(len(truths), len(truths), None, None, None, None, None, None)
    truth = np.array([truths[index] for index in answered], dtype=np.float64)
    score = np.array([scores[index] for index in answered], dtype=np.float64)
    error = np.abs(score - truth)
    own = [intervals[index] for index in answered] if intervals is not None else []
    known = [(interval, value) for interval, value in zip(own, truth, strict=False) if interval is not None]
    varies = len(set(truth.tolist())) > 1
    return RegressionReport(
        n=len(truths),
        invalid=len(truths) - len(answered),
        mae=bootstrap(error, seed=seed),
        rmse=_resampled(rmse, truth, score, seed),
        r2=_resampled(r_squared, truth, score, seed) if varies else None,
        spearman=_correlation(spearman, truth, score, seed),
        kendall=_correlation(kendall, truth, score, seed),
        within_half=bootstrap((error <= 0.5 + 1e-9).astype(np.float64), seed=seed),
        coverage=(
            bootstrap(np.array([low <= value <= high for (low, high), value in known], dtype=np.float64), seed=seed)
            if known
            else None
        ),
        width=float(np.mean([high - low for (low, high), _ in known])) if known else None,
    )


def rmse(truth: FloatArray, score: FloatArray) -> FloatArray:
    """The root of the mean squared error, over the last axis."""
    return np.sqrt(np.mean((score - truth) ** 2, axis=-1))  # type: ignore[no-any-return]


def r_squared(truth: FloatArray, score: FloatArray) -> FloatArray:
    """The coefficient of determination over the last axis; below 0 where the mean would do better, nan without one."""
    spread = ((truth - truth.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
    return 1 - ((truth - score) ** 2).sum(axis=-1) / np.where(spread > 0, spread, np.nan)  # type: ignore[no-any-return]


def spearman(truth: FloatArray, score: FloatArray) -> FloatArray:
    """Spearman's rank correlation over the last axis: Pearson's of the ranks, equal values at their mean rank."""
    from scipy.stats import rankdata

    one, other = (
        ranks - ranks.mean(axis=-1, keepdims=True) for ranks in (rankdata(truth, axis=-1), rankdata(score, axis=-1))
    )
    spread = np.sqrt((one**2).sum(axis=-1) * (other**2).sum(axis=-1))
    return (one * other).sum(axis=-1) / np.where(spread > 0, spread, np.nan)  # type: ignore[no-any-return]


def kendall(truth: FloatArray, score: FloatArray) -> FloatArray:
    """Kendall's tau-b over the last axis."""
    from scipy.stats import kendalltau

    rows = zip(np.atleast_2d(truth), np.atleast_2d(score), strict=True)
    return np.array([kendalltau(one, other).statistic for one, other in rows]).reshape(truth.shape[:-1])


def spearman_estimate(truth: FloatArray, score: FloatArray, *, seed: int = 0) -> Estimate | None:
    """Spearman's correlation with its interval; None where one side does not vary."""
    return _correlation(spearman, truth, score, seed)


def _correlation(figure: Figure, truth: FloatArray, score: FloatArray, seed: int) -> Estimate | None:
    if len(set(truth.tolist())) < 2 or len(set(score.tolist())) < 2:
        return None
    return _resampled(figure, truth, score, seed, resamples=200 if len(truth) > 1000 else RESAMPLES)


def _resampled(
    figure: Figure,
    truth: FloatArray,
    score: FloatArray,
    seed: int,
    resamples: int = RESAMPLES,
) -> Estimate:
    """A figure of all pairs with its percentile interval; resamples in which it is not defined are left out."""
    rng = np.random.default_rng(seed)
    n = len(truth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scipy, for a resample that does not vary
        own = rng.integers(0, n, (resamples, n))
        values = figure(truth[own], score[own])
    tail = (1 - LEVEL) / 2
    whole = float(figure(truth, score))
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return Estimate(whole, float(low), float(high))
