"""What a change did to functions: against a revision, or between two, with the figures before and after."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from codefit.corpus.documents.git import run_git
from codefit.corpus.documents.text import NotSourceError, read_source_bytes, too_large
from codefit.progress import track
from codefit.review.files import MEASURED
from codefit.review.git import REGULAR_MODES, Blob, Blobs, merge_base, open_blobs, resolve
from codefit.review.match import Content, Unit, contents, match
from codefit.review.read import MAX_BYTES, text_of
from codefit.review.rows import FileScores, Function, Review
from codefit.review.scope import Scope
from codefit.review.score import Reading, file_scores, map_small, measured
from codefit.source.languages import language_of

COMPARED = ("score", "cognitive", "cyclomatic")
WORK_TREE = ""  # in place of the name of a content that lies in the folder


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """Where a function was and what it had before a change."""

    path: str
    line: int
    qualified: str
    label: str
    score: float
    cognitive: float
    cyclomatic: float


class Changed(Function, frozen=True, kw_only=True):
    """A function that a change made, or whose code or figures it changed; these have `before` and `increase`."""

    change: str
    before: Before | None
    increase: dict[str, float] | None


@dataclass(frozen=True, slots=True)
class Range:
    """The two sides of a change as commits; without `new` it is the folder as it lies there."""

    old: str
    new: str | None


@dataclass(slots=True)
class Changes:
    """What a change did: functions that are new or changed, those that are gone, and how many have but moved."""

    range: Range
    functions: list[Changed] = field(default_factory=list)
    removed: list[Function] = field(default_factory=list)
    moved: int = 0
    files: int = 0
    review: Review = field(default_factory=Review)

    def counts(self) -> dict[str, int]:
        """How many functions a change made, changed, moved and removed."""
        found = Counter(each.change for each in self.functions)
        return {"new": found["new"], "changed": found["changed"], "moved": self.moved, "removed": len(self.removed)}


@dataclass(frozen=True, slots=True)
class _Pair:
    """A file before and after a change; None where there is none, `WORK_TREE` for a content in the folder."""

    old: Blob | None
    new: Blob | None


@dataclass(frozen=True, slots=True)
class _Version:
    """A file's figures, and what its functions are made of."""

    scores: FileScores
    contents: list[Content]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the changed file `number`, and the functions of that side, to which its own are added."""

    number: int
    blob: Blob
    language: str
    units: list[Unit]

    def add(self, version: _Version) -> None:
        """Its functions."""
        for function, content in zip(version.scores.functions, version.contents, strict=True):
            self.units.append(Unit(function, self.number, content.exact, content.nameless))


def parse_range(top: Path, text: str) -> Range:
    """The sides that `A`, `A..B` or `A...B` names (the last: what B did since it left A); no B is the current commit.

    Raises `InputError` where a revision is unknown.
    """
    for dots in ("...", ".."):
        if dots in text:
            one, _, other = text.partition(dots)
            old, new = resolve(top, one or "HEAD"), resolve(top, other or "HEAD")
            return Range(merge_base(top, old, new) if dots == "..." else old, new)
    return Range(resolve(top, text), None)


def review_changes(scope: Scope, revisions: str, reading: Reading, workers: int | None = None) -> Changes:
    """The functions in `scope` that a change made or changed; a single revision is held against the folder.

    Renamed files are those that git finds; a function is looked for by its name in its file, then by its content
    anywhere. What cannot be measured is noted in the review.
    """
    started = time.perf_counter()
    changes = Changes(parse_range(scope.top, revisions))
    receipt = changes.review.receipt
    pairs = [pair for pair in _changed_files(scope.top, changes.range) if _language(scope, pair) is not None]
    before: list[Unit] = []
    now: list[Unit] = []
    unread: set[int] = set()
    with open_blobs(scope.top) as blobs:
        sides = [
            _Side(number, blob, _side_language(scope, pair, blob), units)
            for number, pair in enumerate(pairs)
            for blob, units in ((pair.old, before), (pair.new, now))
            if blob is not None
        ]
        items = ((scope.shown(each.blob.path), each.language, _data(scope.top, blobs, each.blob)) for each in sides)
        outcomes = map_small(partial(_version, reading=reading), items, _size, reading.seconds, workers)
        for outcome in track(outcomes, "measured", len(sides), "files"):
            side = sides[outcome.index]
            if isinstance(outcome.value, _Version):
                side.add(outcome.value)
                if side.units is now:
                    changes.review.add(outcome.value.scores)
            else:
                where = scope.shown(side.blob.path) + (" (as it was)" if side.units is before else "")
                receipt.drop(str(outcome.value or outcome.error), where)
                unread.add(side.number)
    changes.files = len(pairs)
    _sort_out(changes, before, now, unread)
    changes.review.seconds = time.perf_counter() - started
    return changes


def _sort_out(changes: Changes, before: list[Unit], now: list[Unit], unread: set[int]) -> None:
    """Tell what became of each function; of a file that is `unread` as it is now, nobody knows what is gone."""
    for old, new in match(before, now):
        if new is None:
            assert old is not None
            if old.file not in unread:
                changes.removed.append(old.function)
        elif old is None:
            changes.functions.append(_changed(new.function, "new", None))
        elif old.nameless != new.nameless or any(old.function.figure(f) != new.function.figure(f) for f in COMPARED):
            changes.functions.append(_changed(new.function, "changed", old.function))
        elif (old.function.path, old.function.qualified) != (new.function.path, new.function.qualified):
            changes.moved += 1
    changes.functions.sort(key=lambda each: (each.path, each.line))


def _changed(function: Function, change: str, old: Function | None) -> Changed:
    own = {name: getattr(function, name) for name in Function.__struct_fields__}
    if old is None:
        return Changed(**own, change=change, before=None, increase=None)
    figures: dict[str, Any] = {name: old.figure(name) for name in COMPARED}
    return Changed(
        **own,
        change=change,
        before=Before(path=old.path, line=old.line, qualified=old.qualified, label=old.label, **figures),
        increase={name: round(function.figure(name) - figures[name], 2) for name in COMPARED},
    )


def _changed_files(top: Path, span: Range) -> list[_Pair]:
    """The regular files that differ, renamed ones as one; those that git does not know yet too, against the folder."""
    commits = [span.old] if span.new is None else [span.old, span.new]
    raw = run_git(top, "diff", "--raw", "-z", "--no-abbrev", "--find-renames", "--no-ext-diff", *commits, "--")
    fields = iter(raw.split("\0"))
    pairs: dict[str, _Pair] = {}
    for head in fields:
        if not head:
            break
        old_mode, new_mode, old_sha, new_sha, status = head.removeprefix(":").split()
        old_path = next(fields)
        new_path = next(fields) if status[0] in "RC" else old_path
        old = Blob(old_path, old_sha) if old_mode in REGULAR_MODES and status[0] != "C" else None
        new = Blob(new_path, WORK_TREE if span.new is None else new_sha) if new_mode in REGULAR_MODES else None
        if status[0] != "U":  # unmerged: it comes once more, as what lies in the folder
            pairs[new_path] = _Pair(old, new)
    if span.new is None:
        for path in run_git(top, "ls-files", "--others", "--exclude-standard", "-z").split("\0"):
            if path:
                pairs[path] = _Pair(None, Blob(path, WORK_TREE))
    return list(pairs.values())


def _language(scope: Scope, pair: _Pair) -> str | None:
    blob = pair.new or pair.old
    return None if blob is None else scope.language(blob.path)


def _side_language(scope: Scope, pair: _Pair, blob: Blob) -> str:
    """The language of one side: its own, also where it lay outside of what is reviewed, else that of the other side."""
    own = scope.language(blob.path) or language_of(blob.path)
    return own if own in MEASURED else _language(scope, pair) or ""


def _data(top: Path, blobs: Blobs, blob: Blob) -> bytes | str:
    """A side's bytes, or why there are none."""
    if blob.sha == WORK_TREE:
        try:
            return read_source_bytes(top / blob.path, MAX_BYTES)
        except NotSourceError as reason:
            return str(reason)
    data = blobs.read(blob.sha, MAX_BYTES)
    return too_large(MAX_BYTES) if data is None else data


def _version(item: tuple[str, str, bytes | str], reading: Reading) -> _Version | str:
    path, language, data = item
    if isinstance(data, str):
        return data
    try:
        text = text_of(data, everything=reading.everything)
    except NotSourceError as reason:
        return str(reason)
    metrics = measured(text, language, reading)
    scores = file_scores(metrics, text, path, language, reading)
    return _Version(scores, contents(text.encode("utf-8", "replace"), metrics.functions))


def _size(item: tuple[str, str, bytes | str]) -> int:
    return len(item[2])
