"""Errors in the form that clients of OpenAI's API read."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from codefit.errors import InputError


class ApiError(Exception):
    """An answer other than 200: its status, what is wrong, and the field of the request that it is about."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.param, self.code = status, message, kind, param, code

    def to_dict(self) -> dict[str, Any]:
        """`{"error": {"message", "type", "param", "code"}}`."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}

    def headers(self) -> dict[str, str]:
        """What the status asks for beside the body."""
        return {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}.get(self.status, {})


def invalid_fields(error: ValidationError) -> ApiError:
    """The first field that is wrong, with everything that is wrong with it."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    where = errors[0]["loc"]
    param = str(where[0]) if where else None
    said = list(dict.fromkeys(each["msg"] for each in errors if each["loc"][:1] == where[:1]))
    what = " or ".join(said)
    return ApiError(400, f"{param}: {what}" if param else what, param=param, code="invalid_value")


def unsuitable(error: InputError) -> ApiError:
    """What the library says of a request, whose `where` is a field."""
    param = {"max_new_tokens": "max_tokens"}.get(error.where or "", error.where)
    return ApiError(400, error.line(), param=param, code="invalid_value")
