"""The complexity service: `POST /v1/complexity`, its page at `/`, languages, health, readiness and figures."""

# No annotations from the future here: FastAPI reads those of a function and would not find what is imported inside one.
import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from codefit.models.scorers import Estimate, Scorer
from codefit.serve import complexity_api as api
from codefit.serve.api_error import ApiError
from codefit.serve.authorization import authorized
from codefit.serve.body import read_json_body
from codefit.serve.complexity_figures import CONTENT_TYPE, Figures, Watched
from codefit.serve.complexity_measure import Piece, Scored
from codefit.serve.complexity_page import complexity_page
from codefit.serve.error_answers import answer_errors
from codefit.serve.estimates import Estimates
from codefit.serve.leaving import unless_left
from codefit.serve.measuring import SECONDS, Measuring
from codefit.serve.worker import DEFAULT_PLACES, BusyError
from codefit.source.languages import LANGUAGES
from codefit.source.metrics.figures import label_of
from codefit.source.metrics.rules import RULES

if TYPE_CHECKING:
    from fastapi import FastAPI, Response

BODY_LIMIT = 1 << 20  # bytes
PROCESSES = min(4, os.cpu_count() or 1)  # each takes 50 MB; a batch of a thousand functions is a second's work for one
MOST_LEARNED = 512  # functions of a request: a minified file has tens of thousands, and a model needs long for each
TOO_MANY = f"not estimated: one request gets estimates for {MOST_LEARNED} functions at most"
STATUSES = (400, 401, 413, 415, 500, 503)  # of errors, for the schema


