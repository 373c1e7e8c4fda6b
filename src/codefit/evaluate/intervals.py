"""Bootstrap intervals: every number that codefit reports comes with one.

Percentile bootstrap over the evaluated items (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13);
differences between two systems resample the same items for both (Koehn, EMNLP 2004, section 4).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]

RESAMPLES = 2000
LEVEL = 0.95
# Resampled means are computed in slices: 100,000 queries would need 2,000 x 100,000 indices at once.
_SLICE_CELLS = 4_000_000


class Estimate(NamedTuple):
    """A mean with the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


def bootstrap(values: FloatArray, *, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """Mean of `values` (n,) with its percentile interval; deterministic for a seed."""
    n = len(values)
    if n == 0:
        raise ValueError("no values to resample")
    rng = np.random.default_rng(seed)
    per_slice = max(1, _SLICE_CELLS // n)
    means = [
        values[rng.integers(0, n, size=(min(per_slice, resamples - start), n))].mean(axis=1)
        for start in range(0, resamples, per_slice)
    ]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return Estimate(float(np.mean(values)), float(low), float(high))


def paired_difference(candidate: FloatArray, baseline: FloatArray, *, seed: int = 0) -> Estimate:
    """Mean of `candidate - baseline`, item by item (both (n,)), with its interval."""
    if candidate.shape != baseline.shape:
        raise ValueError(f"paired values differ in shape: {candidate.shape} and {baseline.shape}")
    return bootstrap(candidate - baseline, seed=seed)


def bootstrap_ratio(
    numerators: FloatArray, denominators: FloatArray, *, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """Sum of `numerators` (n,) over the sum of `denominators` (n,), its interval by resampling the items.

    For a figure weighted by size, such as nats a token over files: an item brings both its sums, so that the interval
    holds both kinds of chance (Efron and Tibshirani 1993, section 10.6; the plain mean of the items' own ratios is
    another figure). An item of size 0 weighs nothing and is left out.
    """
    if numerators.shape != denominators.shape:
        raise ValueError(f"paired values differ in shape: {numerators.shape} and {denominators.shape}")
    weighs = denominators > 0
    if not weighs.any():
        raise ValueError("no values to resample")
    above, below = numerators[weighs].astype(np.float64), denominators[weighs].astype(np.float64)
    n = len(below)
    rng = np.random.default_rng(seed)
    per_slice = max(1, _SLICE_CELLS // n)
    ratios = []
    for start in range(0, resamples, per_slice):
        drawn = rng.integers(0, n, size=(min(per_slice, resamples - start), n))
        ratios.append(above[drawn].sum(axis=1) / below[drawn].sum(axis=1))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.concatenate(ratios), [tail, 1 - tail])
    return Estimate(float(above.sum() / below.sum()), float(low), float(high))
