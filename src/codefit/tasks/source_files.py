"""From general code of many sources to the documents that a base model is trained and measured on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import codefit
from codefit.corpus.gather import GatherSettings, gather_documents
from codefit.corpus.manifest import Receipt
from codefit.files import check_writable
from codefit.tasks.document_files import EVAL_NAME, TRAIN_NAME, VALIDATION_NAME, at_least_one, write_sides
from codefit.tasks.sources import read_sources

COMMAND = "data sources"


def write_source_files(
    folder: Path,
    settings: GatherSettings,
    *,
    documents: Sequence[str] = (),
    pairs: Sequence[Path] = (),
    languages: Collection[str] | None = None,
    leave_out_languages: Collection[str] = (),
    exclude: Collection[str] = (),
    sources: Collection[str] | None = None,
    workers: int | None = None,
    missing: Collection[str] = (),
) -> dict[str, Any]:
    """Read, clean and divide general code, and write it below `folder`; the manifest that is written too.

    What is read is as `read_sources` has it, the files written and what they say as in `write_document_files`. Raises
    `InputError` where there is no source file, and `CodefitError` where a side has no file left or a leak is found;
    then nothing is written.
    """
    check_writable(folder)
    stages = {"read": Receipt(), "gather": Receipt()}
    inputs: dict[str, Any] = {}
    found = read_sources(
        documents=documents,
        pairs=pairs,
        languages=languages,
        leave_out_languages=leave_out_languages,
        exclude=exclude,
        sources=sources,
        receipt=stages["read"],
        inputs=inputs,
    )
    names = [*documents, *map(str, pairs)]
    found = at_least_one(found, names, languages, stages["read"])
    gathered = gather_documents(found, settings, stages["gather"], workers=workers)
    sides = {TRAIN_NAME: gathered.train, EVAL_NAME: gathered.evaluation, VALIDATION_NAME: gathered.validation}
    head = {
        "command": COMMAND,
        "codefit": codefit.__version__,
        "sources": names,
        "inputs": inputs,
        "missing": list(missing),
        "languages": sorted(languages) if languages is not None else None,
        "leave_out_languages": sorted(leave_out_languages),
        "exclude": sorted(exclude),
        "only_sources": sorted(sources) if sources is not None else None,
    }
    return write_sides(folder, sides, {**head, **gathered.report}, stages)
