"""Text from a language model, a token at a time: completion, and filling a hole.

Its own loop over the model and its key-value cache: transformers' `generate` with a streamer takes a thread, the
process's random numbers and a criterion for each stop string, and gives fewer tokens a second for it. The logits are
changed by transformers' own processors, in its order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from codefit.errors import CodefitError, InputError
from codefit.models.generation_prompt import Prompt, encode_prompt
from codefit.models.generation_text import StopText, TokenText
from codefit.models.language_model import LanguageModel, fim_tokens

if TYPE_CHECKING:
    import torch

FinishReason = Literal["stop", "length"]
DEFAULT_MAX_NEW_TOKENS = 128
SEEDS = range(-(2**63), 2**64)  # what torch takes
GREEDY_BELOW = 1e-5  # a temperature under which scores divided by it could leave the range of single precision


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What to write and how. Temperature 0 takes the likeliest token each time; top_k 0 and top_p 1 leave none out.

    `stop`: texts that end the answer and are no part of it. The same seed gives the same answer; None a new one each
    time. Raises `InputError` for a value out of its range, `where` being its name.
    """

    prefix: str
    suffix: str | None = None
    max_new_tokens: int = DEFAULT_MAX_NEW_TOKENS
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, right, wanted in (
            ("max_new_tokens", self.max_new_tokens >= 1, "at least 1"),
            ("temperature", 0 <= self.temperature < float("inf"), "0 or more"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("top_k", self.top_k >= 0, "0 or more"),
            ("repetition_penalty", 0 < self.repetition_penalty < float("inf"), "above 0"),
            ("seed", self.seed is None or self.seed in SEEDS, "a number of 64 bits"),
            ("stop", all(self.stop), "texts that are not empty"),
        ):
            if not right:
                raise InputError(f"{getattr(self, name)!r} is not {wanted}", where=name)


@dataclass(frozen=True, slots=True)
class Piece:
    """The text that one more token made certain, often none; the last piece says why it is the last.

    `tokens` counts what the model has written so far, an end token too.
    """

    text: str
    tokens: int
    finish_reason: FinishReason | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """An answer under way: iterating writes it, a piece a token."""

    prompt: Prompt
    pieces: Iterator[Piece]

    def __iter__(self) -> Iterator[Piece]:
        return self.pieces


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer: its text, why it ended ("stop": end token or stop string), and what it took."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    truncated: bool

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `lm generate`."""
        return {
            "text": self.text,
            "finish_reason": self.finish_reason,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "tokens_per_second": self.completion_tokens / self.seconds,
            "truncated": self.truncated,
        }


def generate(language_model: LanguageModel, request: GenerationRequest) -> Generation:
    """Write what follows the prefix, or with a suffix what stands between the two.

    Ends with "stop" at the end token, any other special token or a stop string, with "length" after `max_new_tokens`
    or where the context is full. The model must be in evaluation mode, as `load_language_model` gives it. Raises
    `InputError` at once where the request does not suit the model; a model whose scores are no numbers raises
    `CodefitError` while it writes.
    """
    prompt = encode_prompt(language_model, request.prefix, request.suffix, request.max_new_tokens)
    return Generation(prompt, _pieces(language_model, prompt, request))


def complete(language_model: LanguageModel, request: GenerationRequest) -> Completion:
    """`generate`, awaited."""
    started = time.perf_counter()
    generation = generate(language_model, request)
    pieces = list(generation)
    return completion(generation.prompt, pieces, time.perf_counter() - started)


def completion(prompt: Prompt, pieces: list[Piece], seconds: float) -> Completion:
    """All pieces of an answer as one."""
    last = pieces[-1]
    assert last.finish_reason is not None
    text = "".join(piece.text for piece in pieces)
    return Completion(text, last.finish_reason, len(prompt.ids), last.tokens, seconds, prompt.left_out > 0)


def _pieces(language_model: LanguageModel, prompt: Prompt, request: GenerationRequest) -> Iterator[Piece]:
    ends = end_tokens(language_model)
    text = TokenText(language_model.tokenizer, prompt.ids)
    stop = StopText(request.stop)
    limit = min(request.max_new_tokens, language_model.context - len(prompt.ids))
    for count, token in enumerate(_tokens(language_model, prompt, request), 1):
        if token in ends:
            yield Piece(stop.push(text.rest()) + stop.rest(), count, "stop")
            return
        made = stop.push(text.push(token))
        if not stop.stopped and count == limit:
            made += stop.push(text.rest()) + stop.rest()
            yield Piece(made, count, "stop" if stop.stopped else "length")
            return
        yield Piece(made, count, "stop" if stop.stopped else None)
        if stop.stopped:
            return


def end_tokens(language_model: LanguageModel) -> frozenset[int]:
    """The ids that end an answer: the end token, those that the model's own settings name, and every mark.

    A mark is an added token that is special or spelled like one (`<|file_sep|>`): Qwen2.5-Coder's for a hole and
    for files are not said to be special. Other added tokens are text, such as the runs of blanks of GPT-NeoX.
    """
    tokenizer = language_model.tokenizer
    ends = {language_model.end, *tokenizer.all_special_ids}
    named = language_model.model.generation_config.eos_token_id
    ends.update([named] if isinstance(named, int) else named or ())
    for token, id_ in tokenizer.get_added_vocab().items():
        if token.startswith("<") and token.endswith(">"):
            ends.add(id_)
    marks = fim_tokens(tokenizer)
    if marks is not None:
        ends.update((marks.prefix, marks.middle, marks.suffix))
    return frozenset(ends)


def _tokens(language_model: LanguageModel, prompt: Prompt, request: GenerationRequest) -> Iterator[int]:
    """The model's tokens after a prompt, without end."""
    import torch
    from transformers import DynamicCache

    model, device = language_model.model, language_model.device
    cache = DynamicCache(config=model.config)
    processors = _processors(request)
    random = torch.Generator(device)
    if request.seed is None:
        random.seed()
    else:
        random.manual_seed(request.seed)
    ids = torch.tensor([prompt.ids], device=device)
    new = ids
    while True:
        # Not around the yield: whoever takes the tokens would be in this mode as well.
        with torch.inference_mode():
            scores = model(new, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1].float()
            if scores.isnan().any():
                raise CodefitError("the model's scores are not numbers", where=language_model.place)
            scores = processors(ids, scores)
            new = _choose(scores, request.temperature, random)
            ids = torch.cat((ids, new), dim=1)
            token = int(new)
        yield token


def _processors(request: GenerationRequest) -> Any:
    """What changes the scores before one is chosen, in transformers' order."""
    from transformers import (
        LogitsProcessorList,
        RepetitionPenaltyLogitsProcessor,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    wanted: list[Any] = []
    if request.repetition_penalty != 1:
        wanted.append(RepetitionPenaltyLogitsProcessor(float(request.repetition_penalty)))
    if request.temperature >= GREEDY_BELOW:
        wanted.append(TemperatureLogitsWarper(float(request.temperature)))
        if request.top_k > 0:
            wanted.append(TopKLogitsWarper(request.top_k))
        if request.top_p < 1:
            wanted.append(TopPLogitsWarper(float(request.top_p)))
    return LogitsProcessorList(wanted)


def _choose(scores: torch.Tensor, temperature: float, random: torch.Generator) -> torch.Tensor:
    """The next token of shape (1, 1)."""
    import torch

    if temperature < GREEDY_BELOW:
        return scores.argmax(-1, keepdim=True)
    return torch.multinomial(scores.softmax(-1), 1, generator=random)
