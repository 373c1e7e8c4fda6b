"""Reading what a client sends, up to a limit."""

# No annotations from the future here: FastAPI reads those of a function and would not find what is imported inside one.
from typing import TYPE_CHECKING

from codefit.serve.api_error import ApiError

if TYPE_CHECKING:
    from fastapi import Request


async def read_body(request: "Request", limit: int) -> bytes | None:
    """The body, None where it is longer than `limit` bytes; no more than that is held in memory."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            return None
    return bytes(body)


async def read_json_body(request: "Request", limit: int) -> bytes:
    """A JSON body of at most `limit` bytes. Raises `ApiError` 415 for another content type and 413 for a longer one.

    Another content type is refused: a page of another origin may send text, but JSON only where the server agrees.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "the body must be sent as Content-Type: application/json")
    body = await read_body(request, limit)
    if body is None:
        raise ApiError(413, f"the body is longer than {limit:,} bytes", code="body_too_large")
    return body
