"""The loop: journal, evaluation, the best model, resuming, a loss that breaks."""

from __future__ import annotations

import json

import numpy as np
import pytest
from training_examples import make_pairs, static_learner

from codefit.errors import CodefitError
from codefit.train.checkpoint import latest_checkpoint
from codefit.train.static import StaticSettings
from codefit.train.trainer import TrainSettings, read_metrics, train

SETTINGS = TrainSettings(max_steps=12, batch_size=8, warmup_steps=2, save_every=5, eval_every=4)


def rows(out, kind):
    return [row for row in read_metrics(out / "metrics.jsonl") if row["kind"] == kind]


def test_it_writes_a_row_a_step_and_a_model(tmp_path):
    learner = static_learner()
    result = train(learner, SETTINGS, tmp_path)
    steps = rows(tmp_path, "train")
    assert [row["step"] for row in steps] == list(range(1, 13))
    assert [row["rate"] for row in steps[:3]] == [0.5, 1.0, 1.0]
    assert result.steps == 12
    assert result.tokens > 0
    assert latest_checkpoint(tmp_path / "checkpoints").step == 12
    from sentence_transformers import SentenceTransformer

    vector = SentenceTransformer(str(tmp_path / "model"), device="cpu").encode(["open the file"])
    assert np.isfinite(vector).all()


def test_the_best_model_is_kept_not_the_last(tmp_path):
    scores = iter([0.2, 0.9, 0.4])
    learner, kept = static_learner(), []

    def describe(folder):
        (folder / "note.json").write_text(json.dumps({"at": len(rows(tmp_path, "train"))}))
        kept.append(learner.table.vectors.copy())

    result = train(learner, SETTINGS, tmp_path, evaluate=lambda: {"mrr@10": next(scores)}, describe=describe)
    assert (result.best_step, result.best) == (8, {"mrr@10": 0.9})
    assert [row["mrr@10"] for row in rows(tmp_path, "eval")] == [0.2, 0.9, 0.4]
    assert [row["step"] for row in rows(tmp_path, "eval")] == [4, 8, 12]
    assert len(kept) == 2
    from safetensors.numpy import load_file

    weights = next(iter(load_file(tmp_path / "model" / "model.safetensors").values()))
    expected = (learner.table.weights * kept[1])[learner.table.row_of]
    assert weights.shape == expected.shape
    assert (tmp_path / "model" / "note.json").exists()


def test_a_finished_training_is_not_trained_again(tmp_path):
    train(static_learner(), SETTINGS, tmp_path)
    before = read_metrics(tmp_path / "metrics.jsonl")
    result = train(static_learner(), SETTINGS, tmp_path)
    assert result.tokens == 0
    assert result.steps == 12
    assert read_metrics(tmp_path / "metrics.jsonl") == before


def test_rows_after_the_checkpoint_are_written_anew(tmp_path):
    train(static_learner(), SETTINGS, tmp_path)
    # As a kill at step 12 leaves it: the checkpoint of step 10, and a line cut in two.
    import shutil

    shutil.rmtree(tmp_path / "checkpoints" / "step-00000012")
    whole = (tmp_path / "metrics.jsonl").read_text()
    (tmp_path / "metrics.jsonl").write_text(whole + '{"kind": "train", "st')
    (tmp_path / "checkpoints" / ".tmp-0a-step-00000012").mkdir()
    (tmp_path / ".old-0a-model").mkdir()
    train(static_learner(), SETTINGS, tmp_path)
    drop_speed = [
        {k: v for k, v in json.loads(line).items() if k != "tokens_per_second"} for line in whole.splitlines()
    ]
    again = [
        {k: v for k, v in row.items() if k != "tokens_per_second"} for row in read_metrics(tmp_path / "metrics.jsonl")
    ]
    assert again == drop_speed
    assert not list(tmp_path.rglob(".tmp-*"))
    assert not list(tmp_path.rglob(".old-*"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_training(tmp_path, value, monkeypatch):
    learner = static_learner()
    learn = learner.learn
    count = iter(range(100))
    monkeypatch.setattr(learner, "learn", lambda batch, rate: value if next(count) == 6 else learn(batch, rate))
    said = rf"the loss became {value} at step 7, on 8 pairs \(rows .*\); the checkpoint of step 5 is kept; lower"
    with pytest.raises(CodefitError, match=said):
        train(learner, SETTINGS, tmp_path)
    assert latest_checkpoint(tmp_path / "checkpoints").step == 5
    assert not (tmp_path / "model").exists()


def test_a_table_that_blows_up_stops_the_training(tmp_path):
    learner = static_learner(make_pairs(60), StaticSettings(learning_rate=1e30))
    with (
        np.errstate(all="ignore"),
        pytest.raises(CodefitError, match=r"the loss became (nan|inf) at step \d+, on 8 pairs .*; lower the"),
    ):
        train(learner, SETTINGS, tmp_path)


def test_a_damaged_checkpoint_stops_a_resumed_training(tmp_path):
    train(static_learner(), SETTINGS, tmp_path)
    state = tmp_path / "checkpoints" / "step-00000012" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-100])
    with pytest.raises(CodefitError, match=r"step-00000012: state\.safetensors of the checkpoint is damaged"):
        train(static_learner(), SETTINGS, tmp_path)
