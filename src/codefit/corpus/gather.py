"""General code from many sources, for a base model and for what is mixed in: clean, apart by repository, no copies."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from codefit.corpus.curate import describe_side, without_copies
from codefit.corpus.dedup import DEFAULT_THRESHOLD, near_duplicate_sets
from codefit.corpus.document_leakage import check_document_leakage
from codefit.corpus.draw import draw_bytes
from codefit.corpus.examine import Checks, Examined, examine_documents, license_problem, place_of
from codefit.corpus.filters import DEFAULT_LIMITS, Limits
from codefit.corpus.hold_out import EVALUATION, SIDES, TRAIN, VALIDATION, Side
from codefit.corpus.manifest import UNKNOWN, Receipt
from codefit.corpus.shingles import shingle_sets
from codefit.errors import CodefitError, InputError
from codefit.records import Document

BEYOND = "beyond the bytes to train on"
KNOWN_ELSEWHERE = "near duplicate of a file of the repository"

# Of the files drawn for training a few go again, as copies or by the filters, so a little more is drawn: of 45 MB drawn
# from a Python environment and 84 repositories 1 % went. Looking at all there is would take minutes for nothing.
SLACK = 1.1


@dataclass(frozen=True, slots=True)
class GatherSettings:
    """What a recipe may decide about general code."""

    limits: Limits = DEFAULT_LIMITS
    # SPDX identifiers, and "unknown" for files without a licence; None allows all.
    allowed_licenses: tuple[str, ...] | None = None
    redact: bool = True
    near_duplicate_threshold: float = DEFAULT_THRESHOLD
    # Repositories and packages by name: to measure on, and to choose checkpoints by.
    evaluation_sources: tuple[str, ...] = ()
    validation_sources: tuple[str, ...] = ()
    # A recipe names sources that not every machine has; those that give no file are then left out.
    allow_missing_sources: bool = False
    # Bytes of training text at most, evenly over languages; None keeps all.
    train_bytes: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Gathered:
    """The files of each side, in the order in which they came, and what a manifest says about how they came about."""

    train: list[Document]
    evaluation: list[Document]
    validation: list[Document]
    report: dict[str, Any]


def gather_documents(
    documents: Iterable[Document], settings: GatherSettings, receipt: Receipt, *, workers: int | None = None
) -> Gathered:
    """Clean the files, divide them by repository, and check for leaks.

    Raises `InputError` for a source to hold out that no file comes from, `CodefitError` where no file is left for a
    side or a leak is found.
    """
    read = list(documents)
    sides = _by_source(read, settings)
    gathered = clean_sides(read, sides, settings, receipt, workers=workers)
    for side in SIDES:
        if not getattr(gathered, side) and side in sides:
            raise CodefitError(f"no {side} file is left", fix=f"choose other sources; dropped: {receipt.by_reason()}")
    if not gathered.train:
        raise CodefitError("no file is left to train on", fix=f"dropped: {receipt.by_reason()}")
    held_out = [*gathered.evaluation, *gathered.validation]
    leakage = check_document_leakage(gathered.train, held_out, threshold=settings.near_duplicate_threshold, by="source")
    gathered.report["leakage"] = leakage.to_dict()
    return gathered


def clean_sides(
    documents: Sequence[Document],
    sides: Sequence[Side],
    settings: GatherSettings,
    receipt: Receipt,
    *,
    others: Sequence[Document] = (),
    workers: int | None = None,
) -> Gathered:
    """Files whose sides are known: filtered, redacted, without copies on or across sides, cut to the bytes asked for.

    What is a near duplicate of one of `others` goes too. Sides may come out empty.
    """
    drawn = _drawn(documents, sides, settings, receipt)
    redacted: Counter[str] = Counter()
    checks = Checks(settings.limits, settings.allowed_licenses, settings.redact, structure=False)
    files: list[Examined] = []
    file_sides: list[Side] = []
    for side in SIDES:
        part = [documents[row] for row in drawn if sides[row] == side]
        passed = examine_documents(part, checks, receipt, redacted, workers=workers) if part else []
        files += passed
        file_sides += [side] * len(passed)
    files, file_sides = _unknown_elsewhere(files, file_sides, others, settings, receipt)
    clusters = near_duplicate_sets((file.shingles for file in files), settings.near_duplicate_threshold)
    groups = without_copies(files, clusters, file_sides, receipt)
    groups[TRAIN] = _cut(groups[TRAIN], settings, receipt)
    receipt.keep(sum(map(len, groups.values())))
    report: dict[str, Any] = {"settings": asdict(settings), "redacted": dict(redacted.most_common())}
    for side, group in groups.items():
        report[side] = describe_side(group, structure=False)
    train, evaluation, validation = ([file.document for file in groups[side]] for side in SIDES)
    return Gathered(train, evaluation, validation, report)


def _by_source(documents: Sequence[Document], settings: GatherSettings) -> list[Side]:
    held_out: dict[str, Side] = dict.fromkeys(settings.evaluation_sources, EVALUATION)
    both = sorted(held_out.keys() & set(settings.validation_sources))
    if both:
        raise InputError(f"{', '.join(both)} cannot be for evaluation and validation both", fix="name it once")
    held_out |= dict.fromkeys(settings.validation_sources, VALIDATION)
    names = sorted({document.repo or UNKNOWN for document in documents})
    for name in held_out:
        if name not in names and not settings.allow_missing_sources:
            near = difflib.get_close_matches(name, names, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names[:8])}"
            raise InputError(f"no files come from the held-out source {name!r}", fix=fix)
    return [held_out.get(document.repo or UNKNOWN, TRAIN) for document in documents]


def _drawn(
    documents: Sequence[Document], sides: Sequence[Side], settings: GatherSettings, receipt: Receipt
) -> list[int]:
    """The rows worth looking at: all that are held out, and for training somewhat more than is asked for."""
    rows = []
    for row, document in enumerate(documents):
        problem = license_problem(document, settings.allowed_licenses)
        if problem is None:
            rows.append(row)
        else:
            receipt.drop(problem, place_of(document))
    if settings.train_bytes is None:
        return rows
    train = [row for row in rows if sides[row] == TRAIN]
    chosen = draw_bytes([documents[row] for row in train], int(settings.train_bytes * SLACK), settings.seed)
    kept = {train[place] for place in chosen}
    for row in train:
        if row not in kept:
            receipt.drop(BEYOND, place_of(documents[row]))
    return [row for row in rows if sides[row] != TRAIN or row in kept]


def _unknown_elsewhere(
    files: list[Examined],
    sides: list[Side],
    others: Sequence[Document],
    settings: GatherSettings,
    receipt: Receipt,
) -> tuple[list[Examined], list[Side]]:
    """The files, and their sides, without those that the others hold a near duplicate of."""
    if not files or not others:
        return files, sides
    shingles = [*shingle_sets(other.text for other in others), *(file.shingles for file in files)]
    clusters = near_duplicate_sets(shingles, settings.near_duplicate_threshold)
    known = np.isin(clusters[len(others) :], clusters[: len(others)]).tolist()
    for file, is_known in zip(files, known, strict=True):
        if is_known:
            receipt.drop(KNOWN_ELSEWHERE, place_of(file.document))
    left = [row for row, is_known in enumerate(known) if not is_known]
    return [files[row] for row in left], [sides[row] for row in left]


def _cut(files: list[Examined], settings: GatherSettings, receipt: Receipt) -> list[Examined]:
    if settings.train_bytes is None:
        return files
    chosen = draw_bytes([file.document for file in files], settings.train_bytes, settings.seed)
    for row in sorted(set(range(len(files))).difference(chosen)):
        receipt.drop(BEYOND, place_of(files[row].document))
    return [files[row] for row in chosen]
