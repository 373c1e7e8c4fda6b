"""What scores how complex a function is: the interface of exact and learned scorers, and their answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Estimate:
    """A scorer's answer: a score from 1 to 10 with an interval where the scorer knows one, or why there is none.

    Just one of `score` and `error` is None: an answer that cannot be read is an error, never a number.
    """

    score: float | None = None
    low: float | None = None
    high: float | None = None
    error: str | None = None


class Scorer(Protocol):
    """Scores functions by their code alone."""

    @property
    def name(self) -> str:
        """What tables and answers call it."""

    def score(self, codes: Sequence[str], language: str) -> list[Estimate]:
        """An estimate a function, in order."""
