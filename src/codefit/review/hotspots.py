"""Where complex code is changed often: complexity times churn, by file and by function.

After Tornhill, Your Code as a Crime Scene (2015): of code that is hard to understand, that which is worked on most is
worth simplifying first.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from codefit.corpus.documents.text import too_large
from codefit.corpus.manifest import Receipt
from codefit.progress import track
from codefit.review.churn import Churn, Span, count_churn
from codefit.review.git import open_blobs, since_time, whole_history
from codefit.review.history import committed_files, no_source
from codefit.review.read import MAX_BYTES
from codefit.review.rows import FileScores, Function, skipped_rows
from codefit.review.scope import Scope
from codefit.review.score import Reading, map_small, score_blob

COMMITS, LINES = "commits", "lines"


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A file or a function with its complexity (cognitive), its churn, and their product as a share of all."""

    path: str
    language: str
    cognitive: int
    score: float
    label: str
    functions: int
    commits: int
    lines: int
    hotspot: int
    share: float
    function: Function | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: `score` of a file is that of its worst function."""
        place = self.function
        of_function = (
            {}
            if place is None
            else {"line": place.line, "end_line": place.end_line, "name": place.name, "qualified": place.qualified}
        )
        return {
            "path": self.path,
            **of_function,
            "language": self.language,
            "hotspot": self.hotspot,
            "share": round(self.share, 4),
            "commits": self.commits,
            "lines_changed": self.lines,
            "cognitive": self.cognitive,
            "score": self.score,
            "label": self.label,
            **({"functions": self.functions} if place is None else {}),
        }


@dataclass(frozen=True, slots=True)
class Hotspots:
    """Hotspots, the worst first; `commits` is how many there were in the time."""

    path: str
    since: str
    by: str
    commits: int
    found: list[Hotspot]
    receipt: Receipt
    seconds: float

    def to_dict(self, most: int | None = None) -> dict[str, Any]:
        """As JSON has it, with the worst `most` (None: all)."""
        return {
            "path": self.path,
            "since": self.since,
            "by": self.by,
            "commits": self.commits,
            "hotspots": [each.to_dict() for each in self.found[:most]],
            "skipped": skipped_rows(self.receipt),
            "took_ms": round(self.seconds * 1000, 1),
        }


def read_hotspots(
    path: str,
    scope: Scope,
    reading: Reading,
    *,
    since: str,
    by: str = COMMITS,
    functions: bool = False,
    workers: int | None = None,
) -> Hotspots:
    """The files of the current commit, or their functions, by complexity times churn.

    Churn is how many commits since then (a date or an age), or how many of their lines, changed it, along first
    parents. Complexity is the cognitive one. Raises `InputError` where nothing is committed there, or the clone is
    shallow.
    """
    started = time.perf_counter()
    whole_history(scope.top)
    moment = since_time(since)
    receipt = Receipt()
    scores = _scores(scope, reading, receipt, workers)
    churns = {
        name: Churn(spans=[Span(each.line, each.end_line) for each in file.functions]) for name, file in scores.items()
    }
    commits = count_churn(scope.top, churns, moment, scope.places)
    found = []
    for name, file in scores.items():
        churn = churns[name]
        if functions:
            found += [_of_function(each, span, by) for each, span in zip(file.functions, churn.spans, strict=True)]
        else:
            found.append(_of_file(scope.shown(name), scope.language(name) or "", file, churn, by))
    ranked = _ranked(found)
    return Hotspots(path, moment, by, commits, ranked, receipt, time.perf_counter() - started)


def _scores(scope: Scope, reading: Reading, receipt: Receipt, workers: int | None) -> dict[str, FileScores]:
    files = committed_files(scope.top, scope)
    if not files:
        raise no_source(scope)
    paths = list(files)
    found: dict[str, FileScores] = {}
    with open_blobs(scope.top) as blobs:
        items = ((scope.shown(path), files[path][1], blobs.read(files[path][0], MAX_BYTES)) for path in paths)
        outcomes = map_small(partial(_score, reading=reading), items, _size, reading.seconds, workers)
        for outcome in track(outcomes, "measured", len(paths), "files"):
            path = paths[outcome.index]
            if isinstance(outcome.value, FileScores):
                found[path] = outcome.value
            else:
                receipt.drop(outcome.value or outcome.error or "", scope.shown(path))
    return found


def _score(item: tuple[str, str, bytes | None], reading: Reading) -> FileScores | str:
    path, language, data = item
    return too_large(MAX_BYTES) if data is None else score_blob((path, language, data), reading)


def _size(item: tuple[str, str, bytes | None]) -> int:
    return len(item[2] or b"")


def _of_file(path: str, language: str, file: FileScores, churn: Churn, by: str) -> Hotspot:
    worst = max(file.functions, key=lambda each: each.score, default=None)
    score, label = (worst.score, worst.label) if worst is not None else (0.0, "")
    times = churn.commits if by == COMMITS else churn.lines
    return Hotspot(
        path, language, file.cognitive, score, label, len(file.functions), churn.commits, churn.lines,
        file.cognitive * times, 0.0,
    )  # fmt: skip


def _of_function(each: Function, span: Span, by: str) -> Hotspot:
    cognitive = int(each.metrics["cognitive"])
    times = span.commits if by == COMMITS else span.lines
    return Hotspot(
        each.path, each.language, cognitive, each.score, each.label, 1, span.commits, span.lines,
        cognitive * times, 0.0, each,
    )  # fmt: skip


def _ranked(found: list[Hotspot]) -> list[Hotspot]:
    total = sum(each.hotspot for each in found) or 1
    shared = [replace(each, share=each.hotspot / total) for each in found]
    return sorted(shared, key=lambda each: (-each.hotspot, -each.commits, -each.cognitive, each.path))
