"""Learned scores for many requests at once: a bounded queue, batches of what waits, one batch at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from codefit.errors import CodefitError
from codefit.models.scorers import Estimate, Scorer
from codefit.progress import say
from codefit.serve.worker import BusyError

BATCH = 32  # functions: a language model on a T4 has room for as many of a usual length
MOST_WAITING = 1024  # functions
SECONDS = 120.0  # a request's estimates; Modal answers with a redirection after 150
REMEMBERED = 4096  # estimates: while somebody types, all functions of the file but one stay as they were
FAILED = "the model failed; the server's log says why"

Key = tuple[str, str]  # language, code


@dataclass(slots=True, eq=False)
class _Group:
    """What one request waits for in one language."""

    language: str
    pending: deque[tuple[str, asyncio.Future[Estimate]]] = field(default_factory=deque)


class Estimates:
    """A learned scorer behind a queue; requests take turns in a batch. `watch` is told each batch's estimates."""

    def __init__(
        self,
        scorer: Scorer,
        *,
        most_waiting: int = MOST_WAITING,
        watch: Callable[[list[Estimate]], None] = lambda _: None,
    ) -> None:
        self._scorer, self._most_waiting, self._watch = scorer, most_waiting, watch
        # A single thread, since torch keeps its own threads for each that calls it.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="estimates")
        self._groups: deque[_Group] = deque()
        self._remembered: OrderedDict[Key, Estimate] = OrderedDict()
        self._work: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many functions wait."""
        return sum(len(group.pending) for group in self._groups)

    @property
    def is_full(self) -> bool:
        """Whether no further function may wait."""
        return self.waiting >= self._most_waiting

    async def of(self, codes: Sequence[str], language: str, *, seconds: float = SECONDS) -> list[Estimate]:
        """An estimate for each function, in order; what takes longer than `seconds` is an error of its own.

        Raises `BusyError` where so many would have to wait that there is no room.
        """
        group, loop = _Group(language), asyncio.get_running_loop()
        found: dict[str, asyncio.Future[Estimate]] = {}
        for code in dict.fromkeys(codes):
            found[code] = loop.create_future()
            if (known := self._recall((language, code))) is not None:
                found[code].set_result(known)
            else:
                group.pending.append((code, found[code]))
        if group.pending:
            if self.waiting + len(group.pending) > self._most_waiting:
                raise BusyError
            self._groups.append(group)
            self._go_on()
            try:
                await asyncio.wait(found.values(), timeout=seconds)
            finally:
                group.pending.clear()
        late = Estimate(error=f"no estimate within {seconds:g} s")
        return [found[code].result() if found[code].done() else late for code in codes]

    def warm_up(self) -> None:
        """Have the scorer load and compile what the first request would wait for. Raises what the scorer raises."""
        self._thread.submit(self._scorer.score, ["function f(a) { return a }"], "javascript").result()

    def close(self) -> None:
        """End after the batch that is under way."""
        self._groups.clear()
        if self._work is not None:
            self._work.cancel()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _go_on(self) -> None:
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._batches())

    async def _batches(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._next_batch():
            language, waiting = batch
            codes = [code for code, _ in waiting]
            estimates = await loop.run_in_executor(self._thread, self._score, codes, language)
            self._watch(estimates)
            for (code, future), estimate in zip(waiting, estimates, strict=True):
                if estimate.error is None:
                    self._remember((language, code), estimate)
                if not future.done():
                    future.set_result(estimate)

    def _next_batch(self) -> tuple[str, list[tuple[str, asyncio.Future[Estimate]]]] | None:
        """One function of each request in turn, all in the language of the one that waits longest."""
        groups = [group for group in self._groups if group.pending]
        if not groups:
            self._groups.clear()
            return None
        language = groups[0].language
        same = [group for group in groups if group.language == language]
        batch: list[tuple[str, asyncio.Future[Estimate]]] = []
        turns = deque(same)
        while turns and len(batch) < BATCH:
            group = turns.popleft()
            batch.append(group.pending.popleft())
            if group.pending:
                turns.append(group)
        # Other languages come first the next time.
        self._groups = deque([group for group in groups if group.language != language] + list(turns))
        return language, batch

    def _score(self, codes: list[str], language: str) -> list[Estimate]:
        try:
            estimates = self._scorer.score(codes, language)
            if len(estimates) != len(codes):
                raise CodefitError(f"{len(estimates)} estimates of {len(codes)} functions")
            return estimates
        except CodefitError as error:
            say(f"error: {self._scorer.name}: {error.line()}")
        except Exception as error:  # a batch that fails, out of memory or by a defect, must not end those after it
            say(f"error: {self._scorer.name}: {type(error).__name__}: {error}")
        return [Estimate(error=FAILED)] * len(codes)

    def _recall(self, key: Key) -> Estimate | None:
        known = self._remembered.get(key)
        if known is not None:
            self._remembered.move_to_end(key)
        return known

    def _remember(self, key: Key, estimate: Estimate) -> None:
        self._remembered[key] = estimate
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
