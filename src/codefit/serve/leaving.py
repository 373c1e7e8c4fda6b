"""Work for a client, dropped where the client leaves before it is done."""

# No annotations from the future here: FastAPI reads those of a function and would not find what is imported inside one.
import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from codefit.serve.error_answers import LEFT

if TYPE_CHECKING:
    from fastapi import Request, Response


async def unless_left(request: "Request", work: Awaitable["Response"]) -> "Response":
    """The answer, or nothing of it where the client closes the connection before it is there: `work` is cancelled."""
    from fastapi import Response

    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    answering, leaving = asyncio.ensure_future(work), asyncio.ensure_future(left())
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return answering.result() if answering.done() else Response(status_code=LEFT)
    finally:
        answering.cancel()
        leaving.cancel()
