"""Train the encoder that scores functions, from rows to a folder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from codefit.engine.processes import map_records
from codefit.errors import InputError
from codefit.models.score_network import TOKENIZER, ScoreNetwork, ScoreShape
from codefit.models.score_windows import CodeTokens
from codefit.models.tokenizer import PAD, load_tokenizer, save_tokenizer, train_tokenizer
from codefit.progress import track
from codefit.records import ScoredFunction
from codefit.tasks.complexity.counted import counted_of
from codefit.train.schedule import Schedule
from codefit.train.scoring import ScoredText, ScoringData, ScoringLearner, ScoringSettings
from codefit.train.trainer import TrainResult, TrainSettings, train

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FloatArray = npt.NDArray[np.float32]
FOLDER = "encoder"
SECONDS_A_FUNCTION = 20.0


@dataclass(frozen=True, slots=True)
class EncoderSteps:
    """How long the training is; one of `epochs` and `max_steps` is given. `vocabulary` is the tokenizer's."""

    batch_size: int = 32
    epochs: float | None = None
    max_steps: int | None = None
    warmup_steps: int = 50
    schedule: Schedule = "cosine"
    save_every: int = 500
    eval_every: int = 250
    variant_share: float = 0.0
    seed: int = 0

    def count(self, examples: int) -> int:
        """Steps, of so many functions; variants take the place of some."""
        if self.max_steps is not None:
            return self.max_steps
        assert self.epochs is not None
        own = max(1, round(min(self.batch_size, examples) * (1 - self.variant_share)))
        return max(1, math.ceil(self.epochs * examples / own))


@dataclass(frozen=True, slots=True)
class TrainedEncoder:
    """What came of it: the trainer's result, the folder, sizes, and how good what was kept is on validation."""

    result: TrainResult
    folder: Path
    parameters: int
    functions: int
    validation: Mapping[str, float] = field(default_factory=dict)


def write_score_tokenizer(rows: Sequence[ScoredFunction], vocabulary: int, path: Path) -> Tokenizer:
    """Learn a tokenizer from the functions and write it."""
    tokenizer = train_tokenizer((row.code for row in rows), vocabulary)
    save_tokenizer(tokenizer, path)
    return tokenizer


def train_score_encoder(
    rows: Sequence[ScoredFunction],
    validation: Sequence[ScoredFunction],
    variants: Sequence[ScoredFunction],
    tokenizer_path: Path,
    sizes: Mapping[str, int | float],
    learning: ScoringSettings,
    steps: EncoderSteps,
    out: Path,
) -> TrainedEncoder:
    """Train and write `out/encoder`, the network of the least mean absolute error on validation, and its tokenizer.

    `sizes` are fields of `ScoreShape`.
    """
    import torch

    tokenizer = load_tokenizer(tokenizer_path)
    pad = tokenizer.token_to_id(PAD)
    if pad is None:
        raise InputError(f"the tokenizer has no {PAD} token", where=str(tokenizer_path))
    shape = ScoreShape(vocabulary=tokenizer.get_vocab_size(), pad=pad, **sizes)  # type: ignore[arg-type]
    torch.manual_seed(steps.seed)
    network = ScoreNetwork(shape)
    data = ScoringData(
        scored_texts(rows, tokenizer), scored_texts(variants, tokenizer), variant_share=steps.variant_share
    )
    learner = ScoringLearner(network, data, learning, seed=steps.seed)
    texts = CodeTokens(tokenizer)([row.code for row in validation])
    truths = np.array([row.score for row in validation])

    def evaluate() -> dict[str, float]:
        errors = learner.score(texts) - truths
        return {"mae": float(np.abs(errors).mean()), "rmse": float(np.sqrt((errors**2).mean()))}

    settings = TrainSettings(
        max_steps=steps.count(len(rows)),
        batch_size=steps.batch_size,
        warmup_steps=steps.warmup_steps,
        schedule=steps.schedule,
        save_every=steps.save_every,
        eval_every=steps.eval_every,
        seed=steps.seed,
        best_metric="mae",
        best="lowest",
        folder=FOLDER,
    )
    result = train(
        learner,
        settings,
        out,
        evaluate=evaluate if validation else None,
        describe=lambda folder: save_tokenizer(tokenizer, folder / TOKENIZER),
    )
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return TrainedEncoder(result, out / FOLDER, parameters, len(rows), result.best)


def scored_texts(rows: Sequence[ScoredFunction], tokenizer: Tokenizer) -> list[ScoredText]:
    """The rows as the network learns from them; where each label's figures lie is found by several processes."""
    encoded = CodeTokens(tokenizer).with_starts([row.code for row in rows])
    questions = [(row.code, row.language, starts) for row, (_, starts) in zip(rows, encoded, strict=True)]
    found = map_records(counted_of, questions, seconds_per_item=SECONDS_A_FUNCTION)
    texts = []
    for outcome in track(found, "labels", len(questions), "functions"):
        row = rows[outcome.index]
        figures = [row.metrics.get(name, 0.0) for name in ("label_ccn", "label_tokens", "label_lines")]
        sums = np.array([max(0.0, figures[0] - 1), *figures[1:]], dtype=np.float32)
        places = outcome.value
        # A label that was given, or code that was changed: then the places would speak of something else.
        if places is not None and not np.allclose(places.sum(axis=0), sums):
            places = None
        name = f"{row.source or ''}:{row.path or outcome.index}"
        texts.append(ScoredText(encoded[outcome.index][0], row.score, sums, places, name))
    return texts


def score_codes(network: ScoreNetwork, tokenizer: Path, codes: Sequence[str]) -> FloatArray:
    """The scores that a trained network gives codes, by torch."""
    data = ScoringData([ScoredText(np.zeros((1, 4), np.int32), 0.0, np.zeros(3, np.float32), None, "")])
    learner = ScoringLearner(network, data, ScoringSettings(device="cpu"), seed=0)
    return learner.score(CodeTokens(load_tokenizer(tokenizer))(codes))
