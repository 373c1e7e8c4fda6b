"""Hybrid scores: a model's and BM25's, each standardised over the pool of a query, then averaged with a weight.

Standard scores (z) rather than ranks: reciprocal-rank fusion throws away how far ahead the first is, and loses
.02 MRR on the pools of `docs/code-encoder.md`. The weight is fitted on validation pairs and saved with the model.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]

DEFAULT_MODEL_WEIGHT = 0.75  # where no validation pairs were given; near the optimum of every embedder tried
WEIGHT_GRID = tuple(round(0.05 * step, 2) for step in range(21))
_TINY = 1e-6  # keeps the score of a query that matches nothing, or everything alike, at zero


def standard_scores(scores: Scores) -> Scores:
    """Each row (last axis) with mean 0 and deviation 1; a constant row becomes zeros."""
    centred = scores - scores.mean(axis=-1, keepdims=True)
    standard: Scores = (centred / (scores.std(axis=-1, keepdims=True) + _TINY)).astype(np.float32)
    return standard


def fuse(model: Scores, lexical: Scores, model_weight: float) -> Scores:
    """Weighted mean of the standard scores; both (n,) or (queries, n)."""
    fused: Scores = model_weight * standard_scores(model) + (1 - model_weight) * standard_scores(lexical)
    return fused
