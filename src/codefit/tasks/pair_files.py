"""From folders, files, the environment or ready pairs to training and evaluation pairs on disk."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import codefit
from codefit.corpus.documents.read import read_documents
from codefit.corpus.manifest import Receipt, describe_file, write_dropped
from codefit.corpus.prepare import PrepareSettings, prepare_pairs
from codefit.errors import InputError
from codefit.files import check_writable, hash_file, write_json
from codefit.records import Document, Pair, Rejects, read_rows, write_rows
from codefit.tasks.pairs import mine_pairs

EVAL_NAME = "eval_pairs.jsonl"
VALIDATION_NAME = "validation_pairs.jsonl"
MANIFEST_NAME = "manifest.json"
DROPPED_NAME = "dropped.jsonl"


def write_pair_files(
    sources: Sequence[str],
    output: Path,
    settings: PrepareSettings,
    *,
    pair_files: Sequence[Path] = (),
    validation: Collection[str] = (),
    languages: Collection[str] | None = None,
    exclude: Collection[str] = (),
    types: bool = False,
    workers: int | None = None,
    missing: Collection[str] = (),
) -> dict[str, Any]:
    """Mine pairs from documents, join the rows of `pair_files`, prepare them all and write `output`.

    Returns the manifest that is written beside it.

    Evaluation pairs, where `settings` asks for some, go to `eval_pairs.jsonl` beside `output`, compressed alike; those
    of the sources in `validation` to `validation_pairs.jsonl`, so that what chooses a model is not what it is measured
    on. What was dropped at any stage goes to `dropped.jsonl`; `missing` names for the manifest what was asked for and
    not found. Raises `InputError` where the sources hold no source file, and
    `CodefitError` where no pair is left or the two sides are not apart; then nothing is written.
    """
    check_writable(output.parent)
    read, mined, rows, prepared = Receipt(), Receipt(), Receipt(), Receipt()
    pairs: Iterator[Pair] = _read_pair_files(pair_files, exclude, rows)
    if sources:
        documents = read_documents(sources, languages=languages, exclude=exclude, receipt=read)
        documents = _at_least_one(documents, sources, read)
        pairs = chain(mine_pairs(documents, workers=workers, receipt=mined, types=types), pairs)
    result = prepare_pairs(pairs, settings, prepared)
    stages = {"read": read, "mine": mined, "pair files": rows, "prepare": prepared}
    manifest: dict[str, Any] = {
        "command": "data pairs",
        "codefit": codefit.__version__,
        "sources": list(sources),
        "pair_files": {path.name: hash_file(path) for path in pair_files},
        "missing": list(missing),
        "languages": sorted(languages) if languages is not None else None,
        "exclude": sorted(exclude),
        "types": types,
        "stages": {name: receipt.to_dict() for name, receipt in stages.items()},
        **result.report,
        "outputs": {},
    }
    files = {output: result.train}
    held_out = {
        EVAL_NAME: [pair for pair in result.evaluation if pair.source not in validation],
        VALIDATION_NAME: [pair for pair in result.evaluation if pair.source in validation],
    }
    files |= {beside(output, name): rows for name, rows in held_out.items() if rows}
    outputs = {path: write_rows(path, rows) for path, rows in files.items()}
    dropped = output.with_name(DROPPED_NAME)
    outputs[dropped] = write_dropped(dropped, stages)
    manifest["outputs"] = {path.name: describe_file(path, rows) for path, rows in outputs.items()}
    write_json(output.with_name(MANIFEST_NAME), manifest)
    return manifest


def beside(output: Path, name: str) -> Path:
    """The file `name` beside the file for training pairs, compressed alike."""
    return output.with_name(name + (output.suffix if output.suffix in (".gz", ".zst") else ""))


def _read_pair_files(paths: Sequence[Path], exclude: Collection[str], receipt: Receipt) -> Iterator[Pair]:
    """The rows of ready files; one that does not fit is dropped with its reason, and too many stop the run."""
    for path in paths:
        rejects = Rejects()
        for pair in read_rows(path, Pair, rejects):
            if pair.source in exclude:
                receipt.drop("source excluded", pair.source)
                continue
            receipt.keep()
            yield pair
        for row in rejects.rows:
            receipt.drop(row["reason"], row["where"])
        rejects.check()


def _at_least_one(documents: Iterator[Document], sources: Sequence[str], receipt: Receipt) -> Iterator[Document]:
    first = next(documents, None)
    if first is None:
        dropped = "".join(f"; {count} {reason}" for reason, count in receipt.by_reason().items())
        raise InputError(f"no source file in a language that codefit reads{dropped}", where=" ".join(sources))
    return chain([first], documents)
