"""Stages: what is done stays, what changed runs again, and a kill at any moment costs no more than the stage's rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from codefit.errors import CodefitError, InputError
from codefit.run.record import RunRecord, StageRecord, hashes_of, key_of, read_record
from codefit.run.runner import Stage, run_stages


def record(*names: str, system: str = "test") -> RunRecord:
    return RunRecord(
        name="a run",
        system=system,
        description="",
        recipe={},
        seed=0,
        code_revision=None,
        machine={},
        packages={},
        started="2026-01-01T00:00:00+00:00",
        stages=[StageRecord(name) for name in names],
    )


class Trip:
    """Two stages: `one` writes a number, `two` doubles it. `calls` says what has run."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.calls: list[str] = []
        self.number = 3

    def one(self, run: Path) -> str:
        self.calls.append("one")
        (run / "one.txt").write_text(str(self.number))
        return f"wrote {self.number}"

    def two(self, run: Path) -> str:
        self.calls.append("two")
        doubled = 2 * int((run / "one.txt").read_text())
        (run / "two.txt").write_text(str(doubled))
        return f"wrote {doubled}"

    def go(self, start_from: str | None = None, two: Callable[[Path], str] | None = None) -> list[str]:
        self.calls = []
        stages = [
            Stage("one", self.one, outputs=["one.txt"], settings={"number": self.number}),
            Stage("two", two or self.two, outputs=["two.txt"], settings={}, inputs=["one.txt"], scratch=["scratch"]),
        ]
        run_stages(stages, record("one", "two"), self.run, start_from=start_from)
        return self.calls


@pytest.fixture
def trip(tmp_path: Path) -> Trip:
    return Trip(tmp_path / "run")


def test_stages_run_once_and_are_recorded(trip: Trip) -> None:
    assert trip.go() == ["one", "two"]
    assert trip.go() == []
    saved = read_record(trip.run)
    assert [(stage.name, stage.state, stage.summary) for stage in saved.stages] == [
        ("one", "done", "wrote 3"),
        ("two", "done", "wrote 6"),
    ]
    assert saved.finished is not None
    assert saved.peak_memory_bytes is not None
    assert saved.peak_memory_bytes > 10_000_000
    assert saved.stage("one").outputs == hashes_of(trip.run, ["one.txt"])


def test_a_changed_setting_runs_what_depends_on_it(trip: Trip) -> None:
    trip.go()
    trip.number = 5
    assert trip.go() == ["one", "two"]
    assert (trip.run / "two.txt").read_text() == "10"


def test_a_damaged_output_is_made_again_and_what_did_not_change_is_not(trip: Trip) -> None:
    trip.go()
    (trip.run / "one.txt").write_text("4")
    # `one` is made again to the same bytes, so `two`, which depends on its bytes, is still right.
    assert trip.go() == ["one"]
    (trip.run / "two.txt").unlink()
    assert trip.go() == ["two"]


def test_from_runs_a_stage_and_those_after_it_again(trip: Trip) -> None:
    trip.go()
    assert trip.go(start_from="two") == ["two"]
    assert trip.go(start_from="one") == ["one", "two"]
    with pytest.raises(InputError, match="stages: one, two"):
        trip.go(start_from="three")


def test_a_failure_is_recorded_and_the_stage_goes_on_with_its_scratch(trip: Trip) -> None:
    seen: list[bool] = []

    def fails_once(run: Path) -> str:
        seen.append((run / "scratch").exists())
        if not seen[-1]:
            (run / "scratch").write_text("half way")
            raise CodefitError("it broke")
        return trip.two(run)

    with pytest.raises(CodefitError, match="it broke"):
        trip.go(two=fails_once)
    assert [stage.state for stage in read_record(trip.run).stages] == ["done", "failed"]
    assert trip.go(two=fails_once) == ["two"]
    assert seen == [False, True]


def test_other_settings_throw_the_scratch_of_an_unfinished_stage_away(trip: Trip) -> None:
    def fails(run: Path) -> str:
        assert not (run / "scratch").exists()
        (run / "scratch").write_text("half way, from other inputs")
        raise CodefitError("it broke")

    for number in (3, 5):
        trip.number = number
        with pytest.raises(CodefitError, match="it broke"):
            trip.go(two=fails)


def test_ctrl_c_is_recorded_as_stopped(trip: Trip) -> None:
    def interrupted(run: Path) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trip.go(two=interrupted)
    assert read_record(trip.run).stage("two").state == "stopped"


def test_a_stage_that_writes_nothing_is_an_error(trip: Trip) -> None:
    with pytest.raises(CodefitError, match=r"wrote none of two\.txt"):
        trip.go(two=lambda run: "nothing")


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("do not touch")
    with pytest.raises(InputError, match="something else"):
        run_stages([], record(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["precious.txt"]


def test_a_run_of_another_system_is_refused(trip: Trip) -> None:
    trip.go()
    with pytest.raises(InputError, match="holds a run of test"):
        run_stages([], record(system="other"), trip.run)


@pytest.mark.parametrize("text", ["", "{", '{"name": 3}', "[]"])
def test_a_damaged_run_json_is_a_one_line_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json: not a run\.json"):
        read_record(tmp_path)
    with pytest.raises(InputError, match="no run of codefit"):
        read_record(tmp_path / "nowhere")


def test_keys_do_not_depend_on_the_order_of_settings() -> None:
    assert key_of(a={"x": 1, "y": 2}, b=3) == key_of(b=3, a={"y": 2, "x": 1})
    assert key_of(a={"x": 1}) != key_of(a={"x": 2})


SLOW_RUN = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_runner import record
from codefit.run.runner import Stage, run_stages

def count(run):
    log = run / "log.txt"
    for _ in range(60):
        with open(log, "a") as stream:
            stream.write("x")
        if log.stat().st_size == 5:
            time.sleep(600)  # until it is killed, however long the second process takes to start
        if log.stat().st_size >= 60:
            break
    return "counted"

run_stages([Stage("count", count, outputs=["log.txt"], settings={{}})], record("count"), Path(sys.argv[1]))
"""


def test_a_killed_run_goes_on_and_a_second_process_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "slow.py"
    script.write_text(SLOW_RUN.format(tests=str(Path(__file__).parent)))
    run = tmp_path / "run"
    command = [sys.executable, str(script), str(run)]
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not ((run / "log.txt").exists() and (run / "log.txt").stat().st_size == 5):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "another process works on this run" in second.stderr
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    assert json.loads((run / "run.json").read_text())["stages"][0]["state"] == "running"
    written = (run / "log.txt").stat().st_size
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "count: goes on" in done.stderr
    assert written == 5
    assert (run / "log.txt").stat().st_size == 60
    assert read_record(run).stage("count").state == "done"


def test_what_a_killed_stage_was_writing_is_no_output_of_it(tmp_path: Path) -> None:
    calls: list[str] = []

    def write(run: Path) -> str:
        (run / "data").mkdir(exist_ok=True)
        if not calls:
            calls.append("stopped")
            (run / "data" / ".tmp-0-rows.txt").write_text("half")  # what a kill leaves behind
            raise KeyboardInterrupt
        (run / "data" / "rows.txt").write_text("whole")
        return "wrote rows"

    stages = [Stage("data", write, outputs=["data"], settings={})]
    with pytest.raises(KeyboardInterrupt):
        run_stages(stages, record("data"), tmp_path / "run")
    done = run_stages(stages, record("data"), tmp_path / "run")
    assert list(done.stage("data").outputs) == ["data/rows.txt"]
