"""Ranking metrics: against ranx, and that ties and missing truths are not in anybody's favour."""

from __future__ import annotations

import numpy as np
import pytest
from ranx import Qrels, Run, evaluate

from codefit.evaluate.ranking import rank_of, ranking_metrics


def test_figures_are_those_of_ranx() -> None:
    rng = np.random.default_rng(0)
    lists = [rng.permutation(int(rng.integers(5, 200))).astype(np.float64) for _ in range(60)]
    truths = [int(rng.integers(len(scores))) if rng.random() < 0.9 else -1 for scores in lists]
    found = ranking_metrics([rank_of(scores, truth) for scores, truth in zip(lists, truths, strict=True)])
    qrels = Qrels({f"q{k}": {f"d{truth}" if truth >= 0 else "none": 1} for k, truth in enumerate(truths)})
    run = Run({f"q{k}": {f"d{n}": s + 1 for n, s in enumerate(scores)} for k, scores in enumerate(lists)})
    expected = evaluate(qrels, run, ["mrr", "hit_rate@1", "hit_rate@10", "hit_rate@100"])
    for ours, theirs in (("mrr", "mrr"), ("p@1", "hit_rate@1"), ("p@10", "hit_rate@10"), ("p@100", "hit_rate@100")):
        assert found[ours].mean == pytest.approx(expected[theirs])
        assert found[ours].low <= found[ours].mean <= found[ours].high
    assert found["p@all"].mean == pytest.approx(np.mean([truth >= 0 for truth in truths]))


def test_who_ties_has_the_mean_of_their_ranks_wherever_it_stands() -> None:
    scores = np.array([3.0, 1.0, 1.0, 1.0, 0.0])
    assert [rank_of(scores, k) for k in range(5)] == [1, 3, 3, 3, 5]
    assert rank_of(np.zeros(9), 0) == rank_of(np.zeros(9), 8) == 5


def test_what_was_not_found_is_a_miss() -> None:
    found = ranking_metrics([1.0, rank_of(np.zeros(3), -1)])
    assert found["mrr"].mean == 0.5
    assert found["p@100"].mean == found["p@all"].mean == 0.5


def test_precision_at_ten_counts_ten() -> None:
    assert ranking_metrics([10.0, 11.0])["p@10"].mean == 0.5
