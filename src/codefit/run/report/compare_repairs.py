"""Runs of rankers of repairs side by side: figures, what they cost, and their curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from codefit.run.report import repair_charts
from codefit.run.report.charts import LineChart, Mark, MarkChart, Series, thinned
from codefit.run.report.compare import ABSENT, COST, Cell, common_comparison, looks_of, rows_of
from codefit.run.report.formats import (
    count,
    figure,
    milliseconds,
    share,
    signed,
    signed_span,
    size,
    span,
    surprise,
)
from codefit.run.report.load import RepairRun
from codefit.run.report.repair_shapes import METRICS, RepairEvaluation, RepairExport
from codefit.run.report.repair_view import MEANINGS
from codefit.run.report.svg import SHAPES

EVALUATION_FILE = "evaluation.jsonl.gz"
SAME = (
    "The runs that have been measured were so on the same broken strings with the same bounds on the search, "
    "so their figures can be set against each other."
)
OTHER = (
    "The runs were measured on different strings or with different bounds on the search,",
    "or do not say on which, so their figures cannot be set against each other: compare each with its own order of "
    "n-grams and edits.",
)

Row = tuple[str, str, Callable[[RepairRun], str | Cell]]


def repair_comparison(runs: Sequence[RepairRun]) -> dict[str, Any]:
    """What the template of a comparison shows."""
    view = common_comparison(runs, "loss, nats a list")
    names, looks = view["names"], looks_of(runs)
    return {
        **view,
        "intro": "The same numbers of every run, each with its 95 % interval. P@k is the share of broken strings whose "
        "true repair is among the first k candidates: higher is better.",
        "same": same_strings(runs),
        "same_text": SAME,
        "other_text": OTHER,
        "tables": [("What was found", rows_of(_quality(), runs)), ("What it cost", rows_of(_COST, runs))],
        "figures_chart": _figures_chart(runs, names, looks),
        "figures_caption": "Figures of the model in each run, with 95 % intervals; further right is better.",
        "curves_text": "How each ranker learned: the loss falls, and the true repair rises in the lists that choose "
        "the model.",
        "looks_chart": _looks_chart(runs, names, looks),
        "looks_caption": "MRR of each run's lists that choose the model; higher is better. The dashed line, where "
        "there is one, is the order of n-grams and edits.",
        "meanings": MEANINGS,
    }


def same_strings(runs: Sequence[RepairRun]) -> bool | None:
    """Whether the runs that were measured were so on the same strings; None where there are not two to compare.

    A run whose manifest is gone does not say what it was measured on, so it counts as another.
    """
    measured = []
    for run in runs:
        if run.evaluation is not None:
            data = run.manifest.outputs.get(EVALUATION_FILE) if run.manifest is not None else None
            known = data.sha256 if data is not None else str(run.folder)
            measured.append((known, run.evaluation.n, run.evaluation.limit, run.evaluation.seconds))
    return len(set(measured)) == 1 if len(measured) > 1 else None


def _of_evaluation(write: Callable[[RepairEvaluation], str | Cell]) -> Callable[[RepairRun], str | Cell]:
    return lambda run: ABSENT if run.evaluation is None else write(run.evaluation)


def _metric(order: str, metric: str) -> Callable[[RepairRun], str | Cell]:
    def write(evaluation: RepairEvaluation) -> Cell:
        found = evaluation.orders.of(order)
        return figure(found.value(metric)), span(found.ci95[metric])

    return _of_evaluation(write)


def _over_edits(evaluation: RepairEvaluation) -> Cell:
    return signed(evaluation.over_edits.mean), signed_span(evaluation.over_edits.interval)


def _recall(evaluation: RepairEvaluation) -> str | Cell:
    found = evaluation.candidates
    if found.recall_in_reach is None or found.recall_in_reach_ci95 is None:
        return "none in reach"
    return share(found.recall_in_reach), " to ".join(map(share, found.recall_in_reach_ci95))


def _latency(evaluation: RepairEvaluation) -> Cell:
    return milliseconds(evaluation.latency_ms.p50), f"95 of 100 within {milliseconds(evaluation.latency_ms.p95)}"


def _quality() -> list[Row]:
    return [
        ("Strings", "how many were measured", _of_evaluation(lambda found: count(found.n))),
        *((f"Model, {name}", "the trained order", _metric("model", metric)) for metric, name in METRICS.items()),
        ("n-grams and edits, MRR", "the order to beat", _metric("edits", "mrr")),
        ("n-grams alone, MRR", "how likely the repaired string is", _metric("ngrams", "mrr")),
        ("Model over n-grams and edits", "paired difference in MRR", _of_evaluation(_over_edits)),
        ("Found where in reach", "whatever the order", _of_evaluation(_recall)),
        ("Time of a string", "search and order, median", _of_evaluation(_latency)),
    ]


def _repairs(run: RepairRun) -> str | Cell:
    files = run.manifest.outputs if run.manifest is not None else {}
    return count(files["train.jsonl.gz"].rows) if "train.jsonl.gz" in files else ABSENT


def _network(run: RepairRun) -> Cell:
    model = run.record.recipe.get("model", {})
    return f"{model.get('layers')} × {model.get('hidden')}", f"edits {model.get('edit')}"


def _pretrained(run: RepairRun) -> str | Cell:
    if not run.has_stage("pretraining"):
        return "not pre-trained"
    if not run.pretraining:
        return ABSENT
    steps = f"{count(run.pretraining[-1].step)} steps"
    if not run.pretraining_looks:
        return steps
    return steps, f"perplexity {surprise(min(row.perplexity for row in run.pretraining_looks))}"


def _export(write: Callable[[RepairExport], str | Cell]) -> Callable[[RepairRun], str | Cell]:
    return lambda run: ABSENT if run.export is None else write(run.export)


def _ranking_time(export: RepairExport) -> str:
    shipped = export.graphs().get(export.precision)
    return ABSENT if shipped is None else milliseconds(shipped.median_ms)


_COST: list[Row] = [
    ("Repairs", "pairs learned from", _repairs),
    ("Network", "layers × width", _network),
    ("Pre-training", "on sound code", _pretrained),
    *COST,
    ("Model", "the whole folder, size on disk", _export(lambda found: (size(found.folder_bytes), found.precision))),
    ("Ranking", "a list, median", _export(_ranking_time)),
]


def _figures_chart(runs: Sequence[RepairRun], names: Sequence[str], looks: Sequence[str]) -> Markup | None:
    groups: dict[str, list[Mark]] = {name: [] for name in METRICS.values()}
    for run, name, look, shape in zip(runs, names, looks, SHAPES, strict=False):
        if run.evaluation is not None:
            found = run.evaluation.orders.model
            for metric, title in METRICS.items():
                groups[title].append(Mark(name, look, shape, found.value(metric), found.ci95.get(metric)))
    if not any(groups.values()):
        return None
    return MarkChart(
        ident="figures",
        title="Figures of the model by metric and run",
        description="Dots are means, whiskers 95 % intervals. The table above has every value.",
        x_label="share of strings, and MRR",
        groups=list(groups.items()),
    ).svg()


def _looks_chart(runs: Sequence[RepairRun], names: Sequence[str], looks: Sequence[str]) -> Markup | None:
    series = [
        Series(name, look, shape, thinned([(float(row.step), row.mrr) for row in run.looks], 300))
        for run, name, look, shape in zip(runs, names, looks, SHAPES, strict=False)
        if run.looks
    ]
    if not series:
        return None
    ends = ", ".join(f"{one.name} {figure(one.points[-1][1])}" for one in series)
    baselines = {run.lists.edits.mrr for run in runs if run.looks and run.lists is not None}
    if len(baselines) == 1:
        last, value = max(one.points[-1][0] for one in series), baselines.pop()
        look, shape = repair_charts.LOOK_OF["ngrams"], repair_charts.SHAPE_OF["ngrams"]
        series.append(Series("n-grams and edits", look, shape, [(0.0, value), (last, value)], flat=True))
    return LineChart(
        ident="validation",
        title="MRR of the lists that choose the model, by step and run",
        description=f"At the end: {ends}.",
        y_label="MRR of the lists that choose the model",
        series=series,
    ).svg()
