"""The stages of a base model: from general code to a measured causal language model with a tokenizer of its own."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from codefit.recipe import BaseLanguageModel
from codefit.records import Document, load_rows
from codefit.run.document_data import EVALUATION, TRAIN, VALIDATION, sources_files, write_general
from codefit.run.language_model import (
    EVALUATION_REPORT,
    METRICS,
    by_source,
    measure,
    training_of,
    write_evaluation,
)
from codefit.run.runner import Stage
from codefit.run.samples import SAMPLES, write_samples
from codefit.train.language_model import MODEL

TOKENIZER = "tokenizer"
CARD_FILES = (f"{MODEL}/README.md", f"{MODEL}/codefit.json")


def stages_of(recipe: BaseLanguageModel) -> list[Stage]:
    """The recipe's stages in order."""
    settings: dict[str, Any] = recipe.model_dump(mode="json")
    seed = {"seed": recipe.seed}
    stages = [
        Stage(
            "data",
            partial(write_general, recipe.data, recipe.seed),
            outputs=["data"],
            settings={**seed, "data": settings["data"], "files": sources_files(recipe.data)},
        ),
        Stage(
            "tokenizer",
            partial(_train_tokenizer, recipe),
            outputs=[TOKENIZER],
            settings=settings["tokenizer"],
            inputs=[TRAIN],
        ),
        Stage(
            "train",
            partial(_train, recipe),
            outputs=[MODEL, METRICS],
            settings={**seed, **{name: settings[name] for name in ("model", "train", "evaluate")}},
            inputs=[TRAIN, VALIDATION, f"{TOKENIZER}/tokenizer.json"],
            scratch=["checkpoints"],
            later=CARD_FILES,
        ),
        Stage(
            "evaluate",
            partial(_evaluate, recipe),
            outputs=[EVALUATION_REPORT],
            settings=settings["evaluate"],
            inputs=[EVALUATION, MODEL],
            later=CARD_FILES,
        ),
    ]
    if recipe.complete is not None:
        write = partial(write_samples, recipe.complete, EVALUATION, None, MODEL)
        inputs = [EVALUATION_REPORT]
        stages.append(Stage("complete", write, outputs=[SAMPLES], settings=settings["complete"], inputs=inputs))
    return stages


def _train_tokenizer(recipe: BaseLanguageModel, run: Path) -> str:
    from codefit.models.tokenizer_training import summary_of, train_from_documents

    documents = load_rows(run / TRAIN, Document)
    section = recipe.tokenizer
    report = train_from_documents(documents, section.vocab_size, section.max_bytes, run / TOKENIZER)
    return summary_of(report)


def _train(recipe: BaseLanguageModel, run: Path) -> str:
    from codefit.models.language_model import LanguageModelShape, new_language_model
    from codefit.models.tokenizer import load_tokenizer
    from codefit.train.language_model import LanguageFiles, Validation, train_language_model

    model = new_language_model(
        LanguageModelShape(**recipe.model.model_dump()), load_tokenizer(run / TOKENIZER), seed=recipe.seed
    )
    validation = run / VALIDATION
    trained = train_language_model(
        LanguageFiles(train=run / TRAIN, out=run, validation=validation if validation.exists() else None),
        model,
        training_of(recipe.train, None, recipe.seed),
        Validation(max(recipe.train.lengths), recipe.evaluate.stride, recipe.evaluate.validation_documents),
    )
    chosen = f", perplexity {trained.validation['perplexity']:.2f} on validation" if trained.validation else ""
    speed = f"{trained.result.tokens_per_second:,.0f} tokens/s"
    return f"{trained.result.steps:,} steps, {trained.parameters:,} parameters, {speed}{chosen}"


def _evaluate(recipe: BaseLanguageModel, run: Path) -> str:
    from codefit.models.language_model import load_language_model

    model = load_language_model(run / MODEL, device=recipe.train.device)
    sets = by_source(load_rows(run / EVALUATION, Document), recipe.evaluate.max_documents)
    measured = measure(model, sets, window=max(recipe.train.lengths), stride=recipe.evaluate.stride)
    evaluation = write_evaluation(run / MODEL, recipe, run, measured, None)
    return "perplexity " + ", ".join(
        f"{entry['name']} {entry['after']['perplexity']:.2f}" for entry in evaluation["sets"]
    )
