"""The data stage of an embedding recipe: mine, join, filter, split; and which of its files this machine has."""

from __future__ import annotations

import dataclasses
import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from codefit.corpus.filters import DEFAULT_LIMITS
from codefit.corpus.prepare import PrepareSettings
from codefit.progress import say
from codefit.recipe import Data
from codefit.tasks.pair_files import write_pair_files

DATA_VARIABLE = "CODEFIT_DATA"
DEFAULT_DATA = "../shared/data"
TRAIN = "data/train_pairs.jsonl.gz"
EVALUATION = "data/eval_pairs.jsonl.gz"
VALIDATION = "data/validation_pairs.jsonl.gz"


def write_data(data: Data, seed: int, run: Path) -> str:
    """Write the pairs of all three sides and their manifest below `run/data`; a line that says what came of it."""
    pair_files, missing = find_files(data.pairs)
    for pattern in missing:
        say(f"data: nothing matches {pattern}; going on without it (set {DATA_VARIABLE} to the folder of your data)")
    settings = dataclasses.replace(
        prepare_settings(data, seed),
        eval_groups=(*data.evaluation_sources, *data.validation_sources),
        allow_missing_groups=bool(missing),
        temperature=data.temperature,
        train_rows=data.train_rows,
        benchmarks={name: tuple(find_files(patterns)[0]) for name, patterns in data.benchmarks.items()},
    )
    manifest = write_pair_files(
        data.documents,
        run / TRAIN,
        settings,
        pair_files=pair_files,
        validation=data.validation_sources,
        languages=data.languages,
        exclude=data.exclude,
        missing=missing,
    )
    return summary_of(manifest)


def prepare_settings(data: Data, seed: int) -> PrepareSettings:
    """Which pairs are fit to train on; what is held out and how many are kept is not yet in it."""
    return PrepareSettings(
        limits=dataclasses.replace(DEFAULT_LIMITS, max_anchor_words=data.max_anchor_words),
        allowed_licenses=tuple(data.allowed_licenses) if data.allowed_licenses is not None else None,
        near_duplicate_threshold=data.near_duplicate_threshold,
        eval_share=0,
        seed=seed,
    )


def find_files(patterns: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The files that the patterns match, in order, and the patterns that match nothing."""
    found: dict[Path, None] = {}
    missing = []
    for pattern in patterns:
        matches = sorted(glob.glob(expanded(pattern), recursive=True))
        if not matches:
            missing.append(pattern)
        found |= dict.fromkeys(map(Path, matches))
    return list(found), missing


def input_files(documents: Sequence[str], pairs: Sequence[str]) -> dict[str, list[int]]:
    """Size and time of change of the files that patterns match: other files make other data."""
    files = [Path(expanded(path)) for path in documents if path != "env"] + find_files(pairs)[0]
    return {str(path): [path.stat().st_size, path.stat().st_mtime_ns] for path in files if path.is_file()}


def expanded(path: str) -> str:
    """A recipe's path with `~` and environment variables replaced; `$CODEFIT_DATA` has a default."""
    with_default = path.replace(f"${DATA_VARIABLE}", os.environ.get(DATA_VARIABLE, DEFAULT_DATA))
    return os.path.expanduser(os.path.expandvars(with_default))


def summary_of(manifest: dict[str, Any]) -> str:
    """Rows of each side, and how many were left out."""
    outputs = manifest["outputs"]

    def rows(path: str) -> int:
        return int(outputs.get(Path(path).name, {"rows": 0})["rows"])

    dropped = sum(manifest["stages"]["prepare"]["dropped"].values())
    return (
        f"{rows(TRAIN):,} pairs to train on, {rows(VALIDATION):,} to choose by, {rows(EVALUATION):,} to measure on; "
        f"{dropped:,} left out"
    )
