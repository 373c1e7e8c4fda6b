"""A trend of complexity and hotspots, as a review of a repository gives them, with names that are hard to lay out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from codefit.corpus.manifest import Receipt
from codefit.review.blobs import Tally
from codefit.review.history import Point, Trend
from codefit.review.hotspots import Hotspot, Hotspots
from codefit.review.rows import Function

FIRST_DAY = datetime(2023, 6, 30, 12, tzinfo=UTC)


def tally(functions: int) -> Tally:
    """So many functions of every label."""
    labels = {"Simple": 6, "Moderate": 2, "Complex": 1, "Critical": 1}
    scores = {2.1: 6, 4.5: 2, 7.3: 1, 9.0: 1}
    return Tally(
        Counter({score: count * functions // 10 for score, count in scores.items()}),
        Counter({label: count * functions // 10 for label, count in labels.items()}),
        cognitive=functions * 12_345,
        lines=functions * 20,
    )


def sample_trend(points: int = 20, *, days: int = 40) -> Trend:
    """A trend that grows, a point every `days`."""
    receipt = Receipt()
    receipt.drop("minified", "static/a.min.js", 3)
    made = [
        Point(
            f"{number:040x}",
            (FIRST_DAY + timedelta(days=days * number)).isoformat(),
            "<b>A subject</b> that goes on " * (6 if number == 3 else 1),
            number + 1,
            tally(10 * (number + 1)),
        )
        for number in range(points)
    ]
    return Trend("src/" + "deep_folder_" * 8, made, 1_234, 99, receipt, 1.5)


def sample_hotspots(count: int = 60, *, functions: bool = False) -> Hotspots:
    """Hotspots, many of them in one place of the chart."""
    found = []
    for number in range(count):
        path = f"src/{'deep/' * (30 if number == 1 else 1)}file_{number}.py"
        cognitive, commits = 4_000 // (1 + number // 4), 1 + (count - number) // 3
        place = _function(path, cognitive) if functions else None
        found.append(
            Hotspot(
                path, "python", cognitive, 9.1, "Critical", 12, commits, commits * 77, cognitive * commits, 0.01, place
            )
        )
    return Hotspots("src", "2025-06-30T00:00:00+00:00", "commits", 321, found, Receipt(), 2.5)


def _function(path: str, cognitive: int) -> Function:
    return Function(
        path=path, line=12, name="run", language="python", score=9.1, label="Critical",
        metrics={"cognitive": cognitive}, qualified="Class.a_method_of_it", end_line=99, complete=True,
    )  # fmt: skip
