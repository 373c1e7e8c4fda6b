"""Runs of code embedding models side by side: retrieval figures, what they cost, and their curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from codefit.run.report.charts import LineChart, Mark, MarkChart, Series, thinned
from codefit.run.report.compare import ABSENT, COST, Cell, common_comparison, looks_of, rows_of
from codefit.run.report.formats import count, figure, milliseconds, signed, signed_span, size, span
from codefit.run.report.load import EncoderRun
from codefit.run.report.shapes import MAIN_METRIC, EvaluationSet, Figures
from codefit.run.report.svg import SHAPES

EVALUATION_FILE = "eval_pairs.jsonl.gz"
SAME = (
    "The runs that have been measured were asked the same questions over the same pools, "
    "so their figures can be set against each other."
)
OTHER = (
    "The runs were measured on different questions,",
    "or do not say on which, so their figures cannot be set against each other: compare each with its own BM25.",
)


def encoder_comparison(runs: Sequence[EncoderRun]) -> dict[str, Any]:
    """What the template of a comparison shows."""
    view = common_comparison(runs, "contrastive loss")
    names, looks = view["names"], looks_of(runs)
    return {
        **view,
        "intro": "The same numbers of every run, each with its 95 % interval. MRR@10 is one divided by the rank of the "
        "right function, averaged: 1 is always first.",
        "same": same_questions(runs),
        "same_text": SAME,
        "other_text": OTHER,
        "tables": [("What was found", rows_of(_QUALITY, runs)), ("What it cost", rows_of(_COST, runs))],
        "figures_chart": _figures_chart(runs, names, looks),
        "figures_caption": "MRR@10 of each system in each run, with 95 % intervals; further right is better.",
        "curves_text": "How each model learned: the loss falls, the ranking of validation sources rises.",
        "looks_chart": _looks_chart(runs, names, looks),
        "looks_caption": "MRR@10 of the model alone on each run's validation sources; higher is better. The dashed "
        "line, where there is one, is BM25.",
        "meanings": {},
    }


def same_questions(runs: Sequence[EncoderRun]) -> bool | None:
    """Whether the runs that were measured were so on the same rows and pools; None where there are not two to compare.

    A run whose manifest is gone does not say what it was measured on, so it counts as another.
    """
    measured = []
    for run in runs:
        entry = _first(run)
        data = run.manifest.outputs.get(EVALUATION_FILE) if run.manifest is not None else None
        if entry is not None:
            measured.append((data.sha256 if data is not None else str(run.folder), entry.n, entry.pool))
    return len(set(measured)) == 1 if len(measured) > 1 else None


def _first(run: EncoderRun) -> EvaluationSet | None:
    return run.evaluation.sets[0] if run.evaluation is not None and run.evaluation.sets else None


def _of_set(write: Callable[[EvaluationSet], str | Cell]) -> Callable[[EncoderRun], str | Cell]:
    def cell(run: EncoderRun) -> str | Cell:
        entry = _first(run)
        return ABSENT if entry is None else write(entry)

    return cell


def _mrr(figures: Figures) -> Cell:
    return figure(figures.mrr), span(figures.ci95[MAIN_METRIC])


def _gain(system: str) -> Callable[[EncoderRun], str | Cell]:
    def write(entry: EvaluationSet) -> Cell:
        found = entry.difference_to_bm25[system]
        return signed(found.mrr), signed_span(found.ci95)

    return _of_set(write)


def _model_size(run: EncoderRun) -> str:
    return ABSENT if run.export is None or not run.export.bytes else size(min(run.export.bytes.values()))


def _fastest(run: EncoderRun, write: Callable[[Any], str]) -> str:
    benchmark = run.export.benchmark if run.export is not None else None
    rows = {row.backend: row for row in benchmark.rows} if benchmark is not None else {}
    winner = run.export.winner if run.export is not None else None
    return write(rows[winner]) if winner in rows else ABSENT


_QUALITY: list[tuple[str, str, Callable[[EncoderRun], str | Cell]]] = [
    ("Questions", "how many were asked", _of_set(lambda entry: count(entry.n))),
    ("Pool", "functions to choose among, at most", _of_set(lambda e: count(e.pool))),
    ("BM25, MRR@10", "word matching, the figure to beat", _of_set(lambda entry: _mrr(entry.bm25))),
    ("Model, MRR@10", "the trained model alone", _of_set(lambda entry: _mrr(entry.model))),
    ("Hybrid, MRR@10", "both fused", _of_set(lambda entry: _mrr(entry.hybrid))),
    ("Model over BM25", "paired difference in MRR@10", _gain("model")),
    ("Hybrid over BM25", "paired difference in MRR@10", _gain("hybrid")),
]

_COST: list[tuple[str, str, Callable[[EncoderRun], str | Cell]]] = [
    ("Training pairs", "rows learned from", lambda r: ABSENT if r.manifest is None else count(r.manifest.train.rows)),
    *COST,
    ("Smallest export", "size on disk", _model_size),
    ("Encoding", "fastest backend, texts a second", lambda r: _fastest(r, lambda row: count(row.texts_per_second))),
    ("Batch", "fastest backend, median time", lambda r: _fastest(r, lambda row: milliseconds(row.p50_ms))),
]


def _figures_chart(runs: Sequence[EncoderRun], names: Sequence[str], looks: Sequence[str]) -> Markup | None:
    groups: list[tuple[str, list[Mark]]] = [("BM25", []), ("Model", []), ("Hybrid", [])]
    for run, name, look, shape in zip(runs, names, looks, SHAPES, strict=False):
        entry = _first(run)
        if entry is not None:
            for (_, marks), found in zip(groups, (entry.bm25, entry.model, entry.hybrid), strict=True):
                marks.append(Mark(name, look, shape, found.mrr, found.ci95.get("mrr@10")))
    if not groups[0][1]:
        return None
    return MarkChart(
        ident="figures",
        title="MRR@10 by system and run",
        description="Dots are means, whiskers 95 % intervals. The table above has every value.",
        x_label="MRR@10",
        groups=groups,
    ).svg()


def _looks_chart(runs: Sequence[EncoderRun], names: Sequence[str], looks: Sequence[str]) -> Markup | None:
    series = []
    for run, name, look, shape in zip(runs, names, looks, SHAPES, strict=False):
        if run.looks:
            points = thinned([(float(row.step), row.model) for row in run.looks], 300)
            series.append(Series(name, look, shape, points))
    if not series:
        return None
    baselines = {row.bm25 for run in runs for row in run.looks if row.bm25 is not None}
    if len(baselines) == 1:
        last = max(one.points[-1][0] for one in series)
        value = baselines.pop()
        series.append(Series("BM25", "bm25", "ring", [(0.0, value), (last, value)], flat=True))
    ends = ", ".join(f"{one.name} {one.points[-1][1]:.3f}" for one in series)
    return LineChart(
        ident="validation",
        title="MRR@10 on the validation sources by step and run",
        description=f"At the end: {ends}.",
        y_label="MRR@10 of the model alone, on validation sources",
        series=series,
    ).svg()
