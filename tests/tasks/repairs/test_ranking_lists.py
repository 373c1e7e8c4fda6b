"""Lists of candidates as arrays: what the ranker is given is what the search found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codefit.errors import InputError
from codefit.models.repair import RepairModel, load_repair_model, save_repair_model
from codefit.tasks.repairs.candidates import closed, find_candidates
from codefit.tasks.repairs.ranking import (
    BEGIN,
    FINISH,
    PAD,
    RankingList,
    distance_buckets,
    load_lists,
    ranking_list,
    save_lists,
    to_arrays,
)  # fmt: skip
from small_repairs import PAIRS, plain_edits, small_language


def lists() -> list[RankingList]:
    found = []
    for broken, fixed in PAIRS:
        candidates = find_candidates(broken, small_language(), plain_edits(), limit=40, seconds=60)
        found.append(ranking_list(broken, candidates, plain_edits().weight, fixed))
    return found


def test_scalars_are_the_parts_of_the_score_and_the_truth_is_found() -> None:
    for one, (broken, fixed) in zip(lists(), PAIRS, strict=True):
        candidates = find_candidates(broken, small_language(), plain_edits(), limit=40, seconds=60)
        total = one.scalars.sum(axis=1)
        assert total - total.max() == pytest.approx(candidates.scores - candidates.scores.max(), abs=1e-2)
        assert (one.truth >= 0) == (closed(fixed) in candidates.strings)
        if one.truth >= 0:
            assert candidates.strings[one.truth] == closed(fixed)


def test_arrays_hold_each_different_edit_once() -> None:
    found = lists()
    arrays = to_arrays(found)
    assert arrays.tokens.shape == (len(found), max(len(one.tokens) for one in found) + 2)
    at = 0
    for row, one in enumerate(found):
        n = len(one.tokens)
        assert arrays.tokens[row, : n + 2].tolist() == [BEGIN, *one.tokens.tolist(), FINISH]
        assert (arrays.tokens[row, n + 2 :] == PAD).all()
        chosen = arrays.candidate_edits[at : at + len(one.edits)]
        at += len(one.edits)
        assert ((chosen >= 0) == (one.edits >= 0)).all()
        for numbers, packed in zip(chosen, one.edits, strict=True):
            for number, edit in zip(numbers, packed, strict=True):
                if number >= 0:
                    assert arrays.edit_row[number] == row
                    assert arrays.edit_place[number] == edit >> 9
                    assert arrays.edit_kind[number] == edit >> 7 & 3
    keys = np.stack([arrays.edit_row, arrays.edit_place, arrays.edit_kind, arrays.edit_token])
    assert len(np.unique(keys, axis=1).T) == len(arrays.edit_row)


def test_lists_are_stored_and_read(tmp_path: Path) -> None:
    found = lists()
    save_lists(tmp_path / "lists.npz", found)
    for one, again in zip(found, load_lists(tmp_path / "lists.npz"), strict=True):
        assert (one.first_error, one.last_error, one.truth) == (again.first_error, again.last_error, again.truth)
        assert np.array_equal(one.tokens, again.tokens)
        assert np.array_equal(one.edits, again.edits)
        assert again.scalars == pytest.approx(one.scalars, rel=1e-2, abs=1e-2)


def test_distances_have_a_bucket_each_way() -> None:
    buckets = distance_buckets(np.array([-1000, -11, -10, -1, 0, 1, 10, 11, 1000]))
    assert buckets.tolist() == sorted(buckets.tolist())
    assert buckets[4] == 20
    assert (buckets[0], buckets[-1]) == (0, 40)


def test_a_model_is_stored_and_read(tmp_path: Path) -> None:
    save_repair_model(RepairModel(small_language(), plain_edits()), tmp_path)
    again = load_repair_model(tmp_path)
    for broken, fixed in PAIRS:
        found = again.repairs(broken, limit=200, seconds=60)
        assert closed(fixed) in found.strings
        same = find_candidates(broken, small_language(), plain_edits(), limit=200, seconds=60)
        assert found.scores == pytest.approx(same.scores, abs=0.1)  # stored in half precision
    with pytest.raises(InputError, match="holds no repair model"):
        load_repair_model(tmp_path / "none")


def test_given_repairs_are_ordered_as_found_ones() -> None:
    model = RepairModel(small_language(), plain_edits())
    broken, _ = PAIRS[0]
    found = model.repairs(broken, limit=30, seconds=60)
    scores = model.rank(broken, [*found.strings, [1] * 60, None])
    assert np.argsort(-scores, kind="stable").tolist() == list(range(len(found.strings) + 2))
    assert scores[-1] == -np.inf
    assert model.rank(broken, []).shape == (0,)
