"""What the work that the task comes from reports, to be read beside the figures of a run.

Considine, "Syntax Repair as Language Intersection" (tidyparse), the log of its neural reranker. It is measured on other
snippets of the same source and on other machines.
"""

from __future__ import annotations

from collections.abc import Mapping

from codefit.run.report.formats import count, duration, figure, span
from codefit.run.report.repair_shapes import METRICS, Ranked, RepairEvaluation

STRINGS, RETRIEVED = 2_211, 1_631
PRECISION: Mapping[str, float] = {"p@1": 0.306, "p@10": 0.550, "p@100": 0.594, "p@all": 0.605}
BY_DISTANCE: Mapping[str, float] = {"1": 0.415, "2": 0.489, "3": 0.143}  # P@1
RETRIEVED_MRR = 0.532
NGRAMS_P_1 = 0.045
SECONDS = (3.1, 5.1)
NOT_THERE = ("none measured", "")

Cell = tuple[str, str]  # a value, and its interval or nothing


def published_rows(evaluation: RepairEvaluation) -> list[tuple[str, str, Cell]]:
    """Rows of a table: what is measured, the published figure, the run's own with its interval."""
    retrieved = evaluation.retrieved.get("model")
    latency = evaluation.latency_ms
    rows = [("Broken strings", count(STRINGS), (count(evaluation.n), ""))]
    rows += [
        (METRICS[metric], figure(value), _cell(evaluation.orders.model, metric)) for metric, value in PRECISION.items()
    ]
    rows += [
        (f"P@1, {edits(distance)} away", figure(value), _cell(evaluation.by_distance.get(distance), "p@1"))
        for distance, value in BY_DISTANCE.items()
    ]
    return [
        *rows,
        ("Strings whose repair was retrieved", count(RETRIEVED), (count(_retrieved(evaluation)), "")),
        ("MRR of these", figure(RETRIEVED_MRR), _cell(retrieved, "mrr")),
        ("P@1 of n-grams alone", figure(NGRAMS_P_1), _cell(evaluation.orders.ngrams, "p@1")),
        (
            "Time of a string",
            " to ".join(map(duration, SECONDS)),
            (duration(latency.p50 / 1000), f"95 of 100 within {duration(latency.p95 / 1000)}"),
        ),
    ]


def edits(distance: str) -> str:
    """A distance in words."""
    return "1 edit" if distance == "1" else f"{distance} edits"


def _retrieved(evaluation: RepairEvaluation) -> int:
    found = evaluation.retrieved.get("model")
    return found.count or 0 if found is not None else 0


def _cell(found: Ranked | None, metric: str) -> Cell:
    if found is None:
        return NOT_THERE
    return figure(found.value(metric)), span(found.ci95[metric])
