"""Everything that a look at one file decides, in worker processes: is it worth reading, and what does it hold?"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import msgspec

from codefit.corpus.filters import DEFAULT_LIMITS, Limits, document_problem
from codefit.corpus.licenses import is_allowed
from codefit.corpus.manifest import UNKNOWN, Receipt
from codefit.corpus.redact import redact
from codefit.corpus.richness import SECONDS_PER_DOCUMENT, Richness, bytes_of, lines_of, richness_of
from codefit.corpus.shingles import UInt64Array, shingle_sets
from codefit.engine.processes import map_records
from codefit.progress import track
from codefit.records import Document
from codefit.source.languages import language_of


@dataclass(frozen=True, slots=True)
class Checks:
    """What a file must pass. `structure` counts functions and types, which takes most of the time."""

    limits: Limits = DEFAULT_LIMITS
    # SPDX identifiers, and "unknown" for files without a licence; None allows all.
    allowed_licenses: tuple[str, ...] | None = None
    redact: bool = True
    min_lines: int = 0
    max_lines: int | None = None
    structure: bool = True


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that passed: its document (redacted, its language filled in), what it holds, its set of shingles."""

    document: Document
    richness: Richness
    shingles: UInt64Array


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a worker says of a file; `text` is None where redaction changed nothing."""

    problem: str | None = None
    text: str | None = None
    redacted: dict[str, int] | None = None
    richness: Richness | None = None
    shingles: UInt64Array | None = None


def place_of(document: Document) -> str:
    """A file's name in receipts and messages."""
    return f"{document.repo or UNKNOWN}/{document.path}"


def examine_documents(
    documents: Iterable[Document],
    checks: Checks,
    receipt: Receipt,
    redacted: Counter[str],
    *,
    workers: int | None = None,
    seconds_per_document: float = SECONDS_PER_DOCUMENT,
) -> list[Examined]:
    """The files that pass, in their order; the others are dropped in the receipt, each by name.

    `redacted` counts what was replaced in those that pass. A file that hangs or breaks its worker (None: one a core)
    is dropped with that reason and costs no other. Raises `InputError` for an allow-list that names no licence.
    """
    is_allowed(None, checks.allowed_licenses or ())  # a wrong list is the user's error, not each file's
    waiting: deque[Document] = deque()
    outcomes = map_records(
        partial(_look, checks=checks),
        _remembered(documents, waiting),
        workers=workers,
        seconds_per_item=seconds_per_document,
    )
    passed = []
    for outcome in track(outcomes, "examine", unit="files"):
        document = waiting.popleft()
        verdict = outcome.value
        if verdict is None:
            receipt.drop(f"not examined: {outcome.error}", place_of(document))
        elif verdict.problem is not None:
            receipt.drop(verdict.problem, place_of(document))
        else:
            redacted.update(verdict.redacted or {})
            text = document.text if verdict.text is None else verdict.text
            language = document.language or language_of(document.path)
            assert verdict.richness is not None
            assert verdict.shingles is not None
            document = msgspec.structs.replace(document, text=text, language=language)
            passed.append(Examined(document, verdict.richness, verdict.shingles))
    return passed


def _remembered(documents: Iterable[Document], waiting: deque[Document]) -> Iterator[Document]:
    """The documents as they are, each kept until its outcome comes back: in order, but without it."""
    for document in documents:
        waiting.append(document)
        yield document


def _look(document: Document, checks: Checks) -> _Verdict:
    language = document.language or language_of(document.path)
    if language is None:
        return _Verdict("language not known")
    problem = _line_problem(document.text, checks) or license_problem(document, checks.allowed_licenses)
    problem = problem or document_problem(document, checks.limits)
    if problem is not None:
        return _Verdict(problem)
    text, counts = redact(document.text) if checks.redact else (document.text, {})
    richness = richness_of(text, language) if checks.structure else Richness(0, 0, lines_of(text), bytes_of(text))
    return _Verdict(None, text if counts else None, counts, richness, next(shingle_sets([text])))


def _line_problem(text: str, checks: Checks) -> str | None:
    lines = lines_of(text)
    if lines < checks.min_lines:
        return f"fewer than {checks.min_lines} lines"
    if checks.max_lines is not None and lines > checks.max_lines:
        return f"more than {checks.max_lines} lines"
    return None


def license_problem(document: Document, allowed: Collection[str] | None) -> str | None:
    """Why the licence of a file keeps it out, or None where it does not; `allowed` None allows all."""
    if allowed is None or is_allowed(document.license, allowed):
        return None
    return "licence not stated" if document.license is None else "licence not allowed"
