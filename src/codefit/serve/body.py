"""Reading what a client sends, up to a limit."""

# No annotations from the future here: FastAPI reads those of a function and would not find what is imported inside one.
from typing import TYPE_CHECKING

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
