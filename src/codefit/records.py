"""The nouns that flow between stages, one JSON object a line, checked on the way in and out.

A row that does not fit its noun is never silently dropped: it goes to `rejected.jsonl` with its reason,
and above `max_rejected` the stage fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from codefit.errors import CodefitError, InputError
from codefit.files import atomic_path, open_write, read_lines

DEFAULT_MAX_REJECTED = 0.01
MAX_ROW_BYTES = 32_000_000  # of a line of JSON: a longer one is a file that has lost its line breaks
REJECTED_PREVIEW = 500  # characters of a rejected row that are kept, so that a 200 MB line stays readable


def _train() -> str:
    """The default of `split`: from a factory it is always written, since the format has the field in every row."""
    return "train"


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row of a JSONL file. Fields that codefit does not know are ignored when read."""


class Document(Row, frozen=True):
    """A source file: `text` is its content, `path` is relative to `repo`, `license` an SPDX expression."""

    path: str
    text: str
    language: str | None = None
    repo: str | None = None
    license: str | None = None


class TextRow(Row, frozen=True):
    """Raw text for tokenizers and language models."""

    text: str
    source: str
    split: str = msgspec.field(default_factory=_train)
    license: str | None = None


class Pair(Row, frozen=True):
    """A description (`anchor`) and the code that it describes (`positive`), optionally with code that it does not."""

    anchor: str
    positive: str
    source: str
    split: str = msgspec.field(default_factory=_train)
    negative: str | list[str] | None = None
    language: str | None = None
    path: str | None = None
    name: str | None = None
    license: str | None = None
    line: int | None = None

    def negatives(self) -> list[str]:
        """The explicit negatives, none or many, as a list."""
        if self.negative is None:
            return []
        return [self.negative] if isinstance(self.negative, str) else list(self.negative)


class Query(Row, frozen=True):
    """A question whose answer is the pool row with the id `positive_id`."""

    anchor: str
    positive_id: int | str
    source: str = "queries"
    split: str = "test"
    language: str | None = None


class PoolRow(Row, frozen=True):
    """A candidate of a retrieval pool."""

    id: int | str
    code: str
    language: str | None = None
    path: str | None = None
    name: str | None = None


class Message(Row, frozen=True):
    """One turn of a conversation; `role` is system, user or assistant."""

    role: str
    content: str


class Conversation(Row, frozen=True):
    """A chat; `check` says how the answer is verified."""

    messages: list[Message]
    kind: str
    source: str
    split: str = msgspec.field(default_factory=_train)
    check: dict[str, Any] | None = None


class Repair(Row, frozen=True):
    """A broken snippet and its repair as lexical tokens with spaces between, and their sources where they are known."""

    broken: str
    fixed: str
    broken_source: str | None = None
    fixed_source: str | None = None


class RankingInstance(Row, frozen=True):
    """A query, the one relevant document and the other candidates."""

    query: str
    relevant: str
    candidates: list[str]


class ScoredFunction(Row, frozen=True):
    """A function with a complexity score and the metrics behind it; `line` is 1-based, `source` its repository."""

    code: str
    language: str
    score: float
    metrics: dict[str, float] = {}
    path: str | None = None
    line: int | None = None
    source: str | None = None
    split: str = msgspec.field(default_factory=_train)
    license: str | None = None


R = TypeVar("R", bound=Row)


