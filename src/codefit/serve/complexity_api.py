"""What `POST /v1/complexity` takes and gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.json_schema import models_json_schema
from pydantic_core import from_json

from codefit.serve.api_error import ApiError, invalid_fields

MOST_ITEMS = 512  # of a request: a client's whole file list, and a few seconds of work
EXACT_INTEGER = 2**53 - 1  # beyond it JavaScript reads another number

Identity = Annotated[str, Field(max_length=1000)] | Annotated[int, Field(ge=-EXACT_INTEGER, le=EXACT_INTEGER)] | None
Explain = Annotated[bool, Field(description="Give each increment with its line and column.")]
Learned = Annotated[
    bool | None, Field(description="Have the model score each function too; null: where the server has a model.")
]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Item(_Asked):
    """Code in a language: a function, or a whole file. `id` comes back with its result."""

    code: str
    language: str
    id: Identity = None


class ComplexityBatch(_Asked):
    """Several pieces of code."""

    functions: Annotated[list[Item], Field(max_length=MOST_ITEMS)]
    explain: Explain = False
    learned: Learned = None

    @property
    def items(self) -> list[Item]:
        """What is to be scored."""
        return self.functions


class ComplexitySource(Item):
    """One piece of code."""

    explain: Explain = False
    learned: Learned = None

    @property
    def items(self) -> list[Item]:
        """What is to be scored."""
        return [self]


class IncrementAnswer(BaseModel):
    """What adds to a function's complexity; line and column (in UTF-8 bytes) from 1; `nesting` is in `cognitive`."""

    line: int
    column: int
    what: str
    cyclomatic: int
    cognitive: int
    nesting: int


class LearnedAnswer(BaseModel):
    """A model's estimate with an interval where the model knows one, or why there is none."""

    score: float | None = None
    low: float | None = None
    high: float | None = None
    label: str | None = None
    error: str | None = None


class FunctionAnswer(BaseModel):
    """A function, its exact score and the figures behind it; `complete` is false where a syntax error lies inside."""

    name: str
    qualified: str
    line: int
    end_line: int
    score: float
    label: str
    complete: bool
    metrics: dict[str, float]
    increments: list[IncrementAnswer] | None = None
    learned: LearnedAnswer | None = None


class ResultAnswer(BaseModel):
    """What came of an item: its functions and the code outside of them (`module`), or why it could not be scored.

    `scored_as` is module where there is no function: then `module` is the score of the whole code.
    """

    id: str | int | None
    functions: list[FunctionAnswer]
    module: FunctionAnswer | None = None
    scored_as: Literal["functions", "module"] | None = None
    complete: bool | None = None
    note: str | None = None
    error: str | None = None


class ComplexityAnswer(BaseModel):
    """A result for each item, in order; `model` is what gave the learned scores."""

    results: list[ResultAnswer]
    model: str | None


class LanguageAnswer(BaseModel):
    """A language by name, and how files in it are called."""

    name: str
    extensions: list[str]
    file_names: list[str]


class LanguagesAnswer(BaseModel):
    """The languages that can be scored, and the model's name where there is one."""

    languages: list[LanguageAnswer]
    model: str | None


class ErrorBody(BaseModel):
    """What is wrong, the field of the request that it is about, and a code where there is one."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(BaseModel):
    """Every answer other than 200."""

    error: ErrorBody


Request = ComplexityBatch | ComplexitySource
_BODIES: dict[bool, TypeAdapter[Request]] = {
    True: TypeAdapter(ComplexityBatch),
    False: TypeAdapter(ComplexitySource),
}


def parsed(body: bytes, *, has_model: bool) -> Request:
    """The request of a body, in either form. Raises `ApiError` 400 with the field that is wrong."""
    try:
        value: Any = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise ApiError(400, f"the body is not JSON ({error})", code="invalid_json") from error
    if not isinstance(value, dict):
        raise ApiError(400, "the body must be a JSON object", code="invalid_value")
    try:
        asked = _BODIES["functions" in value].validate_python(value)
    except ValidationError as error:
        raise invalid_fields(error) from error
    if asked.learned and not has_model:
        raise ApiError(400, "learned: this server has no model, only exact scores", param="learned", code="no_model")
    return asked


def described(schema: dict[str, Any], *, has_token: bool) -> dict[str, Any]:
    """FastAPI's schema with the models of bodies and errors, which it does not see, and the token."""
    _, found = models_json_schema(
        [(ComplexityBatch, "validation"), (ComplexitySource, "validation"), (ErrorAnswer, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    schemas = schema["components"]["schemas"] | found["$defs"]
    components = schema["components"] | {"schemas": schemas}
    if has_token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    paths = {
        path: {
            method: {**operation, "security": [{"token": []}]} if has_token and path != "/health" else operation
            for method, operation in operations.items()
        }
        for path, operations in schema["paths"].items()
    }
    return schema | {"components": components, "paths": paths}


BODY_SCHEMA = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [
                    {"$ref": "#/components/schemas/ComplexityBatch"},
                    {"$ref": "#/components/schemas/ComplexitySource"},
                ]
            }
        }
    },
}
