"""The end-to-end figures: over the orders and groups, a repair that was not found a miss."""

from __future__ import annotations

import numpy as np
import pytest

from codefit.evaluate.repairs import ORDERS, repair_one, summary
from codefit.models.repair import RepairModel
from codefit.source.syntax.terminals import from_names
from small_repairs import PAIRS, plain_edits, small_language


def test_figures_are_over_all_and_by_distance_and_length() -> None:
    model, rng = RepairModel(small_language(), plain_edits()), np.random.default_rng(0)
    pairs = [*PAIRS, (PAIRS[0][0], from_names("pass NEWLINE " * 30))]  # a truth that nothing finds
    found = [repair_one(model, broken, fixed, rng, limit=400, seconds=60) for broken, fixed in pairs]
    assert found[-1].ranks["model"] == float("inf")
    assert not found[-1].in_reach
    figures = summary(found)
    ranks = np.array([one.ranks["model"] for one in found])
    assert figures["n"] == len(pairs)
    assert figures["mrr"] == pytest.approx((1 / ranks).mean())
    assert figures["p@all"] == pytest.approx(np.isfinite(ranks).mean())
    assert set(figures["orders"]) == set(ORDERS)
    assert figures["orders"]["edits"]["mrr"] == figures["mrr"]  # without a ranker it is the model's order
    assert sum(group["count"] for group in figures["by_distance"].values()) == len(pairs)
    assert sum(group["count"] for group in figures["by_length"].values()) == len(pairs)
    assert figures["retrieved"]["model"]["p@all"] == 1
    assert figures["candidates"]["recall_in_reach"] == pytest.approx(np.isfinite(ranks[:-1]).mean())
    assert 0 < figures["latency_ms"]["p50"] <= figures["latency_ms"]["p95"]
