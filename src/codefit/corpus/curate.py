"""From the files of a repository to those worth training on: the best by structure, and others held out to measure on.

The order: what a look at one file decides (lines, licence, filters, redaction) comes first; then copies go, directories
are held out, and of what is left for training the richest files of each language stay. What is held out does not depend
on how many are chosen. At last the check for leaks, which trusts nothing before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.corpus.dedup import DEFAULT_THRESHOLD, near_duplicate_sets
from codefit.corpus.document_leakage import By, check_document_leakage
from codefit.corpus.examine import Checks, Examined, examine_documents, place_of
from codefit.corpus.filters import DEFAULT_LIMITS, Limits
from codefit.corpus.hashing import fingerprint
from codefit.corpus.hold_out import (
    KNOWN,
    SIDES,
    TRAIN,
    Side,
    directory_of,
    hold_out_directories,
    hold_out_files,
    known_files,
)
from codefit.corpus.manifest import Receipt, describe_pairs
from codefit.corpus.richness import total_richness
from codefit.errors import CodefitError, InputError
from codefit.records import Document

IntArray = npt.NDArray[np.int64]
DEFAULT_TOP = 300  # a language: the reference run's
DEFAULT_HOLD_OUT = 0.1


@dataclass(frozen=True, slots=True)
class CurationSettings:
    """What a recipe may decide. The lines and the number of files are the reference run's."""

    # Training files of each language at most, the richest in structure; None keeps all.
    top: int | None = DEFAULT_TOP
    min_lines: int = 25
    max_lines: int | None = 4_000
    limits: Limits = DEFAULT_LIMITS
    # SPDX identifiers, and "unknown" for files without a licence; None allows all.
    allowed_licenses: tuple[str, ...] | None = None
    redact: bool = True
    near_duplicate_threshold: float = DEFAULT_THRESHOLD
    # The share of the directories; 0 keeps all files for training.
    hold_out_share: float = DEFAULT_HOLD_OUT
    # An ISO date: files that came after it are held out, wherever they lie, and `hold_out_share` does not count.
    hold_out_since: str | None = None
    # Of what is held out, the share that chooses checkpoints and is not measured on.
    validation_share: float = 0.0
    seed: int = 0

    @property
    def by(self) -> By | None:
        """What must not stand on both sides."""
        return "directory" if self.hold_out_since is None else None


@dataclass(frozen=True, slots=True)
class Curated:
    """The files of each side, in the order in which they came, and what a manifest says about how they came about."""

    train: list[Document]
    evaluation: list[Document]
    validation: list[Document]
    report: dict[str, Any]


def curate_documents(
    documents: Iterable[Document],
    settings: CurationSettings,
    receipt: Receipt,
    *,
    is_new: Callable[[str | None, str], bool] | None = None,
    workers: int | None = None,
) -> Curated:
    """Filter, check licences, redact, deduplicate, hold out and choose; then check for leaks.

    `is_new` tells of a repository and path whether the file came after `hold_out_since`, and is needed with it. The
    same files and settings give the same result. Raises `CodefitError` where no file is left for a side or a leak is
    found, `InputError` where a setting is wrong.
    """
    _check(settings, has_dates=is_new is not None)
    redacted: Counter[str] = Counter()
    checks = Checks(settings.limits, settings.allowed_licenses, settings.redact, settings.min_lines, settings.max_lines)
    files = examine_documents(documents, checks, receipt, redacted, workers=workers)
    if not files:
        raise CodefitError("no file is left after filtering", fix=f"dropped: {receipt.by_reason()}")
    clusters = near_duplicate_sets((file.shingles for file in files), settings.near_duplicate_threshold)
    sides = _sides(files, settings, is_new)
    groups = without_copies(files, clusters, sides, receipt, better=_richest_first)
    groups[TRAIN] = _richest(groups[TRAIN], settings.top, receipt)
    for side in SIDES:
        if not groups[side] and side in sides:
            raise CodefitError(f"no {side} file is left", fix="hold out another share, or loosen the limits")
    train, evaluation, validation = ([file.document for file in groups[side]] for side in SIDES)
    leakage = check_document_leakage(
        train, [*evaluation, *validation], threshold=settings.near_duplicate_threshold, by=settings.by
    )
    receipt.keep(len(train) + len(evaluation) + len(validation))
    report: dict[str, Any] = {"settings": asdict(settings), "redacted": dict(redacted.most_common())}
    for side, group in groups.items():
        report[side] = describe_side(group)
    report["leakage"] = leakage.to_dict()
    return Curated(train, evaluation, validation, report)


