"""What the complexity service counts, in Prometheus' text form."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codefit.models.scorers import Estimate

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
SIZES = (1, 2, 4, 8, 16, 32)
UNKNOWN = "other"  # a path that is no route: else every path that is tried would be a figure of its own


class Figures:
    """Counters of one app, apart from those of any other in the process."""

    def __init__(self) -> None:
        self._registry = all_ = CollectorRegistry()
        self.requests = Counter("codefit_requests", "Requests by route and status.", ["route", "status"], registry=all_)
        self.seconds = Histogram(
            "codefit_request_seconds", "How long requests took.", ["route"], buckets=SECONDS, registry=all_
        )
        self.functions = Counter("codefit_functions", "Functions with an exact score.", ["language"], registry=all_)
        self.refused = Counter("codefit_refused_items", "Items without a score.", registry=all_)
        self.learned = Counter("codefit_learned", "Answers of the model.", ["outcome"], registry=all_)
        self.batches = Histogram(
            "codefit_learned_batch_size", "Functions that the model scored at once.", buckets=SIZES, registry=all_
        )
        self.at_work = Gauge("codefit_requests_at_work", "Requests that wait or are answered.", registry=all_)
        self.places = Gauge("codefit_places", "Requests that may wait or be answered.", registry=all_)
        self.waiting = Gauge("codefit_learned_waiting", "Functions that wait for the model.", registry=all_)

    def watch_batch(self, estimates: list[Estimate]) -> None:
        """Count what came of a batch."""
        self.batches.observe(len(estimates))
        invalid = sum(each.error is not None for each in estimates)
        self.learned.labels("estimate").inc(len(estimates) - invalid)
        self.learned.labels("error").inc(invalid)

    def text(self) -> bytes:
        """All figures as they stand."""
        return generate_latest(self._registry)


class Watched:
    """An app whose requests are counted and timed."""

    def __init__(self, app: ASGIApp, figures: Figures, clock: Callable[[], float] = time.perf_counter) -> None:
        self._app, self._figures, self._clock = app, figures, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # where it fails, what answers stands outside of this

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = self._clock()
        try:
            await self._app(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", UNKNOWN)
            self._figures.requests.labels(route, str(status)).inc()
            self._figures.seconds.labels(route).observe(self._clock() - started)
