"""The service that orders repairs: `POST /rerank`, as tidyparse's evaluator asks it, and as JSON.

Its client reads the answer's body as the ranking whatever the status says, so that no error has a body there. The text
protocol: line 1 the broken string, then repairs, one a line, a character a token; the answer the same lines, best
first, without the last line break.
"""

# No annotations from the future here: FastAPI reads those of a function and would not find what is imported inside one.
import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.models.repair import RepairModel
from codefit.serve.api_error import ApiError
from codefit.serve.authorization import authorized
from codefit.serve.body import read_body
from codefit.serve.error_answers import answer_errors
from codefit.source.syntax.terminals import from_characters

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

BODY_LIMIT = 8 << 20
_BEGIN, _FINISH = "|", "}"  # around a string where its sender puts ends


def create_rerank_app(
    model: RepairModel,
    *,
    token: str | None = None,
    body_limit: int = BODY_LIMIT,
    ready: Callable[[], None] | None = None,
) -> "FastAPI":
    """The app: `/rerank` and `/health`. With a token, `/rerank` wants it as `Authorization: Bearer`.

    A body above `body_limit` bytes gets 413. `ready` is called when the app takes requests.
    """
    from fastapi import Depends, FastAPI, Request, Response

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # What is compiled or loaded when it is first needed is not to be taken from the time of the first request.
        await asyncio.to_thread(score_documents, model, "!", ["!"])
        if ready is not None:
            ready()
        yield

    app = FastAPI(title="codefit", docs_url=None, redoc_url=None, lifespan=lifespan)
    answer_errors(app, _refusal)
    one_at_a_time = asyncio.Lock()  # two at once on two cores take longer than one after the other

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/rerank", dependencies=[Depends(authorized(token))])
    async def rerank(request: Request) -> Response:
        is_json = _is_json(request)
        body = await read_body(request, body_limit)
        if body is None:
            raise ApiError(413, f"the body is longer than {body_limit:,} bytes", code="body_too_large")
        try:
            query, documents = _asked_json(body) if is_json else asked_text(body)
        except InputError as error:
            raise ApiError(400, error.line(), code="invalid_value") from error
        async with one_at_a_time:
            scores = await asyncio.to_thread(score_documents, model, query, documents)
        order = np.argsort(-scores, kind="stable").tolist()
        if is_json:
            finite = [float(scores[k]) if np.isfinite(scores[k]) else None for k in order]
            answer = {"ranking": order, "scores": finite, "documents": [documents[k] for k in order]}
            return Response(json.dumps(answer), media_type="application/json")
        ranking = "\n".join(documents[k] for k in order)
        return Response(ranking.encode("utf-8", "surrogateescape"), media_type="text/plain")

    return app


def score_documents(model: RepairModel, query: str, documents: list[str]) -> npt.NDArray[np.float32]:
    """The scores of repairs given as characters; one with a character of no token is below all others."""
    broken = _tokens(query)
    if broken is None:
        return np.zeros(len(documents), dtype=np.float32)  # nothing to go by: as they came
    different = dict.fromkeys(documents)
    scores = model.rank(broken, [_tokens(document) for document in different])
    by_text = dict(zip(different, scores.tolist(), strict=True))
    return np.array([by_text[document] for document in documents], dtype=np.float32)


def _tokens(text: str) -> list[int] | None:
    inner = text.rstrip("\r").removeprefix(_BEGIN).removesuffix(_FINISH)
    try:
        return from_characters(inner) or None
    except InputError:
        return None


def asked_text(body: bytes) -> tuple[str, list[str]]:
    """The query and the documents of a body: line 1, and the lines after it."""
    lines = body.decode("utf-8", "surrogateescape").split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()  # the line break that ends the body
    return lines[0], lines[1:]


def _asked_json(body: bytes) -> tuple[str, list[str]]:
    try:
        asked: Any = json.loads(body)
        query, documents = asked["query"], asked["documents"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError("wants a JSON object with query and documents") from error
    if not isinstance(query, str) or not isinstance(documents, list) or not all(isinstance(d, str) for d in documents):
        raise InputError("query is a string and documents a list of strings")
    return query, documents


def _is_json(request: "Request") -> bool:
    return request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json"


def _refusal(request: "Request", error: ApiError) -> "Response":
    """An error as JSON where JSON was sent; else without a body, and what is wrong in a header."""
    from fastapi import Response

    if _is_json(request):
        return Response(json.dumps(error.to_dict()), error.status, error.headers(), media_type="application/json")
    what = error.message.encode("ascii", "backslashreplace").decode()  # headers take no more
    return Response(b"", error.status, {**error.headers(), "X-Error": what}, media_type="text/plain")
