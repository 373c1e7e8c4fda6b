"""Scorers that are quick and understood: what a service does with one is what is tested."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from codefit.models.scorers import Estimate

SECONDS = 60.0


class ByLength:
    """The longer the code, the higher its score; code that says `unreadable` has no answer, `defect` raises."""

    name = "by length"

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[str]]] = []
        self.gate = threading.Event()  # while it is not set, a batch waits
        self.gate.set()

    def score(self, codes: Sequence[str], language: str) -> list[Estimate]:
        """Estimates, with an interval of one to either side."""
        self.batches.append((language, list(codes)))
        assert self.gate.wait(SECONDS)
        if any("defect" in code for code in codes):
            raise RuntimeError("out of memory")
        return [self._estimate(code) for code in codes]

    def _estimate(self, code: str) -> Estimate:
        if "unreadable" in code:
            return Estimate(error="the answer holds no score")
        score = min(10.0, 1 + len(code) / 50)
        return Estimate(score, max(1.0, score - 1), min(10.0, score + 1))
