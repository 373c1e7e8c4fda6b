"""Why a function is as complex as it is: every increment at its line."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UnsetType

from codefit.review.rows import Function, Step
from codefit.review.text import Look, counted, ending, place_of

LINE_WIDTH = 6  # of a line's number, with two spaces after it
NARROWEST_SOURCE = 20


def explanation_text(function: Function, look: Look) -> str:
    """A function's figures, then what adds to them, line by line with the source."""
    steps: Sequence[Step] = () if isinstance(function.increments, UnsetType) else function.increments
    figures = function.metrics
    name = ending(function.qualified, max(8, look.width - len(place_of(function)) - 2))
    lines = [
        f"{place_of(function)}  {look.paint(name, 'bold')}",
        f"score {look.paint(f'{function.score:.1f} {function.label}', function.label)}: "
        f"cognitive {figures['cognitive']}, cyclomatic {figures['cyclomatic']}, nesting {figures['nesting']}, "
        f"{counted(int(figures['parameters']), 'parameter')}, {counted(int(figures['lines']), 'line')}",
    ]
    reasons = [step_text(step) for step in steps]
    width = max(map(len, reasons), default=0)
    room = max(NARROWEST_SOURCE, look.width - LINE_WIDTH - width - 4)
    shown = 0
    for step, reason in zip(steps, reasons, strict=True):
        source = "" if step.line == shown else beginning(step.source, room)
        number = "" if step.line == shown else str(step.line)
        lines.append(
            f"{number:>{LINE_WIDTH}}  {reason:<{width}}  {look.paint(source, 'dim') if source else ''}".rstrip()
        )
        shown = step.line
    if not steps:
        lines.append(f"{'':>{LINE_WIDTH}}  nothing adds to its complexity")
    return "\n".join(lines)


def step_text(step: Step) -> str:
    """What an increment adds and why: `+2 (incl. 1 for nesting) if`."""
    if not step.cognitive:
        return f"+{step.cyclomatic} cyclomatic alone: {step.what}"
    nesting = f" (incl. {step.nesting} for nesting)" if step.nesting else ""
    return f"+{step.cognitive}{nesting} {step.what}"


def beginning(text: str, most: int) -> str:
    """Text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
