"""The functions, methods and types of a folder, as they are searched: where each stands, and its text."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from codefit.corpus.documents.read import read_documents
from codefit.corpus.documents.repository import checkout_of
from codefit.corpus.manifest import Receipt
from codefit.engine.processes import map_records
from codefit.errors import InputError
from codefit.progress import track
from codefit.records import Document
from codefit.source.functions import Unit, units_of
from codefit.source.languages import language_of
from codefit.source.parsing import SECONDS

# The parser stops itself at its own limit, but for a few inputs that only the end of the process stops.
SECONDS_PER_DOCUMENT = 3 * SECONDS


@dataclass(frozen=True, slots=True)
class Function:
    """A function, method or type. Lines are 1-based and inclusive; `path` is relative to the folder searched.

    `code` is what a model embeds: the definition without its doc, as models are trained. `doc` is that doc, which the
    lexical side reads too. `lines` are the file's own, from `start_line` to `end_line`.
    """

    path: str
    name: str
    kind: str
    language: str
    start_line: int
    end_line: int
    code: str
    doc: str
    lines: tuple[str, ...]


def read_functions(
    root: Path, *, languages: Collection[str] | None = None, globs: Sequence[str] = (), receipt: Receipt
) -> list[Function]:
    """The functions under `root` (a folder, a source file or a Document JSONL), files in order; ignore files count.

    `globs` keeps the files whose path matches one of them, as .gitignore has patterns. What cannot be read is counted
    in `receipt`. Raises `InputError` where `root` is missing or a language is unknown.
    """
    # An absolute path: the word `env` is a source of its own where documents are read for training.
    documents = read_documents([str(root.absolute())], languages=languages, exclude=(), receipt=receipt)
    matching = _matching(_relative(documents, root), globs)
    return list(functions_of(track(matching, "read", unit="files"), receipt=receipt))


def functions_of(documents: Iterable[Document], *, receipt: Receipt, workers: int | None = None) -> Iterator[Function]:
    """The functions of documents, parsed by `workers` processes (None: one a core); what fails costs itself alone."""
    places: deque[Document] = deque()
    outcomes = map_records(
        document_functions, _remember(documents, places), workers=workers, seconds_per_item=SECONDS_PER_DOCUMENT
    )
    for outcome in outcomes:
        document = places.popleft()
        if outcome.value is None:
            receipt.drop(f"not parsed: {outcome.error}", document.path)
        else:
            yield from outcome.value


def document_functions(document: Document) -> list[Function]:
    """The functions of one document; `InputError` where its language is not known."""
    language = document.language or language_of(document.path)
    if language is None:
        raise InputError("language not known", where=document.path)
    lines = document.text.split("\n")
    return [_function(document.path, language, lines, unit) for unit in units_of(document.text, language)]


def _function(path: str, language: str, lines: Sequence[str], unit: Unit) -> Function:
    own = tuple(line.rstrip("\r") for line in lines[unit.start_line - 1 : unit.end_line])
    return Function(
        path=path,
        name=unit.qualified,
        kind=unit.kind,
        language=language,
        start_line=unit.start_line,
        end_line=unit.end_line,
        code=unit.definition,
        doc=unit.doc,
        lines=own,
    )


def _relative(documents: Iterable[Document], root: Path) -> Iterator[Document]:
    """Paths as seen from `root`: in a git checkout the reader gives them from its top."""
    root = root.resolve()
    top = checkout_of(root if root.is_dir() else root.parent)
    if root.is_dir():
        prefix = f"{root.relative_to(top).as_posix()}/" if top is not None and top != root else ""
    else:
        prefix = f"{root.parent.relative_to(top).as_posix()}/" if top is not None and top != root.parent else ""
    for document in documents:
        yield Document(
            path=document.path.removeprefix(prefix),
            text=document.text,
            language=document.language,
            repo=document.repo,
            license=document.license,
        )


def _matching(documents: Iterable[Document], globs: Sequence[str]) -> Iterator[Document]:
    if not globs:
        yield from documents
        return
    from pathspec import GitIgnoreSpec

    wanted = GitIgnoreSpec.from_lines(globs)
    yield from (document for document in documents if wanted.match_file(document.path))


def _remember(documents: Iterable[Document], places: deque[Document]) -> Iterator[Document]:
    """The documents as they are, with a note of each: outcomes come back in order but without it."""
    for document in documents:
        places.append(document)
        yield document
