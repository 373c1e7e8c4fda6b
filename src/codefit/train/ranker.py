"""Training a ranker from files to a folder: the encoder on sound code, then the whole on lists of candidates."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from codefit.errors import InputError
from codefit.evaluate.ranking import CUTOFFS, rank_of
from codefit.models.ranker import (
    RankerShape,
    RepairRanker,
    TokenEncoder,
    load_network,
    new_ranker,
    read_shape,
)
from codefit.tasks.repairs.ranking import RankingList, load_lists
from codefit.tasks.repairs.snippet_files import read_snippets
from codefit.train.ranking import RankingLearner, RankingSettings, to_batch
from codefit.train.ranking_data import RankingData
from codefit.train.schedule import Schedule
from codefit.train.token_model import TokenData, TokenLearner, TokenSettings
from codefit.train.trainer import TrainResult, TrainSettings, train

ENCODER, RANKER = "encoder", "ranker"  # the folders that are written


@dataclass(frozen=True, slots=True)
class Steps:
    """How long a training is, and how often it looks; one of `epochs` and `max_steps` is given."""

    batch_size: int
    epochs: float | None = None
    max_steps: int | None = None
    warmup_steps: int = 0
    schedule: Schedule = "cosine"
    save_every: int = 500
    eval_every: int = 0
    seed: int = 0

    def count(self, examples: int) -> int:
        """Steps, of so many examples."""
        if self.max_steps is not None:
            return self.max_steps
        assert self.epochs is not None
        return max(1, math.ceil(self.epochs * examples / min(self.batch_size, examples)))


@dataclass(frozen=True, slots=True)
class TrainedPart:
    """What came of a training: the trainer's result, the folder, sizes, and how good what was kept is on validation."""

    result: TrainResult
    folder: Path
    parameters: int
    examples: int
    validation: Mapping[str, float] = field(default_factory=dict)


def pretrain_encoder(
    train_file: Path,
    validation_file: Path | None,
    shape: RankerShape,
    learning: TokenSettings,
    steps: Steps,
    out: Path,
) -> TrainedPart:
    """Train an encoder on the next token of snippets and write `out/encoder`, the one of the lowest perplexity.

    Files are those of `codefit.tasks.repairs.snippet_files`. Raises `InputError` for one that holds none.
    """
    import torch

    strings = _strings(train_file)
    looked_at = _strings(validation_file) if validation_file is not None else []
    torch.manual_seed(steps.seed)
    learner = TokenLearner(TokenEncoder(shape), TokenData(strings), learning, seed=steps.seed)

    def evaluate() -> dict[str, float]:
        perplexity = learner.perplexity(looked_at)
        return {"perplexity": perplexity, "loss": math.log(perplexity)}

    settings = dataclasses.replace(_settings(steps, len(strings), ENCODER), best_metric="perplexity", best="lowest")
    result = train(learner, settings, out, evaluate=evaluate if looked_at else None)
    parameters = sum(parameter.numel() for parameter in learner.encoder.parameters())
    return TrainedPart(result, out / ENCODER, parameters, len(strings), result.best)


def train_ranker(
    train_file: Path,
    validation_file: Path | None,
    shape: RankerShape,
    learning: RankingSettings,
    steps: Steps,
    out: Path,
    *,
    candidates: int,
    pretrained: Path | None = None,
) -> TrainedPart:
    """Train a ranker on lists and write `out/ranker`, the one with the best mean reciprocal rank on validation.

    Of a list it sees at most `candidates` at a time. Files are those of `codefit.tasks.repairs.ranking.save_lists`.
    """
    data = RankingData(load_lists(train_file), most=candidates)
    if not data.lists:
        raise InputError("no list holds its true repair and another", where=str(train_file))
    looked_at = load_lists(validation_file) if validation_file is not None else []
    network = new_ranker(shape, seed=steps.seed, pretrained=pretrained)
    learner = RankingLearner(network, data, learning, seed=steps.seed)

    def evaluate() -> dict[str, float]:
        return list_metrics(looked_at, learner.score(looked_at))

    settings = dataclasses.replace(_settings(steps, len(data.lists), RANKER), best_metric="mrr")
    result = train(learner, settings, out, evaluate=evaluate if looked_at else None)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return TrainedPart(result, out / RANKER, parameters, len(data.lists), result.best)


def list_metrics(lists: Sequence[RankingList], scores: Sequence[np.ndarray]) -> dict[str, float]:
    """MRR and precision at each cutoff over lists; one without its true repair counts as a miss."""
    ranks = np.array([rank_of(own, one.truth) for own, one in zip(scores, lists, strict=True)])
    return {"mrr": float((1 / ranks).mean()), **{f"p@{k}": float((ranks <= k).mean()) for k in CUTOFFS}}


def score_lists(folder: Path, lists: Sequence[RankingList]) -> list[np.ndarray]:
    """The scores that a folder's ranker gives the candidates of each list."""
    import torch

    network = RepairRanker(read_shape(folder)).eval()
    load_network(network, folder)
    with torch.no_grad():
        return [network(to_batch([one], torch.device("cpu"))).numpy() for one in lists]


def _strings(path: Path) -> list[bytes]:
    strings = read_snippets(path)
    if not strings:
        raise InputError("holds no snippet", where=str(path))
    return strings


def _settings(steps: Steps, examples: int, folder: str) -> TrainSettings:
    return TrainSettings(
        max_steps=steps.count(examples),
        batch_size=steps.batch_size,
        warmup_steps=steps.warmup_steps,
        schedule=steps.schedule,
        save_every=steps.save_every,
        eval_every=steps.eval_every,
        seed=steps.seed,
        folder=folder,
    )
