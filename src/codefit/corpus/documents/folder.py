"""Documents from a folder or a git checkout, in a fixed order, ignore files honoured."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from codefit.corpus.documents.ignore import IgnoreLevel, ignore_level, is_ignored
from codefit.corpus.documents.repository import checkout_of, license_of, repository_name
from codefit.corpus.documents.text import NotSourceError, read_source
from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.records import Document
from codefit.source.languages import language_of


def read_folder(root: Path, *, languages: Collection[str] | None, receipt: Receipt) -> Iterator[Document]:
    """The source files under `root` in `languages` (None: every known one), folder by folder, names in order.

    In a git checkout the ignore files of the folders above `root` count too, paths are relative to the checkout, and
    `repo` is `owner/name` of its origin where it has one; elsewhere they are relative to `root` and `repo` is its
    name. `license` is what the licence file at the top says. Links are not followed. Raises `InputError` where
    `root` is no folder.
    """
    root = root.resolve()
    if not root.is_dir():
        raise InputError("not a folder", where=str(root), fix="give a folder, a source file or a Document JSONL")
    top = checkout_of(root) or root
    repo, license_expression = repository_name(top), license_of(top)
    start = "" if root == top else f"{root.relative_to(top).as_posix()}/"
    for path, language in source_files(top, start, receipt):
        if languages is not None and language not in languages:
            continue
        try:
            text = read_source(top / path)
        except NotSourceError as reason:
            receipt.drop(str(reason), f"{repo}/{path}")
            continue
        receipt.keep()
        yield Document(path=path, text=text, language=language, repo=repo, license=license_expression)


def read_file(path: Path, *, languages: Collection[str] | None, receipt: Receipt) -> Iterator[Document]:
    """The document that a source file is, where its language is in `languages` (None: every known one).

    Its repository is the checkout or the folder that it lies in. Raises `InputError` where its language is not known.
    """
    path = path.resolve()
    language = language_of(path.name)
    if language is None:
        raise InputError(
            "neither a source file in a known language nor a .jsonl of documents",
            where=str(path),
            fix="see `codefit data pairs --help` for the languages",
        )
    if languages is not None and language not in languages:
        return
    top = checkout_of(path.parent) or path.parent
    relative = path.relative_to(top).as_posix()
    try:
        text = read_source(path)
    except NotSourceError as reason:
        receipt.drop(str(reason), str(path))
        return
    receipt.keep()
    yield Document(path=relative, text=text, language=language, repo=repository_name(top), license=license_of(top))


def source_files(
    top: Path, start: str, receipt: Receipt, *, not_entered: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[str, str]]:
    """Path relative to `top` and language of every file that is not ignored, under the folder `start`.

    `start` is relative to `top` and ends with a slash where it is not `top` itself. Folders called by a name of
    `not_entered` are dropped for its reason.
    """
    pending: list[tuple[str, tuple[IgnoreLevel, ...]]] = [(start, levels_above(top, start))]
    while pending:
        folder, above = pending.pop()
        level = ignore_level(top, folder)
        levels = (*above, level) if level else above
        try:
            entries = sorted(os.scandir(top / folder), key=lambda entry: entry.name)
        except OSError as error:
            receipt.drop(f"unreadable folder ({error.strerror})", str(top / folder))
            continue
        subfolders = []
        for entry in entries:
            if entry.name == ".git":
                continue
            path = folder + entry.name
            if not _is_unicode(path):
                receipt.drop("file name is not UTF-8", ascii(path))
                continue
            if entry.is_dir(follow_symlinks=False):
                if is_ignored(levels, f"{path}/"):
                    continue
                if entry.name in not_entered:
                    receipt.drop(not_entered[entry.name], f"{path}/")
                else:
                    subfolders.append((f"{path}/", levels))
            elif (language := language_of(path)) is not None and not is_ignored(levels, path):
                yield path, language
        pending.extend(reversed(subfolders))


def _is_unicode(path: str) -> bool:
    """Whether a name that the file system gave can be written as UTF-8: bytes that are none come as surrogates."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def levels_above(top: Path, start: str) -> tuple[IgnoreLevel, ...]:
    """The ignore rules of the folders from the checkout's top down to, not including, the folder `start`."""
    parts = start.split("/")[:-1]
    bases = ["".join(f"{part}/" for part in parts[:depth]) for depth in range(len(parts))]
    levels = tuple(level for base in bases if (level := ignore_level(top, base)) is not None)
    # A folder that the user names is wanted, even where the checkout ignores it.
    return () if is_ignored(levels, start) else levels
