"""The stages of extended pre-training: a repository's files to a model that has made itself at home there.

The base is measured first, on the same documents that the adapted model is measured on at the end: held-out files of
the repository, general code in other languages, and some of the files that were trained on.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codefit.recipe import ExtendedPretraining
from codefit.records import Document, load_rows
from codefit.run.base_models import key_of_base
from codefit.run.document_data import (
    EVALUATION,
    GENERAL,
    REPLAY,
    TRAIN,
    VALIDATION,
    sources_files,
    write_repository,
)
from codefit.run.language_model import (
    EVALUATION_REPORT,
    METRICS,
    DocumentSet,
    by_source,
    measure,
    read_measured,
    training_of,
    write_evaluation,
    write_measured,
)
from codefit.run.pair_data import expanded, input_files
from codefit.run.runner import Stage
from codefit.run.samples import SAMPLES, write_samples
from codefit.train.language_model import ADAPTER, MODEL, spread

if TYPE_CHECKING:
    from codefit.run.language_model import MeasuredSet

BEFORE = "before.json"
SHIPPED = "shipped.json"
SHIP = "ship"
HELD_OUT = "held-out files"
TRAINED_ON = "files trained on"


def stages_of(recipe: ExtendedPretraining) -> list[Stage]:
    """The recipe's stages in order; `InputError` where the base is a folder that is not there."""
    settings: dict[str, Any] = recipe.model_dump(mode="json")
    seed = {"seed": recipe.seed}
    base = {"base": base_key(recipe)}
    trained = ADAPTER if recipe.model.adapter is not None else MODEL
    later = [f"{folder}/{name}" for folder in (ADAPTER, MODEL) for name in ("README.md", "codefit.json")]
    data = recipe.data
    files = input_files(data.documents, []) | sources_files(data.general, data.replay)
    measured = {"evaluate": settings["evaluate"], "window": max(recipe.train.lengths), **base}
    stages = [
        Stage(
            "data",
            partial(write_repository, data, recipe.seed),
            outputs=["data"],
            settings={**seed, "data": settings["data"], "files": files},
        ),
        Stage(
            "before",
            partial(_before, recipe),
            outputs=[BEFORE],
            settings=measured,
            inputs=[TRAIN, EVALUATION, GENERAL],
        ),
        Stage(
            "train",
            partial(_train, recipe),
            outputs=[trained, METRICS],
            settings={**seed, **base, "replay_share": data.replay_share, "adapter": settings["model"]["adapter"]}
            | {name: settings[name] for name in ("train", "evaluate")},
            inputs=[TRAIN, VALIDATION, REPLAY],
            scratch=["checkpoints"],
            later=later,
        ),
        Stage(
            "evaluate",
            partial(_evaluate, recipe),
            outputs=[EVALUATION_REPORT],
            settings=measured,
            inputs=[BEFORE, trained],
            later=later,
        ),
        Stage(
            "ship",
            partial(_ship, recipe),
            outputs=[SHIPPED, SHIP] if trained == MODEL else [MODEL, SHIPPED, SHIP],
            settings={"ship": settings["ship"], **base},
            inputs=[EVALUATION_REPORT],
            later=later,
        ),
    ]
    if recipe.complete is not None:
        write = partial(write_samples, recipe.complete, EVALUATION, base_place(recipe), trained)
        inputs = [EVALUATION_REPORT]
        stages.append(Stage("complete", write, outputs=[SAMPLES], settings=settings["complete"], inputs=inputs))
    return stages


def base_place(recipe: ExtendedPretraining) -> str:
    """Where the base is: a folder, or a name on the hub."""
    return expanded(recipe.model.base)


def base_key(recipe: ExtendedPretraining) -> str:
    """What tells the base's weights from others."""
    return key_of_base(base_place(recipe), recipe.model.revision)


