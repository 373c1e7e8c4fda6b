"""Learning edits: the features of a candidate are those that the search scores by, and the truth rises."""

from __future__ import annotations

import numpy as np
import pytest

from codefit.source.syntax.terminals import from_names
from codefit.tasks.repairs.candidates import closed, find_candidates
from codefit.tasks.repairs.edits import feature_count
from codefit.train.edit_model import fit_edits, list_candidates
from small_repairs import PAIRS, plain_edits, small_language

STEPS = 1 << 30  # as many as it takes


def test_a_candidates_features_add_up_to_its_score() -> None:
    rng = np.random.default_rng(0)
    model = type(plain_edits())(rng.normal(0, 0.3, feature_count()).astype(np.float32) - 0.5, 0.6)
    for broken, fixed in PAIRS:
        listing = list_candidates(broken, fixed, small_language(), model, limit=60, steps=STEPS)
        assert listing is not None
        found = find_candidates(broken, small_language(), model, limit=60, seconds=60)
        own = np.add.reduceat(model.weights[listing.features], listing.ends[:-1])
        scores = own + model.weight * listing.likelihood
        best = found.scores[0] - max(found.scores[0], -np.inf)
        assert np.sort(scores - scores.max())[::-1][:40] == pytest.approx(
            (found.scores - found.scores[0] + best)[:40], abs=1e-2
        )


def test_the_truth_rises() -> None:
    model = plain_edits()
    listings = [list_candidates(b, f, small_language(), model, limit=100, steps=STEPS) for b, f in PAIRS]
    assert all(listing is not None for listing in listings)
    learned = fit_edits([listing for listing in listings if listing] * 4, model, epochs=10, batch=5)

    def rank(edits: object, broken: list[int], fixed: list[int]) -> int:
        found = find_candidates(broken, small_language(), edits, limit=300, seconds=60)  # type: ignore[arg-type]
        return found.strings.index(closed(fixed))

    before = [rank(model, *pair) for pair in PAIRS]
    after = [rank(learned, *pair) for pair in PAIRS]
    assert sum(after) < sum(before)
    assert after == [0] * len(PAIRS)


def test_what_is_too_far_or_sound_teaches_nothing() -> None:
    far = from_names("NAME NAME NAME NAME NAME NAME")
    assert list_candidates(far, PAIRS[1][1], small_language(), plain_edits(), limit=10, steps=STEPS) is None
    assert list_candidates(PAIRS[0][1], PAIRS[0][1], small_language(), plain_edits(), limit=10, steps=STEPS) is None
