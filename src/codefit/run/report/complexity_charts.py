"""The charts of the run of scorers of complexity, from its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from codefit.run.report.charts import Bar, BarChart, LineChart, Mark, MarkChart, Series, thinned
from codefit.run.report.complexity_shapes import (
    BROKEN,
    ENSEMBLE,
    MODEL_PREFIX,
    AnswerRow,
    ComplexityEvaluation,
    Scored,
    ScoreRow,
    ScoresRow,
    interval,
)
from codefit.run.report.formats import count, figure, share
from codefit.run.report.score_grid import Panel, ScoreGrid

# Colour and shape go together, on every chart alike: what computes, what reads metrics, what reads code, all together.
KINDS: Mapping[str, str] = {
    "exact": "computes the score",
    "metrics": "learned, reads metrics",
    "code": "learned, reads code",
    "ensemble": "the ensemble",
}
LOOK_OF: Mapping[str, str] = {"exact": "hybrid", "metrics": "bm25", "code": "model", "ensemble": "run-3"}
SHAPE_OF: Mapping[str, str] = {"exact": "diamond", "metrics": "ring", "code": "dot", "ensemble": "square"}
VARIANT_LOOKS: Mapping[str, tuple[str, str]] = {
    BROKEN: ("run-2", "triangle"),
    "renamed": ("run-1", "dot"),
    "laid out anew": ("run-3", "square"),
}
OTHER_LOOK = ("run-4", "cross")
NOT_LEARNED = ("constant", "lines of code")  # next to nothing is learned there: a square of them would say nothing


def kind_of(one: Scored) -> str:
    """The kind of a scorer, of `KINDS`."""
    if one.is_exact:
        return "exact"
    if one.name == ENSEMBLE:
        return "ensemble"
    return "code" if one.reads_code else "metrics"


def scorers_chart(evaluation: ComplexityEvaluation) -> Markup | None:
    """The mean absolute error of each scorer that answered, with intervals."""
    measured = [(one, one.mae) for one in evaluation.scorers if one.mae is not None]
    if not measured:
        return None
    spoken = ", ".join(f"{one.name} {figure(mae[0])}" for one, mae in measured)
    return MarkChart(
        ident="scorers",
        title="Mean absolute error by scorer",
        description=f"Marks are means, whiskers 95 % intervals: {spoken}.",
        x_label="mean absolute error, lower is better",
        groups=[
            (one.name, [Mark(one.name, LOOK_OF[kind_of(one)], SHAPE_OF[kind_of(one)], mae[0], interval(mae))])
            for one, mae in measured
        ],
    ).svg()


def learned(evaluation: ComplexityEvaluation) -> list[Scored]:
    """The scorers that learned something and answered."""
    return [
        one for one in evaluation.scorers if one.mae is not None and not one.is_exact and one.name not in NOT_LEARNED
    ]


def grid_chart(evaluation: ComplexityEvaluation, scores: Sequence[ScoresRow]) -> Markup | None:
    """The score of each function by each learned scorer against the true one; None where no scores are there."""
    panels = []
    for one in learned(evaluation):
        pairs = [(row.truth, found[0]) for row in scores if (found := row.scores.get(one.name)) is not None]
        known = [(truth, score) for truth, score in pairs if score is not None]
        if known:
            panels.append(Panel(one.name, one.name.replace(MODEL_PREFIX, "model"), LOOK_OF[kind_of(one)], known))
    if not panels:
        return None
    told = ", ".join(f"{panel.name} {count(len(panel.pairs))}" for panel in panels)
    return ScoreGrid(
        ident="grid",
        title="Score against the true score, by learned scorer",
        description=f"Functions by true score and score said, in cells of half a point: {told}. On the diagonal both "
        "are the same. The table below has the errors by true score.",
        panels=panels,
    ).svg()


def varied_chart(evaluation: ComplexityEvaluation) -> Markup | None:
    """The error against the original's label by scorer, for each way to write functions otherwise."""
    names = list(dict.fromkeys(one.name for one in evaluation.robustness))
    if not names:
        return None
    groups = []
    for name in names:
        own = [one for one in evaluation.robustness if one.name == name]
        groups.append((name, [Mark(one.kind, *look_of(one.kind), one.mae[0], interval(one.mae)) for one in own]))
    broken = ", ".join(f"{one.name} {figure(one.mae[0])}" for one in evaluation.robustness if one.kind == BROKEN)
    return MarkChart(
        ident="varied",
        title="Error against the original's label, by scorer and by what was changed",
        description=f"Marks are means, whiskers 95 % intervals. Of broken functions: {broken or 'none'}. The table "
        "below has every value.",
        x_label="mean absolute error, lower is better",
        groups=groups,
    ).svg()


def look_of(kind: str) -> tuple[str, str]:
    """Colour and shape of a way to write functions otherwise."""
    return VARIANT_LOOKS.get(kind, OTHER_LOOK)


def looks_chart(looks: Sequence[ScoreRow]) -> Markup:
    """The encoder's error on the functions that choose it, by step."""
    points = [(float(row.step), row.mae) for row in looks]
    best = best_look(looks)
    return LineChart(
        ident="validation",
        title="Mean absolute error on the functions that choose the encoder, by step",
        description=f"From {figure(points[0][1])} to {figure(points[-1][1])}; the best is {figure(best.mae)} at step "
        f"{count(best.step)}.",
        y_label="mean absolute error",
        series=[Series("encoder", "model", "dot", thinned(points, 300))],
    ).svg()


def best_look(looks: Sequence[ScoreRow]) -> ScoreRow:
    """The look at the checkpoint that was kept: the first of the lowest error."""
    return min(looks, key=lambda row: row.mae)


def answers_chart(looks: Sequence[AnswerRow]) -> Markup:
    """The loss of an answer's token in the chats that choose the adapter, by step."""
    points = [(float(row.step), row.loss) for row in looks]
    best = best_answers(looks)
    return LineChart(
        ident="answers-validation",
        title="Loss of an answer's token in the chats that choose the adapter, by step",
        description=f"From {figure(points[0][1])} to {figure(points[-1][1])} nats; the best is {figure(best.loss)} at "
        f"step {count(best.step)}.",
        y_label="loss of the validation answers, nats a token",
        series=[Series("language model", "model", "dot", thinned(points, 300))],
    ).svg()


def best_answers(looks: Sequence[AnswerRow]) -> AnswerRow:
    """The look at the adapter that was kept: the first of the lowest loss."""
    return min(looks, key=lambda row: row.loss)


def weights_chart(weights: Mapping[str, float]) -> Markup:
    """How much each member weighs in the ensemble."""
    bars = [Bar(name, weight, share(weight)) for name, weight in weights.items()]
    return BarChart(
        ident="weights",
        title="Weights of the ensemble's members",
        description="; ".join(f"{bar.name} {bar.text}" for bar in bars) + ".",
        bars=bars,
    ).svg()
