"""Go through a recipe's stages in order; run again, it goes on where it stopped.

A stage is done when `run.json` says so with the key of today's settings and inputs, and its outputs have the hashes
that it wrote. So a changed setting runs what depends on it and nothing else, and a damaged file is made again.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from codefit.errors import CodefitError, InputError
from codefit.files import check_writable
from codefit.progress import say
from codefit.run.memory import MemoryWatch
from codefit.run.record import FILE, RunRecord, StageRecord, hashes_of, key_of, now, read_record

LOCK = ".lock"
UNFINISHED = ("running", "stopped", "failed")  # "running" is what a kill leaves behind


@dataclass(frozen=True, slots=True)
class Stage:
    """A step from files to files. `work` gets the run's folder and returns what it came to, in a line.

    `settings` is what of the recipe its result depends on; `inputs` and `outputs` are files or folders of the run.
    `scratch` is what it leaves for a resumed run of itself. Files in `later` are changed by a later stage, so that
    their hashes do not count.
    """

    name: str
    work: Callable[[Path], str]
    outputs: Sequence[str]
    settings: Mapping[str, Any]
    inputs: Sequence[str] = ()
    scratch: Sequence[str] = ()
    later: Sequence[str] = ()


def run_stages(stages: Sequence[Stage], fresh: RunRecord, out: Path, *, start_from: str | None = None) -> RunRecord:
    """Do what is not done yet of `stages` in `out`; `fresh` is the record of a run that has not begun.

    `start_from` names the first stage to do again whatever its state. Raises `InputError` for a folder that holds
    something else or a run that another process works on.
    """
    _check_start(stages, start_from)
    check_writable(out)
    with _locked(out):
        record = _joined(fresh, out)
        again = False
        with MemoryWatch(record.peak_memory_bytes or 0) as memory:
            for stage in stages:
                again = again or stage.name == start_from
                entry = record.stage(stage.name)
                key = _key(stage, out)
                if not again and _is_done(stage, entry, key, out):
                    say(f"{stage.name}: done already  {entry.summary}")
                    continue
                goes_on = not again and entry.key == key and entry.state in UNFINISHED
                _do(stage, entry, key, record, out, memory, goes_on=goes_on)
        record.finished = now()
        record.peak_memory_bytes = memory.peak
        record.save(out)
    return record


def _check_start(stages: Sequence[Stage], start_from: str | None) -> None:
    names = [stage.name for stage in stages]
    if start_from is not None and start_from not in names:
        raise InputError(f"no stage is called {start_from!r}", fix=f"stages: {', '.join(names)}")


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    if out.is_dir() and any(out.iterdir()) and not ((out / FILE).exists() or (out / LOCK).exists()):
        raise InputError("the folder holds something else than a run", where=str(out), fix="choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    stream: IO[str]
    with open(out / LOCK, "w", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError("another process works on this run", where=str(out), fix="wait for it") from error
        yield


def _joined(fresh: RunRecord, out: Path) -> RunRecord:
    """The fresh record with what the folder's own says is done."""
    if not (out / FILE).exists():
        return fresh
    before = read_record(out)
    if before.system != fresh.system:
        raise InputError(f"the folder holds a run of {before.system}", where=str(out), fix="choose another --out")
    known = {stage.name: stage for stage in before.stages}
    fresh.stages = [known.get(stage.name, stage) for stage in fresh.stages]
    fresh.started = before.started
    fresh.peak_memory_bytes = before.peak_memory_bytes
    return fresh


def _key(stage: Stage, out: Path) -> str:
    return key_of(stage=stage.name, settings=stage.settings, inputs=hashes_of(out, stage.inputs, stage.later))


def _is_done(stage: Stage, entry: StageRecord, key: str, out: Path) -> bool:
    return (
        entry.state == "done"
        and entry.key == key
        and bool(entry.outputs)
        and entry.outputs == hashes_of(out, stage.outputs, stage.later)
    )


def _do(
    stage: Stage, entry: StageRecord, key: str, record: RunRecord, out: Path, memory: MemoryWatch, *, goes_on: bool
) -> None:
    for place in (*stage.outputs, *stage.scratch):
        if goes_on:
            _remove_remains(out / place)
        else:
            _remove(out / place)
    entry.state, entry.key, entry.outputs, entry.summary, entry.seconds = "running", key, {}, "", None
    record.finished = None
    record.save(out)
    say(f"{stage.name}: {'goes on' if goes_on else 'begins'}")
    started = time.monotonic()
    try:
        entry.summary = stage.work(out)
        entry.outputs = hashes_of(out, stage.outputs, stage.later)
        if not entry.outputs:
            raise CodefitError(f"the stage {stage.name} wrote none of {', '.join(stage.outputs)}", where=str(out))
        entry.state = "done"
    except KeyboardInterrupt:
        entry.state = "stopped"
        say("stopped; run the same command again to go on")
        raise
    except BaseException:
        entry.state = "failed"
        raise
    finally:
        entry.seconds = round(time.monotonic() - started, 2)
        record.peak_memory_bytes = memory.peak
        record.save(out)
    say(f"{stage.name}: {entry.summary}  ({entry.seconds:,.0f} s)")


def _remove_remains(folder: Path) -> None:
    """Remove what a killed stage was just writing: it would be taken for one of its outputs."""
    for path in list(folder.rglob(".tmp-*")):
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
