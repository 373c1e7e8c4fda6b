"""How high the true document stands: reciprocal rank and precision at k, with intervals.

A document that shares its score with others has the mean of the ranks that they take together, so that the order in
which documents were given says nothing. One that is not in the list has no rank: its reciprocal rank is 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from codefit.evaluate.intervals import Estimate, bootstrap

CUTOFFS = (1, 10, 100)


def rank_of(scores: npt.NDArray[np.floating], truth: int) -> float:
    """The rank of the document `truth` from 1, infinite where it is -1."""
    if truth < 0:
        return float("inf")
    return float((scores > scores[truth]).sum() + ((scores == scores[truth]).sum() + 1) / 2)


def ranking_metrics(ranks: Sequence[float], cutoffs: Sequence[int] = CUTOFFS) -> dict[str, Estimate]:
    """MRR, precision at each cutoff and `p@all`, the share of lists that hold the truth, each with its interval.

    With one relevant document precision at k is whether it stands among the first k (P@k of the tidyparse work; recall
    at k elsewhere).
    """
    array = np.asarray(ranks, dtype=np.float64)
    figures = {"mrr": bootstrap(1 / array)}
    for cutoff in cutoffs:
        figures[f"p@{cutoff}"] = bootstrap((array <= cutoff).astype(np.float64))
    return {**figures, "p@all": bootstrap(np.isfinite(array).astype(np.float64))}
