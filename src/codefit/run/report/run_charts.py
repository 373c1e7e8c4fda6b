"""The charts that every run has: how it learned, how long each stage took, how dense its tokenizer is."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from codefit.run.report.charts import Bar, BarChart, LineChart, Mark, MarkChart, Series, smoothed, thinned
from codefit.run.report.formats import count, duration, language
from codefit.run.report.load import Run
from codefit.run.report.shapes import TokenizerReport, TrainRow


def loss_chart(
    steps: Sequence[TrainRow],
    y_label: str,
    dividers: Sequence[tuple[float, str]] = (),
    *,
    ident: str = "loss",
    title: str = "Training loss by step",
) -> Markup:
    """The training loss by step: each step pale, the mean of its neighbours over it; `dividers` mark stages."""
    points = [(float(row.step), row.loss) for row in steps]
    mean = smoothed(points)
    return LineChart(
        ident=ident,
        title=title,
        description=f"The loss goes from {points[0][1]:.2f} at step {steps[0].step} to {mean[-1][1]:.2f} at step "
        f"{count(steps[-1].step)}.",
        y_label=y_label,
        series=[Series("loss", "model", "dot", mean, faint=thinned(points))],
        digits=2,
        dividers=dividers,
    ).svg()


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
