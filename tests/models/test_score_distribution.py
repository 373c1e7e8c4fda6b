"""What is said of the probabilities of the scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.models.score_distribution import VALUES, ScoreDistribution
from codefit.models.scorers import Estimate

WEIGHTS = st.lists(st.floats(0, 1), min_size=91, max_size=91).filter(lambda found: sum(found) > 0.01)


def distribution(**shares: float) -> ScoreDistribution:
    """Probabilities by score, `s7_4=0.5` for 7.4."""
    found = np.zeros(91)
    for name, share in shares.items():
        found[round(10 * float(name[1:].replace("_", "."))) - 10] = share
    return ScoreDistribution(found)


def test_there_are_91_scores() -> None:
    assert (VALUES[0], VALUES[64], VALUES[-1], len(VALUES)) == (1.0, 7.4, 10.0, 91)


def test_mean_median_and_interval() -> None:
    found = distribution(s1_0=0.04, s2_0=0.5, s3_0=0.41, s10_0=0.05)
    assert found.mean == pytest.approx(0.04 + 1.0 + 1.23 + 0.5)
    assert (found.median, found.likeliest) == (2.0, 2.0)
    assert found.estimate(0.9) == Estimate(score=found.mean, low=2.0, high=3.0)
    assert found.estimate(0.95) == Estimate(score=found.mean, low=1.0, high=10.0)


def test_one_certain_score_is_all() -> None:
    assert distribution(s7_4=1.0).estimate() == Estimate(score=pytest.approx(7.4), low=7.4, high=7.4)  # type: ignore[arg-type]


@given(WEIGHTS, st.floats(0.01, 0.99))
def test_an_interval_holds_its_probability_and_the_median(weights: list[float], share: float) -> None:
    found = ScoreDistribution(np.array(weights) / sum(weights))
    made = found.estimate(share)
    assert made.low is not None
    assert made.high is not None
    assert 1.0 <= made.low <= found.median <= made.high <= 10.0
    held = found.probabilities[(made.low <= VALUES) & (made.high >= VALUES)].sum()
    assert held >= share - 1e-6
    below, up_to = found.median > VALUES, found.median >= VALUES
    assert found.probabilities[below].sum() <= 0.5 + 1e-6 <= found.probabilities[up_to].sum() + 2e-6
