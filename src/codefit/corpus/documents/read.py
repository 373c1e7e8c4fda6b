"""Documents from whatever a user names: a folder, a checkout, a source file, a JSONL of documents, or `env`."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from codefit.corpus.documents.environment import LANGUAGES as ENVIRONMENT_LANGUAGES
from codefit.corpus.documents.environment import read_environment
from codefit.corpus.documents.folder import read_file, read_folder
from codefit.corpus.documents.rows import is_row_file, read_document_rows
from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.records import Document
from codefit.source.languages import LANGUAGES

ENVIRONMENT = "env"  # the word for this Python environment; a folder of that name is `./env`


def read_documents(
    sources: Sequence[str],
    *,
    languages: Collection[str] | None,
    exclude: Collection[str],
    receipt: Receipt,
) -> Iterator[Document]:
    """The documents of every source in turn, in `languages` (None: every known one; of the environment, Python).

    `exclude` leaves out distributions of the environment and, everywhere, documents whose `repo` it names. Raises
    `InputError` where a source is missing or unusable, or a language is unknown, before anything is read.
    """
    for language in languages or ():
        if language not in LANGUAGES:
            near = difflib.get_close_matches(language, LANGUAGES, n=1)
            fix = f"did you mean {near[0]}?" if near else f"choose from {', '.join(LANGUAGES)}"
            raise InputError(f"no language is called {language!r}", fix=fix)
    for source in sources:
        if source != ENVIRONMENT and not Path(source).exists():
            raise InputError("no such file or folder", where=source, fix="check the path")
    return _read(sources, languages, exclude, receipt)


def _read(
    sources: Sequence[str], languages: Collection[str] | None, exclude: Collection[str], receipt: Receipt
) -> Iterator[Document]:
    for source in sources:
        path = Path(source)
        if source == ENVIRONMENT:
            documents = read_environment(
                exclude=exclude, receipt=receipt, languages=ENVIRONMENT_LANGUAGES if languages is None else languages
            )
        elif path.is_dir():
            documents = read_folder(path, languages=languages, receipt=receipt)
        elif is_row_file(path):
            documents = read_document_rows(path, languages=languages, receipt=receipt)
        else:
            documents = read_file(path, languages=languages, receipt=receipt)
        for document in documents:
            if document.repo not in exclude:
                yield document
