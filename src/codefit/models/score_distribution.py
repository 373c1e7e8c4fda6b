"""How likely each of the 91 scores is, and what is said of that: mean, median, an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codefit.models.scorers import Estimate
from codefit.tasks.complexity.chat import SCORES

VALUES = np.array([float(score) for score in SCORES])
DEFAULT_INTERVAL = 0.9
ROUNDING = 1e-9  # of sums of probabilities


@dataclass(frozen=True, slots=True)
class ScoreDistribution:
    """Probabilities (91,) of the scores from 1.0 to 10.0, which sum to 1."""

    probabilities: npt.NDArray[np.float64]

    @property
    def mean(self) -> float:
        """The expectation: of all single numbers the one with the least squared error."""
        return float(self.probabilities @ VALUES)

    @property
    def median(self) -> float:
        """The score with half of the probability on either side: the one with the least absolute error."""
        return self.quantile(0.5)

    @property
    def likeliest(self) -> float:
        """The likeliest score, the lowest of several."""
        return float(VALUES[self.probabilities.argmax()])

    def quantile(self, share: float) -> float:
        """The lowest score that is not exceeded with at least this probability."""
        place = np.searchsorted(np.cumsum(self.probabilities), share - ROUNDING)
        return float(VALUES[min(int(place), len(VALUES) - 1)])

    def estimate(self, interval: float = DEFAULT_INTERVAL) -> Estimate:
        """The mean, with an interval that leaves out as much below as above."""
        outside = (1 - interval) / 2
        return Estimate(score=self.mean, low=self.quantile(outside), high=self.quantile(1 - outside))