class Rejects:
    """Counts rows that do not fit and keeps them, with the reason, in `rejected.jsonl`.

    Use as a context manager around a stage; `check` at the end fails the stage when more than
    `max_rejected` (a share of all rows) were rejected. The file is written only when there is something in it.
    """

    def __init__(self, path: Path | None = None, max_rejected: float = DEFAULT_MAX_REJECTED) -> None:
        self.path = path
        self.max_rejected = max_rejected
        self.rows: list[dict[str, str]] = []
        self.accepted = 0

    def add(self, where: str, reason: str, row: str = "") -> None:
        """Keep one rejected row."""
        self.rows.append({"where": where, "reason": reason, "row": row[:REJECTED_PREVIEW]})

    def by_reason(self) -> dict[str, int]:
        """How many rows were rejected for each reason."""
        counts: dict[str, int] = {}
        for row in self.rows:
            counts[row["reason"]] = counts.get(row["reason"], 0) + 1
        return counts

    def check(self) -> None:
        """Raise `InputError` when the share of rejected rows is above the limit."""
        total = self.accepted + len(self.rows)
        if self.rows and len(self.rows) > self.max_rejected * total:
            first = self.rows[0]
            raise InputError(
                f"{len(self.rows)} of {total} rows do not fit, above max_rejected {self.max_rejected:.0%} "
                f"(first: {first['where']}: {first['reason']})",
                where=str(self.path) if self.path else None,
                fix="mend the rows or raise max_rejected",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.path is not None and self.rows:
            with atomic_path(self.path) as temporary, open_write(temporary) as stream:
                for row in self.rows:
                    stream.write(msgspec.json.encode(row) + b"\n")


def read_rows(path: Path, kind: type[R], rejects: Rejects | None = None) -> Iterator[R]:
    """Rows of a JSONL file (.gz and .zst too). A row that does not fit goes to `rejects`; without them it raises."""
    decoder = msgspec.json.Decoder(kind)
    for number, line in enumerate(read_lines(path, MAX_ROW_BYTES), start=1):
        if not line.strip():
            continue
        try:
            if len(line) > MAX_ROW_BYTES:
                raise msgspec.DecodeError(f"the line is longer than {MAX_ROW_BYTES // 1_000_000} MB")
            row = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            where = f"{path}:{number}"
            if rejects is None:
                raise InputError(f"not a {kind.__name__} row ({error})", where=where) from error
            rejects.add(
                where, f"not a {kind.__name__} row ({error})", line[:REJECTED_PREVIEW].decode("utf-8", "replace")
            )
            continue
        if rejects is not None:
            rejects.accepted += 1
        yield row


def load_rows(
    path: Path, kind: type[R], *, rejected: Path | None = None, max_rejected: float = DEFAULT_MAX_REJECTED
) -> list[R]:
    """All rows of a file; fails above `max_rejected`, and on a file without any row."""
    with Rejects(rejected, max_rejected) as rejects:
        rows = list(read_rows(path, kind, rejects))
        rejects.check()
    if not rows:
        raise InputError(f"holds no {kind.__name__} rows", where=str(path))
    return rows


def write_rows(path: Path, rows: Iterable[Row | dict[str, Any]]) -> int:
    """Write rows as JSONL, whole or not at all, compressed as the name says; how many were written."""
    encoder = msgspec.json.Encoder()
    count = 0
    with atomic_path(path) as temporary, open_write(temporary) as stream:
        for row in rows:
            stream.write(encoder.encode(row) + b"\n")
            count += 1
    return count


def read_ranking_blocks(path: Path) -> Iterator[RankingInstance]:
    """Instances from blocks between blank lines: line 1 the query, line 2 the relevant document, then candidates."""
    block: list[str] = []
    start = 1
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            if not block:
                start = number
            block.append(_decode(line, path, number))
        elif block:
            yield _ranking_instance(block, path, start)
            block = []
    if block:
        yield _ranking_instance(block, path, start)


def _decode(line: bytes, path: Path, number: int) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 ({error.reason})", where=f"{path}:{number}") from error


def _ranking_instance(block: list[str], path: Path, start: int) -> RankingInstance:
    if len(block) < 2:
        raise InputError("a ranking block needs a query and a relevant document", where=f"{path}:{start}")
    return RankingInstance(query=block[0], relevant=block[1], candidates=block[2:])


def write_ranking_blocks(path: Path, instances: Iterable[RankingInstance]) -> int:
    """The inverse of `read_ranking_blocks`; a text that is blank or holds a line break cannot be a block line."""
    count = 0
    with atomic_path(path) as temporary, open_write(temporary) as stream:
        for instance in instances:
            lines = [instance.query, instance.relevant, *instance.candidates]
            if any(not line.encode().strip() or "\n" in line or "\r" in line for line in lines):
                raise CodefitError(f"instance {count + 1} holds a blank text or a line break", where=str(path))
            stream.write(("\n" if count else "").encode() + "\n".join(lines).encode("utf-8") + b"\n")
            count += 1
    return count
