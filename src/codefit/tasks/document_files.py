"""From a repository's files to training and evaluation documents on disk, with general code beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import codefit
from codefit.corpus.curate import Curated, CurationSettings, curate_documents
from codefit.corpus.document_leakage import check_document_leakage
from codefit.corpus.documents.history import Additions
from codefit.corpus.gather import Gathered, GatherSettings, clean_sides
from codefit.corpus.hold_out import EVALUATION, TRAIN, Side
from codefit.corpus.manifest import Receipt, describe_file, write_dropped
from codefit.corpus.richness import bytes_of
from codefit.errors import CodefitError, InputError
from codefit.files import check_writable, write_json
from codefit.records import Document, write_rows
from codefit.tasks.sources import read_sources

COMMAND = "data documents"
TRAIN_NAME = "train_documents.jsonl.gz"
EVAL_NAME = "eval_documents.jsonl.gz"
VALIDATION_NAME = "validation_documents.jsonl.gz"
GENERAL_NAME = "general_documents.jsonl.gz"
REPLAY_NAME = "replay_documents.jsonl.gz"
MANIFEST_NAME = "manifest.json"
DROPPED_NAME = "dropped.jsonl"
NAMES = (TRAIN_NAME, EVAL_NAME, VALIDATION_NAME, GENERAL_NAME, REPLAY_NAME)

# `read_sources` with all but its receipt and inputs given (functools.partial).
Reader = Callable[..., Iterator[Document]]


@dataclass(frozen=True, slots=True)
class Beside:
    """General code beside the repository's: to measure forgetting on, and to mix into training against it.

    `replay_share` is the replay's share of the bytes that are trained on in an epoch, evenly over languages.
    """

    general: Reader | None = None
    replay: Reader | None = None
    replay_share: float = 0.0
    settings: GatherSettings = field(default_factory=GatherSettings)


def write_document_files(
    sources: Sequence[str],
    folder: Path,
    settings: CurationSettings,
    *,
    languages: Collection[str] | None = None,
    exclude: Collection[str] = (),
    beside: Beside | None = None,
    workers: int | None = None,
    missing: Collection[str] = (),
) -> dict[str, Any]:
    """Read the files of `sources`, curate them and write each side below `folder`; the manifest that is written too.

    The files are those of `NAMES` that have rows, `manifest.json`, and `dropped.jsonl` with every file that was left
    out and the rule. `missing` names for the manifest what was asked for and not found. Raises `InputError` where the
    sources hold no source file in a language asked for, and `CodefitError` where no file is left or the sides are not
    apart; then nothing is written.
    """
    check_writable(folder)
    stages = {"read": Receipt(), "curate": Receipt()}
    inputs: dict[str, Any] = {}
    documents = read_sources(
        documents=sources, languages=languages, exclude=exclude, receipt=stages["read"], inputs=inputs
    )
    additions = Additions(sources, settings.hold_out_since) if settings.hold_out_since is not None else None
    curated = curate_documents(
        at_least_one(documents, sources, languages, stages["read"]),
        settings,
        stages["curate"],
        is_new=additions.is_new if additions else None,
        workers=workers,
    )
    sides = {TRAIN_NAME: curated.train, EVAL_NAME: curated.evaluation, VALIDATION_NAME: curated.validation}
    report = curated.report
    if beside is not None and (beside.general or beside.replay):
        gathered = gather_beside(beside, curated, stages, inputs, workers)
        sides |= {GENERAL_NAME: gathered.evaluation, REPLAY_NAME: gathered.train}
        report = {**report, "general": gathered.report[EVALUATION], "replay": gathered.report[TRAIN]}
        report["general_settings"] = {**gathered.report["settings"], "replay_share": beside.replay_share}
    head = {
        "command": COMMAND,
        "codefit": codefit.__version__,
        "sources": list(sources),
        "inputs": inputs,
        "missing": list(missing),
        "languages": sorted(languages) if languages is not None else None,
        "exclude": sorted(exclude),
    }
    return write_sides(folder, sides, {**head, **report}, stages)


def write_sides(
    folder: Path, sides: Mapping[str, Sequence[Document]], head: dict[str, Any], stages: Mapping[str, Receipt]
) -> dict[str, Any]:
    """Write the files that have rows, what was dropped, and at last the manifest, which it returns.

    A file of an earlier run that this one does not write is removed: it would be taken for this one's.
    """
    written = {folder / name: write_rows(folder / name, rows) for name, rows in sides.items() if rows}
    for name in NAMES:
        if folder / name not in written:
            (folder / name).unlink(missing_ok=True)
    dropped = folder / DROPPED_NAME
    written[dropped] = write_dropped(dropped, stages)
    manifest = {
        **head,
        "stages": {name: receipt.to_dict() for name, receipt in stages.items()},
        "outputs": {path.name: describe_file(path, rows) for path, rows in written.items()},
    }
    write_json(folder / MANIFEST_NAME, manifest)
    return manifest


def at_least_one(
    documents: Iterator[Document], sources: Sequence[str], languages: Collection[str] | None, receipt: Receipt
) -> Iterator[Document]:
    """The documents, or `InputError` where there is none: it says which languages were asked for."""
    first = next(documents, None)
    if first is None:
        asked = f"in {' or '.join(sorted(languages))}" if languages is not None else "in a language that codefit reads"
        dropped = "".join(f"; {count} {reason}" for reason, count in receipt.by_reason().items())
        raise InputError(f"no source file {asked}{dropped}", where=" ".join(sources))
    return chain([first], documents)


def gather_beside(
    beside: Beside,
    curated: Curated,
    stages: dict[str, Receipt],
    inputs: dict[str, Any],
    workers: int | None = None,
) -> Gathered:
    """General files (its evaluation) and replay files (its training), apart from each other and from the repository.

    Adds a receipt a step to `stages`, and to `inputs` what each input held. Raises `InputError` where one of them gives
    no file, `CodefitError` where no general file is left or a leak is found.
    """
    documents: list[Document] = []
    sides: list[Side] = []
    readers: tuple[tuple[str, Reader | None, Side], ...] = (
        ("general", beside.general, EVALUATION),
        ("replay", beside.replay, TRAIN),
    )
    for name, reader, side in readers:
        if reader is None:
            continue
        stages[f"read {name}"] = Receipt()
        found = list(reader(receipt=stages[f"read {name}"], inputs=inputs))
        if not found:
            raise InputError(f"no source file is found for the {name} code", fix="check its paths and names")
        documents += found
        sides += [side] * len(found)
    stages["clean"] = Receipt()
    own = [*curated.train, *curated.evaluation, *curated.validation]
    settings = _with_bytes(beside, curated.train)
    gathered = clean_sides(documents, sides, settings, stages["clean"], others=own, workers=workers)
    if beside.general and not gathered.evaluation:
        raise CodefitError("no general file is left", fix=f"dropped: {stages['clean'].by_reason()}")
    threshold = settings.near_duplicate_threshold
    check_document_leakage(
        [*curated.train, *gathered.train], gathered.evaluation, threshold=threshold, by="source",
        names=("training", "general"),
    )  # fmt: skip
    check_document_leakage(
        gathered.train, [*curated.evaluation, *curated.validation], threshold=threshold, by="source",
        names=("replay", "evaluation"),
    )  # fmt: skip
    return gathered


def _with_bytes(beside: Beside, train: Sequence[Document]) -> GatherSettings:
    """The settings with the bytes of replay that make its share of what is trained on."""
    share = beside.replay_share
    if not 0 <= share < 1:
        raise InputError(f"the replay share {share} is not at least 0 and below 1")
    if beside.replay is None:
        return beside.settings
    size = sum(bytes_of(document.text) for document in train)
    return dataclasses.replace(beside.settings, train_bytes=round(size * share / (1 - share)))
