"""Worker processes that stay for as long as a service runs, where `map_records` has them for one series of items."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection
from typing import Generic, TypeVar

from codefit.engine import worker
from codefit.engine.processes import cause, start_worker, why_ended
from codefit.errors import CodefitError

T = TypeVar("T")
R = TypeVar("R")

ENDED = "the worker processes were ended"
GONE = (EOFError, BrokenPipeError, ConnectionResetError)  # what a connection says whose other end is a dead process


@dataclass(slots=True, eq=False)
class _Standing:
    """A worker process and the connection to it."""

    process: subprocess.Popen[bytes]
    link: connection.Connection
    is_ready: bool = False


class StandingWorkers(Generic[T, R]):
    """`count` processes that apply `function` to one item each at a time.

    An item whose function raises, takes longer than `seconds` or ends its process costs itself alone: another process
    takes the place of one that ended. `function`, items and values must be picklable, as for `map_records`.
    """

    def __init__(self, function: Callable[[T], R], *, seconds: float, count: int) -> None:
        self._function, self._seconds, self._count = function, seconds, count
        self._starting = threading.Lock()
        self._is_closed = False
        self._standing: set[_Standing] = set()
        self._free: queue.SimpleQueue[_Standing | None] = queue.SimpleQueue()  # None: one is to be started
        for _ in range(count):
            self._free.put(self._start())

    def wait_until_ready(self) -> None:
        """Wait until every process has loaded the function; no call may be under way.

        Raises `CodefitError` where one cannot.
        """
        for each in self._standing:
            self._begin(each)

    def call(self, item: T) -> tuple[R | None, str | None]:
        """The function's value and None, or None and the error in one line; waits for a process that is free.

        Any number of threads may call. Raises `CodefitError` where a process cannot be started or has been closed.
        """
        each = self._free.get()
        try:
            if each is None or each.process.poll() is not None:  # the system may end one that has nothing to do
                self._leave(each)
                each = self._start()
            self._begin(each)
            return self._ask(each, item)
        finally:
            if each is not None and each not in self._standing:
                each = None
            self._free.put(each)

    def close(self) -> None:
        """End every process at once; calls that are under way give an error, later ones raise."""
        with self._starting:
            self._is_closed = True
            for each in list(self._standing):
                each.process.kill()
        for _ in range(self._count):
            self._leave(self._free.get())  # comes when its call has noticed
        for _ in range(self._count):
            self._free.put(None)

    def _start(self) -> _Standing:
        with self._starting:
            if self._is_closed:
                raise CodefitError(ENDED)
            made = _Standing(*start_worker(self._function, self._seconds))
            self._standing.add(made)
        return made

    def _begin(self, each: _Standing) -> None:
        if each.is_ready:
            return
        try:
            message = each.link.recv()
        except GONE as error:
            raise CodefitError(
                f"a worker process ended before it began ({cause(self._leave(each))})", fix="see its message above"
            ) from error
        if message != worker.READY:
            self._leave(each)
            raise CodefitError(f"workers cannot load {self._function!r}: {message}")
        each.is_ready = True

    def _ask(self, each: _Standing, item: T) -> tuple[R | None, str | None]:
        try:
            each.link.send([item])
            answer: tuple[R | None, str | None] = each.link.recv()
        except GONE:
            code = self._leave(each)
            return None, ENDED if self._is_closed else why_ended(code, self._seconds)
        return answer

    def _leave(self, each: _Standing | None) -> int:
        """Have done with a process; gives its return code."""
        if each is None:
            return 0
        each.process.kill()
        each.link.close()
        self._standing.discard(each)
        return each.process.wait()
