"""The data stage of repair ranking: repairs divided and checked, and snippets of sound code to pre-train on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import codefit
from codefit.corpus.manifest import Receipt, describe_file, write_dropped
from codefit.errors import InputError
from codefit.files import hash_file, write_json
from codefit.recipe import RepairData
from codefit.records import Repair, write_rows
from codefit.run.document_data import sources_files, sources_reader
from codefit.run.pair_data import DATA_VARIABLE, find_files, input_files
from codefit.source.lexemes import lex
from codefit.source.syntax.terminals import from_names
from codefit.tasks.repairs.candidates import closed
from codefit.tasks.repairs.instances import Divided, divide, read_repairs, without_known
from codefit.tasks.repairs.snippet_files import SnippetSets, gather_snippets, write_snippets

DATA = "data"
TRAIN = f"{DATA}/train.jsonl.gz"
VALIDATION = f"{DATA}/validation.jsonl.gz"
EVALUATION = f"{DATA}/evaluation.jsonl.gz"
SNIPPETS = f"{DATA}/snippets.txt.gz"
SNIPPETS_VALIDATION = f"{DATA}/snippets_validation.txt.gz"
MANIFEST = f"{DATA}/manifest.json"


def write_repair_data(data: RepairData, seed: int, run: Path) -> str:
    """Write repairs to learn from, to choose by and to measure on, and snippets, below `run/data`; what came of it."""
    files, evaluation_files = needed_files(data.repairs), needed_files(data.evaluation)
    stages = {"train": Receipt(), "evaluation": Receipt(), "split": Receipt(), "snippets": Receipt()}
    evaluation = read_repairs(evaluation_files, stages["evaluation"])
    threshold = data.near_duplicate_threshold
    rows = without_known(read_repairs(files, stages["train"]), evaluation, stages["split"], threshold=threshold)
    divided = divide(rows, data.validation_share, seed, threshold=threshold)
    stages["split"].keep(len(rows))
    inputs: dict[str, Any] = {str(path): hash_file(path) for path in (*files, *evaluation_files)}
    missing: list[str] = []
    outputs = _write_sides(run, {TRAIN: divided.train, VALIDATION: divided.validation, EVALUATION: evaluation})
    snippets, found = _write_snippets(data, seed, run, stages["snippets"], inputs, missing)
    write_dropped(run / DATA / "dropped.jsonl.gz", stages)
    manifest = {
        "command": "data repairs",
        "codefit": codefit.__version__,
        "inputs": inputs,
        "missing": missing,
        "stages": {name: receipt.to_dict() for name, receipt in stages.items()},
        "lexing": lexing_agreement(rows),
        "outputs": {**outputs, **snippets},
    }
    write_json(run / MANIFEST, manifest)
    dropped = sum(sum(receipt.by_reason().values()) for name, receipt in stages.items() if name != "snippets")
    return (
        f"{len(divided.train):,} repairs to learn from, {len(divided.validation):,} to choose by, {len(evaluation):,} "
        f"to measure on, {dropped:,} left out; {len(found.train):,} snippets of {found.files:,} files"
    )


def write_given_repairs(data: RepairData, seed: int, train_file: Path, eval_file: Path | None, run: Path) -> str:
    """Write the rows of two files to learn from and to choose by below `run/data`; of one file a part chooses."""
    receipt = Receipt()
    rows = read_repairs([train_file], receipt)
    if eval_file is None:
        divided = divide(rows, data.validation_share, seed, threshold=data.near_duplicate_threshold)
    else:
        chosen_by = read_repairs([eval_file], receipt)
        known = without_known(rows, chosen_by, receipt, threshold=data.near_duplicate_threshold)
        divided = Divided(known, chosen_by)
    _write_sides(run, {TRAIN: divided.train, VALIDATION: divided.validation})
    write_dropped(run / DATA / "dropped.jsonl.gz", {"repairs": receipt})
    left_out = sum(receipt.by_reason().values())
    return (
        f"{len(divided.train):,} repairs to learn from, {len(divided.validation):,} to choose by, {left_out:,} left out"
    )


def write_snippet_data(data: RepairData, seed: int, run: Path) -> str:
    """Write snippets to pre-train on below `run/data`; what came of it."""
    _, found = _write_snippets(data, seed, run, Receipt(), {}, [])
    return f"{len(found.train):,} snippets of {found.files:,} files, {sum(map(len, found.train)):,} tokens"


def _write_sides(run: Path, sides: Mapping[str, Sequence[Repair]]) -> dict[str, Any]:
    (run / DATA).mkdir(parents=True, exist_ok=True)
    return {Path(name).name: describe_file(run / name, write_rows(run / name, side)) for name, side in sides.items()}


def _write_snippets(
    data: RepairData, seed: int, run: Path, receipt: Receipt, inputs: dict[str, Any], missing: list[str]
) -> tuple[dict[str, Any], SnippetSets]:
    (run / DATA).mkdir(parents=True, exist_ok=True)
    found = gather_snippets(
        sources_reader(data.snippets, missing)(receipt=receipt, inputs=inputs),
        held_out=data.snippet_validation_sources,
        most_tokens=data.snippet_tokens,
        validation_tokens=data.snippet_validation_tokens,
        seed=seed,
    )
    if not found.train:
        raise InputError("there is no Python to pre-train on", fix="name other documents in data.snippets")
    outputs = {}
    for name, strings in {SNIPPETS: found.train, SNIPPETS_VALIDATION: found.validation}.items():
        described = describe_file(run / name, write_snippets(run / name, strings))
        outputs[Path(name).name] = {**described, "tokens": sum(map(len, strings))}
    return outputs, found


def needed_files(patterns: Sequence[str]) -> list[Path]:
    """The files that patterns match; `InputError` where one matches none."""
    found, missing = find_files(patterns)
    if missing:
        pattern = missing[0]
        fix = f"set {DATA_VARIABLE} to the folder of your data" if DATA_VARIABLE in pattern else "check the path"
        raise InputError("no such file", where=pattern, fix=fix)
    return found


def data_files(data: RepairData) -> dict[str, Any]:
    """Size and time of change of all that the data stage reads."""
    return {**input_files([], [*data.repairs, *data.evaluation]), **sources_files(data.snippets)}


def lexing_agreement(rows: Sequence[Repair]) -> dict[str, Any]:
    """How many of the rows that bring their sources have the tokens that codefit lexes there."""
    broken = [(row.broken, row.broken_source) for row in rows if row.broken_source is not None]
    fixed = [(row.fixed, row.fixed_source) for row in rows if row.fixed_source is not None]
    return {
        name: {"rows": len(side), "same": sum(_lexes(tokens, source) for tokens, source in side)}
        for name, side in (("broken", broken), ("fixed", fixed))
    }


def _lexes(tokens: str, source: str) -> bool:
    return closed(lex(source).terminals) == closed(from_names(tokens))
