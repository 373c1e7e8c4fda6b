"""Reads rows of a dataset, from the hub at one commit or from a folder laid out as the hub lays it, by `datasets`."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codefit.corpus.hub.source import HubSource, Part

COMMIT = re.compile(r"[0-9a-f]{40}")
RESOLVE_SECONDS = 10.0
BATCH = 1_000  # rows taken from the table at once: one by one costs ten times as much
# A stream is drawn from a window that moves through the file, since reading all of it is what streaming avoids.
SHUFFLE_WINDOW = 10_000
STREAM_RETRIES = 2  # the library's 20 retries of 5 s hold a command for minutes
STREAM_RETRY_SECONDS = 1


REASON_CHARACTERS = 300  # of a library's message: enough to act on, one line in a terminal


class SourceError(Exception):
    """Why a source cannot be read, in one line."""


@contextlib.contextmanager
def _as_source_error() -> Iterator[None]:
    """Whatever the network, the hub's client or a file format raises, as the one error that costs only its source."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:
        message = " ".join(str(error).split())
        name = type(error).__name__
        raise SourceError(f"{name}: {message}"[:REASON_CHARACTERS] if message else name) from error


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source is read: `path` is a dataset of the hub or a folder, `revision` the commit where it is known."""

    path: str
    revision: str | None


def place_of(source: HubSource, revision: str, local_root: Path | None) -> Place:
    """Where a source is read: under `local_root` where that is given, else on the hub."""
    return hub_place(source, revision) if local_root is None else local_place(source, local_root, revision)


def local_place(source: HubSource, root: Path, revision: str) -> Place:
    """The source under `root`: as `owner/name`, or in the hub's cache layout at `revision`; raises `SourceError`."""
    folder = root / source.dataset
    if folder.is_dir():
        return Place(str(folder), None)
    snapshot = root / f"datasets--{source.dataset.replace('/', '--')}" / "snapshots" / revision
    if snapshot.is_dir():
        return Place(str(snapshot), revision)
    raise SourceError(f"{root} holds no folder {source.dataset}")


def hub_place(source: HubSource, revision: str) -> Place:
    """The source on the hub; a branch or tag becomes the commit that it names now."""
    if COMMIT.fullmatch(revision):
        return Place(source.dataset, revision)
    with _as_source_error():
        _set_up_client()
        from huggingface_hub import HfApi

        commit = HfApi().dataset_info(source.dataset, revision=revision, timeout=RESOLVE_SECONDS).sha
    return Place(source.dataset, commit)


def rows_of(
    place: Place, source: HubSource, part: Part, *, seed: int, cache: Path | None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and columns of the rows of a part, in an order drawn by `seed`; raises `SourceError`.

    A downloaded part is permuted whole, so any number of its rows is a uniform sample. A streamed one is shuffled
    within a moving window, and its numbers count from the stream's beginning.
    """
    with _as_source_error():
        table = _open(place, source, part, cache)
        if source.stream:
            yield from enumerate(table.shuffle(seed=seed, buffer_size=SHUFFLE_WINDOW))
            return
        order = np.random.default_rng(seed).permutation(len(table))
        for start in range(0, len(order), BATCH):
            numbers = order[start : start + BATCH].tolist()
            columns = table[numbers]
            for position, number in enumerate(numbers):
                yield number, {name: values[position] for name, values in columns.items()}


def _open(place: Place, source: HubSource, part: Part, cache: Path | None) -> Any:
    """The part as `datasets` gives it, with the columns that the source needs."""
    _set_up_client()
    import datasets

    table = datasets.load_dataset(
        place.path,
        part.config,
        split=part.split,
        revision=None if Path(place.path).is_dir() else place.revision,
        cache_dir=str(cache) if cache else None,
        streaming=source.stream,
    )
    present = table.column_names or list(next(iter(table)))  # a stream of JSON knows its columns by its first row
    missing = [column for column in source.columns if column not in present]
    if missing:
        raise SourceError(f"{part.where()} has no column {missing[0]!r}, only {', '.join(present)}")
    return table.select_columns([*source.columns, *(column for column in source.optional if column in present)])


def _set_up_client() -> None:
    """No telemetry, no download statistics, no minutes of retries, no progress bar into a log file."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import datasets

    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    datasets.config.STREAMING_READ_MAX_RETRIES = datasets.config.STREAMING_OPEN_MAX_RETRIES = STREAM_RETRIES
    datasets.config.STREAMING_READ_RETRY_INTERVAL = datasets.config.STREAMING_OPEN_RETRY_INTERVAL = STREAM_RETRY_SECONDS
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
