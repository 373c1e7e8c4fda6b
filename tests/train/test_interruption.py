"""Trainings that are killed, stopped or run out of disk, in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np
import pytest
from training_examples import STEPS, run_training

from codefit.errors import CodefitError, from_os_error
from codefit.files import hash_folder
from codefit.train.checkpoint import Checkpoint, load_checkpoint
from codefit.train.trainer import read_metrics

KILLS = 4
PATIENCE = 60  # seconds until a process that should move is taken for stuck


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    """Processes that begin with the imports done, so that a kill costs no second start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["training_examples", "torch", "sentence_transformers"])
    return context


def start(processes: multiprocessing.context.ForkServerContext, kind: str, out: Path) -> ForkServerProcess:
    process = processes.Process(target=run_training, args=(kind, out))
    process.start()
    return process


def newest_step(out: Path) -> int:
    return max((int(folder.name.removeprefix("step-")) for folder in out.glob("checkpoints/step-*")), default=0)


def wait_for_step(process: ForkServerProcess, out: Path, step: int) -> None:
    end = time.monotonic() + PATIENCE
    while newest_step(out) < step and process.is_alive():
        assert time.monotonic() < end, "no progress"
        time.sleep(0.001)


def steps_of(out: Path) -> list[tuple[object, ...]]:
    """What the journal says of the training; the speed may differ."""
    return [tuple(v for k, v in row.items() if k != "tokens_per_second") for row in read_metrics(out / "metrics.jsonl")]


def final(out: Path) -> Checkpoint:
    return load_checkpoint(out / "checkpoints" / f"step-{STEPS:08d}")


def assert_same_training(out: Path, other: Path) -> None:
    assert steps_of(out) == steps_of(other)
    ours, theirs = final(out), final(other)
    assert ours.values == theirs.values
    assert ours.arrays.keys() == theirs.arrays.keys()
    for name, array in ours.arrays.items():
        np.testing.assert_array_equal(array, theirs.arrays[name], err_msg=name, strict=True)
    assert hash_folder(out / "model") == hash_folder(other / "model")


@pytest.mark.parametrize("kind", ["static", "encoder", "causal"])
def test_killed_at_random_moments_it_ends_as_if_it_had_not_been(
    kind: str, tmp_path: Path, processes: multiprocessing.context.ForkServerContext
) -> None:
    draw = random.Random(kind)
    killed = tmp_path / "killed"
    ends = []
    for number in range(KILLS):
        process = start(processes, kind, killed)
        wait_for_step(process, killed, (number + 1) * STEPS // (KILLS + 2))
        time.sleep(draw.uniform(0, 0.03))
        process.kill()
        process.join(PATIENCE)
        ends.append(process.exitcode)
    last = start(processes, kind, killed)
    last.join(PATIENCE)
    unbroken = start(processes, kind, tmp_path / "unbroken")
    unbroken.join(PATIENCE)

    assert ends == [-signal.SIGKILL] * KILLS
    assert last.exitcode == unbroken.exitcode == 0
    assert_same_training(killed, tmp_path / "unbroken")
    assert not [path for path in killed.rglob(".*") if path.name.startswith((".tmp-", ".old-"))]


@pytest.mark.parametrize("kind", ["static", "encoder"])
def test_ctrl_c_saves_the_step_it_has_done(
    kind: str, tmp_path: Path, processes: multiprocessing.context.ForkServerContext
) -> None:
    out = tmp_path / "stopped"
    process = start(processes, kind, out)
    wait_for_step(process, out, 6)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    process.join(PATIENCE)

    assert process.exitcode == 1
    assert newest_step(out) == read_metrics(out / "metrics.jsonl")[-1]["step"] < STEPS
    run_training(kind, out)
    run_training(kind, tmp_path / "unbroken")
    assert_same_training(out, tmp_path / "unbroken")


def test_ctrl_c_in_the_middle_of_a_step_waits_for_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from codefit.train.static import StaticLearner

    adam = StaticLearner._adam
    calls = []

    def interrupted(self: StaticLearner, *arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == 9:  # between the two halves of step 5
            signal.raise_signal(signal.SIGINT)
        adam(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(StaticLearner, "_adam", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_training("static", tmp_path / "stopped")
    assert len(calls) == 10
    assert newest_step(tmp_path / "stopped") == 5
    run_training("static", tmp_path / "stopped")
    run_training("static", tmp_path / "unbroken")
    assert_same_training(tmp_path / "stopped", tmp_path / "unbroken")


def _train_on_a_small_disk(kind: str, out: Path, most: int, save_every: int) -> None:
    """Ends with 77 where the error was the one expected."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        run_training(kind, out, save_every=save_every)
    except OSError as error:
        line = from_os_error(error).line()
        os._exit(77 if str(out) in line and "\n" not in line else 1)
    except CodefitError:
        os._exit(2)
    os._exit(0)


# The checkpoint is what does not fit, or, where none is saved before, the model.
@pytest.mark.parametrize(
    ("kind", "most", "save_every"), [("static", 8_000, 3), ("static", 8_000, 0), ("encoder", 250_000, 3)]
)
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    kind: str, most: int, save_every: int, tmp_path: Path, processes: multiprocessing.context.ForkServerContext
) -> None:
    process = processes.Process(target=_train_on_a_small_disk, args=(kind, tmp_path / "out", most, save_every))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == 77
    assert not list((tmp_path / "out").glob("checkpoints/*"))
    assert not list((tmp_path / "out").glob("checkpoints/.*"))
    assert not list((tmp_path / "out").glob("*model*"))
