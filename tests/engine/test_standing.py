"""Workers that stay: an item costs itself alone, and its process's place is taken by another."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import engine_functions
import pytest

from codefit.engine.standing import ENDED, StandingWorkers
from codefit.errors import CodefitError

LIMIT = 1.0


@pytest.fixture(scope="module")
def two() -> Iterator[StandingWorkers]:
    with closing(StandingWorkers(engine_functions.misbehave, seconds=LIMIT, count=2)) as workers:
        workers.wait_until_ready()
        yield workers


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ("hang in native code", "took longer than 1 s"),
        ("crash", "its worker process ended (SIGSEGV)"),
        ("exit at once", "its worker process ended (exit code 3)"),
        ("raise", "ValueError: two lines"),
        ("wrong input", "here: no such thing; look there"),
    ],
)
def test_an_item_that_goes_wrong_costs_itself_alone(two: StandingWorkers, item: str, error: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        bad = pool.submit(two.call, item)
        good = list(pool.map(two.call, range(40)))
    assert bad.result() == (None, error)
    assert good == [(number, None) for number in range(40)]


def test_many_threads_share_two_processes_that_stay() -> None:
    with (
        closing(StandingWorkers(engine_functions.process_id, seconds=30, count=2)) as workers,
        ThreadPoolExecutor(8) as pool,
    ):
        ids = {value for value, _ in pool.map(workers.call, range(200))}
        assert len(ids) == 2
        assert os.getpid() not in ids
        killed = ids.pop()
        os.kill(killed, signal.SIGKILL)  # as the system does where memory runs out
        time.sleep(0.1)
        after = list(pool.map(workers.call, range(20)))
    assert [error for _, error in after] == [None] * 20
    assert killed not in {value for value, _ in after}


def test_what_cannot_be_loaded_is_told() -> None:
    with closing(StandingWorkers(engine_functions.Unloadable(), seconds=1, count=1)) as workers:
        for _ in range(2):  # another process tries it anew
            with pytest.raises(CodefitError, match="workers cannot load"):
                workers.call(1)


def test_closed_while_it_works() -> None:
    workers = StandingWorkers(engine_functions.misbehave, seconds=60, count=2)
    workers.wait_until_ready()
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(workers.call, "hang")
        time.sleep(0.3)
        workers.close()
        assert hanging.result(30) == (None, ENDED)
    with pytest.raises(CodefitError, match=ENDED):
        workers.call(1)
