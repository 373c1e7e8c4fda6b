"""The charts of the run of a ranker of repairs, from its figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from codefit.run.report.charts import Bar, BarChart, LineChart, Mark, MarkChart, Series, thinned
from codefit.run.report.formats import count, figure, signed, surprise
from codefit.run.report.load import RepairRun
from codefit.run.report.repair_shapes import (
    METRICS,
    ORDERS,
    ByOrder,
    ListsRow,
    Proposer,
    Ranked,
    RepairEvaluation,
    Variant,
)

# Colour and shape go together, on every chart alike.
LOOK_OF: Mapping[str, str] = {"model": "model", "edits": "hybrid", "ngrams": "bm25", "random": "run-4"}
SHAPE_OF: Mapping[str, str] = {"model": "dot", "edits": "diamond", "ngrams": "ring", "random": "cross"}
RANKS = (1, 3, 10, 30, 100, 300, 1_000)  # that stand at the axis of ranks
MOST_GROUPS = 12  # on a chart; the table beneath it has all


def orders_chart(orders: ByOrder) -> Markup:
    """Every metric of every order, with intervals."""
    spoken = ", ".join(f"{name} {figure(orders.of(order).p_1)}" for order, name in ORDERS.items())
    return MarkChart(
        ident="orders",
        title="Figures by metric and order",
        description=f"Dots are means, whiskers 95 % intervals. P@1: {spoken}. The table below has every value.",
        x_label="share of strings, and MRR",
        groups=[
            (
                name,
                [
                    Mark(told, LOOK_OF[order], SHAPE_OF[order], found.value(metric), found.ci95.get(metric))
                    for order, told in ORDERS.items()
                    for found in (orders.of(order),)
                ],
            )
            for metric, name in METRICS.items()
        ],
    ).svg()


def curve_chart(evaluation: RepairEvaluation) -> Markup | None:
    """The share of strings whose repair is among the first k, over a logarithmic axis of k; None where there is none.

    It ends where lists do: beyond, every order is the same.
    """
    series = []
    for order in ORDERS:
        points = [(math.log10(k), share) for k, share in evaluation.curve.get(order, []) if k <= evaluation.limit]
        if len(points) > 1:
            series.append(Series(ORDERS[order], LOOK_OF[order], SHAPE_OF[order], points))
    if not series:
        return None
    first = ", ".join(f"{one.name} {figure(one.points[0][1])}" for one in series)
    return LineChart(
        ident="curve",
        title="Share of repairs among the first k, by order",
        description=f"At k = 1: {first}. At the last k: {figure(series[0].points[-1][1])}.",
        y_label="share of strings whose repair is among the first k",
        x_label="k, on a logarithmic axis",
        series=series,
        x_ticks=[(math.log10(k), count(k)) for k in RANKS],
    ).svg()


def groups_chart(groups: Mapping[str, Ranked], kind: str, names: Mapping[str, str]) -> Markup:
    """P@1 of the model in each group, with intervals; `names` are what the groups are called."""
    shown = list(groups)[:MOST_GROUPS]
    best = max(shown, key=lambda name: groups[name].p_1)
    worst = min(shown, key=lambda name: groups[name].p_1)
    return MarkChart(
        ident=f"by-{kind}",
        title=f"P@1 by {kind}",
        description=f"Dots are means, whiskers 95 % intervals. Best for {names[best]} ({figure(groups[best].p_1)}), "
        f"worst for {names[worst]} ({figure(groups[worst].p_1)}).",
        x_label="P@1 of the model",
        groups=[
            (
                f"{names[name]} ({count(groups[name].count or 0)})",
                [Mark("model", "model", "dot", groups[name].p_1, groups[name].ci95.get("p@1"))],
            )
            for name in shown
        ],
    ).svg()


def perplexity_chart(proposer: Proposer) -> Markup:
    """How surprising repairs are to n-grams of different code; those that are used have the colour of the model."""
    bars = [
        Bar(name, value, surprise(value), "bm25" if number else "model")
        for number, (name, value) in enumerate(proposer.perplexity.items())
    ]
    return BarChart(
        ident="perplexity",
        title="Perplexity of repairs, by what the n-grams were counted on",
        description="; ".join(f"{bar.name} {bar.text}" for bar in bars) + ". Lower is better.",
        bars=bars,
    ).svg()


def looks_chart(run: RepairRun) -> Markup:
    """MRR of the lists that choose the model by step, beside the order of n-grams and edits, which does not change."""
    model = [(float(row.step), row.mrr) for row in run.looks]
    series = [Series("model", "model", "dot", thinned(model, 300))]
    said = ""
    if run.lists is not None:
        value = run.lists.edits.mrr
        series.append(
            Series("n-grams and edits", LOOK_OF["edits"], SHAPE_OF["edits"], [(0.0, value), (model[-1][0], value)],
                   flat=True)
        )  # fmt: skip
        said = f" n-grams and edits stay at {figure(value)}."
    best = best_look(run.looks)
    return LineChart(
        ident="validation",
        title="MRR of the lists that choose the model, by step",
        description=f"The model goes from {figure(model[0][1])} to {figure(model[-1][1])}; its best is "
        f"{figure(best.mrr)} at step {count(best.step)}.{said}",
        y_label="MRR of the lists that choose the model",
        series=series,
    ).svg()


def best_look(looks: Sequence[ListsRow]) -> ListsRow:
    """The look at the checkpoint that was kept: the first of the best."""
    return max(looks, key=lambda row: row.mrr)


def variants_chart(variants: Sequence[Variant]) -> Markup:
    """MRR of each variant, with intervals."""
    best = max(variants, key=lambda one: one.mrr)
    return MarkChart(
        ident="variants",
        title="MRR by variant",
        description=f"Dots are means, whiskers 95 % intervals. The best is {best.name} ({figure(best.mrr)}).",
        x_label="MRR of the lists that choose the model",
        groups=[
            (one.name, [Mark("variant", *_look(number), one.mrr, one.ci95)]) for number, one in enumerate(variants)
        ],
        zero=False,
    ).svg()


def differences_chart(variants: Sequence[Variant]) -> Markup | None:
    """What each variant is better by than the recipe itself, paired; None where there is no variant."""
    others = list(enumerate(variants))[1:]
    if not others:
        return None
    spoken = ", ".join(f"{one.name} {signed(one.difference.mean)}" for _, one in others)
    return MarkChart(
        ident="differences",
        title="Difference of MRR to the recipe itself, by variant",
        description=f"Dots are means of paired differences, whiskers 95 % intervals: {spoken}.",
        x_label="MRR less that of the recipe",
        groups=[
            (one.name, [Mark("variant", *_look(number), one.difference.mean, one.difference.ci95)])
            for number, one in others
        ],
        write=signed,
    ).svg()


def _look(number: int) -> tuple[str, str]:
    """The recipe itself in the model's colour, n-grams and edits in theirs, variants in a third."""
    return (
        (LOOK_OF["model"], SHAPE_OF["model"]),
        (LOOK_OF["edits"], SHAPE_OF["edits"]),
        ("run-3", "square"),
    )[min(number, 2)]
