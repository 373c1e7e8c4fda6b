"""When each file of a git checkout was added, so that what is newer than a date can be held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from codefit.corpus.documents.git import run_git
from codefit.corpus.documents.read import ENVIRONMENT
from codefit.corpus.documents.repository import checkout_of, repository_name
from codefit.corpus.documents.rows import is_row_file
from codefit.errors import InputError

_COMMIT = "\1"  # before a commit's date, where otherwise a letter, the status of a file, stands
_INSTEAD = ", or hold out by directory"


class Additions:
    """The files of some checkouts that came after a date, asked for by repository and path."""

    def __init__(self, sources: Sequence[str], since: str) -> None:
        """Reads the history of the checkout of each source.

        Raises `InputError` for a date that is none in ISO form, a source outside a git checkout or without a commit, or
        a shallow clone, and `CodefitError` where git is missing or fails.
        """
        after = parse_date(since)
        self._old: dict[str, set[str]] = {}
        for top in dict.fromkeys(_checkout(source) for source in sources):
            old = {path for path, added in _added(top).items() if added < after}
            self._old.setdefault(repository_name(top), set()).update(old)

    def is_new(self, repo: str | None, path: str) -> bool:
        """Whether the file was added after the date; one that is not committed is new."""
        return path not in self._old.get(repo or "", ())


def parse_date(text: str) -> datetime:
    """An ISO date (midnight, UTC) or time (UTC where it names no zone)."""
    try:
        date = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a date in ISO form", fix="such as 2025-06-30") from error
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _checkout(source: str) -> Path:
    path = Path(source).resolve()
    folder = path if path.is_dir() else path.parent
    top = None if source == ENVIRONMENT or is_row_file(path) else checkout_of(folder)
    if top is None:
        raise InputError(
            "not in a git checkout, so it does not say when its files were added",
            where=source,
            fix="give the checkout's folder, or hold out by directory",
        )
    if run_git(top, "rev-parse", "--is-shallow-repository", instead=_INSTEAD).strip() == "true":
        raise InputError(
            "a shallow clone does not say when its files were added", where=str(top), fix="run git fetch --unshallow"
        )
    return top


def _added(top: Path) -> dict[str, datetime]:
    """When the content of each path first came: a renamed file is as old as under its first name."""
    log = run_git(
        top, "log", "--reverse", "--topo-order", "--find-renames", "--diff-filter=AR", "--name-status", "-z",
        f"--format={_COMMIT}%cI", instead=_INSTEAD,
    )  # fmt: skip
    added: dict[str, datetime] = {}
    date = datetime.max.replace(tzinfo=UTC)
    fields = iter(log.split("\0"))
    for field in fields:
        status = field.lstrip("\n")
        if status.startswith(_COMMIT):
            date = datetime.fromisoformat(status[1:].rstrip("\n"))
        elif status.startswith("A"):
            added.setdefault(_name(fields), date)
        elif status.startswith("R"):
            before, after = _name(fields), _name(fields)
            added[after] = min(added.get(after, date), added.get(before, date))
    return added


def _name(fields: Iterator[str]) -> str:
    return next(fields)
