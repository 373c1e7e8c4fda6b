"""How fast the networks of a ranker of repairs learn and score: a few steps of their real sizes.

Nothing is trained for keeps: steps are taken at a rate of nought, which changes no weight.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from codefit.errors import InputError
from codefit.recipe import Pretrain, RepairRanking
from codefit.run.plan_repair_searches import Searches, timed
from codefit.tasks.repairs.ranking import RankingList

if TYPE_CHECKING:
    from codefit.models.ranker import RankerShape
    from codefit.train.trainer import Learner

MEASURED_STEPS = 4  # after one that warms up
STEP_SECONDS = 5.0  # that the steps of one network may take


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a network learns: seconds a position of its strings, padding among them, and positions a step."""

    seconds_a_position: float
    positions: float


@dataclass(frozen=True, slots=True)
class PretrainingSpeed(Speed):
    """The same of the pre-training. Padding is a share of positions: in batches of like length, and in no order.

    `longest` is the length of the longest string, its ends included.
    """

    padding: float
    padding_unsorted: float
    longest: int


@dataclass(frozen=True, slots=True)
class Networks:
    """Both networks: their numbers, how fast they learn, seconds to score a list to choose by, the longest string."""

    encoder_parameters: int
    ranker_parameters: int
    pretraining: PretrainingSpeed | None
    training: Speed
    scoring: float
    longest: int


def measure_networks(
    recipe: RepairRanking, snippets: Sequence[bytes], searches: Searches, shape: RankerShape
) -> Networks:
    """A few steps of the pre-training, where there is one, and of the training; a few lists scored."""
    encoder, ranker = parameters_of(shape)
    return Networks(
        encoder_parameters=encoder,
        ranker_parameters=ranker,
        pretraining=_pretraining(recipe.pretrain, snippets, shape) if recipe.pretrain is not None else None,
        training=_training(recipe, searches.to_rank, shape),
        scoring=_scoring(recipe, searches.to_score, shape),
        longest=max(len(one.tokens) + 2 for one in searches.to_rank),
    )


def parameters_of(shape: RankerShape) -> tuple[int, int]:
    """Numbers of the encoder, and of the ranker with it."""
    from codefit.models.ranker import RepairRanker

    network = RepairRanker(shape)
    encoder, whole = (sum(part.numel() for part in one.parameters()) for one in (network.encoder, network))
    return encoder, whole


def _pretraining(section: Pretrain, snippets: Sequence[bytes], shape: RankerShape) -> PretrainingSpeed:
    from codefit.models.ranker import TokenEncoder
    from codefit.train.token_model import TokenData, TokenLearner, TokenSettings

    data = TokenData(snippets)
    learner = TokenLearner(TokenEncoder(shape), data, TokenSettings(device=section.device), seed=0)
    batches = data.batches(section.batch_size, seed=0, first_step=0)
    a_round = [next(batches) for _ in range(max(1, len(snippets) // section.batch_size))]
    return PretrainingSpeed(
        seconds_a_position=_seconds_a_position(learner, iter(a_round), lambda batch: int(batch.size)),
        positions=float(np.mean([batch.size for batch in a_round])),
        padding=float(np.average([data.notes(b)["padding"] for b in a_round], weights=[b.size for b in a_round])),
        padding_unsorted=_unsorted_padding(snippets, section.batch_size),
        longest=max(batch.shape[1] for batch in a_round),
    )


def _unsorted_padding(snippets: Sequence[bytes], batch_size: int) -> float:
    """The share of padding where a batch is what comes next."""
    lengths = np.random.default_rng(0).permutation([len(snippet) + 2 for snippet in snippets])
    blocks = np.array_split(lengths, max(1, len(lengths) // batch_size))
    return 1 - float(lengths.sum()) / sum(len(block) * int(block.max()) for block in blocks)


def _training(recipe: RepairRanking, lists: Sequence[RankingList], shape: RankerShape) -> Speed:
    """Of lists whose truth was found: where it was not, the stage puts it in."""
    from codefit.models.ranker import new_ranker
    from codefit.train.ranking import RankingLearner, RankingSettings
    from codefit.train.ranking_data import RankingData

    section = recipe.train
    known = RankingData(lists, most=section.candidates).lists
    if not known:
        raise InputError("of none of the strings that were looked at a repair was found", where=recipe.name)
    several = [known[k % len(known)] for k in range((MEASURED_STEPS + 1) * section.batch_size)]
    data = RankingData(several, most=section.candidates)
    settings = RankingSettings(device=section.device, frozen_encoder=section.frozen_encoder)
    learner = RankingLearner(new_ranker(shape, seed=0), data, settings, seed=0)
    batches = data.batches(section.batch_size, seed=0, first_step=0)
    return Speed(
        seconds_a_position=_seconds_a_position(learner, batches, data.tokens),
        positions=section.batch_size * float(np.mean([len(one.tokens) + 2 for one in known])),
    )


def _scoring(recipe: RepairRanking, lists: Sequence[RankingList], shape: RankerShape) -> float:
    """Seconds that the ranker takes to score a list."""
    from codefit.models.ranker import new_ranker
    from codefit.train.ranking import RankingLearner, RankingSettings
    from codefit.train.ranking_data import RankingData

    known = [one for one in lists if len(one.edits)]
    if not known:
        return 0.0
    settings = RankingSettings(device=recipe.train.device)
    learner = RankingLearner(new_ranker(shape, seed=0), RankingData([], most=2), settings, seed=0)
    learner.score(known[:1])
    return timed(lambda one: learner.score([one]), known).seconds


def _seconds_a_position(learner: Learner[Any], batches: Iterator[Any], size: Callable[[Any], int]) -> float:
    """Over a few steps after the first, which warms up, at a rate of nought, which changes no weight."""
    first = next(batches)
    learner.learn(first, 0.0)
    started = time.monotonic()
    positions = 0
    for _ in range(MEASURED_STEPS):
        batch = next(batches, first)
        learner.learn(batch, 0.0)
        positions += size(batch)
        if time.monotonic() - started > STEP_SECONDS:
            break
    return (time.monotonic() - started) / positions
