"""Documents from a JSONL file (plain, .gz or .zst)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from codefit.corpus.documents.text import MAX_SOURCE_BYTES, TOO_LARGE
from codefit.corpus.manifest import Receipt
from codefit.records import DEFAULT_MAX_REJECTED, Document, Rejects, read_rows
from codefit.source.languages import language_of

ROW_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")


def is_row_file(path: Path) -> bool:
    """Whether the name says that the file holds rows."""
    return path.name.endswith(ROW_SUFFIXES)


def read_document_rows(
    path: Path,
    *,
    languages: Collection[str] | None,
    receipt: Receipt,
    max_rejected: float = DEFAULT_MAX_REJECTED,
) -> Iterator[Document]:
    """The documents of a JSONL file in `languages` (None: every known one).

    A row without a language has the one that its path says, a row without a repository has the file's name. Rows of
    another shape are dropped with their line; above `max_rejected` of them, and on broken compression, `InputError`.
    """
    name = next(path.name.removesuffix(suffix) for suffix in ROW_SUFFIXES if path.name.endswith(suffix))
    rejects = Rejects(max_rejected=max_rejected)
    for document in read_rows(path, Document, rejects):
        language = document.language or language_of(document.path)
        where = f"{path}: {document.path}"
        if language is None:
            receipt.drop("language not known", where)
        elif len(document.text) > MAX_SOURCE_BYTES:
            receipt.drop(TOO_LARGE, where)
        elif not document.text.strip():
            receipt.drop("empty", where)
        elif languages is None or language in languages:
            receipt.keep()
            yield msgspec.structs.replace(document, language=language, repo=document.repo or name)
    for row in rejects.rows:
        receipt.drop("not a Document row", row["where"])
    rejects.check()
