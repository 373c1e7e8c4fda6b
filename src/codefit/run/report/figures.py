"""The charts of a code embedding model, from its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from codefit.run.report.charts import Bar, BarChart, LineChart, Mark, MarkChart, Series, thinned
from codefit.run.report.formats import count, figure, language, signed
from codefit.run.report.load import EncoderRun
from codefit.run.report.shapes import (
    BASELINE,
    MAIN_METRIC,
    METRICS,
    SYSTEMS,
    BackendRow,
    EvaluationSet,
    Systems,
)

# Colour and shape go together, on every chart alike.
SHAPE_OF: Mapping[str, str] = {"bm25": "ring", "model": "dot", "hybrid": "diamond"}
MOST_GROUPS = 16  # on a chart; the table beneath it has all
BACKENDS: Mapping[str, str] = {"torch": "PyTorch", "onnx-fp32": "ONNX, 32-bit", "onnx-int8": "ONNX, int8"}


def marks(systems: Systems, metric: str) -> list[Mark]:
    """A mark for each system at its value of a metric, with the interval."""
    return [
        Mark(name, system, SHAPE_OF[system], systems.of(system).value(metric), systems.of(system).ci95.get(metric))
        for system, name in SYSTEMS.items()
    ]


def metrics_chart(entry: EvaluationSet, ident: str) -> Markup:
    """Every metric of every system, with intervals."""
    spoken = ", ".join(f"{name} {figure(entry.of(system).value(MAIN_METRIC))}" for system, name in SYSTEMS.items())
    return MarkChart(
        ident=ident,
        title="Retrieval figures by metric and system",
        description=f"Dots are means, whiskers 95 % intervals. MRR@10: {spoken}. The table below has every value.",
        x_label="share of the best possible",
        groups=[(name, marks(entry, metric)) for metric, name in METRICS.items()],
    ).svg()


def groups_chart(groups: Mapping[str, Systems], kind: str, ident: str) -> Markup:
    """MRR@10 of every system in the largest groups, with intervals."""
    largest = sorted(sorted(groups, key=lambda name: -groups[name].n)[:MOST_GROUPS])
    named = [(f"{_shown(name, kind)} ({count(groups[name].n)})", marks(groups[name], MAIN_METRIC)) for name in largest]
    best = max(largest, key=lambda name: groups[name].hybrid.mrr)
    worst = min(largest, key=lambda name: groups[name].hybrid.mrr)
    return MarkChart(
        ident=ident,
        title=f"MRR@10 by {kind} and system",
        description=f"Dots are means, whiskers 95 % intervals. Hybrid is best on {best} "
        f"({figure(groups[best].hybrid.mrr)}) and worst on {worst} ({figure(groups[worst].hybrid.mrr)}).",
        x_label="MRR@10",
        groups=named,
    ).svg()


def _shown(name: str, kind: str) -> str:
    return language(name) if kind == "language" else name


def looks_chart(run: EncoderRun) -> Markup:
    """MRR@10 on the validation pairs by step, beside BM25, which does not learn."""
    model = [(float(row.step), row.model) for row in run.looks]
    series = [Series("model", "model", "dot", thinned(model, 300))]
    baseline = [(float(row.step), row.bm25) for row in run.looks if row.bm25 is not None]
    said = ""
    if baseline:
        ends = [(0.0, baseline[0][1]), baseline[-1]]
        series.append(Series("BM25", BASELINE, "ring", ends, flat=True))
        said = f" BM25 stays at {figure(baseline[-1][1])}."
    best = best_look(run)
    return LineChart(
        ident="validation",
        title="MRR@10 on the validation sources by step",
        description=f"The model goes from {figure(model[0][1])} to {figure(model[-1][1])}; its best is "
        f"{figure(best[1])} at step {count(best[0])}.{said}",
        y_label="MRR@10 of the model alone, on validation sources",
        series=series,
    ).svg()


def best_look(run: EncoderRun) -> tuple[int, float]:
    """Step and MRR@10 of the checkpoint that was kept: the first of the best, as the trainer chooses."""
    best = max(run.looks, key=lambda row: row.model)
    return best.step, best.model


def speed_chart(rows: Sequence[BackendRow], winner: str | None) -> Markup:
    """Texts a second of each backend, the fastest in the colour of the model."""
    bars = [
        Bar(
            BACKENDS.get(row.backend, row.backend),
            row.texts_per_second,
            f"{count(row.texts_per_second)} texts/s",
            "model" if row.backend == winner else "bm25",
        )
        for row in rows
    ]
    return BarChart(
        ident="speed",
        title="Texts encoded a second, by backend",
        description="; ".join(f"{bar.name} {bar.text}" for bar in bars) + ".",
        bars=bars,
    ).svg()


def verdict(entry: EvaluationSet) -> str:
    """What the evaluation says, in a sentence that its interval allows."""
    difference = entry.difference_to_bm25["hybrid"]
    low, high = difference.ci95
    by = f"{signed(difference.mrr)} MRR@10 (95 % interval {signed(low)} to {signed(high)})"
    if low > 0:
        return f"The model fused with BM25 ranks the right function higher than BM25 alone: {by}."
    if high < 0:
        return f"The model fused with BM25 ranks the right function lower than BM25 alone: {by}."
    return f"The model fused with BM25 cannot be told from BM25 alone: {by}, and the interval holds zero."
