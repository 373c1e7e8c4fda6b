"""The receipt of a stage: what it kept, what it dropped and why; and what a manifest says about each file written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codefit.files import hash_file
from codefit.records import Document, Pair, TextRow, write_rows

UNKNOWN = "unknown"  # how a manifest counts rows without a licence or a language


@dataclass(frozen=True, slots=True)
class Dropped:
    """`count` things at `where` that did not go on, for one reason."""

    reason: str
    where: str
    count: int


class Receipt:
    """Counts what a stage keeps and drops, and remembers where each dropped thing was for `dropped.jsonl`."""

    def __init__(self) -> None:
        self.kept = 0
        self.dropped: list[Dropped] = []

    def keep(self, count: int = 1) -> None:
        """`count` more things went on."""
        self.kept += count

    def drop(self, reason: str, where: str, count: int = 1) -> None:
        """`count` things at `where` did not; `reason` is short and stable, since it is what they are counted by."""
        self.dropped.append(Dropped(reason, where, count))

    def by_reason(self) -> dict[str, int]:
        """How many things were dropped for each reason, the most frequent first."""
        counts: Counter[str] = Counter()
        for row in self.dropped:
            counts[row.reason] += row.count
        return dict(counts.most_common())

    def to_dict(self) -> dict[str, Any]:
        """`{"kept": n, "dropped": {reason: n}}`, as it stands in a manifest."""
        return {"kept": self.kept, "dropped": self.by_reason()}


def write_dropped(path: Path, receipts: Mapping[str, Receipt]) -> int:
    """Write every dropped thing of the named stages as JSONL `{stage, reason, where, count}`; how many lines."""
    return write_rows(
        path,
        (
            {"stage": stage, "reason": row.reason, "where": row.where, "count": row.count}
            for stage, receipt in receipts.items()
            for row in receipt.dropped
        ),
    )


def describe_file(path: Path, rows: int) -> dict[str, Any]:
    """What a manifest says about a file that was just written: rows, bytes and the hash that pins it."""
    return {"rows": rows, "bytes": path.stat().st_size, "sha256": hash_file(path)}


def describe_texts(texts: Sequence[TextRow]) -> dict[str, dict[str, int]]:
    """How many rows of raw text there are by source and by licence, most frequent first."""
    return {
        "sources": dict(Counter(row.source for row in texts).most_common()),
        "licenses": dict(Counter(row.license or UNKNOWN for row in texts).most_common()),
    }


def describe_pairs(pairs: Iterable[Pair | Document]) -> dict[str, dict[str, int]]:
    """How many rows there are by language, by source (`repo` for documents) and by licence, most frequent first."""
    languages: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    licenses: Counter[str] = Counter()
    for row in pairs:
        languages[row.language or UNKNOWN] += 1
        sources[(row.source if isinstance(row, Pair) else row.repo) or UNKNOWN] += 1
        licenses[row.license or UNKNOWN] += 1
    return {
        "languages": dict(languages.most_common()),
        "sources": dict(sources.most_common()),
        "licenses": dict(licenses.most_common()),
    }
