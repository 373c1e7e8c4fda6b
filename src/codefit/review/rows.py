"""What a review says of functions: rows as JSON has them, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from codefit.corpus.manifest import Receipt
from codefit.source.metrics.figures import LABELS

LABEL_NAMES = (*(name for _, name in LABELS), "Critical")


class Step(msgspec.Struct, frozen=True):
    """What adds to a function's complexity, with the line that it stands on; places count from 1, columns in bytes.

    `nesting` is the part of `cognitive` that comes of lying inside something else.
    """

    line: int
    column: int
    what: str
    cyclomatic: int
    cognitive: int
    nesting: int
    source: str


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A function with its figures; lines are 1-based and inclusive.

    `complete` is false where a syntax error lies inside. `increments` are there where they were asked for.
    """

    path: str
    line: int
    name: str
    language: str
    score: float
    label: str
    metrics: dict[str, float]
    qualified: str
    end_line: int
    complete: bool
    increments: tuple[Step, ...] | msgspec.UnsetType = msgspec.UNSET

    def figure(self, name: str) -> float:
        """The score, or a figure of `metrics`."""
        return self.score if name == "score" else self.metrics[name]


@dataclass(frozen=True, slots=True)
class FileScores:
    """A file's functions in the order of their places, its lines, and the cognitive complexity of all its code.

    `complete` is false where the file has a syntax error.
    """

    path: str
    functions: list[Function]
    lines: int
    cognitive: int
    complete: bool


@dataclass(slots=True)
class Review:
    """What was measured; `broken` are files with syntax errors. `receipt` notes what was not measured, and why."""

    functions: list[Function] = field(default_factory=list)
    files: int = 0
    lines: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)
    receipt: Receipt = field(default_factory=Receipt)

    def add(self, scores: FileScores) -> None:
        """One more file."""
        self.functions += scores.functions
        self.files += 1
        self.lines += scores.lines
        if not scores.complete:
            self.broken.append(scores.path)

    def to_dict(self, functions: Iterable[Any]) -> dict[str, Any]:
        """The review as JSON has it, with those of its functions that were asked for."""
        return {
            "functions": list(functions),
            "files": self.files,
            "lines": self.lines,
            "measured": len(self.functions),
            "labels": label_counts(self.functions),
            "broken": self.broken,
            "skipped": skipped_rows(self.receipt),
            "took_ms": round(self.seconds * 1000, 1),
        }


def label_counts(functions: Iterable[Function]) -> dict[str, int]:
    """How many functions have each label, from Simple to Critical."""
    counts = dict.fromkeys(LABEL_NAMES, 0)
    for each in functions:
        counts[each.label] += 1
    return counts


def skipped_rows(receipt: Receipt) -> list[dict[str, str]]:
    """What was not measured, as JSON has it."""
    return [{"path": each.where, "reason": each.reason} for each in receipt.dropped]