@dataclass(slots=True)
class _Service:
    """What answers requests: the processes that measure, the model where there is one, and who is being served."""

    measuring: Measuring | None  # None until the app is started, and after its end
    estimates: Estimates | None
    model: str | None
    figures: Figures
    places: int
    taken: int = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the places; raises `ApiError` 503 where all are taken, or no further function may wait."""
        if self.is_busy:
            raise _busy(f"{self.taken} requests are waiting or being answered")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    @property
    def is_busy(self) -> bool:
        """Whether a request would be refused now."""
        return self.taken >= self.places or (self.estimates is not None and self.estimates.is_full)

    async def answer(self, asked: api.Request) -> dict[str, Any]:
        """The body of an answer."""
        assert self.measuring is not None, "the app was not started"
        with_texts = self.estimates is not None and asked.learned is not False
        scored = await self.measuring.score(
            [Piece(each.code, each.language, asked.explain, with_texts) for each in asked.items]
        )
        if with_texts:
            await self._estimate([(item.language, one) for item, one in zip(asked.items, scored, strict=True)])
        results = [self._result(item, one) for item, one in zip(asked.items, scored, strict=True)]
        return {"results": results, "model": self.model}

    def _result(self, item: api.Item, scored: Scored | str) -> dict[str, Any]:
        if isinstance(scored, str):
            self.figures.refused.inc()
            return {"id": item.id, "functions": [], "error": scored}
        self.figures.functions.labels(item.language).inc(len(scored.fields["functions"]))
        return {"id": item.id, **scored.fields}

    async def _estimate(self, scored: list[tuple[str, Scored | str]]) -> None:
        """Put an estimate beside each exact score."""
        assert self.estimates is not None
        by_language: defaultdict[str, list[tuple[dict[str, Any], str]]] = defaultdict(list)
        rest = MOST_LEARNED
        for language, one in scored:
            if isinstance(one, str):
                continue
            for entry, text in zip(one.fields["functions"] or [one.fields["module"]], one.texts, strict=True):
                if rest:
                    rest -= 1
                    by_language[language].append((entry, text))
                else:
                    entry["learned"] = {"error": TOO_MANY}
        try:
            of_languages = await asyncio.gather(
                *(self.estimates.of([text for _, text in pairs], name) for name, pairs in by_language.items())
            )
        except BusyError:
            raise _busy(f"{self.estimates.waiting} functions are waiting for the model") from None
        for pairs, estimates in zip(by_language.values(), of_languages, strict=True):
            for (entry, _), estimate in zip(pairs, estimates, strict=True):
                entry["learned"] = estimate_to_dict(estimate)


def create_complexity_app(
    scorer: Scorer | None,
    *,
    token: str | None = None,
    body_limit: int = BODY_LIMIT,
    places: int = DEFAULT_PLACES,
    ready: Callable[[], None] | None = None,
    processes: int = PROCESSES,
    seconds: float = SECONDS,
) -> "FastAPI":
    """The app: exact scores, and those of `scorer` beside them where there is one.

    With a token every route wants it as `Authorization: Bearer`, except `/health` and the page, which asks for it. At
    most `places` requests wait or are answered; more get 503. A body above `body_limit` bytes gets 413; an item that
    takes longer than `seconds` is an error of its own. `ready` is called when the app takes requests.
    """
    from fastapi import FastAPI

    figures = Figures()
    figures.places.set(places)
    estimates = None if scorer is None else Estimates(scorer, watch=figures.watch_batch)
    service = _Service(None, estimates, None if scorer is None else scorer.name, figures, places)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.measuring = measuring = Measuring(count=processes, seconds=seconds)
        try:
            await asyncio.to_thread(measuring.wait_until_ready)
            if estimates is not None:
                await asyncio.to_thread(estimates.warm_up)
            if ready is not None:
                ready()
            yield
        finally:
            measuring.close()
            if estimates is not None:
                estimates.close()

    # The pages of documentation would load their scripts from another host.
    app = FastAPI(title="codefit complexity", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    answer_errors(app, lambda _request, error: _json(error.to_dict(), error.status, error.headers()))
    app.add_middleware(Watched, figures=figures)
    _add_scoring(app, service, token, body_limit)
    _add_state(app, service, token)
    return app


def _add_scoring(app: "FastAPI", service: _Service, token: str | None, body_limit: int) -> None:
    """The routes of people and programs that want scores."""
    from fastapi import Depends, Request, Response

    guarded = [Depends(authorized(token))]

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        html, headers = complexity_page()
        return Response(html, headers=headers, media_type="text/html")

    @app.post(
        "/v1/complexity",
        dependencies=guarded,
        response_model=api.ComplexityAnswer,
        responses=_errors(*STATUSES),
        openapi_extra={"requestBody": api.BODY_SCHEMA},
    )
    async def complexity(request: Request) -> Response:
        asked = api.parsed(await read_json_body(request, body_limit), has_model=service.model is not None)

        async def answered() -> Response:
            return _json(await service.answer(asked))

        with service.place():
            return await unless_left(request, answered())

    @app.get(
        "/v1/complexity/languages",
        dependencies=guarded,
        response_model=api.LanguagesAnswer,
        responses=_errors(401),
    )
    async def languages() -> Response:
        known = [LANGUAGES[name] for name in LANGUAGES if name in RULES]
        rows = [
            {"name": each.name, "extensions": sorted(each.extensions), "file_names": sorted(each.file_names)}
            for each in known
        ]
        return _json({"languages": rows, "model": service.model})


def _add_state(app: "FastAPI", service: _Service, token: str | None) -> None:
    """The routes of those who run the service."""
    from fastapi import Depends, Response

    guarded = [Depends(authorized(token))]

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready", dependencies=guarded, responses=_errors(401, 503))
    async def ready() -> dict[str, str | None]:
        if service.is_busy:
            raise _busy(f"{service.taken} requests are waiting or being answered")
        return {"status": "ready", "model": service.model}

    @app.get("/metrics", dependencies=guarded, responses=_errors(401), response_class=Response)
    async def metrics() -> Response:
        service.figures.at_work.set(service.taken)
        service.figures.waiting.set(service.estimates.waiting if service.estimates is not None else 0)
        return Response(service.figures.text(), headers={"Content-Type": CONTENT_TYPE})

    @app.get("/openapi.json", dependencies=guarded, include_in_schema=False)
    async def schema() -> Response:
        return _json(api.described(app.openapi(), has_token=token is not None))


def estimate_to_dict(estimate: Estimate) -> dict[str, Any]:
    """An estimate as JSON has it, in hundredths, with the label of its score."""
    if estimate.score is None:
        return {"error": estimate.error or "no answer"}
    rounded = {
        name: round(value, 2)
        for name, value in (("score", estimate.score), ("low", estimate.low), ("high", estimate.high))
        if value is not None
    }
    return {**rounded, "label": label_of(round(estimate.score, 1))}


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {
        status: {
            "description": "An error",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}},
        }
        for status in statuses
    }


def _busy(what: str) -> ApiError:
    return ApiError(503, what, kind="server_error", code="busy")


def _json(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> "Response":
    from fastapi import Response

    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")
