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


def score_by_language(scorer: Scorer, codes: Sequence[str], languages: Sequence[str]) -> list[Estimate]:
    """The estimates of functions in several languages, in order; a scorer is asked once a language."""
    found: dict[int, Estimate] = {}
    for language in dict.fromkeys(languages):
        own = [number for number, each in enumerate(languages) if each == language]
        found.update(zip(own, scorer.score([codes[number] for number in own], language), strict=True))
    return [found[number] for number in range(len(codes))]
