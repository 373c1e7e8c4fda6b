"""What the run of scorers of complexity comes to, in sentences that its intervals allow."""

from __future__ import annotations

from codefit.run.report.complexity_charts import learned
from codefit.run.report.complexity_shapes import (
    BROKEN,
    ENCODER,
    ENSEMBLE,
    FORMULA,
    LINES,
    SCORE,
    ComplexityEvaluation,
    ComplexityManifest,
    Measure,
    Scored,
    Varied,
    interval,
)
from codefit.run.report.formats import count, figure, small, span

ENOUGH = 20  # functions, below which an interval by bootstrap is too narrow to claim anything
PEOPLE = (
    "snippets allow no claim about people: the intervals say how little is known, and what is scored is made of "
    "branches, tokens and lines, not of how hard code was to read for somebody."
)
PUBLISHED = (
    "Those of the reference run and of what it was compared with, on other functions: they say what to expect of the "
    "task, and no difference to the table above is one of methods."
)


def with_interval(measure: Measure) -> str:
    """A figure with its interval in brackets."""
    return f"{figure(measure[0])} (95 % interval {span(interval(measure))})"


def verdict(evaluation: ComplexityEvaluation) -> list[str]:
    """What the evaluation says: first that the score is computed, then what is learned, then of broken code."""
    found = [exactly(evaluation), nearest(evaluation), of_broken(evaluation)]
    return [sentence for sentence in found if sentence]


def exactly(evaluation: ComplexityEvaluation) -> str:
    """How far the formula and `codefit complexity score` are from the scores that were measured against."""
    formula, score = evaluation.scorer(FORMULA), evaluation.scorer(SCORE)
    said = "The score is a formula, so that computing it is the best scorer there can be"
    told = []
    if formula is not None and formula.mae is not None:
        told.append(f"the formula is off by {_exact_error(formula.mae)} on {count(answered(formula))} functions")
    if score is not None and score.mae is not None:
        told.append(f"codefit complexity score, which counts as the language has it, by {_exact_error(score.mae)}")
    return f"{said}: {', '.join(told)}." if told else f"{said}."


def _exact_error(measure: Measure) -> str:
    return "nothing" if measure[2] < 5e-4 else with_interval(measure)


def nearest(evaluation: ComplexityEvaluation) -> str:
    """Which learned scorer comes nearest, beside lines of code alone."""
    own = learned(evaluation)
    if not own:
        return ""
    best = min(own, key=lambda one: one.mae[0] if one.mae is not None else 0.0)
    assert best.mae is not None
    told = f"Of what is learned, the smallest error is that of {_the(best.name)}, {with_interval(best.mae)}"
    if answered(best) != evaluation.n:
        told += f" over {count(answered(best))} functions"
    lines = evaluation.scorer(LINES)
    if lines is None or lines.mae is None:
        return f"{told}."
    return f"{told}; lines of code alone give {with_interval(lines.mae)}."


def of_broken(evaluation: ComplexityEvaluation) -> str:
    """Whether what reads code comes nearer than the formula where code does not parse; "" where that was not seen."""
    formula = evaluation.varied(FORMULA, BROKEN)
    if formula is None or formula.n < ENOUGH:
        return ""
    readers = [found for name in (ENCODER, ENSEMBLE) if (found := evaluation.varied(name, BROKEN))]
    readers = [one for one in readers if one.n - one.invalid >= ENOUGH]
    if not readers:
        return ""
    told = "Where a function lacks one sign and does not parse, the formula is off the score that it had by "
    told += with_interval(formula.mae)
    beside = [f"{_the(one.name)} by {with_interval(one.mae)}, which {_beside(one, formula)}" for one in readers]
    return f"{'; '.join([told, *beside])}."


def _beside(one: Varied, other: Varied) -> str:
    if one.mae[2] < other.mae[1]:
        return "is nearer"
    return "is farther" if one.mae[1] > other.mae[2] else "cannot be told from it"


def answered(one: Scored) -> int:
    """How many functions it has an answer for."""
    return one.n - one.invalid


def agreement(manifest: ComplexityManifest) -> list[str]:
    """How far the scores that the rows bring are those of the formula, a sentence a side."""
    sides = {"learn": "functions to learn from", "measure": "functions to measure on"}
    found = []
    for name, told in sides.items():
        own = manifest.labels.get(name)
        if own is None or not own.rows:
            continue
        same = f"Of {count(own.rows)} {told} {count(own.same)} bring the formula's score"
        mean = f"; on average the scores differ by {small(own.difference)}" if own.same < own.rows else ""
        found.append(f"{same}{mean}.")
    return found


def _the(name: str) -> str:
    return name if name == "boosted trees" else f"the {name}"
