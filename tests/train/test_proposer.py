"""What proposes repairs: nothing is scored by a model that saw it, and lists hold the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codefit.models.repair import load_repair_model
from codefit.tasks.repairs.candidates import closed
from codefit.tasks.repairs.instances import RepairPair
from codefit.tasks.repairs.ngrams import count_ngrams, smooth
from codefit.train.proposer import (
    ALL,
    ProposerSettings,
    count_models,
    examples_of,
    train_proposer,
    training_lists,
    validation_lists,
)
from small_repairs import PAIRS as SMALL

PAIRS = [RepairPair(closed(broken), closed(fixed)) for broken, fixed in SMALL]
GROUPS = np.array([0, 1, 2, 3, 0])  # the first and the last are near duplicates
SETTINGS = ProposerSettings(order=3, synthetic=20, folds=2, rounds=1, limit=40, steps=200_000, epochs=3)


def test_near_duplicates_and_what_is_made_of_a_pair_share_its_fold() -> None:
    examples = examples_of(PAIRS, GROUPS, 20, SETTINGS)
    assert len(examples) == 25
    assert examples[0].fold == examples[4].fold
    assert {example.fold for example in examples} == {0, 1}
    fold_of = {tuple(example.pair.fixed): example.fold for example in examples[:5]}
    assert all(example.fold == fold_of[tuple(example.pair.fixed)] for example in examples[5:])
    others = examples_of(PAIRS, GROUPS, 20, SETTINGS, stream=1)
    assert [e.pair for e in others[:5]] == [e.pair for e in examples[:5]]
    assert [e.pair for e in others[5:]] != [e.pair for e in examples[5:]]


def test_a_folds_ngrams_have_not_seen_it() -> None:
    examples = examples_of(PAIRS, GROUPS, 0, SETTINGS)
    models = count_models(PAIRS, examples, SETTINGS)
    for fold in range(2):
        outside = [example.pair.fixed for example in examples if example.fold != fold]
        expected = smooth(count_ngrams(outside, 3))
        assert np.array_equal(models[fold].log_probability, expected.log_probability)
    everything = smooth(count_ngrams([pair.fixed for pair in PAIRS], 3))
    assert np.array_equal(models[-1].log_probability, everything.log_probability)


@pytest.fixture(scope="module")
def proposer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("proposer") / "proposer"
    report = train_proposer(PAIRS, GROUPS, SETTINGS, folder)
    assert report["pairs"] == 5
    assert report["synthetic"] == 20
    assert report["rounds"][0]["lists"] == 25
    return folder


def test_each_folds_edits_are_fitted_without_it(proposer: Path) -> None:
    weights = [load_repair_model(proposer / name).edits.weights for name in ("0", "1", ALL)]
    assert all(len(np.flatnonzero(own)) for own in weights)
    assert not any(np.array_equal(a, b) for a, b in [(weights[0], weights[1]), (weights[0], weights[2])])


def test_training_lists_hold_the_truth(proposer: Path) -> None:
    examples = examples_of(PAIRS, GROUPS, 10, SETTINGS, stream=1)
    for limit in (3, 60):
        lists = list(training_lists(proposer, examples, limit=limit, steps=300_000))
        assert len(lists) == len(examples)
        for one, example in zip(lists, examples, strict=True):
            assert 0 <= one.truth < len(one.edits) <= limit + 1
            assert one.tokens.tolist() == example.pair.broken
    # The list of a pair is scored by the model outside its fold.
    own = load_repair_model(proposer / str(examples[0].fold))
    found = own.candidates(PAIRS[0].broken, limit=60, steps=300_000)
    assert lists[0].scalars.sum(1)[:20] == pytest.approx(found.scores[:20] - found.scores[0], abs=1e-3)


def test_validation_lists_are_as_found(proposer: Path) -> None:
    unknown = RepairPair(PAIRS[0].broken, PAIRS[3].fixed)
    lists = list(validation_lists(proposer / ALL, [PAIRS[0], unknown], limit=50, steps=300_000))
    assert lists[0].truth >= 0
    assert lists[1].truth == -1
