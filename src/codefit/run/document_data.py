"""The data stage of a language model: general code from many sources, or one repository with general code beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from codefit.corpus.curate import CurationSettings
from codefit.corpus.gather import GatherSettings
from codefit.errors import InputError
from codefit.progress import say
from codefit.recipe import BaseData, RepositoryData, Sources
from codefit.run.pair_data import DATA_VARIABLE, expanded, find_files, input_files
from codefit.tasks.document_files import (
    EVAL_NAME,
    GENERAL_NAME,
    REPLAY_NAME,
    TRAIN_NAME,
    VALIDATION_NAME,
    Beside,
    Reader,
    write_document_files,
)
from codefit.tasks.source_files import write_source_files
from codefit.tasks.sources import read_sources

DATA = "data"
TRAIN = f"{DATA}/{TRAIN_NAME}"
EVALUATION = f"{DATA}/{EVAL_NAME}"
VALIDATION = f"{DATA}/{VALIDATION_NAME}"
GENERAL = f"{DATA}/{GENERAL_NAME}"
REPLAY = f"{DATA}/{REPLAY_NAME}"


def write_general(data: BaseData, seed: int, run: Path) -> str:
    """Write the documents of a base model's three sides below `run/data`; a line that says what came of it."""
    pairs, missing = found_pairs(data)
    settings = gather_settings(data, seed, missing)
    manifest = write_source_files(
        run / DATA,
        settings,
        documents=[expanded(path) for path in data.documents],
        pairs=pairs,
        languages=data.languages,
        leave_out_languages=data.leave_out_languages,
        exclude=data.exclude,
        sources=data.sources,
        missing=missing,
    )
    return _summary(manifest)


def write_repository(data: RepositoryData, seed: int, run: Path) -> str:
    """Write a repository's documents and the general code beside them below `run/data`; what came of it, in a line."""
    missing: list[str] = []
    readers = {
        name: sources_reader(sources, missing)
        for name, sources in (("general", data.general), ("replay", replay_of(data)))
        if sources is not None
    }
    settings = curation_settings(data, seed)
    manifest = write_document_files(
        repository_files(data.documents),
        run / DATA,
        settings,
        languages=data.languages,
        exclude=data.exclude,
        beside=Beside(replay_share=data.replay_share, settings=beside_settings(data, seed), **readers),
        missing=missing,
    )
    return _summary(manifest)


def gather_settings(data: BaseData, seed: int, missing: Sequence[str]) -> GatherSettings:
    """How a base model's general code is cleaned and divided; `missing` are the patterns that match nothing."""
    return GatherSettings(
        allowed_licenses=_licenses(data.allowed_licenses),
        near_duplicate_threshold=data.near_duplicate_threshold,
        evaluation_sources=tuple(data.evaluation_sources),
        validation_sources=tuple(data.validation_sources),
        allow_missing_sources=bool(missing),
        train_bytes=data.train_bytes,
        seed=seed,
    )


def curation_settings(data: RepositoryData, seed: int) -> CurationSettings:
    """How a repository's files are chosen and held out."""
    return CurationSettings(
        top=data.top,
        min_lines=data.min_lines,
        max_lines=data.max_lines,
        allowed_licenses=_licenses(data.allowed_licenses),
        near_duplicate_threshold=data.near_duplicate_threshold,
        hold_out_share=data.hold_out.share,
        hold_out_since=data.hold_out.since.isoformat() if data.hold_out.since else None,
        validation_share=data.hold_out.validation_share,
        seed=seed,
    )


def beside_settings(data: RepositoryData, seed: int) -> GatherSettings:
    """How the general code beside a repository is cleaned."""
    return GatherSettings(near_duplicate_threshold=data.near_duplicate_threshold, seed=seed)


def replay_of(data: RepositoryData) -> Sources | None:
    """What is mixed into training, None where nothing is."""
    return data.replay if data.replay_share > 0 else None


def repository_files(documents: Sequence[str]) -> list[str]:
    """Where the repository is; `InputError` where a file of `$CODEFIT_DATA` is meant and not there."""
    found = [expanded(path) for path in documents]
    for path, written in zip(found, documents, strict=True):
        if path != "env" and not Path(path).exists():
            fix = (
                f"set {DATA_VARIABLE} to the folder of your data, or give your own: data.documents='[path/to/it]'"
                if DATA_VARIABLE in written
                else "check the path"
            )
            raise InputError("the repository is not there", where=path, fix=fix)
    return found


def sources_files(*several: Sources | None) -> dict[str, list[int]]:
    """`input_files` of all that sections of a recipe name."""
    given = [sources for sources in several if sources is not None]
    return input_files(
        [path for sources in given for path in sources.documents], [path for s in given for path in s.pairs]
    )


def sources_reader(sources: Sources, missing: list[str]) -> Reader:
    """`read_sources` of a recipe's section; the patterns that match nothing are added to `missing`."""
    pairs, without = found_pairs(sources)
    missing += without
    return partial(
        read_sources,
        documents=[expanded(path) for path in sources.documents],
        pairs=pairs,
        languages=sources.languages,
        leave_out_languages=sources.leave_out_languages,
        exclude=sources.exclude,
        sources=sources.sources,
    )


def found_pairs(sources: Sources) -> tuple[list[Path], list[str]]:
    """The files of pairs that there are, and the patterns that match none, which is said."""
    pairs, missing = find_files(sources.pairs)
    for pattern in missing:
        say(f"data: nothing matches {pattern}; going on without it (set {DATA_VARIABLE} to the folder of your data)")
    return pairs, missing


def _licenses(allowed: list[str] | None) -> tuple[str, ...] | None:
    return tuple(allowed) if allowed is not None else None


def _summary(manifest: dict[str, Any]) -> str:
    """Files of each side that there is, and how many were left out."""
    sides = {
        TRAIN_NAME: "to train on",
        VALIDATION_NAME: "to choose by",
        EVAL_NAME: "to measure on",
        GENERAL_NAME: "of general code to measure on",
        REPLAY_NAME: "to replay",
    }
    outputs = manifest["outputs"]
    told = [f"{outputs[name]['rows']:,} {what}" for name, what in sides.items() if name in outputs]
    dropped = sum(sum(stage["dropped"].values()) for stage in manifest["stages"].values())
    return f"files: {', '.join(told)}; {dropped:,} left out"
