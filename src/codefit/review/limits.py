"""Limits that functions must keep, and which of them are broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from codefit.review.rows import Function

INCREASE = "increase"


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a function may have of each figure, None for no limit; `increase` is of a change to its score."""

    score: float | None = None
    cognitive: float | None = None
    cyclomatic: float | None = None
    increase: float | None = None

    @property
    def are_given(self) -> bool:
        """Whether there is any."""
        return bool(self.to_dict())

    def to_dict(self) -> dict[str, float]:
        """Those that are given, by the figure that they are of."""
        each = {
            "score": self.score,
            "cognitive": self.cognitive,
            "cyclomatic": self.cyclomatic,
            INCREASE: self.increase,
        }
        return {figure: limit for figure, limit in each.items() if limit is not None}

    def broken_by(self, function: Function, increase: float | None = None) -> Iterator[Breach]:
        """What a function breaks; `increase` is what a change added to its score."""
        for figure in ("score", "cognitive", "cyclomatic"):
            limit = getattr(self, figure)
            if limit is not None and function.figure(figure) > limit:
                yield Breach(function, figure, function.figure(figure), limit)
        if self.increase is not None and increase is not None and increase > self.increase:
            yield Breach(function, INCREASE, increase, self.increase)


@dataclass(frozen=True, slots=True)
class Breach:
    """A function with the figure that is above its limit."""

    function: Function
    figure: str
    value: float
    limit: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        place = self.function
        return {
            "path": place.path,
            "line": place.line,
            "name": place.name,
            "qualified": place.qualified,
            "figure": self.figure,
            "value": self.value,
            "limit": self.limit,
        }

    def text(self) -> str:
        """What is above which limit, in words."""
        what = "the score grew by" if self.figure == INCREASE else self.figure
        return f"{what} {self.value:g} (limit {self.limit:g})"


def breaches(functions: Iterable[Function], limits: Limits) -> list[Breach]:
    """Every limit that is broken, function by function."""
    return [breach for each in functions for breach in limits.broken_by(each)]
