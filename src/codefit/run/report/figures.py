"""The charts of one run, from its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from codefit.run.report.charts import Bar, BarChart, LineChart, Mark, MarkChart, Series, smoothed, thinned
from codefit.run.report.formats import count, duration, figure, language, signed
from codefit.run.report.load import Run
from codefit.run.report.shapes import (
    BASELINE,
    MAIN_METRIC,
    METRICS,
    SYSTEMS,
    BackendRow,
    EvaluationSet,
    Systems,
    TokenizerReport,
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


def loss_chart(run: Run) -> Markup:
    """The training loss by step: each step pale, the mean of its neighbours over it."""
    points = [(float(row.step), row.loss) for row in run.steps]
    mean = smoothed(points)
    return LineChart(
        ident="loss",
        title="Training loss by step",
        description=f"The loss goes from {points[0][1]:.2f} at step {run.steps[0].step} to {mean[-1][1]:.2f} at step "
        f"{count(run.steps[-1].step)}.",
        y_label="contrastive loss",
        series=[Series("loss", "model", "dot", mean, faint=thinned(points))],
        digits=2,
    ).svg()


def looks_chart(run: Run) -> Markup:
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


def best_look(run: Run) -> tuple[int, float]:
    """Step and MRR@10 of the checkpoint that was kept: the first of the best, as the trainer chooses."""
    best = max(run.looks, key=lambda row: row.model)
    return best.step, best.model


def density_chart(report: TokenizerReport) -> Markup | None:
    """Tokens a byte by language beside a plain byte-level BPE; None where that was not learned."""
    groups: list[tuple[str, Sequence[Mark]]] = []
    for name, row in sorted(report.languages.items()):
        if row.plain_tokens_per_byte is not None:
            plain = Mark("plain BPE", "bm25", "ring", row.plain_tokens_per_byte)
            groups.append((language(name), [plain, Mark("this tokenizer", "model", "dot", row.tokens_per_byte)]))
    if not groups:
        return None
    return MarkChart(
        ident="density",
        title="Tokens a byte by language",
        description="This tokenizer beside a plain byte-level BPE of the same size; fewer tokens are better.",
        x_label="tokens a byte, fewer is better",
        groups=groups,
    ).svg()


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


def stages_chart(run: Run) -> Markup | None:
    """How long each stage took; None where no stage has."""
    timed = [(stage.name, stage.seconds) for stage in run.record.stages if stage.seconds]
    if not timed:
        return None
    bars = [Bar(name, seconds, duration(seconds)) for name, seconds in timed]
    return BarChart(
        ident="stages",
        title="Time of each stage",
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
