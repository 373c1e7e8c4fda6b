"""Scored functions divided so that no repository, file or near duplicate stands on two sides, and their chats."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from codefit.corpus.dedup import DEFAULT_THRESHOLD, near_duplicate_clusters
from codefit.corpus.manifest import Receipt
from codefit.errors import CodefitError, InputError
from codefit.records import Conversation, ScoredFunction
from codefit.tasks.complexity.chat import answer, conversation

KNOWN = "near duplicate of a function to measure on"
KNOWN_CHOICE = "near duplicate of a function to choose by"
REPEATED = "the same code as a row before"
TRAIN, VALIDATION, EVALUATION = "train", "validation", "evaluation"


@dataclass(frozen=True, slots=True)
class Sides:
    """Functions to learn from, to choose by and to measure on."""

    train: list[ScoredFunction]
    validation: list[ScoredFunction] = field(default_factory=list)
    evaluation: list[ScoredFunction] = field(default_factory=list)


def divide(
    rows: Sequence[ScoredFunction],
    evaluation: Sequence[ScoredFunction],
    receipt: Receipt,
    *,
    validation_share: float,
    seed: int,
    threshold: float = DEFAULT_THRESHOLD,
) -> Sides:
    """The sides: whole files are drawn to choose by until they hold `validation_share` of the rows.

    A row to learn from that is a near duplicate of one to measure on or to choose by is left out, and so is one to
    choose by that is known from evaluation, and code that stands twice. Raises `InputError` where a repository stands
    on both sides or a side would be empty.
    """
    _refuse_common_sources(rows, evaluation)
    kept = list(_once(rows, receipt))
    clusters = near_duplicate_clusters([row.code for row in [*evaluation, *kept]], threshold).tolist()
    known = set(clusters[: len(evaluation)])
    chosen = _draw_files(kept, validation_share, seed)
    own = list(zip(kept, clusters[len(evaluation) :], chosen, strict=True))
    choosing = {cluster for _, cluster, is_chosen in own if is_chosen}
    sides = Sides([], [], [msgspec.structs.replace(row, split=EVALUATION) for row in evaluation])
    for row, cluster, is_chosen in own:
        if cluster in known:
            receipt.drop(KNOWN, place_of(row))
        elif is_chosen:
            sides.validation.append(msgspec.structs.replace(row, split=VALIDATION))
        elif cluster in choosing:
            receipt.drop(KNOWN_CHOICE, place_of(row))
        else:
            sides.train.append(msgspec.structs.replace(row, split=TRAIN))
    receipt.keep(len(sides.train) + len(sides.validation))
    if not sides.train or (validation_share > 0 and not sides.validation):
        raise InputError(
            f"of {len(rows)} functions none is left on one side", fix="give more, or another validation_share"
        )
    check_sides(sides, threshold=threshold)
    return sides


def check_sides(sides: Sides, *, threshold: float = DEFAULT_THRESHOLD) -> None:
    """Raise `CodefitError` where a function stands on two sides, as it is or nearly."""
    groups = (sides.train, sides.validation, sides.evaluation)
    clusters = near_duplicate_clusters([row.code for side in groups for row in side], threshold).tolist()
    seen: dict[int, int] = {}
    start = 0
    for number, side in enumerate(groups):
        for cluster, row in zip(clusters[start:], side, strict=False):
            if seen.setdefault(cluster, number) != number:
                raise CodefitError("a function to measure on is known from training", where=place_of(row))
        start += len(side)


def _refuse_common_sources(rows: Iterable[ScoredFunction], evaluation: Iterable[ScoredFunction]) -> None:
    both = {row.source for row in rows} & {row.source for row in evaluation} - {None}
    if both:
        raise InputError(
            f"{', '.join(sorted(map(str, both)))} is to be learned from and measured on",
            fix="keep repositories apart",
        )


def _once(rows: Iterable[ScoredFunction], receipt: Receipt) -> Iterator[ScoredFunction]:
    seen = set()
    for row in rows:
        if row.code in seen:
            receipt.drop(REPEATED, place_of(row))
        else:
            seen.add(row.code)
            yield row


def _draw_files(rows: Sequence[ScoredFunction], share: float, seed: int) -> list[bool]:
    """Whether each row's file is drawn; a row without a path is a file of its own."""
    files = [f"{row.source}:{row.path}" if row.path is not None else f"row {n}" for n, row in enumerate(rows)]
    names = sorted(set(files))
    sizes = dict.fromkeys(names, 0)
    for name in files:
        sizes[name] += 1
    drawn: set[str] = set()
    taken, wanted = 0, share * len(rows)
    for index in np.random.default_rng(seed).permutation(len(names)).tolist():
        if taken + sizes[names[index]] <= wanted:
            drawn.add(names[index])
            taken += sizes[names[index]]
    return [name in drawn for name in files]


def place_of(row: ScoredFunction) -> str:
    """Where a function is, for a message."""
    return ":".join(str(part) for part in (row.source, row.path, row.line) if part is not None) or row.code[:60]


def chat_of(row: ScoredFunction, *, answered: bool = True) -> Conversation:
    """A function as a chat with its answer, or as what a model is asked."""
    metrics = row.metrics
    counted = (int(metrics["parameters"]), int(metrics["nesting"]), int(metrics["variables"]))
    said = answer(*counted, row.score) if answered else None
    return conversation(row.code, row.language, said, source=row.source or "functions", split=row.split)


def label_agreement(rows: Collection[ScoredFunction], labels: Sequence[float]) -> dict[str, float]:
    """How many given scores are those that the formula gives, and the mean absolute difference."""
    differences = [abs(row.score - label) for row, label in zip(rows, labels, strict=True)]
    return {
        "rows": len(differences),
        "same": sum(difference < 1e-9 for difference in differences),
        "mean_absolute_difference": float(np.mean(differences)) if differences else 0.0,
    }
