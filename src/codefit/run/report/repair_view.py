"""What the page of a ranker of repairs shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from codefit.run.report import language_charts, run_charts
from codefit.run.report import repair_charts as charts
from codefit.run.report.formats import count, share, signed, signed_span
from codefit.run.report.load import RepairRun
from codefit.run.report.parts import Part, common_view
from codefit.run.report.repair_published import edits, published_rows
from codefit.run.report.repair_shapes import METRICS, ORDERS, RepairEvaluation, RepairManifest, Variant
from codefit.run.report.shapes import TrainRow
from codefit.run.report.svg import swatch

# What each number means, in a line for somebody who sees it for the first time.
MEANINGS = {
    "P@k": "The share of broken strings whose true repair, the one that their author made, is among the first k "
    "candidates. A repair that was not found at all is a miss.",
    "P@all": "The share whose repair is among the candidates at all: no order of them can do better.",
    "MRR": "One divided by the rank of the true repair, 0 where it was not found, averaged: 1 is always first, 0.5 is "
    "what always second would give.",
    "95 % interval": "Where the figure would fall in 95 of 100 repetitions with other strings of the same kind "
    "(bootstrap). Of a difference, it is taken string by string.",
    "Model": "The trained network, which orders what n-grams and edits propose.",
    "n-grams and edits": "The order in which candidates are proposed: how likely the repaired string is, and how "
    "likely people make the mistakes that the repair undoes. The figure to beat.",
    "n-grams alone": "How likely the repaired string is by token, whatever was changed.",
    "Chance": "The same candidates in an order that is drawn.",
    "Distance": "The fewest tokens that must be inserted, deleted or replaced to get from the broken string to its "
    "repair.",
    "In reach": "At most one edit more than the fewest that give a sentence of Python, and at most three: what the "
    "search looks for.",
}

# What names tell of an edit: the kinds of clues of `codefit.tasks.repairs.names`.
CLUES = {
    "same": "A name becomes the keyword that it is but for case, or in another language",
    "near": "A name becomes the keyword that it nearly is",
    "open": "A bracket opens behind a statement of Python 2 that is a call now",
    "close": "The bracket closes at the end of its line",
}


def repair_view(run: RepairRun) -> dict[str, Any]:
    """What the template shows."""
    view = common_view(run, _parts(run))
    evaluation = run.evaluation
    view["charts"] |= _charts(run)
    return {
        **view,
        "short": "short_repair.html",
        "metrics": METRICS,
        "orders": ORDERS,
        "meanings": MEANINGS,
        "clues": CLUES,
        "legend": {order: swatch(charts.SHAPE_OF[order], charts.LOOK_OF[order]) for order in ORDERS},
        "verdict": verdict(evaluation) if evaluation is not None else [],
        "recall": recall_words(evaluation) if evaluation is not None else None,
        "groups": _groups(evaluation) if evaluation is not None else [],
        "published": published_rows(evaluation) if evaluation is not None else [],
        "best_look": charts.best_look(run.looks) if run.looks else None,
        "best_pretraining": language_charts.best_look(run.pretraining_looks) if run.pretraining_looks else None,
        "pretraining_speed": language_charts.speed_of(run.pretraining),
        "padding": _padding(run.pretraining),
        "variants": [(one, changes(one)) for one in run.variants.variants] if run.variants is not None else [],
        "read": _read(run.manifest) if run.manifest is not None else [],
    }


def _parts(run: RepairRun) -> Sequence[Part]:
    """The parts of the run's page: those whose stages its recipe has."""
    parts = [Part("ranking", "Ranking", "ranking.html"), Part("proposer", "What proposes", "proposer.html")]
    if run.has_stage("pretraining"):
        parts.append(Part("pretraining", "Pre-training", "pretraining.html"))
    parts.append(Part("training", "Training", "training_repair.html"))
    if run.has_stage("variants"):
        parts.append(Part("variants", "Variants", "variants.html"))
    return [*parts, Part("export", "Export", "export_repair.html"), Part("data", "Data receipt", "data_repairs.html")]


