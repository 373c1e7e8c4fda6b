"""One way to map work over records with the processes of this machine (POSIX).

A limit can only be kept, and a crash only survived, by a process that may die. So with `seconds_per_item` every item is
worked on in a worker process, even where there is one item or one worker; starting one takes a tenth of a second.
Without it work that is small, or meant for one worker, is done in this process, at no cost and with no protection.
"""

from __future__ import annotations

import itertools
import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any, Generic, TypeVar

from codefit.engine import worker
from codefit.errors import CodefitError

T = TypeVar("T")
R = TypeVar("R")

SMALL = 32  # items: as many source files take as long as a worker takes to start
CHUNK = 16  # items a message: a worker waits for its next chunk a hundredth of the time that one takes
CHUNKS_AHEAD = 8  # a worker: how far the others may run ahead of a slow item, which bounds memory


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """What became of the item at `index`: the function's value, or the error in one line."""

    index: int
    value: R | None
    error: str | None = None


def map_records(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: int | None = None,
    seconds_per_item: float | None = None,
) -> Iterator[Outcome[R]]:
    """`function` of each item, in the items' order, by `workers` processes (None: one a core; 0: none but this one).

    An item whose function raises, takes longer than `seconds_per_item` or ends its process costs itself alone. Items
    are read as they are needed, some hundreds ahead. `function`, items and values must be picklable; a function of the
    main module is not, `functools.partial` of one in any other module is.

    Raises `CodefitError` where workers cannot be started or cannot import the function.
    """
    iterator = iter(items)
    count = workers if workers is not None else os.cpu_count() or 1
    if count == 0 or (seconds_per_item is None and count == 1):
        yield from _here(function, iterator)
        return
    head = list(itertools.islice(iterator, max(SMALL, count * CHUNK)))
    if seconds_per_item is None and len(head) < SMALL:
        yield from _here(function, head)
        return
    chunk = max(1, min(CHUNK, len(head) // count))
    pool = _Pool(function, seconds_per_item, count)
    try:
        yield from pool.run(_chunks(itertools.chain(head, iterator), chunk))
    finally:
        pool.close()


def _here(function: Callable[[T], R], items: Iterable[T]) -> Iterator[Outcome[R]]:
    for index, item in enumerate(items):
        value, error = worker.apply(function, item)
        yield Outcome(index, value, error)


@dataclass(slots=True)
class _Chunk:
    """Items that follow each other; `start` is the first one's index."""

    start: int
    items: list[Any]


def _chunks(items: Iterable[Any], size: int) -> Iterator[_Chunk]:
    start = 0
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield _Chunk(start, batch)
        start += len(batch)


@dataclass(slots=True, eq=False)
class _Worker:
    """A worker process, the chunk that it was given, and how many items of it are answered."""

    process: subprocess.Popen[bytes]
    link: connection.Connection
    chunk: _Chunk
    is_ready: bool = False
    answered: int = 0


@dataclass(slots=True)
class _Pool:
    """The workers of one `map_records`, driven from the caller's thread; nothing runs while the caller does not ask."""

    function: Callable[[Any], Any]
    seconds: float | None
    count: int
    busy: list[_Worker] = field(default_factory=list)
    idle: list[_Worker] = field(default_factory=list)
    left_over: deque[_Chunk] = field(default_factory=deque)

    def run(self, chunks: Iterator[_Chunk]) -> Iterator[Outcome[Any]]:
        """The outcomes in order. Several chunks are out at a time; what comes early waits."""
        early: dict[int, Outcome[Any]] = {}
        wanted = 0
        given = 0
        while True:
            ahead = given < wanted + self.count * CHUNKS_AHEAD * CHUNK
            while len(self.busy) < self.count and (chunk := self._next_chunk(chunks, ahead)) is not None:
                self._give(chunk)
                given = max(given, chunk.start + len(chunk.items))
            if not self.busy:
                return
            for ready in connection.wait([each.link for each in self.busy]):
                for outcome in self._receive(next(each for each in self.busy if each.link is ready)):
                    early[outcome.index] = outcome
            while wanted in early:
                yield early.pop(wanted)
                wanted += 1

    def close(self) -> None:
        """Ends every worker at once, whatever it is doing."""
        for each in [*self.busy, *self.idle]:
            self._end(each)
        self.busy.clear()
        self.idle.clear()

    def _next_chunk(self, chunks: Iterator[_Chunk], ahead: bool) -> _Chunk | None:
        if self.left_over:
            return self.left_over.popleft()
        return next(chunks, None) if ahead else None

    def _give(self, chunk: _Chunk) -> None:
        while self.idle:
            each = self.idle.pop()
            try:
                each.link.send(chunk.items)
            except (BrokenPipeError, ConnectionResetError):  # something ended it while it had nothing to do
                self._end(each)
                continue
            each.chunk, each.answered = chunk, 0
            self.busy.append(each)
            return
        self.busy.append(self._start(chunk))

    def _start(self, chunk: _Chunk) -> _Worker:
        return _Worker(*start_worker(self.function, self.seconds), chunk)

    def _receive(self, each: _Worker) -> list[Outcome[Any]]:
        """What a worker's next message means: that it may begin, an item's outcome, or that it is dead."""
        try:
            message = each.link.recv()
            if not each.is_ready:
                return self._begin(each, message)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return [self._bury(each)]
        value, error = message
        outcome = Outcome(each.chunk.start + each.answered, value, error)
        each.answered += 1
        if each.answered == len(each.chunk.items):
            self.busy.remove(each)
            self.idle.append(each)
        return [outcome]

    def _begin(self, each: _Worker, message: str) -> list[Outcome[Any]]:
        if message != worker.READY:
            raise CodefitError(f"workers cannot load {self.function!r}: {message}")
        each.link.send(each.chunk.items)
        each.is_ready = True
        return []

    def _bury(self, each: _Worker) -> Outcome[Any]:
        """The item that a worker died of; the rest of its chunk goes to others."""
        self.busy.remove(each)
        self._end(each)
        code = each.process.returncode
        if not each.is_ready:
            raise CodefitError(f"a worker process ended before it began ({cause(code)})", fix="see its message above")
        index = each.chunk.start + each.answered
        rest = each.chunk.items[each.answered + 1 :]
        if rest:
            self.left_over.append(_Chunk(index + 1, rest))
        return Outcome(index, None, why_ended(code, self.seconds))

    def _end(self, each: _Worker) -> None:
        each.link.close()
        each.process.kill()
        each.process.wait()


def start_worker(
    function: Callable[[Any], Any], seconds: float | None
) -> tuple[subprocess.Popen[bytes], connection.Connection]:
    """A process of `codefit.engine.worker` for a function and a limit an item, and the connection to it.

    Its first message is `worker.READY`, or why the function cannot be loaded.
    """
    payload = pickle.dumps(function)
    if b"__main__" in payload:
        raise CodefitError(f"{function!r} is of the main module, which workers do not run", fix="move it into a module")
    ours, theirs = connection.Pipe()
    # The search path first: the parent may have added to it what its modules were found by.
    code = f"import sys; sys.path[:] = {sys.path!r}; from codefit.engine.worker import serve; serve({theirs.fileno()})"
    with theirs:
        process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    ours.send((payload, seconds))
    return process, ours


def why_ended(code: int, seconds: float | None) -> str:
    """What became of the item that a worker ended with, by the worker's return code and the limit."""
    if code == worker.EXIT_LATE and seconds is not None:
        return f"took longer than {seconds:g} s"
    return f"its worker process ended ({cause(code)})"


def cause(code: int) -> str:
    """A return code in words: the signal that ended a process, or its exit code."""
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"{name}, as when memory runs out" if name == "SIGKILL" else name
