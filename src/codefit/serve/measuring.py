"""Exact scores off the event loop, within limits: by processes that may die, so that no input holds up the service."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from codefit.engine.standing import StandingWorkers
from codefit.errors import InputError
from codefit.serve.complexity_measure import Piece, Scored, check_piece, score_piece

SECONDS = 5.0  # a piece of the largest size takes a fifth of it
# After the limit that the parser keeps itself: the few inputs that break that one end their process.
GRACE = 1.0
REQUEST_SECONDS = 60.0  # for everything in a request: then what was not begun is said to be late


class Measuring:
    """`count` processes that score pieces of code; requests take turns, so that a short one overtakes a long one."""

    def __init__(self, *, count: int, seconds: float = SECONDS) -> None:
        self._count = count
        self._workers: StandingWorkers[Piece, Scored] = StandingWorkers(
            partial(score_piece, seconds=seconds), seconds=seconds + GRACE, count=count
        )
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="measuring")

    def wait_until_ready(self) -> None:
        """Wait until the processes can begin. Raises `CodefitError` where they cannot."""
        self._workers.wait_until_ready()

    async def score(self, pieces: Sequence[Piece], *, seconds: float = REQUEST_SECONDS) -> list[Scored | str]:
        """The scores of each piece, or why there are none, in order. Begins none after `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        turns = asyncio.Semaphore(self._count)  # of this request: no more in the threads' queue, before other requests

        async def one(piece: Piece) -> Scored | str:
            try:
                check_piece(piece.code, piece.language)
            except InputError as wrong:
                return wrong.line()
            async with turns:
                if loop.time() > deadline:
                    return f"the request took longer than {seconds:g} s; send fewer at a time"
                value, error = await loop.run_in_executor(self._threads, self._workers.call, piece)
            return value if value is not None else error or "not scored"

        return await asyncio.gather(*map(one, pieces))

    def close(self) -> None:
        """End the processes at once."""
        self._workers.close()
        self._threads.shutdown(wait=True, cancel_futures=True)