def describe_side(files: Sequence[Examined], *, structure: bool = True) -> dict[str, Any]:
    """What a manifest says of a side: rows by language, source, licence and directory, and how much they hold.

    Functions and types are told where `structure` says that they were counted.
    """
    documents = [file.document for file in files]
    total = total_richness(file.richness for file in files)
    return {
        "rows": len(files),
        **describe_pairs(documents),
        **{name: count for name, count in total.items() if structure or name in ("lines", "bytes")},
        "directories": dict(Counter(map(directory_of, documents)).most_common()),
    }


def without_copies(
    files: Sequence[Examined],
    clusters: IntArray,
    sides: Sequence[Side],
    receipt: Receipt,
    *,
    better: Callable[[Examined], Any] | None = None,
) -> dict[Side, list[Examined]]:
    """Each side's files: one of each cluster of near duplicates, and none that an earlier side has a duplicate of.

    Of the copies the first stays, or by `better` the one whose key is lowest; the files stay in their order.
    """
    known = known_files(sides, clusters)
    order = range(len(files)) if better is None else sorted(range(len(files)), key=lambda row: better(files[row]))
    chosen: dict[tuple[Side, int], int] = {}
    for row in order:
        if not known[row]:
            chosen.setdefault((sides[row], int(clusters[row])), row)
    kept = set(chosen.values())
    groups: dict[Side, list[Examined]] = {side: [] for side in SIDES}
    for row, (file, side) in enumerate(zip(files, sides, strict=True)):
        if row in kept:
            groups[side].append(file)
        elif known[row]:
            receipt.drop(KNOWN[side], place_of(file.document))
        else:
            twin = files[chosen[side, int(clusters[row])]]
            same = fingerprint(twin.document.text) == fingerprint(file.document.text)
            receipt.drop("exact duplicate" if same else "near duplicate", place_of(file.document))
    return groups


def _check(settings: CurationSettings, *, has_dates: bool) -> None:
    if settings.top is not None and settings.top < 1:
        raise InputError(f"the number of files to choose, {settings.top}, is below 1")
    if settings.max_lines is not None and settings.max_lines < settings.min_lines:
        raise InputError(f"at most {settings.max_lines} lines and at least {settings.min_lines} leave no file")
    if (settings.hold_out_since is not None) != has_dates:
        raise InputError("a date to hold out by needs the files' history, and the other way round")


def _sides(
    files: Sequence[Examined], settings: CurationSettings, is_new: Callable[[str | None, str], bool] | None
) -> list[Side]:
    documents = [file.document for file in files]
    share, seed = settings.validation_share, settings.seed
    if is_new is not None:
        news = [is_new(each.repo, each.path) for each in documents]
        return hold_out_files([place_of(each) for each in documents], news, validation_share=share, seed=seed)
    if settings.hold_out_share == 0:
        if share:
            raise InputError("a validation share needs held-out files to be taken from", fix="hold out some")
        return [TRAIN] * len(documents)
    directories = [directory_of(each) for each in documents]
    return hold_out_directories(directories, share=settings.hold_out_share, validation_share=share, seed=seed)


def _richest_first(file: Examined) -> tuple[int, str]:
    return -file.richness.structure, place_of(file.document)


def _richest(files: Sequence[Examined], top: int | None, receipt: Receipt) -> list[Examined]:
    """The `top` files of each language richest in structure, of equals the first by name, in their first order."""
    if top is None:
        return list(files)
    taken: Counter[str | None] = Counter()
    chosen = set()
    for row in sorted(range(len(files)), key=lambda row: _richest_first(files[row])):
        taken[files[row].document.language] += 1
        if taken[files[row].document.language] <= top:
            chosen.add(row)
    for row, file in enumerate(files):
        if row not in chosen:
            receipt.drop(f"below the top {top}", place_of(file.document))
    return [files[row] for row in sorted(chosen)]
