"""Every scorer on the functions to measure on, on other ways to write them, and beside people's figures."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from codefit.corpus.manifest import Receipt
from codefit.evaluate.intervals import bootstrap
from codefit.evaluate.regression import Interval, regression_report, spearman_estimate
from codefit.files import read_json
from codefit.models.complexity import (
    BOOSTED_NAME,
    ENCODER_FOLDER,
    LANGUAGE_MODEL,
    Ensemble,
    load_complexity_model,
    with_interval,
)
from codefit.models.metric_scorers import (
    BOOSTED,
    LINEAR,
    BoostedModel,
    ExactScorer,
    FormulaScorer,
    MetricScorer,
    load_linear,
)
from codefit.models.scorers import Estimate, Scorer, score_by_language
from codefit.progress import say
from codefit.recipe.complexity_scoring import ComplexityScoring
from codefit.records import ScoredFunction, load_rows, read_rows, write_rows
from codefit.run.complexity_data import EVALUATION, HUMAN, VARIED, HumanSnippet, Varied
from codefit.run.complexity_scoring import BASELINES, CONSTANT, EXPORT_REPORT, LINES, MODEL, SCORES
from codefit.tasks.complexity.functions import read_functions
from codefit.train.language_model import spread

METRICS, CODE = "metrics", "code"
# What the reference run and its peers were published with, on other functions: mean absolute error, r² in per cent.
PUBLISHED = {
    "constant": (1.77, 0.0),
    "linear": (0.88, 66.7),
    "neural": (0.77, 73.7),
    "XGBoost": (0.71, 78.4),
    "QLoRA of Qwen3-4B": (0.75, 66.1),
    "0.3 neural + 0.7 QLoRA": (0.67, 74.1),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A scorer, what it reads, and on how many functions it is measured at most (None: all)."""

    scorer: Scorer
    reads: str
    most: int | None = None


def evaluate_scorers(recipe: ComplexityScoring, run: Path) -> dict[str, Any]:
    """The figures of each scorer; their scores of each function go to `run/scores.jsonl.gz`."""
    whole = load_rows(run / EVALUATION, ScoredFunction)
    chosen = spread(range(len(whole)), recipe.evaluate.max_functions)
    rows = [whole[number] for number in chosen]
    place = {number: index for index, number in enumerate(chosen)}
    varied = [
        msgspec.structs.replace(row, original=place[row.original])
        for row in read_rows(run / VARIED, Varied)
        if row.original in place
    ]
    human = list(read_rows(run / HUMAN, HumanSnippet))
    ensemble = load_complexity_model(run / MODEL, device=_device(recipe))
    scores: dict[str, list[Estimate | None]] = {}
    table, robustness, people = [], [], []
    for name, measured in scorers_of(recipe, run, ensemble).items():
        say(f"evaluate: {name}")
        found, seconds = _score(measured, rows)
        half = _half_width(name, run) if all(each is None or each.low is None for each in found) else None
        if half is not None:
            found = [each and (with_interval(each.score, half) if each.score is not None else each) for each in found]
        scores[name] = found
        table.append(_row(name, measured, rows, found, seconds, recipe.seed))
        robustness += _robustness(name, measured, rows, found, varied, recipe.seed)
        people += _people(name, measured.scorer, human, recipe.seed)
    for row in table:
        row["asked"] = _on_asked(rows, scores, row["name"], recipe.seed)
    _write_scores(run / SCORES, rows, scores)
    return {
        "n": len(rows),
        "scorers": table,
        "robustness": robustness,
        "people": {"n": len(human), "scorers": people},
        "missing": dict(ensemble.missing),
        "published": [{"name": name, "mae": mae, "r2": r2 / 100} for name, (mae, r2) in PUBLISHED.items()],
    }


