"""What the page of scorers of complexity shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codefit.evaluate.intervals import bootstrap
from codefit.run.report import complexity_charts as charts
from codefit.run.report import language_charts, run_charts
from codefit.run.report.complexity_shapes import (
    METRICS,
    ComplexityEvaluation,
    ComplexityManifest,
    Measure,
    ScoresRow,
)
from codefit.run.report.complexity_words import PEOPLE, PUBLISHED, agreement, verdict
from codefit.run.report.load import ComplexityRun
from codefit.run.report.parts import Part, common_view
from codefit.run.report.svg import swatch

# What each number means, in a line for somebody who sees it for the first time.
MEANINGS = {
    "MAE": "The mean absolute error: how far a score is from the true one on average, on the scale from 1 to 10.",
    "RMSE": "The root of the mean squared error: the same, but large errors weigh more.",
    "r²": "One less the squared error over that of always saying the mean: 1 is exact, 0 is no better than the mean.",
    "Spearman, Kendall": "Whether functions come in the right order, whatever the scores are: 1 is the same order, 0 "
    "is none.",
    "Within ½": "The share of scores that are at most half a point off.",
    "95 % interval": "Where the figure would fall in 95 of 100 repetitions with other functions of the same kind "
    "(bootstrap).",
    "Coverage, width": "The share of true scores inside the interval that the scorer itself gives, which is made to "
    "hold nine in ten, and how wide it is on average.",
    "No answer": "Functions of which the scorer said no score. They are in no other figure.",
    "Formula": "The score as the labels were made: from the branches, tokens and lines that lizard counts.",
    "Complexity score": "What codefit complexity score says: the same formula over branches, tokens and lines as the "
    "language has them.",
    "Ensemble": "A weighted mean of its members, with weights and interval from the functions to choose by.",
}
BANDS = ((1.0, 2.0), (2.0, 3.0), (3.0, 5.0), (5.0, 7.0), (7.0, 10.0))  # of the true score; the last holds its end
FEWEST = 5  # functions of a band, of which an error is told


@dataclass(frozen=True, slots=True)
class Band:
    """The functions whose true score lies in a band, and each scorer's mean absolute error of `FEWEST` at least."""

    name: str
    functions: int
    errors: list[Measure | None]


def complexity_view(run: ComplexityRun) -> dict[str, Any]:
    """What the template shows."""
    view = common_view(run, _parts(run))
    evaluation = run.evaluation
    view["charts"] |= _charts(run)
    own = [one.name for one in charts.learned(evaluation)] if evaluation is not None else []
    return {
        **view,
        "short": "short_complexity.html",
        "metrics": METRICS,
        "meanings": MEANINGS,
        "kinds": charts.KINDS,
        "kind_of": charts.kind_of,
        "legend": {kind: swatch(charts.SHAPE_OF[kind], charts.LOOK_OF[kind]) for kind in charts.KINDS},
        "variant_legend": _variant_legend(evaluation) if evaluation is not None else {},
        "verdict": verdict(evaluation) if evaluation is not None else [],
        "tiles": _tiles(evaluation) if evaluation is not None else [],
        "banded": own,
        "bands": bands(run.scores, own),
        "fewest": FEWEST,
        "people_words": PEOPLE,
        "published_words": PUBLISHED,
        "best_look": charts.best_look(run.looks) if run.looks else None,
        "best_answers": charts.best_answers(run.answering_looks) if run.answering_looks else None,
        "answering_speed": language_charts.speed_of(run.answering),
        "read": _read(run.manifest) if run.manifest is not None else [],
        "agreement": agreement(run.manifest) if run.manifest is not None else [],
    }


def _parts(run: ComplexityRun) -> Sequence[Part]:
    """The parts of the run's page: those whose stages its recipe has."""
    parts = [
        Part("scorers", "Scorers", "scorers.html"),
        Part("otherwise", "Written otherwise", "otherwise.html"),
        Part("people", "Beside people", "people.html"),
        Part("training", "Encoder", "training_complexity.html"),
    ]
    if run.has_stage("chat"):
        parts.append(Part("chat", "Language model", "training_chat.html"))
    return [
        *parts,
        Part("export", "Ensemble and export", "export_complexity.html"),
        Part("data", "Data receipt", "data_complexity.html"),
    ]


def _charts(run: ComplexityRun) -> dict[str, Any]:
    drawn: dict[str, Any] = {}
    if run.evaluation is not None:
        drawn["scorers"] = charts.scorers_chart(run.evaluation)
        drawn["grid"] = charts.grid_chart(run.evaluation, run.scores)
        drawn["varied"] = charts.varied_chart(run.evaluation)
    if run.steps:
        drawn["loss"] = run_charts.loss_chart(run.steps, "loss of a function")
    if run.looks:
        drawn["looks"] = charts.looks_chart(run.looks)
    if run.answering:
        drawn["answers"] = run_charts.loss_chart(
            run.answering,
            "loss, nats a token",
            ident="answers-loss",
            title="Training loss of the language model by step",
        )
    if run.answering_looks:
        drawn["answers_looks"] = charts.answers_chart(run.answering_looks)
    if run.export is not None and run.export.weights:
        drawn["weights"] = charts.weights_chart(run.export.weights)
    return drawn


def _variant_legend(evaluation: ComplexityEvaluation) -> dict[str, Any]:
    kinds = dict.fromkeys(one.kind for one in evaluation.robustness)
    return {kind: swatch(shape, look) for kind in kinds for look, shape in (charts.look_of(kind),)}


def _tiles(evaluation: ComplexityEvaluation) -> list[Any]:
    """The scorers that are shown at a glance: the formula, the nearest learned one, the encoder."""
    shown = [evaluation.scorer("formula"), min(charts.learned(evaluation), key=_error, default=None)]
    shown.append(evaluation.scorer("encoder"))
    return list({one.name: one for one in shown if one is not None}.values())


def _error(one: Any) -> float:
    return float(one.mae[0])


def bands(scores: Sequence[ScoresRow], names: Sequence[str]) -> list[Band]:
    """The errors by true score, of the bands that hold a function; no band without scores."""
    found = []
    for low, high in BANDS:
        own = [row for row in scores if low <= row.truth < high or (high == BANDS[-1][1] and row.truth == high)]
        if own:
            found.append(Band(f"{low:g} to {high:g}", len(own), [_band_error(own, name) for name in names]))
    return found


def _band_error(rows: Sequence[ScoresRow], name: str) -> Measure | None:
    known = [(row.truth, said[0]) for row in rows if (said := row.scores.get(name)) is not None]
    errors = [abs(score - truth) for truth, score in known if score is not None]
    return bootstrap(np.array(errors)) if len(errors) >= FEWEST else None


def _read(manifest: ComplexityManifest) -> list[str]:
    """What the data was read from, in words."""
    places = ["this Python environment" if place == "env" else place for place in manifest.documents]
    return [*(Path(name).name for name in manifest.inputs), *places]
