"""Ignore files as git reads them: `.gitignore`, `.ignore` and `.codefitignore` at every level of a checkout."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

IGNORE_FILES = (".gitignore", ".ignore", ".codefitignore")  # within a folder, a later one overrides an earlier one
GIT_EXCLUDE = Path(".git", "info", "exclude")  # the ignore file of a checkout that is not committed

# pathspec matches a pattern against a file and everything above it, git against one entry at a time on its way down.
# The two differ where levels or negations meet (`!*/` must not bring back files), so a mark that no name can hold ends
# both pattern and path: then only the entry itself can match.
END = "\0"
TRAILING_BLANKS = re.compile(r"(?<!\\)\s+$")
CUT_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\$")  # a backslash with nothing after it: git skips the line


@dataclass(frozen=True, slots=True)
class IgnoreLevel:
    """The rules of one folder; `base` is that folder relative to the top, "" or ending with a slash."""

    base: str
    for_files: GitIgnoreSpec
    for_folders: GitIgnoreSpec


def ignore_level(top: Path, base: str) -> IgnoreLevel | None:
    """The rules that the ignore files of the folder `top/base` set, none where it has none."""
    files = [top / base / name for name in IGNORE_FILES]
    if not base:
        files.insert(0, top / GIT_EXCLUDE)
    rules = [rule for file in files for line in _lines(file) if (rule := _rule(line)) is not None]
    if not rules:
        return None
    of_files = [pattern for pattern, is_for_folders in rules if not is_for_folders]
    return IgnoreLevel(base, GitIgnoreSpec.from_lines(of_files), GitIgnoreSpec.from_lines(each for each, _ in rules))


def is_ignored(levels: Sequence[IgnoreLevel], path: str) -> bool:
    """Whether the rules, outermost folder first, leave `path` out; a folder's path ends with a slash.

    The last rule that matches decides, and the innermost folder's come last. As in git, nothing below an ignored
    folder can come back: a walk must not enter a folder for which this is true.
    """
    is_folder = path.endswith("/")
    entry = path.rstrip("/") + END
    for level in reversed(levels):
        spec = level.for_folders if is_folder else level.for_files
        said = spec.check_file(entry[len(level.base) :]).include
        if said is not None:
            return said
    return False


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # there is none, or it is a folder, or it may not be read: git goes on without it too
        return []


def _rule(line: str) -> tuple[str, bool] | None:
    """A line's pattern for `GitIgnoreSpec`, and whether it is for folders alone; None where git skips the line."""
    line = TRAILING_BLANKS.sub("", line)
    pattern = line.rstrip("/")
    if line.startswith("#") or pattern in ("", "!") or CUT_ESCAPE.search(pattern):
        return None
    if pattern.endswith("**"):  # `a/**`: what lies inside, not the folder itself
        pattern += "/*"
    pattern += END
    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError:  # what git cannot read it skips
        return None
    return pattern, line.endswith("/")
