"""Fitting what reads metrics: a constant, lines of code, a ridge regression and boosted trees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from codefit.files import write_text
from codefit.models.metric_scorers import (
    FEATURES,
    LinearModel,
    import_lightgbm,
    with_logarithms,
)
from codefit.records import ScoredFunction

RIDGE = 1.0  # added to the diagonal: features that say the same share their weight
LEAVES, RATE = 31, 0.05
MOST_TREES, PATIENCE = 2_000, 50  # trees, and how many more are tried after the best on validation


def fit_constant(rows: Sequence[ScoredFunction]) -> LinearModel:
    """The median of the scores, which has the least mean absolute error of all constants."""
    return LinearModel((), [], [], [], float(np.median([row.score for row in rows])))


def fit_linear(rows: Sequence[ScoredFunction], features: Sequence[str] = FEATURES) -> LinearModel:
    """Ridge regression (Hoerl and Kennard, 1970) on features and their logarithms."""
    table = with_logarithms([row.metrics for row in rows], features)
    scores = np.array([row.score for row in rows])
    means, scales = table.mean(axis=0), table.std(axis=0)
    scales[scales == 0] = 1.0
    standard = (table - means) / scales
    bias = float(scores.mean())
    weights = np.linalg.solve(standard.T @ standard + RIDGE * np.eye(standard.shape[1]), standard.T @ (scores - bias))
    return LinearModel(tuple(features), means.tolist(), scales.tolist(), weights.tolist(), bias)


def fit_boosted(rows: Sequence[ScoredFunction], validation: Sequence[ScoredFunction], path: Path, *, seed: int) -> int:
    """Boosted trees for the mean absolute error, as many as are best on validation, written to `path`; how many."""
    lightgbm = import_lightgbm()

    def table(side: Sequence[ScoredFunction]) -> np.ndarray:
        return np.array([[row.metrics[name] for name in FEATURES] for row in side], dtype=np.float64)

    train = lightgbm.Dataset(table(rows), [row.score for row in rows], feature_name=list(FEATURES))
    settings = {
        "objective": "regression_l1",
        "metric": "l1",
        "num_leaves": LEAVES,
        "learning_rate": RATE,
        "verbosity": -1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,  # the order of sums, and with it the trees, would hang on the number of threads
    }
    booster = lightgbm.train(
        settings,
        train,
        MOST_TREES,
        valid_sets=[lightgbm.Dataset(table(validation), [row.score for row in validation], reference=train)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    write_text(path, booster.model_to_string(num_iteration=booster.best_iteration))
    return int(booster.best_iteration)
