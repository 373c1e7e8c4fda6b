"""What commits changed of files, and of the functions in them, told from the changed lines of each commit.

Commits are walked from the newest to the oldest, and the lines of today's functions are carried along: past a hunk they
move by what it added or removed. So a function's own lines are known at every commit, without `git log -L`, which walks
the history once a function. Along first parents this is exact up to lines that were rewritten: there the function's
beginning or end lies somewhere in the hunk, and is taken to be the hunk's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from codefit.errors import CodefitError
from codefit.review.git import lines_of

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_COMMIT = b"\1"
_ESCAPE = re.compile(rb"\\([abfnrtv\"\\]|[0-7]{3})")
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that a commit replaced: `old_lines` from `old` on by `new_lines` from `new` on, counted from 1.

    Without lines, a side names the line before.
    """

    old: int
    old_lines: int
    new: int
    new_lines: int


@dataclass(slots=True)
class FileChange:
    """What a commit changed of a file; a name is None where the file was not there before, or is not after."""

    old: str | None
    new: str | None
    hunks: list[Hunk] = field(default_factory=list)


@dataclass(slots=True)
class Span:
    """The lines of one of today's functions at the commit that is being read, and what was changed in them since.

    `first` is None before the function came.
    """

    first: int | None
    last: int
    commits: int = 0
    lines: int = 0


@dataclass(slots=True)
class Churn:
    """What was changed of one of today's files."""

    commits: int = 0
    lines: int = 0
    spans: list[Span] = field(default_factory=list)


def count_churn(top: Path, churns: Mapping[str, Churn], since: str, places: Iterable[str]) -> int:
    """Fill in what the commits since a moment changed of today's files, by path; how many commits there were.

    Follows first parents: what a merge brought counts as one change. A renamed file is followed.
    """
    today = dict(zip(churns, churns, strict=True))
    commits = 0
    where = [f":(top,literal){place}" for place in places if place]
    with lines_of(
        top, "log", "--first-parent", "-m", "--find-renames", "-p", "-U0", "--no-ext-diff", "--no-textconv",
        "--no-color", "--format=%x01%H", f"--since={since}", "HEAD", "--", *where,
    ) as lines:  # fmt: skip
        for changes in read_log(lines):
            commits += 1
            for change in changes:
                path = today.get(change.new) if change.new is not None else None
                if path is not None:
                    _count(churns[path], change.hunks)
            _rename(today, changes)
    return commits


def read_log(lines: Iterator[bytes]) -> Iterator[list[FileChange]]:
    """The changes of each commit of a `git log -p -U0` whose commits begin with `_COMMIT`."""
    changes: list[FileChange] | None = None
    for line in lines:
        if line.startswith(_COMMIT):
            if changes is not None:
                yield changes
            changes = []
        elif changes is not None and line.startswith(b"diff --git "):
            changes.append(FileChange(None, None))
        elif changes:
            _read_line(line, lines, changes[-1])
    if changes is not None:
        yield changes


def _read_line(line: bytes, lines: Iterator[bytes], change: FileChange) -> None:
    hunk = _HUNK.match(line)
    if hunk is not None:
        old, old_lines, new, new_lines = (1 if part is None else int(part) for part in hunk.groups())
        change.hunks.append(Hunk(old, old_lines, new, new_lines))
        rest = old_lines + new_lines
        while rest:  # what begins with a backslash says that the file ends without a line feed
            rest -= not next(lines, b" ").startswith(b"\\")
    elif line.startswith(b"rename from "):
        change.old = _path(line[len(b"rename from ") :])
    elif line.startswith(b"rename to "):
        change.new = _path(line[len(b"rename to ") :])
    elif line.startswith(b"--- "):
        change.old = _side(line[len(b"--- ") :], b"a/")
    elif line.startswith(b"+++ "):
        change.new = _side(line[len(b"+++ ") :], b"b/")


def _path(written: bytes) -> str:
    """A path as git writes it, in quotation marks where a sign in it needs that."""
    name = written.rstrip(b"\n")
    if name.startswith(b'"'):
        name = _ESCAPE.sub(_unescape, name.rstrip(b"\t")[1:-1])
    return name.decode("utf-8", "surrogateescape")


def _unescape(found: re.Match[bytes]) -> bytes:
    sign = found[1]
    return bytes([int(sign, 8)]) if len(sign) == 3 else _ESCAPED.get(sign, sign)


def _side(written: bytes, prefix: bytes) -> str | None:
    """The path of a side; a name with spaces has a tab behind it, and a side that is not there is the null device."""
    if written.rstrip() == b"/dev/null":
        return None
    path = _path(written.rstrip(b"\n").removesuffix(b"\t"))
    start = prefix.decode()
    if not path.startswith(start):
        raise CodefitError(f"git names a file without {start}: {path!r}", fix="unset diff.srcPrefix and diff.dstPrefix")
    return path.removeprefix(start)


def _count(churn: Churn, hunks: list[Hunk]) -> None:
    if not hunks:
        return
    churn.commits += 1
    churn.lines += sum(hunk.old_lines + hunk.new_lines for hunk in hunks)
    for span in churn.spans:
        if span.first is not None:
            changed = sum(_changed(span, hunk) for hunk in hunks)
            span.commits += changed > 0
            span.lines += changed
            _carry(span, hunks)


def _changed(span: Span, hunk: Hunk) -> int:
    """How many lines a hunk changed in a function: what it added inside it, and what it took away there."""
    assert span.first is not None
    if not hunk.new_lines:  # taken away behind the line `new`
        return hunk.old_lines if span.first <= hunk.new < span.last else 0
    inside = min(span.last, hunk.new + hunk.new_lines - 1) - max(span.first, hunk.new) + 1
    return inside + min(hunk.old_lines, inside) if inside > 0 else 0


def _carry(span: Span, hunks: list[Hunk]) -> None:
    """The function's lines before the commit."""
    assert span.first is not None
    first, last = _before(span.first, hunks, is_end=False), _before(span.last, hunks, is_end=True)
    span.first, span.last = (first, last) if first <= last else (None, 0)


def _before(line: int, hunks: list[Hunk], *, is_end: bool) -> int:
    shift = 0
    for hunk in hunks:
        begins = hunk.new if hunk.new_lines else hunk.new + 1
        if line < begins:
            break
        if line < begins + hunk.new_lines:
            if is_end:
                return hunk.old + hunk.old_lines - 1 if hunk.old_lines else hunk.old
            return hunk.old if hunk.old_lines else hunk.old + 1
        shift += hunk.old_lines - hunk.new_lines
    return line + shift


def _rename(today: dict[str, str], changes: list[FileChange]) -> None:
    """The names that today's files had before a commit."""
    moved = {change.new: change.old for change in changes if change.new is not None and change.new != change.old}
    paths = {new: today.pop(new) for new in moved if new in today}
    today.update({old: paths[new] for new, old in moved.items() if old is not None and new in paths})
