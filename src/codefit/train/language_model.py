"""Train a language model from files to a folder: documents and a model in, a transformers or PEFT folder out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from codefit.evaluate.perplexity import check_window, evaluate_perplexity
from codefit.models.hub_cache import model_folder
from codefit.models.language_info import LanguageModelInfo, write_language_info
from codefit.models.language_model import LanguageModel, weights_fingerprint
from codefit.records import Document, load_rows
from codefit.train.causal import CausalLearner, CausalSettings
from codefit.train.causal_data import CausalData, Curriculum, Tokenize
from codefit.train.schedule import Schedule
from codefit.train.trainer import TrainResult, TrainSettings, train

R = TypeVar("R")

ADAPTER = "adapter"
MODEL = "model"


@dataclass(frozen=True, slots=True)
class LanguageFiles:
    """What training reads and where it writes. Without `validation` the last model is kept, not the best."""

    train: Path
    out: Path
    validation: Path | None = None
    replay: Path | None = None


@dataclass(frozen=True, slots=True)
class Validation:
    """How the validation documents are looked at: windows of `window` tokens, `stride` apart, at most so many files."""

    window: int
    stride: int
    max_documents: int | None = None


@dataclass(frozen=True, slots=True)
class LanguageTraining:
    """How a language model is trained: `rows_a_step` make one step, `learning.rows_at_once` of them at a time."""

    learning: CausalSettings
    curriculum: Curriculum
    rows_a_step: int = 8
    warmup_steps: int = 0
    schedule: Schedule = "cosine"
    save_every: int = 500
    eval_every: int = 0
    replay_share: float = 0.0
    seed: int = 0

    def settings(self, steps: int) -> TrainSettings:
        """What the training loop is told, for so many steps."""
        return TrainSettings(
            max_steps=steps,
            batch_size=self.rows_a_step,
            warmup_steps=self.warmup_steps,
            schedule=self.schedule,
            save_every=self.save_every,
            eval_every=self.eval_every,
            seed=self.seed,
            best_metric="perplexity",
            best="lowest",
            folder=MODEL if self.learning.adapter is None else ADAPTER,
        )


@dataclass(frozen=True, slots=True)
class TrainedLanguageModel:
    """What came of it: the trainer's result, the folder, and sizes. `validation` is that of the model kept."""

    result: TrainResult
    folder: Path
    parameters: int
    trained_parameters: int
    documents: int
    validation: Mapping[str, float] = field(default_factory=dict)


def train_language_model(
    files: LanguageFiles,
    language_model: LanguageModel,
    training: LanguageTraining,
    validation: Validation,
    *,
    base_revision: str | None = None,
) -> TrainedLanguageModel:
    """Train and write `files.out/adapter` where an adapter is trained, else `files.out/model`.

    The validation documents choose the checkpoint that is kept, the one of the lowest perplexity: what is reported must
    be other documents.
    Raises `InputError` where files are missing, empty or of the wrong shape.
    """
    documents = load_rows(files.train, Document)
    replay = load_rows(files.replay, Document) if files.replay is not None and training.replay_share > 0 else []
    looked_at = load_rows(files.validation, Document) if files.validation is not None else []
    looked_at = spread(looked_at, validation.max_documents)
    if looked_at:
        check_window(validation.window, validation.stride, language_model.context)
    adapter = training.learning.adapter
    fingerprint = weights_fingerprint(model_folder(language_model.place, base_revision)) if adapter else None
    tokenize = Tokenize(language_model.tokenizer)
    data = CausalData(documents, tokenize, training.curriculum, replay=replay, replay_share=training.replay_share)
    settings = training.settings(data.steps(training.rows_a_step, seed=training.seed))
    parameters = sum(parameter.numel() for parameter in language_model.model.parameters())
    learner = CausalLearner(language_model, data, training.learning, seed=training.seed)

    def evaluate() -> dict[str, float]:
        report = evaluate_perplexity(
            learner.evaluating(), looked_at, window=validation.window, stride=validation.stride
        )
        return {"perplexity": report.perplexity, "loss": math.log(report.perplexity)}

    def describe(folder: Path) -> None:
        write_language_info(
            folder,
            LanguageModelInfo(
                kind="adapter" if adapter else "language-model",
                context=language_model.context,
                lengths=list(training.curriculum.lengths),
                fim_rate=training.curriculum.fim_rate,
                base=language_model.place if adapter else None,
                base_revision=base_revision,
                base_sha256=fingerprint,
                seed=training.seed,
            ),
        )

    result = train(learner, settings, files.out, evaluate=evaluate if looked_at else None, describe=describe)
    return TrainedLanguageModel(
        result=result,
        folder=files.out / settings.folder,
        parameters=parameters,
        trained_parameters=learner.trained_parameters,
        documents=len(documents),
        validation=result.best,
    )


def spread(rows: Sequence[R], most: int | None) -> list[R]:
    """At most so many of the rows, evenly over their order, so that no directory stands for all."""
    if most is None or len(rows) <= most:
        return list(rows)
    return [rows[place * len(rows) // most] for place in range(most)]
