"""Several runs side by side: their figures in one table, their curves on one chart, and what differs between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from codefit.errors import InputError
from codefit.run.report.charts import LineChart, Mark, MarkChart, Series, smoothed, thinned
from codefit.run.report.formats import count, duration, figure, milliseconds, signed, signed_span, size, span
from codefit.run.report.load import Run
from codefit.run.report.repeat import differences, how_to_repeat
from codefit.run.report.shapes import MAIN_METRIC, EvaluationSet, Figures
from codefit.run.report.svg import SHAPES, swatch

MOST_RUNS = len(SHAPES)  # more lines on one chart cannot be told apart
EVALUATION_FILE = "eval_pairs.jsonl.gz"
ABSENT = "not there"
Cell = tuple[str, str]  # a value, and its interval or another word beneath it


def comparison(runs: Sequence[Run]) -> dict[str, Any]:
    """What the template of a comparison shows. `InputError` above `MOST_RUNS` runs."""
    if len(runs) > MOST_RUNS:
        raise InputError(f"{len(runs)} runs are too many for one page", fix=f"give at most {MOST_RUNS}")
    names = run_names(runs)
    looks = [f"run-{number}" for number in range(1, len(runs) + 1)]
    return {
        "runs": runs,
        "names": names,
        "legend_of_runs": [swatch(shape, look) for shape, look in zip(SHAPES, looks, strict=False)],
        "same_questions": same_questions(runs),
        "tables": [
            ("What was found", [(title, meaning, [cell(run) for run in runs]) for title, meaning, cell in _QUALITY]),
            ("What it cost", [(title, meaning, [cell(run) for run in runs]) for title, meaning, cell in _COST]),
        ],
        "figures_chart": _figures_chart(runs, names, looks),
        "loss_chart": _loss_chart(runs, names, looks),
        "looks_chart": _looks_chart(runs, names, looks),
        "differences": differences([run.record.recipe for run in runs]),
        "repeats": [how_to_repeat(run.record, run.folder.resolve().name) for run in runs],
    }


def run_names(runs: Sequence[Run]) -> list[str]:
    """A name for each run that no other has: its folder's, or as much of its path as it takes."""
    folders = [run.folder.resolve() for run in runs]
    names = [folder.name for folder in folders]
    if len(set(names)) == len(names):
        return names
    return [f"{folder.parent.name}/{folder.name}, {number}" for number, folder in enumerate(folders, start=1)]


def same_questions(runs: Sequence[Run]) -> bool | None:
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


def _first(run: Run) -> EvaluationSet | None:
    return run.evaluation.sets[0] if run.evaluation is not None and run.evaluation.sets else None


def _of_set(write: Callable[[EvaluationSet], str | Cell]) -> Callable[[Run], str | Cell]:
    def cell(run: Run) -> str | Cell:
        entry = _first(run)
        return ABSENT if entry is None else write(entry)

    return cell


def _mrr(figures: Figures) -> Cell:
    return figure(figures.mrr), span(figures.ci95[MAIN_METRIC])


def _gain(system: str) -> Callable[[Run], str | Cell]:
    def write(entry: EvaluationSet) -> Cell:
        found = entry.difference_to_bm25[system]
        return signed(found.mrr), signed_span(found.ci95)

    return _of_set(write)


def _model_size(run: Run) -> str:
    return ABSENT if run.export is None or not run.export.bytes else size(min(run.export.bytes.values()))


def _fastest(run: Run, write: Callable[[Any], str]) -> str:
    benchmark = run.export.benchmark if run.export is not None else None
    rows = {row.backend: row for row in benchmark.rows} if benchmark is not None else {}
    winner = run.export.winner if run.export is not None else None
    return write(rows[winner]) if winner in rows else ABSENT


def _machine(run: Run) -> Cell:
    machine = run.record.machine
    return f"{machine.get('cores')} cores", str(machine.get("gpu") or machine.get("cpu"))


_QUALITY: list[tuple[str, str, Callable[[Run], str | Cell]]] = [
    ("Questions", "how many were asked", _of_set(lambda entry: count(entry.n))),
    ("Pool", "functions to choose among, at most", _of_set(lambda e: count(e.pool))),
    ("BM25, MRR@10", "word matching, the figure to beat", _of_set(lambda entry: _mrr(entry.bm25))),
    ("Model, MRR@10", "the trained model alone", _of_set(lambda entry: _mrr(entry.model))),
    ("Hybrid, MRR@10", "both fused", _of_set(lambda entry: _mrr(entry.hybrid))),
    ("Model over BM25", "paired difference in MRR@10", _gain("model")),
    ("Hybrid over BM25", "paired difference in MRR@10", _gain("hybrid")),
]

_COST: list[tuple[str, str, Callable[[Run], str | Cell]]] = [
    ("Training pairs", "rows learned from", lambda r: ABSENT if r.manifest is None else count(r.manifest.train.rows)),
    ("Steps", "batches learned from", lambda r: count(r.steps[-1].step) if r.steps else ABSENT),
    ("Time", "of all stages", lambda r: duration(r.seconds())),
    (
        "Memory",
        "the most held at once",
        lambda r: ABSENT if r.record.peak_memory_bytes is None else size(r.record.peak_memory_bytes),
    ),
    ("Smallest export", "size on disk", _model_size),
    ("Encoding", "fastest backend, texts a second", lambda r: _fastest(r, lambda row: count(row.texts_per_second))),
    ("Batch", "fastest backend, median time", lambda r: _fastest(r, lambda row: milliseconds(row.p50_ms))),
    ("Machine", "where it ran", _machine),
]


def _figures_chart(runs: Sequence[Run], names: Sequence[str], looks: Sequence[str]) -> Markup | None:
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


def _loss_chart(runs: Sequence[Run], names: Sequence[str], looks: Sequence[str]) -> Markup | None:
    series = [
        Series(name, look, shape, smoothed([(float(row.step), row.loss) for row in run.steps]))
        for run, name, look, shape in zip(runs, names, looks, SHAPES, strict=False)
        if run.steps
    ]
    if not series:
        return None
    ends = ", ".join(f"{one.name} {one.points[-1][1]:.2f}" for one in series)
    return LineChart(
        ident="loss",
        title="Training loss by step and run",
        description=f"The mean of neighbouring steps. At the end: {ends}.",
        y_label="contrastive loss",
        series=series,
        digits=2,
    ).svg()


def _looks_chart(runs: Sequence[Run], names: Sequence[str], looks: Sequence[str]) -> Markup | None:
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
