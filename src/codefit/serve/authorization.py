"""The token that a request must bring as `Authorization: Bearer`."""

# No annotations from the future here: FastAPI reads those of a function and would not find what is imported inside one.
import hmac
from collections.abc import Awaitable, Callable

from codefit.serve.api_error import ApiError


def authorized(token: str | None) -> Callable[..., Awaitable[None]]:
    """What a route depends on: it raises `ApiError` 401 where the token is missing or wrong. None asks for none."""
    from fastapi import Request

    async def check(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        right = token is None or (
            scheme.lower() == "bearer"
            and hmac.compare_digest(given.strip().encode("latin-1"), token.encode())  # headers are bytes
        )
        if not right:
            raise ApiError(
                401, "the token is missing or wrong: send it as Authorization: Bearer", code="invalid_api_key"
            )

    return check
