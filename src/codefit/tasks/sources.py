"""Documents from all that a recipe names: folders, files, the environment, and files of mined functions."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from codefit.corpus.documents.read import read_documents
from codefit.corpus.documents.rows import is_row_file
from codefit.corpus.examine import place_of
from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.files import hash_file
from codefit.records import Document, Pair, Rejects, read_rows
from codefit.tasks.pair_documents import documents_from_pairs

LANGUAGE_LEFT_OUT = "language left out"
SOURCE_EXCLUDED = "source excluded"
SOURCE_NOT_ASKED = "source not asked for"


def read_sources(
    *,
    documents: Sequence[str] = (),
    pairs: Sequence[Path] = (),
    languages: Collection[str] | None = None,
    leave_out_languages: Collection[str] = (),
    exclude: Collection[str] = (),
    sources: Collection[str] | None = None,
    receipt: Receipt,
    inputs: dict[str, Any] | None = None,
) -> Iterator[Document]:
    """The documents of `documents` (paths, JSONL, "env"), then those put together from the files of `pairs`.

    `languages` are the ones wanted (None: every known one; of the environment, Python), less `leave_out_languages`;
    `exclude` names repositories and packages that are left out, `sources` the only ones that stay (None: all). What
    each input held is added to `inputs` when it has been read, by its name: how many documents, and their hash (a
    file's own). Raises `InputError` for an input that is missing or unusable before anything is read.
    """
    read_documents(documents, languages=languages, exclude=exclude, receipt=receipt)  # looks at the names only
    for path in pairs:
        if not path.is_file():
            raise InputError("no such file", where=str(path), fix="check the path")
    inputs = {} if inputs is None else inputs
    return _read(documents, pairs, languages, set(leave_out_languages), exclude, sources, receipt, inputs)


def _read(
    documents: Sequence[str],
    pairs: Sequence[Path],
    languages: Collection[str] | None,
    leave_out: Collection[str],
    exclude: Collection[str],
    sources: Collection[str] | None,
    receipt: Receipt,
    inputs: dict[str, Any],
) -> Iterator[Document]:
    for name in documents:
        found = read_documents([name], languages=languages, exclude=exclude, receipt=receipt)
        yield from _wanted(_hashed(found, name, Path(name), inputs), leave_out, sources, receipt)
    for path in pairs:
        found = documents_from_pairs(_pairs(path, languages, exclude, receipt))
        yield from _wanted(_hashed(found, str(path), path, inputs), leave_out, sources, receipt)


def _wanted(
    documents: Iterator[Document], leave_out: Collection[str], sources: Collection[str] | None, receipt: Receipt
) -> Iterator[Document]:
    for document in documents:
        if document.language in leave_out:
            receipt.drop(LANGUAGE_LEFT_OUT, place_of(document))
        elif sources is not None and document.repo not in sources:
            receipt.drop(SOURCE_NOT_ASKED, place_of(document))
        else:
            yield document


def _hashed(documents: Iterator[Document], name: str, path: Path, inputs: dict[str, Any]) -> Iterator[Document]:
    """The documents as they are; when they have all come, `inputs` says what they were."""
    digest = hashlib.sha256()
    count = 0
    for document in documents:
        count += 1
        text = hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()
        digest.update(f"{place_of(document)}\0{text}\n".encode("utf-8", "surrogatepass"))
        yield document
    is_rows = path.is_file() and is_row_file(path)
    inputs[name] = {"documents": count, "sha256": hash_file(path) if is_rows else digest.hexdigest()}


def _pairs(path: Path, languages: Collection[str] | None, exclude: Collection[str], receipt: Receipt) -> Iterator[Pair]:
    """The rows of a file; one that does not fit is dropped with its place, and too many stop the run."""
    rejects = Rejects()
    excluded: Counter[str] = Counter()
    for pair in read_rows(path, Pair, rejects):
        if pair.source in exclude:
            excluded[pair.source] += 1
        elif languages is None or pair.language in languages:
            receipt.keep()
            yield pair
    for source, count in excluded.items():
        receipt.drop(SOURCE_EXCLUDED, f"{path}: {source}", count)
    for row in rejects.rows:
        receipt.drop(row["reason"], row["where"])
    rejects.check()
