"""The texts that a tokenizer learns from: rows of pairs, documents and raw text, and plain text files.

A `.jsonl` (.gz, .zst) is read as rows that have a `text`, or an `anchor` and a `positive`; any other file as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from codefit.corpus.documents.rows import is_row_file
from codefit.corpus.manifest import UNKNOWN
from codefit.errors import InputError
from codefit.files import read_lines
from codefit.records import Rejects, Row, read_rows
from codefit.source.languages import language_of

BLOCK_CHARACTERS = 16_384  # of a plain text file that are drawn together: a few functions' worth
PLAIN = "text"  # the language of a file whose name says none


@dataclass(frozen=True, slots=True)
class Sample:
    """What is drawn or left as one: `texts` to learn from, `measured` to report on, and what they belong to."""

    language: str
    source: str
    file: str
    texts: tuple[str, ...]
    measured: str

    @classmethod
    def of_text(cls, language: str, source: str, file: str | None, text: str) -> Sample:
        """A text of its own."""
        return cls(language, source, file or "", (text,), text)

    @classmethod
    def of_pair(cls, language: str, source: str, file: str | None, anchor: str, positive: str) -> Sample:
        """A description and its code, of which the code is measured."""
        return cls(language, source, file or "", (anchor, positive), positive)


class _TextualRow(Row, frozen=True):
    """Whatever of a Pair, a Document and a TextRow a tokenizer looks at; the format of neither is asked in full."""

    text: str | None = None
    anchor: str | None = None
    positive: str | None = None
    language: str | None = None
    source: str | None = None
    repo: str | None = None
    path: str | None = None

    def __post_init__(self) -> None:
        if self.text is None and (self.anchor is None or self.positive is None):
            raise ValueError("neither a text nor an anchor with a positive")

    def sample(self, file: str) -> Sample | None:
        source = self.source or self.repo or file
        if self.text is None:
            return Sample.of_pair(self.language or UNKNOWN, source, self.path, self.anchor or "", self.positive or "")
        if not self.text.strip():
            return None
        # Raw text without a language (forum posts, tutorials) is told apart by where it comes from.
        language = self.language or (language_of(self.path) if self.path else None) or self.source or PLAIN
        return Sample.of_text(language, source, self.path, self.text)


def read_samples(files: Sequence[Path], rejects: Rejects) -> Iterator[Sample]:
    """The texts of every file in turn. Rows of another shape go to `rejects`; `InputError` where a file is unusable."""
    for file in files:
        # A pipe could not be read the second time.
        if file.exists() and not file.is_file():
            raise InputError("not a regular file", where=str(file), fix="give files: codefit data pairs makes them")
        if is_row_file(file):
            for row in read_rows(file, _TextualRow, rejects):
                sample = row.sample(file.name)
                if sample is not None:
                    yield sample
        else:
            yield from _plain(file)


def _plain(file: Path) -> Iterator[Sample]:
    name = file.name.removesuffix(".gz").removesuffix(".zst")
    language = language_of(name) or PLAIN
    for block in _blocks(file):
        if block.strip():
            yield Sample.of_text(language, str(file), None, block)


def _blocks(file: Path) -> Iterator[str]:
    """The text in pieces that end with a line, but for lines longer than a piece."""
    lines: list[str] = []
    size = 0
    step = 2 * BLOCK_CHARACTERS
    for number, line in enumerate(read_lines(file), start=1):
        try:
            text = line.decode("utf-8") + "\n"
        except UnicodeDecodeError as error:
            raise InputError(f"not UTF-8 ({error.reason})", where=f"{file}:{number}") from error
        lines.append(text)
        size += len(text)
        if size >= BLOCK_CHARACTERS:
            joined = "".join(lines)
            yield from (joined[start : start + step] for start in range(0, len(joined), step))
            lines, size = [], 0
    yield "".join(lines)
