"""Every error of an app in one form, those of the framework too."""

# No annotations from the future here: FastAPI reads those of a function and would not find what is imported inside one.
from collections.abc import Callable
from typing import TYPE_CHECKING

from codefit.errors import CodefitError
from codefit.progress import say
from codefit.serve.api_error import ApiError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

LEFT = 499  # the status that logs show where the client left before its answer


def answer_errors(app: "FastAPI", respond: "Callable[[Request, ApiError], Response]") -> None:
    """Have an app answer whatever goes wrong with what `respond` makes of it."""
    from fastapi import Request, Response
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect

    @app.exception_handler(ApiError)
    async def told(request: Request, error: ApiError) -> Response:
        return respond(request, error)

    @app.exception_handler(HTTPException)
    async def of_framework(request: Request, error: HTTPException) -> Response:
        return respond(request, ApiError(error.status_code, f"{request.method} {request.url.path}: {error.detail}"))

    @app.exception_handler(ClientDisconnect)
    async def left(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=LEFT)

    @app.exception_handler(CodefitError)
    async def failed(request: Request, error: CodefitError) -> Response:
        say(f"error: {error.line()}")
        return respond(request, failure())

    @app.exception_handler(Exception)
    async def broken(request: Request, _error: Exception) -> Response:
        return respond(request, failure())


def failure() -> ApiError:
    """What a client hears of a defect: what went wrong is for the log, since it may name places on this machine."""
    return ApiError(500, "the server failed; its log says why", kind="server_error")
