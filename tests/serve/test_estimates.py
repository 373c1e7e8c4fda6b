"""The learned scorer's queue: batches over requests, turns, a bound, and what a failure costs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx
import pytest
from fastapi import FastAPI
from running import running_app, until

from codefit.models.scorers import Estimate
from codefit.serve import complexity as service
from codefit.serve.complexity import TOO_MANY, create_complexity_app
from codefit.serve.estimates import BATCH, FAILED, Estimates
from codefit.serve.worker import BusyError
from small_scorers import ByLength

T = TypeVar("T")


def codes(count: int, name: str = "f") -> list[str]:
    return [f"function {name}{number}() {{}}" for number in range(count)]


def run(scorer: ByLength, work: Callable[[Estimates], Awaitable[T]], **options: Any) -> T:
    """What `work` gives with a queue before the scorer."""

    async def whole() -> T:
        estimates = Estimates(scorer, **options)
        try:
            return await work(estimates)
        finally:
            scorer.gate.set()
            await asyncio.to_thread(lambda: None)
            estimates.close()

    return asyncio.run(whole())


async def held(scorer: ByLength, estimates: Estimates) -> asyncio.Task[list[Estimate]]:
    """A first request whose batch is under way and does not end."""
    scorer.gate.clear()
    first = asyncio.create_task(estimates.of(["first"], "c"))
    while not scorer.batches:
        await asyncio.sleep(0.001)
    return first


def test_requests_share_batches_and_take_turns() -> None:
    scorer = ByLength()

    async def work(estimates: Estimates) -> None:
        first = await held(scorer, estimates)
        large = asyncio.create_task(estimates.of(codes(100, "large"), "javascript"))
        small = asyncio.create_task(estimates.of(codes(2, "small"), "javascript"))
        other = asyncio.create_task(estimates.of(codes(1, "other"), "c"))
        await asyncio.sleep(0)
        assert estimates.waiting == 103
        scorer.gate.set()
        assert len(await first) == 1
        of_small = await small
        assert [each.score for each in of_small] == [1 + len(code) / 50 for code in codes(2, "small")]
        assert not large.done()  # which came first
        assert len(await large) == 100
        await other
        assert estimates.waiting == 0

    run(scorer, work)
    _, second, third, *rest = scorer.batches
    assert second == ("javascript", [code for pair in zip(codes(2, "large"), codes(2, "small"), strict=True)
                                     for code in pair] + codes(100, "large")[2 : BATCH - 2])  # fmt: skip
    assert third == ("c", codes(1, "other"))  # another language is not kept waiting by a long request
    assert sum(len(batch) for _, batch in rest) == 100 - (BATCH - 2)


def test_what_was_estimated_is_remembered_and_what_failed_is_not() -> None:
    scorer = ByLength()

    async def work(estimates: Estimates) -> None:
        twice = await estimates.of(["a", "b", "a"], "c")
        assert twice[0] == twice[2]
        assert (await estimates.of(["a", "unreadable"], "c"))[0] == twice[0]
        await estimates.of(["unreadable"], "c")
        await estimates.of(["a"], "go")

    run(scorer, work)
    assert [batch for _, batch in scorer.batches] == [["a", "b"], ["unreadable"], ["unreadable"], ["a"]]


def test_a_scorer_that_fails_costs_its_batch_alone(capsys: pytest.CaptureFixture[str]) -> None:
    scorer, watched = ByLength(), []

    async def work(estimates: Estimates) -> None:
        assert await estimates.of(["defect", "b"], "c") == [Estimate(error=FAILED)] * 2
        assert (await estimates.of(["b"], "c"))[0].score is not None

    run(scorer, work, watch=watched.append)
    assert "by length: RuntimeError: out of memory" in capsys.readouterr().err
    assert [len(batch) for batch in watched] == [2, 1]


def test_beyond_the_bound_and_beyond_the_time() -> None:
    scorer = ByLength()

    async def work(estimates: Estimates) -> None:
        first = await held(scorer, estimates)
        (late,) = await estimates.of(["late"], "c", seconds=0.05)
        assert late == Estimate(error="no estimate within 0.05 s")
        assert estimates.waiting == 0  # nobody waits for it any more
        waiting = asyncio.create_task(estimates.of(codes(4), "c"))
        await asyncio.sleep(0)
        assert not estimates.is_full
        with pytest.raises(BusyError):
            await estimates.of(codes(2, "more"), "c")
        one_more = asyncio.create_task(estimates.of(["one"], "c"))
        await asyncio.sleep(0)
        assert estimates.is_full
        waiting.cancel()  # its client left
        await asyncio.sleep(0.01)
        assert estimates.waiting == 1
        scorer.gate.set()
        await asyncio.gather(first, one_more)

    run(scorer, work, most_waiting=5)
    assert [batch for _, batch in scorer.batches] == [["first"], ["one"]]


def post(client: httpx.Client, code: str, **options: Any) -> httpx.Response:
    # A connection of its own, as other clients have.
    body = {"code": code, "language": "javascript", **options}
    return httpx.post(f"{client.base_url}/v1/complexity", json=body, timeout=client.timeout, trust_env=False)


def warm(scorer: ByLength, **options: Any) -> FastAPI:
    return create_complexity_app(scorer, processes=1, **options)


def test_requests_wait_for_the_model_in_places_that_are_bounded() -> None:
    scorer = ByLength()
    with running_app(warm(scorer, places=2)) as client, ThreadPoolExecutor(2) as pool:
        client.get("/health")  # when it has begun, with a function for the model to load at
        scorer.gate.clear()
        begun = len(scorer.batches)
        first = pool.submit(post, client, codes(1)[0])
        until(lambda: len(scorer.batches) > begun)
        second = pool.submit(post, client, codes(2)[1])
        until(lambda: client.get("/ready").status_code == 503)
        busy = post(client, "x")
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        assert busy.json()["error"]["code"] == "busy"
        assert client.get("/health").status_code == 200  # while the model works
        assert "codefit_requests_at_work 2.0" in client.get("/metrics").text
        scorer.gate.set()
        assert [each.result().status_code for each in (first, second)] == [200, 200]
        until(lambda: client.get("/ready").status_code == 200)


def test_a_client_that_leaves_gives_its_place_free() -> None:
    scorer = ByLength()
    with running_app(warm(scorer, places=1)) as client:
        client.get("/health")
        scorer.gate.clear()
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{client.base_url}/v1/complexity", json={"code": "a()", "language": "javascript"}, timeout=0.5)
        until(lambda: post(client, "b()", learned=False).status_code == 200)
        scorer.gate.set()


def test_a_client_that_sends_slowly_takes_no_place() -> None:
    with running_app(create_complexity_app(None, processes=1, places=1)) as client:
        client.get("/health")
        with socket.create_connection((client.base_url.host, client.base_url.port)) as slow:
            head = "POST /v1/complexity HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000"
            slow.sendall(f"{head}\r\n\r\n{{".encode())
            assert post(client, codes(1)[0]).status_code == 200


def test_a_request_with_more_functions_than_the_model_takes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_LEARNED", 3)
    with running_app(warm(ByLength())) as client:
        body = {"functions": [{"code": code, "language": "javascript"} for code in codes(5)]}
        results = client.post("/v1/complexity", json=body).json()["results"]
    learned = [each["functions"][0]["learned"] for each in results]
    assert [each.get("error") for each in learned] == [None, None, None, TOO_MANY, TOO_MANY]
