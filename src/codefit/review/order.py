"""In which order functions are shown, and which of them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from codefit.errors import InputError
from codefit.review.rows import Function

SHOWN = 30  # functions or files that people are shown where nobody says how many
SCORE, PATH, NAME = "score", "path", "name"
FIGURES = (
    *("cyclomatic", "cognitive", "nesting", "parameters", "lines", "tokens", "ccn", "maintainability"),
    *("halstead_volume", "halstead_difficulty", "halstead_effort"),
)
SORTS = (SCORE, PATH, NAME, *FIGURES)
BETTER_HIGH = ("maintainability",)

F = TypeVar("F", bound=Function)


@dataclass(frozen=True, slots=True)
class Selection:
    """What of the functions is shown: the order, how many of the first (0: all), and from which score on."""

    sort: str | None = None
    top: int | None = None
    least: float | None = None

    def check(self) -> None:
        """Raise `InputError` where there is no such order."""
        if self.sort is not None and self.sort not in SORTS:
            near = difflib.get_close_matches(self.sort, SORTS, n=1)
            fix = f"did you mean {near[0]}?" if near else f"one of {', '.join(SORTS)}"
            raise InputError(f"functions cannot be sorted by {self.sort!r}", fix=fix)

    def for_people(self, functions: Sequence[F]) -> list[F]:
        """The functions as a person wants them: the worst first, and not all of them."""
        rows = ordered(self._kept(functions), self.sort or SCORE)
        most = SHOWN if self.top is None else self.top
        return rows[:most] if most else rows

    def for_programs(self, functions: Sequence[F]) -> list[F]:
        """The functions as JSON has them: all in the order of path and line, unless asked for otherwise."""
        kept = self._kept(functions)
        if self.sort is None and not self.top:
            return ordered(kept, PATH)
        rows = ordered(kept, self.sort or SCORE)
        return rows[: self.top] if self.top else rows

    def _kept(self, functions: Sequence[F]) -> list[F]:
        return [each for each in functions if self.least is None or each.score >= self.least]


def ordered(functions: Sequence[F], sort: str) -> list[F]:
    """The functions by path, by name, or by a figure, the worst first; those that are equal by path and line."""
    rows = sorted(functions, key=lambda each: (each.path, each.line))
    if sort == NAME:
        return sorted(rows, key=lambda each: each.qualified)
    if sort == PATH:
        return rows
    sign = 1 if sort in BETTER_HIGH else -1
    return sorted(rows, key=lambda each: sign * each.figure(sort))
