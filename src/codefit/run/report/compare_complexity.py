"""Runs of scorers of complexity side by side: figures, what they cost, and their curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from codefit.run.report.charts import LineChart, Mark, MarkChart, Series, thinned
from codefit.run.report.compare import ABSENT, COST, Cell, common_comparison, looks_of, rows_of
from codefit.run.report.complexity_shapes import (
    BROKEN,
    ENCODER,
    ENSEMBLE,
    ComplexityEvaluation,
    ComplexityExport,
    Measure,
    interval,
)
from codefit.run.report.complexity_view import MEANINGS
from codefit.run.report.formats import count, figure, milliseconds, share, size, span
from codefit.run.report.load import ComplexityRun
from codefit.run.report.svg import SHAPES

EVALUATION_FILE = "evaluation.jsonl.gz"
SAME = "The runs that have been measured were so on the same functions, so their figures can be set against each other."
OTHER = (
    "The runs were measured on different functions,",
    "or do not say on which, so their figures cannot be set against each other: compare each with its own formula and "
    "lines of code.",
)
NOT_MEASURED = "not measured"

Row = tuple[str, str, Callable[[ComplexityRun], str | Cell]]


def complexity_comparison(runs: Sequence[ComplexityRun]) -> dict[str, Any]:
    """What the template of a comparison shows."""
    view = common_comparison(runs, "loss of a function, of the encoder")
    names, looks = view["names"], looks_of(runs)
    return {
        **view,
        "intro": "The same numbers of every run, each with its 95 % interval. MAE is how far a score is from the true "
        "one on average: lower is better.",
        "same": same_functions(runs),
        "same_text": SAME,
        "other_text": OTHER,
        "tables": [("What they are worth", rows_of(_quality(runs), runs)), ("What they cost", rows_of(_COST, runs))],
        "figures_chart": _figures_chart(runs, names, looks),
        "figures_caption": "Mean absolute error of each scorer in each run, with 95 % intervals; further left is "
        "better.",
        "curves_text": "How each encoder learned: the loss falls, and so does the error on functions that choose it.",
        "looks_chart": _looks_chart(runs, names, looks),
        "looks_caption": "Mean absolute error on each run's functions that choose the encoder; lower is better.",
        "meanings": MEANINGS,
    }


def same_functions(runs: Sequence[ComplexityRun]) -> bool | None:
    """Whether the runs that were measured were so on the same functions; None where there are not two to compare.

    A run whose manifest is gone does not say what it was measured on, so it counts as another.
    """
    measured = []
    for run in runs:
        if run.evaluation is not None:
            data = run.manifest.outputs.get(EVALUATION_FILE) if run.manifest is not None else None
            measured.append((data.sha256 if data is not None else str(run.folder), run.evaluation.n))
    return len(set(measured)) == 1 if len(measured) > 1 else None


def _names(runs: Sequence[ComplexityRun]) -> list[str]:
    """The scorers of all runs, in the order in which they come; the ensemble last."""
    names = dict.fromkeys(one.name for run in runs if run.evaluation is not None for one in run.evaluation.scorers)
    return [*(name for name in names if name != ENSEMBLE), *([ENSEMBLE] if ENSEMBLE in names else [])]


def _of_evaluation(write: Callable[[ComplexityEvaluation], str | Cell]) -> Callable[[ComplexityRun], str | Cell]:
    return lambda run: ABSENT if run.evaluation is None else write(run.evaluation)


def _cell(measure: Measure | None) -> str | Cell:
    return NOT_MEASURED if measure is None else (figure(measure[0]), span(interval(measure)))


def _metric(name: str, metric: str) -> Callable[[ComplexityRun], str | Cell]:
    def write(evaluation: ComplexityEvaluation) -> str | Cell:
        found = evaluation.scorer(name)
        return _cell(found.figure(metric) if found is not None else None)

    return _of_evaluation(write)


def _broken(name: str) -> Callable[[ComplexityRun], str | Cell]:
    def write(evaluation: ComplexityEvaluation) -> str | Cell:
        found = evaluation.varied(name, BROKEN)
        return _cell(found.mae if found is not None else None)

    return _of_evaluation(write)


def _coverage(evaluation: ComplexityEvaluation) -> str | Cell:
    found = evaluation.scorer(ENSEMBLE)
    if found is None or found.coverage is None or found.width is None:
        return NOT_MEASURED
    return share(found.coverage[0]), f"{found.width:.2f} wide on average"


def _quality(runs: Sequence[ComplexityRun]) -> list[Row]:
    names = _names(runs)
    learned = [name for name in (ENCODER, ENSEMBLE) if name in names]
    return [
        ("Functions", "how many were measured", _of_evaluation(lambda found: count(found.n))),
        *((f"MAE, {name}", "", _metric(name, "mae")) for name in names),
        *((f"r², {name}", "", _metric(name, "r2")) for name in learned),
        *((f"Spearman, {name}", "", _metric(name, "spearman")) for name in learned),
        *((f"MAE on broken code, {name}", "against the score before", _broken(name)) for name in learned),
        ("Interval of the ensemble", "how many scores it holds", _of_evaluation(_coverage)),
    ]


def _functions(run: ComplexityRun) -> str | Cell:
    files = run.manifest.outputs if run.manifest is not None else {}
    return count(files["train.jsonl.gz"].rows) if "train.jsonl.gz" in files else ABSENT


def _network(run: ComplexityRun) -> Cell:
    model = run.record.recipe.get("model", {})
    return f"{model.get('layers')} × {model.get('hidden')}", f"{model.get('vocab_size')} pieces"


def _base(run: ComplexityRun) -> str | Cell:
    section = run.record.recipe.get("language_model")
    if not section:
        return "none"
    steps = f"{count(run.answering[-1].step)} steps" if run.answering else "not trained yet"
    return str(section.get("base")), steps


def _export(write: Callable[[ComplexityExport], str | Cell]) -> Callable[[ComplexityRun], str | Cell]:
    return lambda run: ABSENT if run.export is None else write(run.export)


def _shipped(export: ComplexityExport) -> str | Cell:
    graph = export.graphs().get(export.precision)
    return ABSENT if graph is None else (size(graph.bytes), f"{milliseconds(graph.median_ms)} a function")


_COST: list[Row] = [
    ("Functions", "learned from", _functions),
    ("Encoder", "layers × width", _network),
    ("Language model", "that is asked", _base),
    *COST,
    ("Encoder's graph", "as it is shipped", _export(_shipped)),
]


def _figures_chart(runs: Sequence[ComplexityRun], names: Sequence[str], looks: Sequence[str]) -> Markup | None:
    groups: dict[str, list[Mark]] = {name: [] for name in _names(runs)}
    for run, name, look, shape in zip(runs, names, looks, SHAPES, strict=False):
        for scorer, marks in groups.items():
            found = run.evaluation.scorer(scorer) if run.evaluation is not None else None
            if found is not None and found.mae is not None:
                marks.append(Mark(name, look, shape, found.mae[0], interval(found.mae)))
    shown = [(scorer, marks) for scorer, marks in groups.items() if marks]
    if not shown:
        return None
    return MarkChart(
        ident="figures",
        title="Mean absolute error by scorer and run",
        description="Marks are means, whiskers 95 % intervals. The table above has every value.",
        x_label="mean absolute error, lower is better",
        groups=shown,
    ).svg()


def _looks_chart(runs: Sequence[ComplexityRun], names: Sequence[str], looks: Sequence[str]) -> Markup | None:
    series = [
        Series(name, look, shape, thinned([(float(row.step), row.mae) for row in run.looks], 300))
        for run, name, look, shape in zip(runs, names, looks, SHAPES, strict=False)
        if run.looks
    ]
    if not series:
        return None
    ends = ", ".join(f"{one.name} {figure(one.points[-1][1])}" for one in series)
    return LineChart(
        ident="validation",
        title="Mean absolute error on the functions that choose the encoder, by step and run",
        description=f"At the end: {ends}.",
        y_label="mean absolute error",
        series=series,
    ).svg()
