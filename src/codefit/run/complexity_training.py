"""How the encoder and the language model of complexity scoring are trained: by a recipe's fields, below a run's folder.

Both the stages and the plan take their settings from here, so that what is planned is what is done.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from codefit.recipe.complexity_scoring import ComplexityScoring, ScoreLanguageModel
from codefit.records import ScoredFunction, load_rows, read_rows
from codefit.run.complexity_data import CHAT_TRAIN, CHAT_VALIDATION, TRAIN, TRAIN_VARIANTS, VALIDATION
from codefit.run.pair_data import expanded

if TYPE_CHECKING:
    from codefit.train.chat import ChatTraining, TrainedChat
    from codefit.train.score_encoder import EncoderSteps, TrainedEncoder
    from codefit.train.scoring import ScoringSettings

TOKENIZER = "tokenizer/tokenizer.json"
CHAT = "language_model"


def train_encoder(recipe: ComplexityScoring, run: Path) -> TrainedEncoder:
    """Train the encoder on the run's rows; writes `run/encoder`."""
    from codefit.train.score_encoder import train_score_encoder

    return train_score_encoder(
        load_rows(run / TRAIN, ScoredFunction),
        load_rows(run / VALIDATION, ScoredFunction),
        list(read_rows(run / TRAIN_VARIANTS, ScoredFunction)) if recipe.train.variant_share else [],
        run / TOKENIZER,
        recipe.model.sizes(),
        scoring_settings(recipe),
        encoder_steps(recipe),
        run,
    )


def scoring_settings(recipe: ComplexityScoring) -> ScoringSettings:
    """How the encoder learns."""
    from codefit.train.scoring import ScoringSettings

    section = recipe.train
    return ScoringSettings(section.learning_rate, section.weight_decay, section.counting, section.device)


def encoder_steps(recipe: ComplexityScoring) -> EncoderSteps:
    """How long the encoder learns."""
    from codefit.train.score_encoder import EncoderSteps

    section = recipe.train
    return EncoderSteps(
        batch_size=section.batch_size,
        epochs=section.epochs,
        max_steps=section.max_steps,
        warmup_steps=section.warmup_steps,
        schedule=section.schedule,
        save_every=section.save_every,
        eval_every=section.eval_every,
        variant_share=section.variant_share,
        seed=recipe.seed,
    )


def train_language_model(section: ScoreLanguageModel, seed: int, run: Path) -> TrainedChat:
    """Train the adapter on the run's chats; writes `run/language_model/adapter`."""
    from codefit.models.language_model import load_language_model
    from codefit.train.chat import ChatFiles, train_chat

    model = load_language_model(
        expanded(section.base), revision=section.revision, device=section.device, quantize=section.quantize
    )
    files = ChatFiles(train=run / CHAT_TRAIN, out=run / CHAT, validation=run / CHAT_VALIDATION)
    return train_chat(files, model, chat_training(section, seed), base_revision=section.revision)


def chat_training(section: ScoreLanguageModel, seed: int) -> ChatTraining:
    """How the adapter learns."""
    from codefit.train.causal import AdapterSettings, CausalSettings
    from codefit.train.chat import ChatTraining

    return ChatTraining(
        learning=CausalSettings(
            learning_rate=section.learning_rate,
            weight_decay=section.weight_decay,
            rows_at_once=section.batch_size,
            adapter=AdapterSettings(**section.adapter.model_dump()),
            precision=section.precision,
            gradient_checkpointing=section.gradient_checkpointing,
            device=section.device,
        ),
        max_tokens=section.max_tokens,
        answer_tokens=section.answer_tokens,
        epochs=section.epochs or 0.0,
        steps=section.max_steps,
        chats_a_step=section.batch_size * section.accumulation,
        warmup_steps=section.warmup_steps,
        schedule=section.schedule,
        save_every=section.save_every,
        eval_every=section.eval_every,
        validation_chats=section.validation_chats,
        seed=seed,
    )
