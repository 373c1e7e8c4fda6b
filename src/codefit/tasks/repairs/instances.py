"""Broken snippets and their repairs as data: read, checked, and divided so that no snippet stands on two sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codefit.corpus.dedup import DEFAULT_THRESHOLD, near_duplicate_clusters
from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.files import read_lines
from codefit.records import RankingInstance, Repair, load_rows, read_ranking_blocks
from codefit.source.syntax.python import python_tables
from codefit.source.syntax.terminals import from_names
from codefit.tasks.repairs.candidates import closed

NOT_TOKENS = "a token that is not among the 90"
EMPTY = "empty"
NOT_SOUND = "the repair is no sentence"
KNOWN = "near duplicate of a snippet to measure on"


class RepairPair(NamedTuple):
    """A broken string and its repair as terminals by number, both with the NEWLINE that ends the last line."""

    broken: list[int]
    fixed: list[int]


@dataclass(frozen=True, slots=True)
class Divided:
    """Rows to learn from and those that choose the model."""

    train: list[Repair]
    validation: list[Repair]


def read_repairs(paths: Sequence[Path], receipt: Receipt) -> list[Repair]:
    """The rows of files whose tokens can be read and whose repairs are Python; the others are in the receipt."""
    kept = []
    for path in paths:
        for number, row in enumerate(load_rows(path, Repair), start=1):
            problem = problem_of(row)
            if problem is None:
                kept.append(row)
                receipt.keep()
            else:
                receipt.drop(problem, f"{path}:{number}")
    if not kept:
        raise InputError("holds no repair to learn from", where=", ".join(map(str, paths)))
    return kept


@dataclass(frozen=True, slots=True)
class Instances:
    """What a file to measure on holds: pairs whose candidates are to be found, or lists of given ones."""

    pairs: list[RepairPair]
    given: list[RankingInstance]


def load_instances(path: Path) -> Instances:
    """The rows of a file of either kind: JSONL of repairs, JSONL of ranking instances, or blocks of those.

    Raises `InputError` for a file without rows, or with a token that is not among the 90.
    """
    first = next((line for line in read_lines(path) if line.strip()), b"")
    if not first.lstrip().startswith(b"{"):
        given = list(read_ranking_blocks(path))
        if not given:
            raise InputError("holds no ranking instance", where=str(path))
        return Instances([], given)
    if b'"query"' in first:
        return Instances([], load_rows(path, RankingInstance))
    rows = list(enumerate(load_rows(path, Repair), start=1))
    for number, row in rows:
        for text in (row.broken, row.fixed):
            from_names(text, where=f"{path}:{number}")
    return Instances([pair_of(row) for _, row in rows], [])


def problem_of(row: Repair) -> str | None:
    """Why a row is of no use, None where it is."""
    try:
        broken, fixed = from_names(row.broken), from_names(row.fixed)
    except InputError:
        return NOT_TOKENS
    if not broken or not fixed:
        return EMPTY
    return None if python_tables()[0].accepts(closed(fixed)) else NOT_SOUND


def pair_of(row: Repair) -> RepairPair:
    """A row's strings."""
    return RepairPair(closed(from_names(row.broken)), closed(from_names(row.fixed)))


def without_known(
    rows: Sequence[Repair], evaluation: Sequence[Repair], receipt: Receipt, *, threshold: float = DEFAULT_THRESHOLD
) -> list[Repair]:
    """The rows that are no near duplicate of one to measure on."""
    clusters = near_duplicate_clusters([_text(row) for row in [*evaluation, *rows]], threshold).tolist()
    known = set(clusters[: len(evaluation)])
    tokens = {(row.broken, row.fixed) for row in evaluation}
    kept = []
    for row, cluster in zip(rows, clusters[len(evaluation) :], strict=True):
        if cluster in known or (row.broken, row.fixed) in tokens:
            receipt.drop(KNOWN, _text(row)[:80])
        else:
            kept.append(row)
    return kept


def divide(rows: Sequence[Repair], share: float, seed: int, *, threshold: float = DEFAULT_THRESHOLD) -> Divided:
    """`share` of the rows choose the model; near duplicates stay on one side. `InputError` where a side is empty."""
    groups = groups_of(rows, threshold=threshold)
    rng = np.random.default_rng(seed)
    order = rng.permutation(np.unique(groups))
    sizes = np.bincount(groups)[order]
    chosen = set(order[np.cumsum(sizes) <= share * len(rows)].tolist())
    sides: tuple[list[Repair], list[Repair]] = ([], [])
    for row, group in zip(rows, groups.tolist(), strict=True):
        sides[group in chosen].append(row)
    if not sides[0] or not sides[1]:
        raise InputError(
            f"of {len(rows)} repairs a share of {share} leaves one side empty", fix="give more, or another share"
        )
    return Divided(*sides)


def groups_of(rows: Sequence[Repair], *, threshold: float = DEFAULT_THRESHOLD) -> npt.NDArray[np.int64]:
    """A number for each row, (n,); near duplicates share it."""
    return near_duplicate_clusters([_text(row) for row in rows], threshold)


def _text(row: Repair) -> str:
    return row.fixed_source if row.fixed_source is not None else row.fixed