def evaluate_file(
    path: Path, model: Path | None, *, base: str | None = None, device: str = "auto", seed: int = 0
) -> dict[str, Any]:
    """The formula, the exact score, and a model's ensemble and members on a file of functions with known scores."""
    receipt = Receipt()
    rows = read_functions([path], receipt)
    ensemble = load_complexity_model(model, base=base, device=device) if model is not None else None
    found: dict[str, Measured] = {
        "formula": Measured(FormulaScorer(), "lizard's figures"),
        "complexity score": Measured(ExactScorer(), METRICS),
    }
    if ensemble is not None:
        reads = {BOOSTED_NAME: METRICS}
        found |= {name: Measured(own, reads.get(name, CODE)) for name, own in ensemble.members.items()}
        found["ensemble"] = Measured(ensemble, "code and metrics")
    table = []
    for name, measured in found.items():
        answers, seconds = _score(measured, rows)
        table.append(_row(name, measured, rows, answers, seconds, seed))
    return {
        "n": len(rows),
        "left_out": receipt.by_reason(),
        "scorers": table,
        "missing": dict(ensemble.missing) if ensemble is not None else {},
        "weights": dict(ensemble.fitted.weights) if ensemble is not None else {},
    }


def scorers_of(recipe: ComplexityScoring, run: Path, ensemble: Ensemble) -> dict[str, Measured]:
    """All that is measured, by name: baselines first, the ensemble last."""
    chat = recipe.language_model
    few = chat.evaluation_functions if chat is not None else None
    found = {
        "formula": Measured(FormulaScorer(), "lizard's figures"),
        "complexity score": Measured(ExactScorer(), METRICS),
        "constant": Measured(load_linear(run / BASELINES / CONSTANT, "constant"), "nothing"),
        "lines of code": Measured(load_linear(run / BASELINES / LINES, "lines of code"), METRICS),
        "linear": Measured(load_linear(run / BASELINES / LINEAR, "linear"), METRICS),
        "boosted trees": Measured(MetricScorer(BOOSTED_NAME, BoostedModel(run / MODEL / BOOSTED).predict), METRICS),
        "encoder": Measured(_encoder(run), CODE),
    }
    if chat is not None and LANGUAGE_MODEL in ensemble.members:
        from codefit.models.score_answers import LanguageModelScorer

        asked = ensemble.members[LANGUAGE_MODEL]
        assert isinstance(asked, LanguageModelScorer)
        for reading in chat.readings:
            found[f"language model, {reading}"] = Measured(asked.reading_by(reading), CODE, few)
    found["ensemble"] = Measured(ensemble, "code and metrics", few if LANGUAGE_MODEL in _weighed(ensemble) else None)
    return found


def _encoder(run: Path) -> Scorer:
    from codefit.models.score_encoder import load_encoder_scorer

    return load_encoder_scorer(run / MODEL / ENCODER_FOLDER)


def _weighed(ensemble: Ensemble) -> set[str]:
    return {name for name, weight in ensemble.fitted.weights.items() if weight > 0}


def _device(recipe: ComplexityScoring) -> str:
    return recipe.language_model.device if recipe.language_model is not None else "auto"


def _half_width(name: str, run: Path) -> float | None:
    """Half of the interval of a scorer that knows none itself, from the validation functions."""
    width: float | None = read_json(run / EXPORT_REPORT)["half_widths"].get(name)
    return width


def _score(measured: Measured, rows: Sequence[ScoredFunction]) -> tuple[list[Estimate | None], float]:
    """The estimates, None for a function that is not asked about, and the seconds that one took."""
    few = spread(range(len(rows)), measured.most)
    started = time.perf_counter()
    own = score_by_language(measured.scorer, [rows[n].code for n in few], [rows[n].language for n in few])
    seconds = (time.perf_counter() - started) / max(1, len(few))
    found: list[Estimate | None] = [None] * len(rows)
    for number, estimate in zip(few, own, strict=True):
        found[number] = estimate
    return found, seconds


