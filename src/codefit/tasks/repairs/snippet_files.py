"""Strings of sound code to pre-train on: the snippets of many files, each once, some sources held out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codefit.corpus.hashing import seeded_hash
from codefit.engine.processes import map_records
from codefit.files import atomic_path, open_write, read_lines
from codefit.progress import track
from codefit.records import Document
from codefit.source.lexemes import lex
from codefit.source.syntax.python import python_tables
from codefit.source.syntax.terminals import from_characters, to_characters
from codefit.tasks.repairs.snippets import snippets

SECONDS_A_FILE = 20.0


@dataclass(frozen=True, slots=True)
class SnippetSets:
    """Different strings of terminals, a byte each: to learn from, and of the sources that were held out."""

    train: list[bytes]
    validation: list[bytes]
    files: int
    unreadable: int


def gather_snippets(
    documents: Iterable[Document], *, held_out: Collection[str], most_tokens: int, validation_tokens: int, seed: int
) -> SnippetSets:
    """Snippets of Python files drawn at random until they have `most_tokens` tokens, none twice.

    Those of the sources `held_out` are for validation, without what training has too.
    """
    python = [document for document in documents if document.language == "python"]
    python.sort(key=lambda document: seeded_hash(seed, f"{document.repo}/{document.path}"))
    own = [document for document in python if document.repo not in held_out]
    others = [document for document in python if document.repo in held_out]
    train, files, unreadable = _drawn(own, most_tokens, seed, set())
    validation, more, failed = _drawn(others, validation_tokens, seed, set(train))
    return SnippetSets(train, validation, files + more, unreadable + failed)


def _drawn(
    documents: Sequence[Document], most_tokens: int, seed: int, known: set[bytes]
) -> tuple[list[bytes], int, int]:
    found: dict[bytes, None] = {}
    tokens = files = unreadable = 0
    seeded = ((document.text, seed) for document in documents)
    outcomes = map_records(_snippets_of, seeded, seconds_per_item=SECONDS_A_FILE)
    for outcome in track(outcomes, "lexing", len(documents), "files"):
        files += 1
        if outcome.value is None:
            unreadable += 1
            continue
        for string in outcome.value:
            if string not in found and string not in known:
                found[string] = None
                tokens += len(string)
        if tokens >= most_tokens:
            break
    return list(found), files, unreadable


def _snippets_of(given: tuple[str, int]) -> list[bytes]:
    text, seed = given
    tables, _ = python_tables()
    rng = np.random.default_rng([seed, len(text)])
    return [bytes(string) for string in snippets(lex(text).terminals, rng) if tables.accepts(string)]


def write_snippets(path: Path, strings: Iterable[bytes]) -> int:
    """Write strings as lines of characters; how many."""
    count = 0
    with atomic_path(path) as temporary, open_write(temporary) as stream:
        for string in strings:
            stream.write(to_characters(string).encode() + b"\n")
            count += 1
    return count


def read_snippets(path: Path) -> list[bytes]:
    """The inverse of `write_snippets`; `InputError` for a character of no token."""
    return [
        bytes(from_characters(line.decode("utf-8", "replace").rstrip("\n"), where=f"{path}:{number}"))
        for number, line in enumerate(read_lines(path), start=1)
        if line.strip()
    ]