def _charts(run: RepairRun) -> dict[str, Any]:
    drawn: dict[str, Any] = {}
    if run.evaluation is not None:
        drawn["orders"] = charts.orders_chart(run.evaluation.orders)
        drawn["curve"] = charts.curve_chart(run.evaluation)
    if run.proposer is not None and run.proposer.perplexity:
        drawn["perplexity"] = charts.perplexity_chart(run.proposer)
    if run.pretraining:
        drawn["pretraining"] = run_charts.loss_chart(
            run.pretraining, "loss, nats a token", ident="pretraining-loss", title="Pre-training loss by step"
        )
    if run.pretraining_looks:
        drawn["pretraining_looks"] = language_charts.looks_chart(
            run.pretraining_looks, ident="pretraining-looks", of="the snippets held out"
        )
    if run.steps:
        drawn["loss"] = run_charts.loss_chart(run.steps, "loss, nats a list")
    if run.looks:
        drawn["looks"] = charts.looks_chart(run)
    if run.variants is not None and run.variants.variants:
        drawn["variants"] = charts.variants_chart(run.variants.variants)
        drawn["differences"] = charts.differences_chart(run.variants.variants)
    return drawn


def _groups(evaluation: RepairEvaluation) -> list[dict[str, Any]]:
    """The strings by distance and by length, what each group is called, and the chart of each kind."""
    by_kind = {
        "distance": (evaluation.by_distance, {name: edits(name) for name in evaluation.by_distance}),
        "length": (evaluation.by_length, {name: f"{name} tokens" for name in evaluation.by_length}),
    }
    return [
        {"kind": kind, "rows": rows, "names": names, "chart": charts.groups_chart(rows, kind, names)}
        for kind, (rows, names) in by_kind.items()
        if rows
    ]


def _padding(steps: Sequence[TrainRow]) -> float | None:
    """The median share of filling of a batch; None where no step says it."""
    shares = [row.padding for row in steps if row.padding is not None]
    return median(shares) if shares else None


def changes(variant: Variant) -> list[tuple[str, str]]:
    """The fields in which a variant differs from its recipe, each with its value."""
    changed = variant.changed
    found = [] if changed.get("pretrained", True) else [("pretrained", "no")]
    for section in ("model", "train"):
        fields = changed.get(section, {})
        found += [(f"{section}.{field}", str(value)) for field, value in fields.items()]
    return found


def _read(manifest: RepairManifest) -> list[str]:
    """What the data was read from, in words."""
    return [
        Path(name).name
        if isinstance(found, str)
        else f"{'this Python environment' if name == 'env' else name} ({count(found.documents)} files)"
        for name, found in manifest.inputs.items()
    ]


def verdict(evaluation: RepairEvaluation) -> list[str]:
    """What the evaluation says, in sentences that its intervals allow."""
    model = evaluation.orders.model
    first = (
        f"The first repair it proposes is the author's own for {share(model.p_1)} of {count(evaluation.n)} broken "
        f"strings that training never saw (95 % interval {_shares(model.ci95, 'p@1')}), and it is among the first ten "
        f"for {share(model.p_10)} ({_shares(model.ci95, 'p@10')})."
    )
    return [first, _over_edits(evaluation)]


def _shares(intervals: Mapping[str, tuple[float, float]], metric: str) -> str:
    low, high = intervals[metric]
    return f"{share(low)} to {share(high)}"


def _over_edits(evaluation: RepairEvaluation) -> str:
    found = evaluation.over_edits
    by = f"{signed(found.mean)} MRR (95 % interval {signed_span(found.interval)})"
    if found.low > 0:
        return f"The model ranks the true repair higher than n-grams and edits alone: {by}."
    if found.high < 0:
        return f"The model ranks the true repair lower than n-grams and edits alone: {by}."
    return f"The model cannot be told from n-grams and edits alone: {by}, and the interval holds zero."


def recall_words(evaluation: RepairEvaluation) -> str:
    """How often the search finds what it looks for, as a sentence."""
    found = evaluation.candidates
    within = f"The true repair is in reach of the search for {share(found.in_reach)} of the strings"
    if found.recall_in_reach is None or found.recall_in_reach_ci95 is None:
        return f"{within}."
    return (
        f"{within}; of these it is among the candidates for {share(found.recall_in_reach)} (95 % interval "
        f"{' to '.join(map(share, found.recall_in_reach_ci95))}). Half of the strings have {count(found.median)} "
        f"candidates or more; the search came to its end within {evaluation.seconds:g} s for "
        f"{share(evaluation.complete)}."
    )
