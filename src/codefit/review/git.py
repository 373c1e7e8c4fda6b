"""A git checkout as a review reads it: revisions, trees and blobs, without checking anything out."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from codefit.corpus.documents.git import git_command, git_environment, git_failed, git_missing, run_git
from codefit.corpus.documents.history import parse_date
from codefit.corpus.documents.repository import checkout_of
from codefit.errors import CodefitError, InputError

REGULAR_MODES = ("100644", "100755")
SKIPPED_AT_ONCE = 1 << 20  # bytes of a blob that is too large to hold
_AGO = re.compile(r"(\d+)[ .]*(day|week|month|year)s?(?:[ .]ago)?")
_DAYS = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}


@dataclass(frozen=True, slots=True)
class Blob:
    """A file of a tree: its path from the top of the checkout and the name of its content."""

    path: str
    sha: str


def checkout_at(place: Path) -> Path:
    """The top of the checkout that a path lies in. `InputError` where it lies in none."""
    resolved = place.resolve()
    top = checkout_of(resolved if resolved.is_dir() else resolved.parent)
    if top is None:
        raise InputError("not in a git repository", where=str(place), fix="give a path in a checkout")
    return top


def path_in(top: Path, place: Path) -> str:
    """A path from the top of the checkout, "" for the top itself; a folder's ends with a slash."""
    resolved = place.resolve()
    relative = resolved.relative_to(top).as_posix()
    if relative == ".":
        return ""
    return f"{relative}/" if resolved.is_dir() else relative


def lies_in(path: str, places: Iterable[str]) -> bool:
    """Whether a path is one of these, or in a folder of them; all as `path_in` gives them."""
    return any(path == place or (path.startswith(place) and place.endswith("/")) or not place for place in places)


def resolve(top: Path, revision: str) -> str:
    """The commit that a revision names. `InputError` where there is none."""
    try:
        run_git(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except CodefitError as error:
        raise InputError("the checkout has no commit yet", where=str(top), fix="commit first") from error
    try:
        found = run_git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except CodefitError as error:
        what = f"{revision!r} is not a revision"
        if is_shallow(top):
            raise InputError(
                f"{what} that this shallow clone holds",
                where=str(top),
                fix="run git fetch --unshallow (actions/checkout: fetch-depth: 0)",
            ) from error
        raise InputError(what, where=str(top), fix="name a commit, branch or tag; git log shows them") from error
    return found.split()[-1]


def merge_base(top: Path, one: str, other: str) -> str:
    """The last commit that two have in common. `InputError` where they have none that the clone holds."""
    try:
        return run_git(top, "merge-base", one, other).strip()
    except CodefitError as error:
        fix = "run git fetch --unshallow (actions/checkout: fetch-depth: 0)" if is_shallow(top) else "name two others"
        raise InputError(f"{one} and {other} have no commit in common", where=str(top), fix=fix) from error


def is_shallow(top: Path) -> bool:
    """Whether the clone holds only a part of the history."""
    return run_git(top, "rev-parse", "--is-shallow-repository").strip() == "true"


def whole_history(top: Path) -> None:
    """Raise `InputError` where the clone does not hold all of it."""
    if is_shallow(top):
        raise InputError(
            "a shallow clone does not hold the history",
            where=str(top),
            fix="run git fetch --unshallow (actions/checkout: fetch-depth: 0)",
        )


def tree(top: Path, commit: str, place: str) -> Iterator[Blob]:
    """The regular files of a commit at or below `place`, links and submodules left out."""
    where = [":(literal)" + place] if place else []
    for entry in run_git(top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *where).split("\0"):
        head, _, path = entry.partition("\t")
        if head and head.split()[0] in REGULAR_MODES:
            yield Blob(path, head.split()[2])


def since_time(text: str) -> str:
    """The moment that `2025-06-30`, `90 days` or `1 year ago` names, as git reads it. `InputError` for all else."""
    ago = _AGO.fullmatch(text.strip().lower())
    if ago is None:
        try:
            return parse_date(text.strip()).isoformat()
        except InputError as error:
            raise InputError(f"{text!r} is not a time", fix="such as 2025-06-30, 90 days or 1 year") from error
    try:
        return (datetime.now(UTC) - timedelta(days=int(ago[1]) * _DAYS[ago[2]])).isoformat()
    except OverflowError as error:
        raise InputError(f"{text!r} is before there were computers", fix="such as 1 year") from error


@contextmanager
def lines_of(top: Path, *arguments: str) -> Iterator[Iterator[bytes]]:
    """What git prints, line by line as it comes. Raises `CodefitError` where git fails, unless the block did before."""
    with TemporaryFile() as said, _started(top, *arguments, errors=said) as process:
        assert process.stdout is not None
        yield iter(process.stdout)
        process.stdout.close()
        code = process.wait()
        if code:
            said.seek(0)
            raise git_failed(top, arguments[0], said.read(), code)


class Blobs:
    """Contents by name, through one `git cat-file --batch`. Use as a context manager's value: see `open_blobs`."""

    def __init__(self, process: subprocess.Popen[bytes], top: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._asked, self._answered, self._top = process.stdin, process.stdout, top

    def read(self, sha: str, most: int) -> bytes | None:
        """The content, None where it is larger than `most` bytes. Raises `CodefitError` where the checkout lacks it."""
        try:
            self._asked.write(f"{sha}\n".encode())
            self._asked.flush()
        except BrokenPipeError:
            raise self._broken(sha) from None
        head = self._answered.readline().split()
        if len(head) != 3 or head[1] != b"blob":
            raise self._broken(sha)
        size = int(head[2])
        if size > most:
            self._skip(size + 1, sha)
            return None
        return self._answered.read(size + 1)[:size]

    def _skip(self, count: int, sha: str) -> None:
        while count:
            passed = len(self._answered.read(min(count, SKIPPED_AT_ONCE)))
            if not passed:
                raise self._broken(sha)
            count -= passed

    def _broken(self, sha: str) -> CodefitError:
        return CodefitError(f"git does not give the content {sha}", where=str(self._top), fix="run git fsck")


@contextmanager
def open_blobs(top: Path) -> Iterator[Blobs]:
    """The contents of a checkout's files at any commit, for as long as the block runs."""
    with _started(top, "cat-file", "--batch", asks=True) as process:
        yield Blobs(process, top)


@contextmanager
def _started(
    top: Path, *arguments: str, asks: bool = False, errors: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    try:
        process = subprocess.Popen(
            git_command(top, *arguments),
            stdin=subprocess.PIPE if asks else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors if errors is not None else subprocess.DEVNULL,
            env=git_environment(),
        )
    except FileNotFoundError as error:
        raise git_missing() from error
    try:
        yield process
    finally:
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        process.wait()
