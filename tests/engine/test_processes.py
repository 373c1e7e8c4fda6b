import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import engine_functions
import pytest

from codefit.engine.processes import CHUNK, CHUNKS_AHEAD, SMALL, Outcome, map_records
from codefit.errors import CodefitError

HERE = Path(__file__).parent
LIMIT = 1.0  # seconds an item, in the tests where one hangs


def _values(outcomes):
    return [outcome.value for outcome in outcomes]


@pytest.mark.parametrize("workers", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, SMALL, 500])
def test_values_come_in_order(workers, count):
    outcomes = list(map_records(engine_functions.double, iter(range(count)), workers=workers))
    assert outcomes == [Outcome(index, 2 * index) for index in range(count)]


@pytest.mark.parametrize("workers", [1, 2])
def test_values_come_in_order_under_a_limit(workers):
    outcomes = map_records(engine_functions.double, range(200), workers=workers, seconds_per_item=30)
    assert _values(outcomes) == [2 * index for index in range(200)]


def test_where_the_work_is_done():
    here = {os.getpid()}
    assert set(_values(map_records(engine_functions.process_id, range(3)))) == here
    assert set(_values(map_records(engine_functions.process_id, range(100), workers=1))) == here
    assert set(_values(map_records(engine_functions.process_id, range(100), workers=0, seconds_per_item=9))) == here
    elsewhere = set(_values(map_records(engine_functions.process_id, range(3), seconds_per_item=9)))
    assert here.isdisjoint(elsewhere)
    elsewhere = set(_values(map_records(engine_functions.process_id, range(100), workers=2)))
    assert here.isdisjoint(elsewhere)


ERRORS = {
    "hang": "took longer than 1 s",
    "hang in native code": "took longer than 1 s",
    "crash": "its worker process ended (SIGSEGV)",
    "killed": "its worker process ended (SIGKILL, as when memory runs out)",
    "exit": "SystemExit: 1",
    "exit at once": "its worker process ended (exit code 3)",
    "raise": "ValueError: two lines",
    "wrong input": "here: no such thing; look there",
}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_item_that_goes_wrong_costs_itself_alone(workers):
    items = []
    for number, kind in enumerate(ERRORS):
        items += [number, kind, "large"]
    outcomes = list(map_records(engine_functions.misbehave, items, workers=workers, seconds_per_item=LIMIT))
    assert [outcome.index for outcome in outcomes] == list(range(len(items)))
    for item, outcome in zip(items, outcomes, strict=True):
        if item in ERRORS:
            assert (outcome.value, outcome.error) == (None, ERRORS[item])
        else:
            assert outcome == Outcome(outcome.index, engine_functions.misbehave(item))


def test_a_value_that_cannot_be_sent_back():
    first, second = map_records(engine_functions.misbehave, ["not picklable", 1], seconds_per_item=LIMIT)
    assert first.error is not None
    assert first.error.startswith("its value cannot be sent back (")
    assert second == Outcome(1, 1)


def test_a_limit_stops_the_parser_where_its_own_does_not():
    """Tens of seconds inside one operation of the parser, which looks at no clock there."""
    items = ["const a = () => 1;", "A<B," * 20_000, "const b = () => 1;"]
    started = time.monotonic()
    outcomes = list(map_records(engine_functions.read_typescript, items, seconds_per_item=2))
    assert time.monotonic() - started < 8
    assert [outcome.error for outcome in outcomes] == [None, "took longer than 2 s", None]
    assert [[unit.name for unit in outcome.value] for outcome in outcomes[::2]] == [["a"], ["b"]]


def test_errors_are_the_same_without_workers():
    outcomes = list(map_records(engine_functions.misbehave, ["raise", "wrong input", "exit", 1], workers=0))
    assert [outcome.error for outcome in outcomes] == [ERRORS["raise"], ERRORS["wrong input"], ERRORS["exit"], None]


def test_a_limit_is_for_the_function_and_not_for_who_reads_its_values():
    outcomes = []
    for outcome in map_records(engine_functions.misbehave, ["large"] * 4, workers=1, seconds_per_item=0.4):
        time.sleep(0.6)  # while the worker waits to be rid of its next value
        outcomes.append(outcome)
    assert [outcome.error for outcome in outcomes] == [None] * 4


def test_items_are_read_as_they_are_needed():
    read = 0

    def items():
        nonlocal read
        for index in range(100_000):
            read += 1
            yield index

    outcomes = map_records(engine_functions.slow_first, items(), workers=2, seconds_per_item=30)
    assert next(outcomes) == Outcome(0, 0)
    assert read <= 2 * CHUNK * (CHUNKS_AHEAD + 2)
    outcomes.close()


def test_workers_end_with_the_run():
    outcomes = map_records(engine_functions.process_id, range(1_000), workers=2, seconds_per_item=30)
    workers = {next(outcomes).value for _ in range(200)}
    outcomes.close()
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_an_error_of_the_items_reaches_the_caller():
    def items():
        yield from range(100)
        raise KeyError("items")

    with pytest.raises(KeyError, match="items"):
        list(map_records(engine_functions.double, items(), workers=2, seconds_per_item=30))


def test_a_function_that_workers_cannot_load(monkeypatch):
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if Path(entry) != HERE])
    with pytest.raises(CodefitError, match=r"workers cannot load .*No module named 'engine_functions'"):
        list(map_records(engine_functions.double, [1], seconds_per_item=1))


def test_partial_functions():
    assert _values(map_records(partial(pow, 2), range(4), seconds_per_item=30)) == [1, 2, 4, 8]


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
import engine_functions
from codefit.engine.processes import map_records
def own(item):
    return item
print("once")
print([outcome.value for outcome in map_records(engine_functions.misbehave, ["print"] * 3, seconds_per_item=30)])
try:
    list(map_records(own, [1], seconds_per_item=1))
except Exception as error:
    print(error)
print([outcome.value for outcome in map_records(own, [1])])
"""


def test_a_plain_script_without_a_main_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(here=str(HERE)))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=True)
    once, values, error, own = done.stdout.splitlines()
    assert (once, values, own) == ("once", "['print', 'print', 'print']", "[1]")
    assert "is of the main module, which workers do not run; move it into a module" in error
    assert done.stderr.count("printed by a worker") == 3


def test_starting_a_worker_takes_little():
    started = time.monotonic()
    list(map_records(engine_functions.double, range(20), workers=2, seconds_per_item=30))
    assert time.monotonic() - started < 3  # a tenth of it on an idle machine
