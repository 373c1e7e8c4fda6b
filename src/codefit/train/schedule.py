"""Learning-rate schedules, as a factor of the peak rate."""

from __future__ import annotations

import math
from typing import Literal

Schedule = Literal["linear", "cosine", "constant"]


def rate_factor(step: int, total: int, *, warmup: int, schedule: Schedule) -> float:
    """Factor for step 0 … total-1: rises linearly over `warmup` steps, then falls to 0 (or stays)."""
    if step < warmup:
        return (step + 1) / warmup
    if schedule == "constant":
        return 1.0
    left = 1 - (step - warmup) / max(1, total - warmup)
    return left if schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left))
