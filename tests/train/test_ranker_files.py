"""A ranker from files to a folder: pre-trained, trained, resumed, loaded; the best on validation is kept."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from codefit.errors import InputError
from codefit.evaluate.ranking import rank_of
from codefit.models.ranker import RankerShape, TokenEncoder, load_network, new_ranker, read_shape
from codefit.tasks.repairs.candidates import find_candidates
from codefit.tasks.repairs.ranking import RankingList, ranking_list, save_lists
from codefit.tasks.repairs.snippet_files import write_snippets
from codefit.train.ranker import Steps, list_metrics, pretrain_encoder, score_lists, train_ranker
from codefit.train.ranking import RankingSettings
from codefit.train.token_model import TokenSettings
from small_repairs import PAIRS, plain_edits, small_language

SHAPE = RankerShape(hidden=16, layers=1, heads=2, ffn=32, edit=16, dropout=0.1)
STEPS = Steps(batch_size=2, max_steps=12, save_every=4, eval_every=4, seed=3)


@pytest.fixture(scope="module")
def lists() -> list[RankingList]:
    found = []
    for broken, fixed in PAIRS:
        candidates = find_candidates(broken, small_language(), plain_edits(), limit=60, seconds=60)
        found.append(ranking_list(broken, candidates, plain_edits().weight, fixed))
    return found


@pytest.fixture(scope="module")
def files(lists: list[RankingList], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    save_lists(folder / "lists.npz", lists)
    write_snippets(folder / "snippets.txt.gz", [bytes(fixed) for _, fixed in PAIRS])
    return folder


def pretrained(files: Path, out: Path, shape: RankerShape = SHAPE) -> Path:
    snippets = files / "snippets.txt.gz"
    return pretrain_encoder(snippets, snippets, shape, TokenSettings(device="cpu"), STEPS, out).folder


def trained(files: Path, out: Path, steps: Steps = STEPS, encoder: Path | None = None) -> Path:
    lists = files / "lists.npz"
    settings = RankingSettings(learning_rate=2e-3, device="cpu")
    return train_ranker(lists, lists, SHAPE, settings, steps, out, candidates=30, pretrained=encoder).folder


def looks(out: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [row for row in rows if row["kind"] == "eval"]


def test_the_encoder_of_the_lowest_perplexity_begins_the_ranker(files: Path, tmp_path: Path) -> None:
    encoder = pretrained(files, tmp_path)
    assert [row["step"] for row in looks(tmp_path)] == [4, 8, 12]
    network = TokenEncoder(SHAPE)
    load_network(network, encoder)
    ranker = new_ranker(SHAPE, seed=0, pretrained=encoder)
    for name, parameter in ranker.encoder.named_parameters():
        assert torch.equal(parameter, dict(network.named_parameters())[name]), name
    with pytest.raises(InputError, match="the encoder is of 1 layers of 16, the ranker of 2 of 16"):
        new_ranker(dataclasses.replace(SHAPE, layers=2), seed=0, pretrained=encoder)
    with pytest.raises(InputError, match=r"holds no model\.safetensors"):
        read_shape(tmp_path)


def test_the_best_on_validation_is_kept(files: Path, lists: list[RankingList], tmp_path: Path) -> None:
    folder = trained(files, tmp_path, encoder=pretrained(files, tmp_path / "pretrained"))
    seen = looks(tmp_path)
    scores = score_lists(folder, lists)
    assert list_metrics(lists, scores)["mrr"] == pytest.approx(max(row["mrr"] for row in seen))
    ranks = [rank_of(own, one.truth) for own, one in zip(scores, lists, strict=True)]
    assert list_metrics(lists, scores)["p@1"] == np.mean([rank == 1 for rank in ranks])


def test_a_training_that_was_cut_off_comes_to_the_same(files: Path, tmp_path: Path) -> None:
    whole = trained(files, tmp_path / "whole")
    short = dataclasses.replace(STEPS, max_steps=8, schedule="constant")
    long = dataclasses.replace(STEPS, schedule="constant")
    unbroken = trained(files, tmp_path / "unbroken", long)
    trained(files, tmp_path / "cut", short)
    again = trained(files, tmp_path / "cut", long)
    for name in ("model.safetensors", "shape.json"):
        assert (again / name).read_bytes() == (unbroken / name).read_bytes()
    assert (whole / "shape.json").read_bytes() == (unbroken / "shape.json").read_bytes()


def test_epochs_are_counted_in_steps_and_few_lists_make_one_batch() -> None:
    assert Steps(batch_size=4, epochs=2).count(10) == 5
    assert Steps(batch_size=64, epochs=3).count(10) == 3
    assert Steps(batch_size=4, max_steps=7).count(10) == 7


def test_lists_without_their_truth_teach_nothing(lists: list[RankingList], tmp_path: Path) -> None:
    save_lists(tmp_path / "none.npz", [dataclasses.replace(one, truth=-1) for one in lists])
    with pytest.raises(InputError, match="no list holds its true repair"):
        train_ranker(tmp_path / "none.npz", None, SHAPE, RankingSettings(), STEPS, tmp_path, candidates=9)
    assert list_metrics([dataclasses.replace(lists[0], truth=-1)], [lists[0].scalars.sum(1)])["mrr"] == 0
