"""The stages of complexity scoring: from functions to scorers, each measured beside the formula of the labels."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

from codefit.files import atomic_folder, hash_file, read_json, write_json
from codefit.recipe.complexity_scoring import ComplexityScoring, ScoreLanguageModel
from codefit.records import ScoredFunction, load_rows, read_rows
from codefit.run.complexity_data import (
    CHAT_TRAIN,
    CHAT_VALIDATION,
    EVALUATION,
    HUMAN,
    MANIFEST,
    TRAIN,
    TRAIN_VARIANTS,
    VALIDATION,
    VARIED,
    data_files,
    write_complexity_data,
    write_given_functions,
)
from codefit.run.complexity_training import CHAT, TOKENIZER, train_encoder, train_language_model
from codefit.run.machine import package_versions
from codefit.run.pair_data import expanded
from codefit.run.record import code_revision, new_record
from codefit.run.runner import Stage, run_stages

BASELINES, BASELINES_REPORT = "baselines", "baselines.json"
CONSTANT, LINES = "constant.json", "lines.json"
ENCODER, METRICS = "encoder", "metrics.jsonl"
ADAPTER, CHAT_METRICS = f"{CHAT}/adapter", f"{CHAT}/metrics.jsonl"
MODEL, EXPORT_REPORT = "model", "export.json"
EVALUATION_REPORT, SCORES = "evaluation.json", "scores.jsonl.gz"
CARD_FILES = (f"{MODEL}/README.md", f"{MODEL}/codefit.json")


def stages_of(recipe: ComplexityScoring) -> list[Stage]:
    """The recipe's stages in order; `InputError` where the language model's base is a folder that is not there."""
    settings: dict[str, Any] = recipe.model_dump(mode="json")
    seed = {"seed": recipe.seed}
    chat = recipe.language_model
    stages = [
        Stage(
            "data",
            partial(write_complexity_data, recipe.data, recipe.seed, recipe.evaluate.variant_functions),
            outputs=["data"],
            settings={
                **seed,
                "data": settings["data"],
                "variants": recipe.evaluate.variant_functions,
                "files": data_files(recipe.data),
            },
        ),
        Stage(
            "baselines",
            partial(_baselines, recipe),
            outputs=[BASELINES, BASELINES_REPORT],
            settings=seed,
            inputs=[TRAIN, VALIDATION],
        ),
        Stage(
            "tokenizer",
            partial(_tokenizer, recipe),
            outputs=["tokenizer"],
            settings={"vocab_size": recipe.model.vocab_size, "variants": bool(recipe.train.variant_share)},
            inputs=[TRAIN, TRAIN_VARIANTS],
        ),
        Stage(
            "train",
            partial(_train, recipe),
            outputs=[ENCODER, METRICS],
            settings={**seed, "model": settings["model"], "train": settings["train"]},
            inputs=[TRAIN, VALIDATION, TRAIN_VARIANTS, TOKENIZER],
            scratch=["checkpoints"],
        ),
    ]
    if chat is not None:
        stages.append(
            Stage(
                "chat",
                partial(_chat, chat, recipe.seed),
                outputs=[ADAPTER, CHAT_METRICS],
                settings={**seed, "base": base_key(chat), "chat": _without_reading(settings["language_model"])},
                inputs=[CHAT_TRAIN, CHAT_VALIDATION],
                scratch=[f"{CHAT}/checkpoints"],
            )
        )
    adapter = [ADAPTER] if chat is not None else []
    return [
        *stages,
        Stage(
            "export",
            partial(_export, recipe),
            outputs=[MODEL, EXPORT_REPORT],
            settings=settings["export"],
            inputs=[VALIDATION, BASELINES, ENCODER, *adapter],
            later=CARD_FILES,
        ),
        Stage(
            "evaluate",
            partial(_evaluate, recipe),
            outputs=[EVALUATION_REPORT, SCORES],
            settings={
                **seed,
                **settings["evaluate"],
                "chat": None if chat is None else {"readings": chat.readings, "functions": chat.evaluation_functions},
            },
            inputs=[EVALUATION, VARIED, HUMAN, BASELINES, MODEL],
            later=CARD_FILES,
        ),
    ]


def train_from(recipe: ComplexityScoring, out: Path, train_file: Path, eval_file: Path | None) -> dict[str, Any]:
    """Scorers and their ensemble below `out` from files of functions; what each stage came to.

    Without `eval_file` a part of the others chooses, as large as the recipe says.
    """
    files = {str(path): hash_file(path) for path in (train_file, eval_file) if path is not None}
    data = Stage(
        "data",
        partial(write_given_functions, recipe.data, recipe.seed, train_file, eval_file),
        outputs=["data"],
        settings={"files": files, "share": recipe.data.validation_share, "seed": recipe.seed},
    )
    stages = [data, *(stage for stage in stages_of(recipe) if stage.name not in ("data", "evaluate"))]
    record = run_stages(stages, new_record(recipe, [stage.name for stage in stages]), out)
    return {"model": str(out / MODEL), "stages": {stage.name: stage.summary for stage in record.stages}}


def base_key(section: ScoreLanguageModel) -> str:
    """What tells the base's weights from others: a folder's fingerprint, or the name and revision on the hub."""
    from codefit.run.base_models import key_of_base

    return key_of_base(expanded(section.base), section.revision)


def _without_reading(chat: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in chat.items() if name not in ("readings", "evaluation_functions")}


def _baselines(recipe: ComplexityScoring, run: Path) -> str:
    from codefit.models.metric_scorers import BOOSTED, LINEAR, save_linear
    from codefit.train.metric_scorers import fit_boosted, fit_constant, fit_linear

    rows, validation = load_rows(run / TRAIN, ScoredFunction), load_rows(run / VALIDATION, ScoredFunction)
    with atomic_folder(run / BASELINES) as folder:
        save_linear(fit_constant(rows), folder / CONSTANT)
        save_linear(fit_linear(rows, ("lines",)), folder / LINES)
        save_linear(fit_linear(rows), folder / LINEAR)
        trees = fit_boosted(rows, validation, folder / BOOSTED, seed=recipe.seed)
    write_json(run / BASELINES_REPORT, {"functions": len(rows), "trees": trees})
    return f"a constant, lines of code, a linear model and {trees} boosted trees on {len(rows):,} functions"


def _tokenizer(recipe: ComplexityScoring, run: Path) -> str:
    from codefit.train.score_encoder import write_score_tokenizer

    (run / TOKENIZER).parent.mkdir(exist_ok=True)
    names = [TRAIN, TRAIN_VARIANTS] if recipe.train.variant_share else [TRAIN]
    rows = [row for name in names for row in read_rows(run / name, ScoredFunction)]
    tokenizer = write_score_tokenizer(rows, recipe.model.vocab_size, run / TOKENIZER)
    return f"{tokenizer.get_vocab_size():,} pieces of {len(rows):,} functions"


def _train(recipe: ComplexityScoring, run: Path) -> str:
    trained = train_encoder(recipe, run)
    return (
        f"{trained.result.steps:,} steps, {trained.parameters:,} parameters, mean absolute error "
        f"{trained.validation['mae']:.3f} on validation"
    )


def _chat(section: ScoreLanguageModel, seed: int, run: Path) -> str:
    trained = train_language_model(section, seed, run)
    return (
        f"{trained.result.steps:,} steps, {trained.trained_parameters:,} of {trained.parameters:,} parameters, loss "
        f"{trained.validation['loss']:.4f} on validation; {trained.cut:,} of {trained.chats:,} chats were cut"
    )


def _export(recipe: ComplexityScoring, run: Path) -> str:
    """The model's folder, with weights of the ensemble by what its members say of the validation functions."""
    from codefit.export.scorer import export_score_encoder
    from codefit.models.complexity import ADAPTER_FOLDER, ENCODER_FOLDER, save_calibration
    from codefit.models.metric_scorers import BOOSTED

    validation = load_rows(run / VALIDATION, ScoredFunction)
    codes, truths = [row.code for row in validation], [row.score for row in validation]
    with atomic_folder(run / MODEL) as folder:
        precision = recipe.export.precision
        report = export_score_encoder(run / ENCODER, codes, truths, folder / ENCODER_FOLDER, precision=precision)
        shutil.copyfile(run / BASELINES / BOOSTED, folder / BOOSTED)
        if recipe.language_model is not None:
            shutil.copytree(run / ADAPTER, folder / ADAPTER_FOLDER)
        fitted = save_calibration(_calibration(recipe, folder, validation), folder)
        widths = _half_widths(run, folder, validation)
    report |= {"weights": dict(fitted.weights), "half_width": fitted.half_width, "half_widths": widths}
    write_json(run / EXPORT_REPORT, report)
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in fitted.weights.items())
    return (
        f"{precision}, {report[precision]['median_ms']:.1f} ms a function; the ensemble weighs {weights}, "
        f"nine in ten errors within {fitted.half_width:.2f}"
    )


