"""Exact scores of several requests at once: turns, and time that runs out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from typing import TypeVar

import pytest

from codefit.serve.complexity_measure import Piece, Scored
from codefit.serve.measuring import Measuring

T = TypeVar("T")
PIECE = Piece("function f(a) { if (a) { return 1 } }\n" * 50, "javascript", explain=False, with_texts=False)


@pytest.fixture(scope="module")
def measuring() -> Iterator[Measuring]:
    with closing(Measuring(count=1)) as measuring:
        measuring.wait_until_ready()
        yield measuring


def run(work: Callable[[], Awaitable[T]]) -> T:
    async def whole() -> T:
        return await work()

    return asyncio.run(whole())


def test_a_long_request_lets_a_short_one_pass(measuring: Measuring, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Piece] = []
    call = measuring._workers.call
    monkeypatch.setattr(measuring._workers, "call", lambda piece: (asked.append(piece), call(piece))[1])

    async def work() -> None:
        long = asyncio.create_task(measuring.score([PIECE] * 100))
        await asyncio.sleep(0)
        (short,) = await measuring.score([PIECE])
        assert isinstance(short, Scored)
        assert len(asked) < 10
        assert all(isinstance(each, Scored) for each in await long)

    run(work)


def test_what_was_not_begun_in_time_says_so(measuring: Measuring) -> None:
    async def work() -> list[Scored | str]:
        return await measuring.score([PIECE] * 50, seconds=0.02)

    first, *_, last = run(work)
    assert isinstance(first, Scored)
    assert last == "the request took longer than 0.02 s; send fewer at a time"


def test_a_request_that_is_dropped_leaves_nothing_to_be_done(
    measuring: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Piece] = []
    call = measuring._workers.call
    monkeypatch.setattr(measuring._workers, "call", lambda piece: (asked.append(piece), call(piece))[1])

    async def work() -> None:
        dropped = asyncio.create_task(measuring.score([PIECE] * 100))
        while not asked:
            await asyncio.sleep(0.001)
        dropped.cancel()
        await measuring.score([PIECE])
        assert len(asked) < 5

    run(work)