def _sets(recipe: ExtendedPretraining, run: Path) -> list[DocumentSet]:
    most = recipe.evaluate.max_documents
    held_out = spread(load_rows(run / EVALUATION, Document), most)
    sets = [DocumentSet(HELD_OUT, "domain", held_out), *by_source(load_rows(run / GENERAL, Document), most)]
    if recipe.evaluate.training_documents:
        known = spread(load_rows(run / TRAIN, Document), recipe.evaluate.training_documents)
        sets.append(DocumentSet(TRAINED_ON, "training", known))
    return sets


def _before(recipe: ExtendedPretraining, run: Path) -> str:
    from codefit.models.language_model import load_language_model

    model = load_language_model(base_place(recipe), revision=recipe.model.revision, device=recipe.train.device)
    window, stride = max(recipe.train.lengths), recipe.evaluate.stride
    measured = measure(model, _sets(recipe, run), window=window, stride=stride)
    write_measured(run / BEFORE, measured)
    return _told(measured)


def _train(recipe: ExtendedPretraining, run: Path) -> str:
    from codefit.models.language_model import load_language_model
    from codefit.train.language_model import LanguageFiles, Validation, train_language_model

    model = load_language_model(base_place(recipe), revision=recipe.model.revision, device=recipe.train.device)
    validation, replay = run / VALIDATION, run / REPLAY
    trained = train_language_model(
        LanguageFiles(
            train=run / TRAIN,
            out=run,
            validation=validation if validation.exists() else None,
            replay=replay if replay.exists() else None,
        ),
        model,
        training_of(recipe.train, recipe.model.adapter, recipe.seed, replay_share=recipe.data.replay_share),
        Validation(max(recipe.train.lengths), recipe.evaluate.stride, recipe.evaluate.validation_documents),
        base_revision=recipe.model.revision,
    )
    chosen = f", perplexity {trained.validation['perplexity']:.2f} on validation" if trained.validation else ""
    return (
        f"{trained.result.steps:,} steps, {trained.trained_parameters:,} of {trained.parameters:,} parameters, "
        f"{trained.result.tokens_per_second:,.0f} tokens/s{chosen}"
    )


def _evaluate(recipe: ExtendedPretraining, run: Path) -> str:
    from codefit.models.language_model import load_language_model

    folder = run / (ADAPTER if recipe.model.adapter is not None else MODEL)
    model = load_language_model(folder, device=recipe.train.device, revision=recipe.model.revision)
    window, stride = max(recipe.train.lengths), recipe.evaluate.stride
    measured = measure(model, _sets(recipe, run), window=window, stride=stride)
    evaluation = write_evaluation(folder, recipe, run, measured, read_measured(run / BEFORE))
    changes = (
        f"{entry['name']} {entry['before']['perplexity']:.2f} -> {entry['after']['perplexity']:.2f} "
        f"({entry['change']['perplexity']:+.1%})"
        for entry in evaluation["sets"]
    )
    return f"perplexity {', '.join(changes)}"


def _ship(recipe: ExtendedPretraining, run: Path) -> str:
    from codefit.export.ship import Bounds, ship
    from codefit.run.card import write_card

    section, adapted = recipe.ship, recipe.model.adapter is not None
    shipped = ship(
        base_place(recipe) if adapted else run / MODEL,
        run / ADAPTER if adapted else None,
        spread(load_rows(run / EVALUATION, Document), recipe.evaluate.max_documents),
        run,
        forms=section.forms,
        bounds=Bounds(section.merged_bound, section.int8_bound, section.nf4_bound, section.gguf_bound),
        revision=recipe.model.revision if adapted else None,
        window=max(recipe.train.lengths),
        stride=recipe.evaluate.stride,
        device=recipe.train.device,
    )
    write_card(run / MODEL, run)
    told = (
        f"{form['form']} {form['bytes'] / 1e6:,.1f} MB {form['change']:+.2%}"
        if form["published"]
        else f"{form['form']} refused"
        for form in shipped["forms"]
    )
    return f"perplexity of each form beside the trained model's: {', '.join(told)}"


def _told(measured: list[MeasuredSet]) -> str:
    return "perplexity " + ", ".join(f"{entry.name} {entry.report().perplexity:.2f}" for entry in measured)
