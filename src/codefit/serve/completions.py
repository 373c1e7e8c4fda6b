"""What `POST /v1/completions` takes and gives: OpenAI's fields, those that this server lacks refused by name."""

from __future__ import annotations

import time
import uuid
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from codefit.models.generation import GenerationRequest, Piece

MAX_ANSWERS = 32  # prompts times answers each: one request may not hold the model for longer
MAX_STOPS = 16
INT64 = 2**63

StopString = Annotated[str, Field(min_length=1, max_length=1000)]


class StreamOptions(BaseModel):
    """`include_usage`: a last chunk without a choice says how many tokens it took."""

    model_config = ConfigDict(extra="forbid", strict=True)

    include_usage: bool = False


class CompletionRequest(BaseModel):
    """Fields, ranges and defaults of OpenAI's API; `top_k` and `repetition_penalty` are as other servers have them."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    model: str | None = None
    prompt: str | Annotated[list[str], Field(min_length=1, max_length=MAX_ANSWERS)]
    suffix: str | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = 16
    temperature: Annotated[float, Field(ge=0, le=2)] | None = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] | None = 1.0
    top_k: Annotated[int, Field(ge=0)] | None = 0
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] | None = 1.0
    n: Annotated[int, Field(ge=1, le=MAX_ANSWERS)] | None = 1
    stop: StopString | Annotated[list[StopString], Field(max_length=MAX_STOPS)] | None = None
    seed: Annotated[int, Field(ge=-INT64, lt=INT64 - MAX_ANSWERS)] | None = None
    echo: bool | None = False
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    user: str | None = None  # for the books of a provider; taken and not used
    best_of: int | None = None
    logprobs: Any = None
    logit_bias: Any = None
    presence_penalty: Any = None
    frequency_penalty: Any = None

    @field_validator("logprobs", "logit_bias", "presence_penalty", "frequency_penalty")
    @classmethod
    def _neutral(cls, value: Any) -> Any:
        if value:
            raise ValueError("this server does not have it; leave it out")
        return value

    @field_validator("best_of")
    @classmethod
    def _one(cls, value: int | None) -> int | None:
        if value not in (None, 1):
            raise ValueError("this server has no best_of above 1; leave it out")
        return value

    @property
    def prompts(self) -> list[str]:
        """The prompts, also where there is one."""
        return [self.prompt] if isinstance(self.prompt, str) else self.prompt

    @property
    def answers(self) -> int:
        """How many answers there will be: `n` of each prompt."""
        return len(self.prompts) * (self.n or 1)

    def requests(self) -> list[GenerationRequest]:
        """What the model is asked, in the order of the choices: all answers to the first prompt come first.

        The answers to one prompt have seeds that follow each other, so that they differ.
        """
        stops = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        defaults = type(self).model_fields
        return [
            GenerationRequest(
                prefix=prompt,
                suffix=self.suffix,
                max_new_tokens=self.max_tokens or defaults["max_tokens"].default,
                temperature=1.0 if self.temperature is None else self.temperature,
                top_p=self.top_p or 1.0,
                top_k=self.top_k or 0,
                repetition_penalty=self.repetition_penalty or 1.0,
                seed=None if self.seed is None else self.seed + number,
                stop=stops,
            )
            for prompt in self.prompts
            for number in range(self.n or 1)
        ]


class Answer:
    """The body of an answer, whole or in chunks that share its id."""

    def __init__(self, model: str) -> None:
        self._head = {
            "id": f"cmpl-{uuid.uuid4().hex}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model,
        }

    def to_dict(self, choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> dict[str, Any]:
        """The body with these choices."""
        return {**self._head, "choices": choices, "usage": usage}


def choice(number: int, text: str, finish_reason: str | None, *, truncated: bool) -> dict[str, Any]:
    """One answer, or a chunk of it; `truncated` (not OpenAI's) says that the prompt was longer than the context."""
    return {
        "text": text,
        "index": number,
        "logprobs": None,
        "finish_reason": finish_reason,
        "truncated": truncated,
    }


def usage(prompt_tokens: int, last_pieces: list[Piece]) -> dict[str, int]:
    """Tokens read and written; a prompt with several answers is counted once."""
    written = sum(piece.tokens for piece in last_pieces)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": written,
        "total_tokens": prompt_tokens + written,
    }
