"""One model that answers one request at a time, in a thread of its own, with a bounded queue before it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codefit.models.generation import Piece

DEFAULT_PLACES = 16  # requests that may wait or be answered: the last of them still begins within a minute or so


class BusyError(Exception):
    """Every place in the queue is taken."""


class Job:
    """Several answers, made one after the other by the worker's thread and read by the event loop as they come."""

    def __init__(self, answers: Sequence[Iterable[Piece]]) -> None:
        self._answers = answers
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[tuple[int, Piece] | BaseException | None] = asyncio.Queue()
        self._cancelled = threading.Event()
        self.future: Future[None]

    async def __aiter__(self) -> AsyncIterator[tuple[int, Piece]]:
        """The number of an answer and a piece of it; what making it raised is raised here."""
        while (item := await self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def cancel(self) -> None:
        """Make no more: at once where it waits, else after the token that is being made."""
        self._cancelled.set()
        self.future.cancel()

    def work(self) -> None:
        """Make everything: what the worker's thread does."""
        for number, answer in enumerate(self._answers):
            for piece in answer:
                if self._cancelled.is_set():
                    return
                self._put((number, piece))

    def finish(self, future: Future[None]) -> None:
        """Tell the reader that nothing more comes."""
        error = None if future.cancelled() else future.exception()
        self._put(error)

    def _put(self, item: tuple[int, Piece] | BaseException | None) -> None:
        self._loop.call_soon_threadsafe(self._queue.put_nowait, item)


class Worker:
    """A thread that does one job after the other; at most `places` wait or are done at a time."""

    def __init__(self, places: int = DEFAULT_PLACES) -> None:
        # A single thread, since torch keeps its own threads for each that calls it.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="answers")
        self._places = threading.BoundedSemaphore(places)
        self._jobs: set[Job] = set()

    def submit(self, answers: Sequence[Iterable[Piece]]) -> Job:
        """Queue a job. Raises `BusyError` where every place is taken."""
        if not self._places.acquire(blocking=False):
            raise BusyError
        job = Job(answers)
        self._jobs.add(job)
        job.future = self._executor.submit(job.work)
        job.future.add_done_callback(lambda future: self._leave(job, future))
        return job

    def _leave(self, job: Job, future: Future[None]) -> None:
        self._jobs.discard(job)
        self._places.release()  # before the reader is told, who may ask again at once
        job.finish(future)

    def close(self) -> None:
        """Cancel every job and end the thread."""
        for job in list(self._jobs):
            job.cancel()
        self._executor.shutdown(wait=True)
