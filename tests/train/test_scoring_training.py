"""The counting encoder: it learns, resumes to the bit, reads code of any length, and its export says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from codefit.errors import CodefitError, InputError
from codefit.export.scorer import export_score_encoder
from codefit.models.score_encoder import load_encoder_scorer
from codefit.models.score_network import COUNTED, ScoreNetwork, ScoreShape, load_score_network, save_score_network
from codefit.models.score_windows import CodeTokens, chunks_of
from codefit.models.tokenizer import PAD, load_tokenizer
from codefit.records import ScoredFunction
from codefit.tasks.complexity.variants import broken
from codefit.train.score_encoder import (
    EncoderSteps,
    TrainedEncoder,
    score_codes,
    scored_texts,
    train_score_encoder,
    write_score_tokenizer,
)
from codefit.train.scoring import ScoringData, ScoringLearner, ScoringSettings
from tasks.complexity.complexity_examples import scored_functions

SIZES = {"hidden": 32, "layers": 1, "heads": 2, "ffn": 64, "amounts": 16, "window": 64, "dropout": 0.1}


@pytest.fixture(scope="module")
def rows() -> list[ScoredFunction]:
    return scored_functions(120)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory, rows: list[ScoredFunction]) -> Path:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_score_tokenizer(rows, 400, path)
    return path


def trained(rows: list[ScoredFunction], tokenizer: Path, out: Path, steps: int, **changes: float) -> TrainedEncoder:
    """A training of so many steps on all rows but twenty, which choose."""
    settings = ScoringSettings(learning_rate=1e-2, device="cpu")
    times = EncoderSteps(batch_size=16, max_steps=steps, warmup_steps=5, save_every=10, eval_every=20, **changes)
    return train_score_encoder(rows[20:], rows[:20], rows[:30], tokenizer, SIZES, settings, times, out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, rows: list[ScoredFunction], tokenizer: Path) -> Path:
    """A network that was trained for a little while."""
    return trained(rows, tokenizer, tmp_path_factory.mktemp("trained"), 40, variant_share=0.1).folder


def test_it_learns_to_count_and_to_score(tmp_path: Path, rows: list[ScoredFunction], tokenizer: Path) -> None:
    result = trained(rows, tokenizer, tmp_path, 100)
    truth = np.array([row.score for row in rows[:20]])
    constant = np.abs(truth - np.median([row.score for row in rows[20:]])).mean()
    assert result.validation["mae"] < 0.75 * constant
    network, path = load_score_network(result.folder), result.folder / "tokenizer.json"
    scores = score_codes(network, path, [row.code for row in rows[:20]])
    assert np.abs(scores - truth).mean() == pytest.approx(result.validation["mae"], abs=1e-5)


def test_an_interrupted_training_ends_with_the_same_bits(
    tmp_path: Path, rows: list[ScoredFunction], tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(rows, tokenizer, tmp_path / "whole", 16, variant_share=0.2)
    learn = ScoringLearner.learn

    def stopped(self: ScoringLearner, batch: list, rate: float) -> float:
        if self._steps.number == 12:
            raise RuntimeError("stopped")
        return learn(self, batch, rate)

    monkeypatch.setattr(ScoringLearner, "learn", stopped)
    with pytest.raises(RuntimeError, match="stopped"):
        trained(rows, tokenizer, tmp_path / "broken", 16, variant_share=0.2)
    monkeypatch.setattr(ScoringLearner, "learn", learn)
    resumed = trained(rows, tokenizer, tmp_path / "broken", 16, variant_share=0.2)
    for name in ("model.safetensors", "tokenizer.json"):
        assert (whole.folder / name).read_bytes() == (resumed.folder / name).read_bytes()


def test_every_function_is_seen_once_a_pass_and_variants_take_their_share(
    rows: list[ScoredFunction], tokenizer: Path
) -> None:
    texts = scored_texts(rows[:40], load_tokenizer(tokenizer))
    variants = scored_texts(rows[40:50], load_tokenizer(tokenizer))
    data = ScoringData(texts, variants, variant_share=0.25)
    batches = data.batches(16, seed=0, first_step=0)
    seen = [text for _ in range(10) for text in next(batches)]
    own = [id(text) for text in seen if any(text is each for each in texts)]
    assert len(own) == 120
    assert sorted(own.count(id(text)) for text in texts) == [3] * 40
    later = data.batches(16, seed=0, first_step=7)
    assert [id(text) for text in next(later)] == [id(text) for text in seen[112:128]]


def test_places_are_known_where_the_label_is_made_of_them(rows: list[ScoredFunction], tokenizer: Path) -> None:
    made, given = scored_texts(
        [rows[0], ScoredFunction(code=rows[1].code, language="javascript", score=9.0, metrics={})],
        load_tokenizer(tokenizer),
    )
    assert made.places is not None
    assert made.places.shape == (len(made.tokens), COUNTED)
    assert made.places.sum(axis=0).tolist() == made.sums.tolist()
    assert given.places is None


def test_code_longer_than_a_window_is_read_whole(tokenizer: Path) -> None:
    shape = ScoreShape(vocabulary=400, pad=load_tokenizer(tokenizer).token_to_id(PAD), **SIZES)
    network = ScoreNetwork(shape).eval()
    tokens = CodeTokens(load_tokenizer(tokenizer))
    texts = tokens(["function f() { a(); " * 40, "x", "", "if (a) { b() } " * 9])
    chunks = chunks_of(texts, shape.window, shape.pad, 128)
    counted = np.zeros(len(texts), dtype=int)
    for chunk in chunks:
        np.add.at(counted, chunk.text, (chunk.tokens != shape.pad).sum(axis=1))
    assert counted.tolist() == [len(text) for text in texts]
    with torch.no_grad():
        for chunk in chunks:
            amounts = network.count(torch.from_numpy(chunk.tokens), torch.from_numpy(chunk.nesting))
            assert bool((amounts >= 0).all())
            assert bool((amounts[torch.from_numpy(chunk.tokens == shape.pad)] == 0).all())


def test_a_token_knows_where_it_is_nested(tokenizer: Path) -> None:
    loaded = load_tokenizer(tokenizer)
    (text,) = CodeTokens(loaded)(["a(b[c]){d}e" + "(" * 40 + "f"])
    nested = {
        loaded.id_to_token(int(token)): tuple(own.tolist()) for token, own in zip(text[:, 0], text[:, 1:], strict=True)
    }
    assert [nested[name] for name in "abcdef"] == [(0, 0, 0), (1, 0, 0), (2, 0, 0), (1, 1, 0), (0, 0, 1), (31, 0, 1)]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_export_scores_as_torch_does(
    tmp_path: Path, rows: list[ScoredFunction], folder: Path, precision: str
) -> None:
    codes = [*(row.code for row in rows[:20]), "", "function f() { a(); " * 60]
    truths = [*(row.score for row in rows[:20]), 1.0, 10.0]
    report = export_score_encoder(folder, codes, truths, tmp_path / "export", precision=precision)
    assert report["fp32"]["largest_difference"] < 1e-3
    assert report["int8"]["bytes"] < report["fp32"]["bytes"]
    scorer = load_encoder_scorer(tmp_path / "export")
    reference = score_codes(load_score_network(folder), folder / "tokenizer.json", codes)
    assert np.abs(scorer.scores(codes) - reference).max() < (1e-3 if precision == "fp32" else 0.5)
    assert scorer.scores([]).shape == (0,)
    estimates = scorer.score(codes, "javascript")
    assert all(each.score is not None and 1 <= each.score <= 10 for each in estimates)
    assert {file.name for file in (tmp_path / "export").iterdir()} == {
        *("encoder.onnx", "head.onnx", "scorer.json", "tokenizer.json"),
    }


def test_an_export_that_differs_is_refused(
    tmp_path: Path, rows: list[ScoredFunction], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codefit.train.score_encoder.score_codes", lambda *_: np.full(3, 9.0, dtype=np.float32))
    with pytest.raises(CodefitError, match="differs from torch's"):
        export_score_encoder(folder, [row.code for row in rows[:3]], [1, 1, 1], tmp_path / "export", precision="fp32")
    assert not (tmp_path / "export").exists()


def test_a_folder_that_holds_no_network_or_a_damaged_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no model\.safetensors"):
        load_score_network(tmp_path)
    with pytest.raises(InputError, match="holds no encoder"):
        load_encoder_scorer(tmp_path)
    network = ScoreNetwork(ScoreShape(vocabulary=20, **SIZES))
    save_score_network(network, tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(InputError, match="damaged"):
        load_score_network(tmp_path)


def test_code_that_does_not_parse_is_scored_all_the_same(rows: list[ScoredFunction], folder: Path) -> None:
    network, path = load_score_network(folder), folder / "tokenizer.json"
    changed = [broken(row.code, "javascript", np.random.default_rng(0)) or "" for row in rows[:20]]
    before = score_codes(network, path, [row.code for row in rows[:20]])
    assert np.abs(score_codes(network, path, changed) - before).mean() < 0.5