def _row(
    name: str,
    measured: Measured,
    rows: Sequence[ScoredFunction],
    found: Sequence[Estimate | None],
    seconds: float,
    seed: int,
) -> dict[str, Any]:
    asked = [(row.score, each) for row, each in zip(rows, found, strict=True) if each is not None]
    report = regression_report(
        [truth for truth, _ in asked],
        [each.score for _, each in asked],
        [_interval(each) for _, each in asked],
        seed=seed,
    )
    return {"name": name, "reads": measured.reads, "ms": seconds * 1000, **report.to_dict()}


def _on_asked(
    rows: Sequence[ScoredFunction], scores: Mapping[str, Sequence[Estimate | None]], name: str, seed: int
) -> dict[str, Any]:
    """A scorer's error on the functions that all scorers were asked about: only there do errors compare."""
    asked = [number for number in range(len(rows)) if all(own[number] is not None for own in scores.values())]
    answers = [scores[name][number] for number in asked]
    report = regression_report(
        [rows[number].score for number in asked], [each.score for each in answers if each is not None], seed=seed
    )
    figures = report.to_dict()
    return {"n": report.n, "mae": figures["mae"], "r2": figures["r2"]}


def _interval(estimate: Estimate) -> Interval | None:
    if estimate.low is None or estimate.high is None:
        return None
    return Interval(estimate.low, estimate.high)


def _robustness(
    name: str,
    measured: Measured,
    rows: Sequence[ScoredFunction],
    found: Sequence[Estimate | None],
    varied: Sequence[Varied],
    seed: int,
) -> list[dict[str, Any]]:
    """How far scores move where code is written otherwise, and how far they then are from the original's label."""
    known = [each for each in varied if found[each.original] is not None]
    answers = score_by_language(measured.scorer, [each.code for each in known], [each.language for each in known])
    figures = []
    for kind in dict.fromkeys(each.kind for each in known):
        moved, errors, invalid = [], [], 0
        for each, answer in zip(known, answers, strict=True):
            before = found[each.original]
            if each.kind != kind or before is None or before.score is None:
                continue
            if answer.score is None:
                invalid += 1
                continue
            moved.append(abs(answer.score - before.score))
            errors.append(abs(answer.score - rows[each.original].score))
        if moved:
            figures.append(
                {
                    "name": name,
                    "kind": kind,
                    "n": len(moved) + invalid,
                    "invalid": invalid,
                    "moved": list(bootstrap(np.array(moved), seed=seed)),
                    "mae": list(bootstrap(np.array(errors), seed=seed)),
                }
            )
    return figures


def _people(name: str, scorer: Scorer, snippets: Sequence[HumanSnippet], seed: int) -> list[dict[str, Any]]:
    """Spearman's correlation with the share of wrong answers and with the time to a right one, where there is one."""
    if not snippets:
        return []
    codes = [as_function(row.code) for row in snippets]
    answers = score_by_language(scorer, codes, [row.language for row in snippets])
    known = [(row, each.score) for row, each in zip(snippets, answers, strict=True) if each.score is not None]
    scores = np.array([score for _, score in known])
    figures: Mapping[str, np.ndarray] = {
        "error_rate": np.array([row.error_rate for row, _ in known]),
        "time": np.array([row.median_s_correct for row, _ in known]),
    }
    rows: dict[str, Any] = {"name": name, "n": len(known)}
    for figure, values in figures.items():
        found = spearman_estimate(values, scores, seed=seed)
        rows[figure] = None if found is None else list(found)
    return [rows]


def as_function(code: str) -> str:
    """A snippet of statements as the body of a function, since functions are what is scored."""
    return f"function snippet() {{\n{code}\n}}"


def _write_scores(path: Path, rows: Sequence[ScoredFunction], scores: Mapping[str, Sequence[Estimate | None]]) -> None:
    def told(estimate: Estimate | None) -> list[float | None] | None:
        return None if estimate is None else [estimate.score, estimate.low, estimate.high]

    write_rows(
        path,
        (
            {
                "truth": row.score,
                "path": row.path,
                "line": row.line,
                "scores": {name: told(own[number]) for name, own in scores.items()},
            }
            for number, row in enumerate(rows)
        ),
    )