def _calibration(recipe: ComplexityScoring, folder: Path, rows: list[ScoredFunction]) -> Any:
    """What the members say of functions, as many as the language model is asked about."""
    from codefit.models.complexity import (
        ADAPTER_FOLDER,
        BOOSTED_NAME,
        ENCODER_FOLDER,
        LANGUAGE_MODEL,
        Calibration,
    )
    from codefit.models.complexity import ENCODER as ENCODER_NAME
    from codefit.models.metric_scorers import BOOSTED, BoostedModel, MetricScorer
    from codefit.models.score_encoder import load_encoder_scorer
    from codefit.models.scorers import score_by_language
    from codefit.train.language_model import spread

    chat = recipe.language_model
    rows = spread(rows, chat.validation_chats if chat is not None else None)
    codes = [row.code for row in rows]
    boosted = MetricScorer(BOOSTED_NAME, BoostedModel(folder / BOOSTED).predict)
    scores = {
        ENCODER_NAME: load_encoder_scorer(folder / ENCODER_FOLDER).scores(codes).astype(float).tolist(),
        BOOSTED_NAME: boosted.score_metrics([row.metrics for row in rows]),
    }
    if chat is not None:
        from codefit.models.score_answers import load_language_model_scorer

        scorer = load_language_model_scorer(folder / ADAPTER_FOLDER, device=chat.device)
        answered = score_by_language(scorer, codes, [row.language for row in rows])
        scores[LANGUAGE_MODEL] = [float(each.score or 0) for each in answered]  # an expectation is always a score
        assert all(each.score is not None for each in answered)
    return Calibration([row.score for row in rows], scores)


