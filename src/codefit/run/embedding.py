"""From a recipe's sections to what the trainer takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codefit import recipe as sections
from codefit.errors import InputError
from codefit.models.words import WordWeights
from codefit.train.static import StaticSettings
from codefit.train.trainer import TrainSettings

if TYPE_CHECKING:
    from codefit.train.embedding import EncoderModel, StaticModel


def train_settings(train: sections.Train, pairs: int, seed: int) -> TrainSettings:
    """How long and in what batches, for so many pairs."""
    if train.max_steps is not None:
        steps = train.max_steps
    else:
        assert train.epochs is not None
        steps = round(train.epochs * pairs / train.batch_size)
    if steps < 1:
        raise InputError(
            f"{pairs} pairs make no batch of {train.batch_size} in {train.epochs} epochs",
            fix="lower train.batch_size or raise train.epochs",
        )
    return TrainSettings(
        max_steps=steps,
        batch_size=train.batch_size,
        warmup_steps=train.warmup_steps,
        schedule=train.schedule,
        save_every=train.save_every,
        eval_every=train.eval_every,
        seed=seed,
    )


def trainable(model: sections.StaticModel | sections.EncoderModel, train: sections.Train) -> StaticModel | EncoderModel:
    """The model to begin with and how it learns."""
    from codefit.train.embedding import EncoderModel, StaticModel

    if isinstance(model, sections.StaticModel):
        learning = StaticSettings(
            learning_rate=train.learning_rate,
            temperature=train.temperature,
            sizes=tuple(train.sizes),
            hard_negative_weight=train.hard_neg_weight,
        )
        words = WordWeights(**model.words.model_dump()) if model.words is not None else None
        return StaticModel(dimensions=model.dimensions, words=words, learning=learning)
    from codefit.models.encoder import EncoderShape
    from codefit.train.encoder import EncoderSettings

    return EncoderModel(
        shape=EncoderShape(**model.model_dump(exclude={"kind"})),
        learning=EncoderSettings(
            sizes=tuple(train.sizes),
            temperature=train.temperature,
            hard_negative_weight=train.hard_neg_weight,
            learning_rate=train.learning_rate,
            memory_tokens=train.memory_tokens,
            device=train.device,
        ),
    )
