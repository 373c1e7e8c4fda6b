"""The scores of given repairs: the near ones by the model, the far ones by how far they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codefit.models import repair
from codefit.models.repair import RepairModel, load_repair_model, save_repair_model
from codefit.tasks.repairs.align import distance
from codefit.tasks.repairs.edits import LogLinearEdits
from small_repairs import PAIRS, plain_edits, small_language


@pytest.fixture(scope="module")
def model() -> RepairModel:
    return RepairModel(small_language(), plain_edits())


def changed(tokens: list[int], edits: int) -> list[int]:
    """The tokens with so many of them replaced by one that is not there."""
    rare = next(token for token in range(90) if token not in tokens)
    return [rare if place < edits else token for place, token in enumerate(tokens)]


def test_near_ones_come_first_then_the_nearer_of_the_far_ones_then_what_is_no_string(model: RepairModel) -> None:
    broken, fixed = PAIRS[2]
    documents = [None, changed(broken, 9), changed(broken, 3), [], changed(broken, 4), fixed]
    scores = model.rank(broken, documents)
    assert np.argsort(-scores, kind="stable").tolist() == [5, 2, 4, 1, 3, 0]
    assert scores[4] - scores[1] == pytest.approx(5)
    assert np.isneginf(scores[0])


def test_what_scores_edits_is_compiled_before_the_first_search(
    model: RepairModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right after an installation compiling takes longer than a search may."""
    save_repair_model(model, tmp_path)
    called: list[int] = []
    scores = LogLinearEdits.scores
    monkeypatch.setattr(LogLinearEdits, "scores", lambda self, *given: (called.append(1), scores(self, *given))[1])
    load_repair_model(tmp_path)
    assert called == [1]


def test_the_bound_that_spares_a_count_is_not_above_it() -> None:
    chance = np.random.default_rng(0)
    out = np.empty(3, dtype=np.int64)
    for _ in range(500):
        a, b = (chance.integers(0, 4, chance.integers(1, 9)).astype(np.int32) for _ in range(2))
        assert repair._count_edits(a, b, out) == distance(a, b)


def test_strings_too_long_to_compare_are_far_and_cost_nothing(
    model: RepairModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = PAIRS[2][0] * 20
    before = model.rank(broken, [broken[1:], changed(broken, 50)])
    monkeypatch.setattr(repair, "MOST_CELLS", len(broken))
    after = model.rank(broken, [broken[1:], changed(broken, 50), broken])
    assert before[0] > after[0] == after[2] == -4
    assert after[1] == -50
