"""Figures of many files of a history, each content measured once however often it occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from codefit.corpus.documents.text import too_large
from codefit.corpus.manifest import Receipt
from codefit.progress import track
from codefit.review.git import open_blobs
from codefit.review.read import MAX_BYTES
from codefit.review.rows import FileScores
from codefit.review.score import Reading, map_small, score_blob

Key = tuple[str, str]
"""The name of a content, and the language that it is read in."""


@dataclass(slots=True)
class Tally:
    """What functions come to: how many have each score and each label, and the cognitive complexity of all code."""

    scores: Counter[float] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    cognitive: int = 0
    lines: int = 0

    @property
    def functions(self) -> int:
        """How many there are."""
        return self.scores.total()

    def add(self, other: Tally) -> None:
        """Another file's functions too."""
        self.scores.update(other.scores)
        self.labels.update(other.labels)
        self.cognitive += other.cognitive
        self.lines += other.lines

    def mean(self) -> float | None:
        """The mean score, None without functions."""
        total = self.functions
        return sum(score * count for score, count in self.scores.items()) / total if total else None

    def quantile(self, share: float) -> float | None:
        """The least score that `share` of the functions do not exceed, None without functions."""
        wanted, seen = share * self.functions, 0
        for score in sorted(self.scores):
            seen += self.scores[score]
            if seen >= wanted:
                return score
        return None


def tally_of(scores: FileScores) -> Tally:
    """A file's functions, counted."""
    functions = scores.functions
    return Tally(
        Counter(each.score for each in functions),
        Counter(each.label for each in functions),
        scores.cognitive,
        scores.lines,
    )


def tallies(
    top: Path, contents: Mapping[Key, str], reading: Reading, receipt: Receipt, workers: int | None = None
) -> dict[Key, Tally]:
    """The counts of each content, given with the path that it is shown under; what is not measured is noted."""
    keys = list(contents)
    found: dict[Key, Tally] = {}
    with open_blobs(top) as blobs:
        items = ((contents[key], key[1], _data(blobs.read(key[0], MAX_BYTES))) for key in keys)
        outcomes = map_small(partial(tally_blob, reading=reading), items, _size, reading.seconds, workers)
        for outcome in track(outcomes, "measured", len(keys), "files"):
            key = keys[outcome.index]
            if isinstance(outcome.value, Tally):
                found[key] = outcome.value
            else:
                receipt.drop(outcome.value or outcome.error or "", contents[key])
    return found


def tally_blob(item: tuple[str, str, bytes | str], reading: Reading) -> Tally | str:
    """The counts of a file's bytes, given with its path and language, or why there are none."""
    path, language, data = item
    if isinstance(data, str):
        return data
    scores = score_blob((path, language, data), reading)
    return scores if isinstance(scores, str) else tally_of(scores)


def _data(content: bytes | None) -> bytes | str:
    return too_large(MAX_BYTES) if content is None else content


def _size(item: tuple[str, str, bytes | str]) -> int:
    return len(item[2])
