"""Takes the rows of one source: filtered, redacted, each where it belongs; a source that fails says why in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from codefit.corpus.filters import pair_problem
from codefit.corpus.hub.load import SourceError, place_of, rows_of
from codefit.corpus.hub.source import HubSource, Part, Role, UnfitError
from codefit.corpus.manifest import Receipt
from codefit.corpus.redact import redact
from codefit.files import hash_bytes
from codefit.progress import Progress
from codefit.records import Pair, TextRow

BENCHMARK = "row of a benchmark"


@dataclass(frozen=True, slots=True)
class Quota:
    """How many rows of a source to keep at most: of each language's train and evaluation part, and raw rows in all."""

    train_per_language: int
    eval_per_language: int
    raw: int

    def of(self, part: Part) -> int | None:
        """The bound for a part; None where the source has no languages to balance, so all of it is taken."""
        if part.role == "raw":
            return self.raw
        if part.language is None:
            return None
        return self.train_per_language if part.role == "train" else self.eval_per_language


@dataclass(slots=True)
class Harvest:
    """What one source gave, or in one line why it gives nothing.

    `benchmark_texts` are name and text of every row that must not be trained on, to decontaminate the others by.
    """

    source: HubSource
    revision: str | None = None
    problem: str | None = None
    receipt: Receipt = field(default_factory=Receipt)
    redacted: Counter[str] = field(default_factory=Counter)
    train: list[Pair] = field(default_factory=list)
    evaluation: list[Pair] = field(default_factory=list)
    raw: list[TextRow] = field(default_factory=list)
    benchmark_texts: list[tuple[str, str]] = field(default_factory=list)

    def fail(self, problem: str) -> None:
        """Give nothing, for this reason: half a source would be taken for the whole."""
        self.problem = problem
        self.train, self.evaluation, self.raw = [], [], []

    def rows(self) -> Iterator[Pair | TextRow]:
        """Everything that it gave."""
        yield from self.train
        yield from self.evaluation
        yield from self.raw

    def summary(self) -> str:
        """What it gave before sources are kept apart, or why nothing, for people."""
        if self.problem is not None:
            return f"failed: {self.problem}"
        return f"{len(self.train):,} train, {len(self.evaluation):,} evaluation, {len(self.raw):,} raw rows"

    def to_dict(self) -> dict[str, Any]:
        """The source's entry in the manifest; `sha256` is of its rows as JSONL, train, evaluation and raw in turn."""
        return {
            "status": "failed" if self.problem else "ok",
            "reason": self.problem,
            "dataset": self.source.dataset,
            "revision": self.revision,
            "license": self.source.license,
            "rows": {"train": len(self.train), "eval": len(self.evaluation), "raw": len(self.raw)},
            "dropped": self.receipt.by_reason(),
            "redacted": dict(self.redacted.most_common()),
            "sha256": hash_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in self.rows())),
        }


def harvest(
    source: HubSource,
    quota: Quota,
    *,
    revision: str,
    local_root: Path | None,
    seed: int,
    cache: Path | None,
    benchmarks_in_train: bool,
) -> Harvest:
    """Take the rows of every part of a source; where it cannot be read, that is the harvest's `problem`."""
    result = Harvest(source)
    read = 0
    try:
        place = place_of(source, revision, local_root)
        result.revision = place.revision
        for part in source.parts:
            limit = quota.of(part)
            if limit == 0:
                continue
            rows = rows_of(place, source, part, seed=seed, cache=cache)
            read += _take(result, part, rows, limit, benchmarks_in_train)
    except SourceError as error:
        result.fail(str(error))
        return result
    if read and not any(result.rows()):
        result.fail(f"none of its {read} rows fit ({next(iter(result.receipt.by_reason()))})")
    return result


def _take(
    result: Harvest,
    part: Part,
    rows: Iterator[tuple[int, Mapping[str, Any]]],
    limit: int | None,
    benchmarks_in_train: bool,
) -> int:
    """Keep up to `limit` rows that fit; how many were looked at."""
    source = result.source
    read = kept = 0
    with Progress(f"{source.name} {part.where()}", limit) as progress:
        for number, row in rows:
            read += 1
            where = f"{source.name} {part.where()} row {number}"
            try:
                example = source.example(row, part)
                is_benchmark = source.is_benchmark(row, part)
                if is_benchmark and not benchmarks_in_train:
                    result.benchmark_texts += [(where, text) for text in _texts(example)]
                _keep(result, _role(part, is_benchmark, benchmarks_in_train), part, example)
            except UnfitError as reason:
                result.receipt.drop(str(reason), where)
                continue
            kept += 1
            progress.advance()
            if kept == limit:
                break
    return read


def _texts(example: Pair | TextRow) -> tuple[str, ...]:
    return (example.text,) if isinstance(example, TextRow) else (example.anchor, example.positive)


def _role(part: Part, is_benchmark: bool, benchmarks_in_train: bool) -> Role:
    """Where a row goes: one of a benchmark only to evaluation, or only to training where that is asked for."""
    if is_benchmark and benchmarks_in_train:
        return "raw" if part.role == "raw" else "train"
    if is_benchmark and part.role != "eval":
        raise UnfitError(BENCHMARK)
    return part.role


def _keep(result: Harvest, role: Role, part: Part, example: Pair | TextRow) -> None:
    """Put an example, redacted, where it belongs; raises `UnfitError` where a filter objects."""
    if isinstance(example, TextRow):
        result.raw.append(msgspec.structs.replace(example, text=_redacted(example.text, result.redacted)))
        return
    problem = pair_problem(example)
    if problem is not None:
        raise UnfitError(problem)
    pair = msgspec.structs.replace(
        example,
        anchor=_redacted(example.anchor, result.redacted),
        positive=_redacted(example.positive, result.redacted),
        split="train" if role == "train" else part.split,
    )
    (result.train if role == "train" else result.evaluation).append(pair)


def _redacted(text: str, counts: Counter[str]) -> str:
    clean, found = redact(text)
    counts.update(found)
    return clean