def _half_widths(run: Path, folder: Path, rows: list[ScoredFunction]) -> dict[str, float]:
    """Half the interval of each scorer that knows none itself, by its errors on validation."""
    import numpy as np

    from codefit.models.complexity import ENCODER_FOLDER, half_width
    from codefit.models.metric_scorers import BOOSTED, LINEAR, BoostedModel, MetricScorer, load_linear
    from codefit.models.score_encoder import load_encoder_scorer

    metrics = [row.metrics for row in rows]
    scores = {
        "constant": load_linear(run / BASELINES / CONSTANT, "constant").score_metrics(metrics),
        "lines of code": load_linear(run / BASELINES / LINES, "lines of code").score_metrics(metrics),
        "linear": load_linear(run / BASELINES / LINEAR, "linear").score_metrics(metrics),
        "boosted trees": MetricScorer("boosted", BoostedModel(folder / BOOSTED).predict).score_metrics(metrics),
        "encoder": load_encoder_scorer(folder / ENCODER_FOLDER).scores([row.code for row in rows]).astype(float),
    }
    truth = np.array([row.score for row in rows])
    return {name: half_width(truth, np.array(own)) for name, own in scores.items()}


def _evaluate(recipe: ComplexityScoring, run: Path) -> str:
    from codefit.run.complexity_evaluation import evaluate_scorers

    figures = evaluate_scorers(recipe, run)
    write_json(run / EVALUATION_REPORT, figures)
    _describe(recipe, run, figures)
    told = ", ".join(f"{row['name']} {row['mae'][0]:.3f}" for row in figures["scorers"] if row["mae"] is not None)
    return f"mean absolute error of {figures['n']:,} functions: {told}"


def _describe(recipe: ComplexityScoring, run: Path, figures: dict[str, Any]) -> None:
    """Write where the model comes from and what it is worth beside it."""
    from codefit.models.complexity import ComplexityInfo, write_complexity_info
    from codefit.run.card import write_card

    manifest = read_json(run / MANIFEST)
    kept = ("n", "invalid", "mae", "r2", "spearman")
    info = ComplexityInfo(
        recipe=recipe.model_dump(mode="json"),
        seed=recipe.seed,
        code_revision=code_revision(),
        data={name: output["sha256"] for name, output in manifest["outputs"].items()},
        packages=package_versions(),
        metrics={row["name"]: {name: row[name] for name in kept} for row in figures["scorers"]},
    )
    write_complexity_info(run / MODEL, info)
    write_card(run / MODEL, run)
