"""How the complexity of a path went over the history of its repository."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codefit.corpus.documents.git import run_git
from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.review.blobs import Key, Tally, tallies
from codefit.review.git import Blob, resolve, since_time, tree, whole_history
from codefit.review.rows import LABEL_NAMES, skipped_rows
from codefit.review.scope import Scope
from codefit.review.score import Reading

MEDIAN, P90 = 0.5, 0.9
DIGITS = 3  # of a mean


@dataclass(frozen=True, slots=True)
class Point:
    """A commit with what its files come to; `date` is when it was committed, in ISO form."""

    commit: str
    date: str
    subject: str
    files: int
    tally: Tally

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; figures of scores are null where there is no function."""
        tally, mean = self.tally, self.tally.mean()
        return {
            "commit": self.commit,
            "date": self.date,
            "subject": self.subject,
            "files": self.files,
            "lines": tally.lines,
            "functions": tally.functions,
            "score": {
                "mean": None if mean is None else round(mean, DIGITS),
                "median": tally.quantile(MEDIAN),
                "p90": tally.quantile(P90),
            },
            "labels": {name: tally.labels[name] for name in LABEL_NAMES},
            "cognitive": tally.cognitive,
        }


@dataclass(frozen=True, slots=True)
class Trend:
    """Points from the oldest to the newest, of how many commits that touch the path."""

    path: str
    points: list[Point]
    commits: int
    contents: int
    receipt: Receipt
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "path": self.path,
            "points": [point.to_dict() for point in self.points],
            "commits": self.commits,
            "contents": self.contents,
            "skipped": skipped_rows(self.receipt),
            "took_ms": round(self.seconds * 1000, 1),
        }


@dataclass(frozen=True, slots=True)
class _Commit:
    sha: str
    date: str
    subject: str


def read_trend(
    path: str, scope: Scope, reading: Reading, *, since: str | None = None, points: int = 20, workers: int | None = None
) -> Trend:
    """The figures of a path at `points` commits, evenly chosen with the first and the last of those that touch it.

    Follows the first parent of each commit from the current one, back to `since` (a date or an age). A file counts
    where it lay at the time. Raises `InputError` where no commit touches the path, or the clone is shallow.
    """
    started = time.perf_counter()
    whole_history(scope.top)
    commits = _commits(scope, since)
    chosen = evenly(commits, points)
    wanted: list[list[tuple[Blob, Key]]] = [_files(scope, commit) for commit in chosen]
    contents = {key: scope.shown(blob.path) for files in wanted for blob, key in files}
    if not contents:
        raise no_source(scope)
    receipt = Receipt()
    found = tallies(scope.top, contents, reading, receipt, workers)
    made = [
        _point(commit, (found[key] for _, key in files if key in found))
        for commit, files in zip(chosen, wanted, strict=True)
    ]
    return Trend(path, made, len(commits), len(contents), receipt, time.perf_counter() - started)


def evenly(items: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of the items at even distances, with the first and the last; of one the last."""
    if len(items) <= most:
        return list(items)
    if most == 1:
        return [items[-1]]
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]


def _commits(scope: Scope, since: str | None) -> list[_Commit]:
    """The commits that touch the places of `scope`, the oldest first."""
    head = resolve(scope.top, "HEAD")
    after = [f"--since={since_time(since)}"] if since is not None else []
    where = [f":(top,literal){place}" for place in scope.places if place]
    log = run_git(
        scope.top, "log", "--first-parent", "--reverse", "-z", "--format=%H%x01%cI%x01%s", *after, head, "--", *where
    )
    commits = [_Commit(*entry.split("\1", 2)) for entry in log.split("\0") if entry]
    if not commits:
        raise InputError(
            f"no commit{f' since {since}' if since else ''} touches it",
            where=" ".join(scope.shown(place) for place in scope.places),
            fix="name a path that is committed" + (" or an earlier --since" if since else ""),
        )
    return commits


def _files(scope: Scope, commit: _Commit) -> list[tuple[Blob, Key]]:
    found: dict[str, tuple[Blob, Key]] = {}
    for place in scope.places:
        for blob in tree(scope.top, commit.sha, place):
            language = scope.language(blob.path)
            if language is not None:
                found[blob.path] = (blob, (blob.sha, language))
    return list(found.values())


def _point(commit: _Commit, files: Iterable[Tally]) -> Point:
    whole, count = Tally(), 0
    for tally in files:
        whole.add(tally)
        count += 1
    return Point(commit.sha, commit.date, commit.subject, count, whole)


def no_source(scope: Scope) -> InputError:
    """The error where no file of the scope is source."""
    where = " ".join(scope.shown(place) for place in scope.places)
    return InputError("no source file is committed there", where=where, fix="name a path that is committed")


def committed_files(top: Path, scope: Scope) -> dict[str, Key]:
    """The files of the current commit that are in `scope`: path to content."""
    head = resolve(top, "HEAD")
    return {blob.path: key for blob, key in _files(scope, _Commit(head, "", ""))}
