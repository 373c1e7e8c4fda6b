"""The HTTP app: `/v1/completions` whole or streamed, `/v1/models`, `/health`."""

# No annotations from the future here: FastAPI reads those of a function and would not find what is imported inside one.
import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import ValidationError

from codefit.errors import CodefitError, InputError
from codefit.models.generation import Generation, Piece, generate
from codefit.models.language_model import LanguageModel
from codefit.progress import say
from codefit.serve.api_error import ApiError, invalid_fields, unsuitable
from codefit.serve.authorization import authorized
from codefit.serve.body import read_json_body
from codefit.serve.completions import MAX_ANSWERS, Answer, CompletionRequest, choice, usage
from codefit.serve.error_answers import answer_errors, failure
from codefit.serve.leaving import unless_left
from codefit.serve.worker import DEFAULT_PLACES, BusyError, Job, Worker

if TYPE_CHECKING:
    from fastapi import FastAPI, Response

BODY_LIMIT = 1 << 20  # bytes: far more than the context of a small model
EVENT_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # a proxy gives each event on at once


def create_app(
    language_model: LanguageModel,
    name: str,
    *,
    token: str | None = None,
    places: int = DEFAULT_PLACES,
    body_limit: int = BODY_LIMIT,
    ready: Callable[[], None] | None = None,
) -> "FastAPI":
    """The app that serves one model under a name; with a token, `/v1` wants it as `Authorization: Bearer`.

    At most `places` requests wait or are answered; more get 503. A body above `body_limit` bytes gets 413.
    `ready` is called when the server takes requests.
    """
    from fastapi import Depends, FastAPI, Request, Response

    worker = Worker(places)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if ready is not None:
            ready()
        yield
        worker.close()

    # The pages of documentation would load their scripts from another host.
    app = FastAPI(title="codefit", docs_url=None, redoc_url=None, lifespan=lifespan)
    answer_errors(app, lambda _request, error: _json(error.to_dict(), error.status, error.headers()))
    guarded = [Depends(authorized(token))]
    card = {"id": name, "object": "model", "created": int(time.time()), "owned_by": "codefit"}

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/models", dependencies=guarded)
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [card]}

    @app.get("/v1/models/{model:path}", dependencies=guarded)
    async def one_model(model: str) -> dict[str, Any]:
        _known(model, name)
        return card

    body = {"required": True, "content": {"application/json": {"schema": CompletionRequest.model_json_schema()}}}

    @app.post("/v1/completions", dependencies=guarded, openapi_extra={"requestBody": body})
    async def completions(request: Request) -> Response:
        asked = _parsed(await read_json_body(request, body_limit), name)
        generations = await _begun(language_model, asked)
        try:
            job = worker.submit(generations)
        except BusyError:
            raise ApiError(
                503, f"{places} requests are waiting or being answered", kind="server_error", code="busy"
            ) from None
        if asked.stream:
            return _streamed(asked, generations, job, Answer(name))
        try:
            return await unless_left(request, _whole(asked, generations, job, Answer(name)))
        finally:
            job.cancel()

    return app


def _known(model: str, name: str) -> None:
    if model != name:
        raise ApiError(404, f"no model {model!r} here, only {name!r}", param="model", code="model_not_found")


def _parsed(body: bytes, name: str) -> CompletionRequest:
    """The request of a body, for the model of that name."""
    try:
        asked = CompletionRequest.model_validate_json(body)
    except ValidationError as error:
        raise invalid_fields(error) from error
    if asked.model is not None:
        _known(asked.model, name)
    if asked.answers > MAX_ANSWERS:
        raise ApiError(400, f"n: {asked.answers} answers in one request; {MAX_ANSWERS} at most", param="n")
    return asked


async def _begun(language_model: LanguageModel, asked: CompletionRequest) -> list[Generation]:
    """The answers before their first token, with prompts that are cut to the context."""
    try:
        # Not in the event loop, since a long text takes a while to cut into tokens.
        generations = await asyncio.to_thread(lambda: [generate(language_model, each) for each in asked.requests()])
    except InputError as error:
        raise unsuitable(error) from error
    left_out = sum(generation.prompt.left_out for generation in generations)
    if left_out:
        say(f"a prompt is longer than the context leaves room for: {left_out:,} tokens were left out")
    return generations


def _prompt_tokens(asked: CompletionRequest, generations: list[Generation]) -> int:
    return sum(len(generation.prompt.ids) for generation in generations[:: asked.n or 1])


def _echoed(asked: CompletionRequest, number: int) -> str:
    return asked.prompts[number // (asked.n or 1)] if asked.echo else ""


async def _whole(asked: CompletionRequest, generations: list[Generation], job: Job, answer: Answer) -> "Response":
    pieces: list[list[Piece]] = [[] for _ in generations]
    async for number, piece in job:
        pieces[number].append(piece)
    choices = [
        choice(
            number,
            _echoed(asked, number) + "".join(piece.text for piece in pieces[number]),
            pieces[number][-1].finish_reason,
            truncated=generation.prompt.left_out > 0,
        )
        for number, generation in enumerate(generations)
    ]
    took = usage(_prompt_tokens(asked, generations), [each[-1] for each in pieces])
    return _json(answer.to_dict(choices, took))


def _streamed(asked: CompletionRequest, generations: list[Generation], job: Job, answer: Answer) -> "Response":
    from fastapi.responses import StreamingResponse

    async def events() -> AsyncIterator[bytes]:
        last: dict[int, Piece] = {}
        try:
            async for number, piece in job:
                text = piece.text if number in last else _echoed(asked, number) + piece.text
                last[number] = piece
                if text or piece.finish_reason:
                    truncated = generations[number].prompt.left_out > 0
                    yield _event(answer.to_dict([choice(number, text, piece.finish_reason, truncated=truncated)]))
            if asked.stream_options and asked.stream_options.include_usage:
                took = usage(_prompt_tokens(asked, generations), list(last.values()))
                yield _event(answer.to_dict([], took))
            yield b"data: [DONE]\n\n"
        except CodefitError as error:
            say(f"error: {error.line()}")
            yield _event(failure().to_dict())
        finally:
            job.cancel()  # where the client left; else there is nothing to cancel

    return StreamingResponse(events(), media_type="text/event-stream", headers=EVENT_HEADERS)


def _json(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> "Response":
    from fastapi import Response

    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"
