"""Which files are reviewed: those named, and below folders those in a measured language, vendored code apart."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from pathspec import GitIgnoreSpec

from codefit.corpus.documents.folder import levels_above, source_files
from codefit.corpus.documents.ignore import IgnoreLevel, ignore_level, is_ignored
from codefit.corpus.documents.repository import checkout_of
from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.source.languages import LANGUAGES, language_of
from codefit.source.metrics.rules import RULES

MEASURED = tuple(name for name in LANGUAGES if name in RULES)
# Folders whose code others wrote, by the names that package managers and their users give them.
VENDORED: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            *("node_modules", "bower_components", "jspm_packages", "site-packages", "Pods", "Godeps"),
            *("vendor", "vendors", "_vendor", "vendored", "third_party", "third-party", "thirdparty", "3rdparty"),
        ),
        "vendored",
    )
)
# What pre-commit and its like call a file's kind, where the name alone does not tell codefit's language.
_TAGS = MappingProxyType(
    {
        **{name: name for name in ("python", "javascript", "rust", "go", "java", "ruby", "php", "c")},
        "jsx": "javascript",
        "ts": "typescript",
        "tsx": "typescript",
        "c++": "cpp",
    }
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to measure: `path` as it is shown, where it lies, how many bytes it has, and whether the user named it."""

    path: str
    place: Path
    language: str
    size: int
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the files that are found are wanted.

    No `languages` means every one; `globs` keeps and `exclude` leaves out paths that match, as .gitignore has
    patterns; `everything` takes in vendored, generated and minified code.
    """

    languages: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    everything: bool = False

    def keeps(self, path: str, language: str) -> bool:
        """Whether a file is wanted."""
        if self.languages and language not in self.languages:
            return False
        return (not self.globs or _spec(self.globs).match_file(path)) and not _spec(self.exclude).match_file(path)

    def check(self) -> None:
        """Raise `InputError` where a language is none that is measured."""
        for name in self.languages:
            if name not in MEASURED:
                raise InputError(f"{name!r} is not a language that is measured", fix=f"one of {', '.join(MEASURED)}")


def find_files(paths: Sequence[str], choice: Choice, receipt: Receipt) -> list[SourceFile]:
    """The files that `paths` (files and folders) stand for, each once; what is passed over is noted in `receipt`.

    A file that is named is in the language that its name says, else its first line (`#!`), else the only one of
    `choice.languages`, which for a single file goes before both. Raises `InputError` where a path is missing or a named
    file is in no language.
    """
    found: dict[Path, SourceFile] = {}
    for given in paths:
        place = Path(given)
        if not place.exists():
            what = "a link that leads nowhere" if place.is_symlink() else "no such file or folder"
            raise InputError(what, where=given, fix="check the path")
        if place.is_dir():
            files = _below(place, choice, receipt)
        else:
            files = [named_file(place, choice, is_alone=len(paths) == 1)]
        for file in files:
            if choice.keeps(file.path, file.language):
                found.setdefault(file.place, file)
    return list(found.values())


def shown_path(place: Path) -> str:
    """A path as people and programs read it: from the current folder where it lies below, with forward slashes."""
    absolute = Path(os.path.abspath(place))
    here = Path.cwd()
    return (absolute.relative_to(here) if absolute.is_relative_to(here) else absolute).as_posix()


def is_vendored(path: str) -> bool:
    """Whether a folder on the way to a file is one of `VENDORED`."""
    return any(part in VENDORED for part in path.split("/")[:-1])


class Ignored:
    """What the ignore files of a folder leave out, asked path by path; as `find_files` goes by them."""

    def __init__(self, top: Path, start: str = "") -> None:
        """`start` is the folder below which paths are asked for, "" or ending with a slash; it is wanted itself."""
        self._top = top
        self._start = start
        self._levels: dict[str, tuple[IgnoreLevel, ...] | None] = {start: self._with(levels_above(top, start), start)}

    def __contains__(self, path: str) -> bool:
        """Whether the path of a file, relative to the top, is left out."""
        levels = self._of_folder(path[: path.rfind("/") + 1])
        return levels is None or is_ignored(levels, path)

    def _of_folder(self, folder: str) -> tuple[IgnoreLevel, ...] | None:
        """The rules that hold in a folder, None where it is left out itself."""
        if folder not in self._levels:
            above = self._of_folder(folder[: folder.rfind("/", 0, -1) + 1])
            left_out = above is None or is_ignored(above, folder)
            self._levels[folder] = None if left_out or above is None else self._with(above, folder)
        return self._levels[folder]

    def _with(self, above: tuple[IgnoreLevel, ...], folder: str) -> tuple[IgnoreLevel, ...]:
        level = ignore_level(self._top, folder)
        return (*above, level) if level else above


def _below(root: Path, choice: Choice, receipt: Receipt) -> list[SourceFile]:
    resolved = root.resolve()
    top = checkout_of(resolved) or resolved
    start = "" if resolved == top else f"{resolved.relative_to(top).as_posix()}/"
    passed_over = Receipt()
    files = []
    for path, language in source_files(
        top, start, passed_over, not_entered=VENDORED if not choice.everything else MappingProxyType({})
    ):
        if language in MEASURED:
            place = top / path
            files.append(SourceFile(_shown(root, path, start), place, language, _size(place)))
    for each in passed_over.dropped:
        where = _shown(root, each.where, start) if each.reason == "vendored" else each.where
        receipt.drop(each.reason, where)
    return files


def _shown(root: Path, path: str, start: str) -> str:
    """A path below `top` as seen through the folder that the user named, which may be reached by a link."""
    folder = "/" if path.endswith("/") else ""
    return shown_path(root / path.removeprefix(start)) + folder


def named_file(place: Path, choice: Choice, *, is_alone: bool) -> SourceFile:
    """A file that the user named, who may have said its language; where the file is one of several, that is a filter.

    Raises `InputError` where neither he nor the file says it.
    """
    said = choice.languages if len(choice.languages) == 1 else ()
    language = said[0] if said and is_alone else _language_of_named(place) or next(iter(said), None)
    if language is None:
        raise InputError(
            "the name of this file does not say which language it is in",
            where=shown_path(place),
            fix=f"say it with --language, one of {', '.join(MEASURED)}",
        )
    return SourceFile(shown_path(place), place.resolve(), language, _size(place), is_named=True)


def _language_of_named(place: Path) -> str | None:
    known = language_of(place.name)
    if known is None and place.is_file():
        from identify.identify import parse_shebang, tags_from_filename, tags_from_interpreter

        tags = tags_from_filename(place.name)
        if not tags:
            with open(place, "rb") as stream:
                command = parse_shebang(stream)
            tags = tags_from_interpreter(command[0]) if command else ()
        known = next((_TAGS[tag] for tag in sorted(tags) if tag in _TAGS), None)
    return known if known in MEASURED else None


@cache
def _spec(globs: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(globs)


def _size(place: Path) -> int:
    """Bytes, 0 where nobody can tell: reading it will say why."""
    try:
        return place.stat().st_size
    except OSError:
        return 0
