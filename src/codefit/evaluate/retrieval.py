"""Retrieval: where the right answer stands in a pool, for a model, for BM25 and for both fused, in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from codefit.evaluate.intervals import Estimate, bootstrap, paired_difference
from codefit.models.fusion import WEIGHT_GRID, fuse
from codefit.models.lexical import BM25, WeightedBM25

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]

_BLOCK_CELLS = 16_000_000  # scores of a block of queries against the pool that are held at once: 64 MB a system

CUTOFF = 10
METRICS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "mrr@10": lambda ranks: np.where(ranks <= CUTOFF, 1 / ranks, 0.0),
    "ndcg@10": lambda ranks: np.where(ranks <= CUTOFF, 1 / np.log2(1 + ranks), 0.0),
    "recall@1": lambda ranks: (ranks <= 1).astype(float),
    "recall@5": lambda ranks: (ranks <= 5).astype(float),
    "recall@10": lambda ranks: (ranks <= 10).astype(float),
}
"""Each metric of one relevant answer a query, from its rank (n,): Jarvelin and Kekalainen (2002) for nDCG."""


def ranks_of_gold(scores: FloatArray, gold: IntArray) -> FloatArray:
    """Rank (1 is best) of column `gold[i]` in row i of `scores` (queries, pool); tied answers share their mean rank.

    A model that gives every answer the same score thus ranks at the middle, not at the top.
    """
    right = np.take_along_axis(scores, gold[:, None], axis=1)
    above = (scores > right).sum(axis=1)
    tied = (scores == right).sum(axis=1)
    ranks: FloatArray = above + (tied + 1) / 2
    return ranks


class Embedder(Protocol):
    """Questions and code to unit vectors, (texts, d)."""

    def encode_queries(self, queries: Sequence[str]) -> npt.NDArray[np.float32]: ...

    def encode_codes(self, codes: Sequence[str]) -> npt.NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """Queries, a pool of code, and for each query the index of its answer; optional groups to report by."""

    queries: Sequence[str]
    pool: Sequence[str]
    gold: IntArray
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The rank of the right answer for each query (n,), by system."""

    model: FloatArray
    bm25: FloatArray
    hybrid: FloatArray
    pool_size: int

    def systems(self) -> dict[str, FloatArray]:
        """The three systems by their names in the report."""
        return {"model": self.model, "bm25": self.bm25, "hybrid": self.hybrid}


def rank(embedder: Embedder, data: RetrievalSet, model_weight: float) -> Ranking:
    """Score every query against the whole pool with the model (cosine of unit vectors), BM25, and both fused."""
    model, bm25, hybrid = [], [], []
    for scores in _score_blocks(embedder, data):
        model.append(ranks_of_gold(scores.model, scores.gold))
        bm25.append(ranks_of_gold(scores.bm25, scores.gold))
        hybrid.append(ranks_of_gold(fuse(scores.model, scores.lexical, model_weight), scores.gold))
    return Ranking(np.concatenate(model), np.concatenate(bm25), np.concatenate(hybrid), len(data.pool))


def fit_model_weight(embedder: Embedder, sets: Sequence[RetrievalSet]) -> float:
    """The fusion weight with the best mean MRR@10 over validation sets; never call it on what is reported."""
    totals = np.zeros(len(WEIGHT_GRID))
    for data in sets:
        for scores in _score_blocks(embedder, data):
            for i, weight in enumerate(WEIGHT_GRID):
                ranks = ranks_of_gold(fuse(scores.model, scores.lexical, weight), scores.gold)
                totals[i] += METRICS["mrr@10"](ranks).sum() / len(data.queries)
    return WEIGHT_GRID[int(totals.argmax())]


@dataclass(frozen=True, slots=True)
class _Scores:
    """Scores of a block of queries against the pool: plain BM25 is the baseline, weighted BM25 the hybrid's half."""

    model: npt.NDArray[np.float32]
    bm25: npt.NDArray[np.float32]
    lexical: npt.NDArray[np.float32]
    gold: IntArray


def _score_blocks(embedder: Embedder, data: RetrievalSet) -> Iterator[_Scores]:
    codes = embedder.encode_codes(data.pool)
    plain, weighted = BM25(data.pool), WeightedBM25(data.pool)
    block = max(1, _BLOCK_CELLS // max(1, len(data.pool)))
    for start in range(0, len(data.queries), block):
        queries = data.queries[start : start + block]
        yield _Scores(
            model=embedder.encode_queries(queries) @ codes.T,
            bm25=plain.score_matrix(queries),
            lexical=weighted.score_matrix(queries),
            gold=data.gold[start : start + block],
        )


def figures(ranks: FloatArray) -> dict[str, Any]:
    """Every metric's mean, and under `ci95` its interval as [low, high]."""
    estimates = {name: bootstrap(metric(ranks)) for name, metric in METRICS.items()}
    return {name: e.mean for name, e in estimates.items()} | {
        "ci95": {n: [e.low, e.high] for n, e in estimates.items()}
    }


def report(ranking: Ranking, data: RetrievalSet) -> dict[str, Any]:
    """The result of `embed eval`: figures by system, paired differences to BM25, and figures by group."""
    by_group: dict[str, dict[str, Any]] = {}
    for kind, labels in data.groups.items():
        names = np.asarray(labels)
        by_group[kind] = {
            str(name): {"n": int((names == name).sum())}
            | {system: figures(ranks[names == name]) for system, ranks in ranking.systems().items()}
            for name in sorted(set(labels))
        }
    return {
        "n": len(data.queries),
        "pool": ranking.pool_size,
        **{system: figures(ranks) for system, ranks in ranking.systems().items()},
        "difference_to_bm25": {
            system: _as_dict(paired_difference(METRICS["mrr@10"](ranks), METRICS["mrr@10"](ranking.bm25)))
            for system, ranks in ranking.systems().items()
            if system != "bm25"
        },
        **({"by": by_group} if by_group else {}),
    }


def _as_dict(estimate: Estimate) -> dict[str, Any]:
    return {"mrr@10": estimate.mean, "ci95": [estimate.low, estimate.high]}
