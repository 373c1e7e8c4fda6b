"""A language model as a scorer of functions, its answer read in one of three ways.

`regex` lets it write what it likes and looks for the score, as the reference run did, and finds none in some answers.
`constrained` lets it write only what is an answer. `expectation` lets it write what comes before the score so, and then
takes the probabilities of all 91 scores: their mean is the estimate of the least squared error that the model can give
(as in Lukasik et al., Regression-aware inference with LLMs, 2024, arXiv:2403.04182), and they give an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from codefit.errors import InputError
from codefit.models.answer_form import AnswerForm
from codefit.models.answer_tree import answer_probabilities, answer_tree
from codefit.models.answer_writing import write_formed, write_freely
from codefit.models.chat import ANSWER_TOKENS, ChatFormat, ChatTokens
from codefit.models.generation import end_tokens
from codefit.models.language_info import read_language_info
from codefit.models.language_model import CODEFIT_FILE, LanguageModel, encode_texts, load_language_model
from codefit.models.length_chunks import length_chunks
from codefit.models.score_distribution import DEFAULT_INTERVAL, ScoreDistribution
from codefit.models.scorers import Estimate
from codefit.models.token_rows import TokenRows
from codefit.progress import Progress
from codefit.tasks.complexity.chat import (
    ANSWER,
    ANSWER_PATTERN,
    MOST_COUNTED,
    SCORE_LABEL,
    SCORES,
    answer,
    conversation,
    read_score,
)

T = TypeVar("T")
Reading = Literal["expectation", "constrained", "regex"]

MAX_TOKENS = 3072  # of a prompt with its answer, where the model's context holds as many
MAX_NEW_TOKENS = 128  # that are written freely
SPARE_TOKENS = 8  # that an answer may take more in the model's own spelling than in the tokenizer's
# Tokens of prompts that go through the network together: a CPU is busy with fewer.
CPU_TOKENS_AT_ONCE = 4_096
GPU_TOKENS_AT_ONCE = 16_384
NO_SCORE = "the answer has no score from 1 to 10"


@dataclass(frozen=True, slots=True)
class ScorerSettings:
    """How a scorer asks and reads: the room of a chat and of its answer as in training, the interval's probability."""

    reading: Reading = "expectation"
    max_tokens: int = MAX_TOKENS
    answer_tokens: int = ANSWER_TOKENS
    interval: float = DEFAULT_INTERVAL
    tokens_at_once: int | None = None


class LanguageModelScorer:
    """Scores functions by asking a language model, in evaluation mode, as it was asked in training.

    Raises `InputError` where its context does not hold the chats, or the room for answers no whole answer.
    """

    def __init__(self, language_model: LanguageModel, settings: ScorerSettings | None = None) -> None:
        settings = settings or ScorerSettings(max_tokens=min(MAX_TOKENS, language_model.context))
        if settings.max_tokens > language_model.context:
            raise InputError(
                f"{settings.max_tokens} tokens of a chat are more than the context of {language_model.context}",
                where=language_model.place,
                fix="lower max_tokens",
            )
        longest = len(encode_texts(language_model.tokenizer, [answer(*MOST_COUNTED, 10.0)])[0]) + SPARE_TOKENS
        if settings.answer_tokens < longest:
            raise InputError(
                f"answers of up to {longest} tokens do not fit into {settings.answer_tokens}",
                where=language_model.place,
                fix="raise answer_tokens",
            )
        self.settings = settings
        self._language_model = language_model
        self._format = ChatFormat(
            language_model.tokenizer, max_tokens=settings.max_tokens, answer_tokens=settings.answer_tokens
        )
        at_once = CPU_TOKENS_AT_ONCE if language_model.device.type == "cpu" else GPU_TOKENS_AT_ONCE
        self._tokens_at_once = settings.tokens_at_once or at_once

    @property
    def name(self) -> str:
        """What tables and answers call it."""
        return f"language model, {self.settings.reading}"

    def reading_by(self, reading: Reading) -> LanguageModelScorer:
        """The same model, its answers read in another way."""
        return LanguageModelScorer(self._language_model, replace(self.settings, reading=reading))

    def score(self, codes: Sequence[str], language: str) -> list[Estimate]:
        """An estimate a function, in order; by expectation with an interval."""
        if self.settings.reading == "expectation":
            return [found.estimate(self.settings.interval) for found in self.distributions(codes, language)]
        scores = [read_score(text) for text in self.answers(codes, language)]
        return [Estimate(score=score) if score is not None else Estimate(error=NO_SCORE) for score in scores]

    def answers(self, codes: Sequence[str], language: str) -> list[str]:
        """What the model answers of each function; by expectation with the likeliest score."""
        if self.settings.reading == "expectation":
            return [f"{begin}{found.likeliest:.1f}" for begin, found in self._begun(codes, language)]
        return self._in_batches(self._free if self.settings.reading == "regex" else self._formed, codes, language)

    def distributions(self, codes: Sequence[str], language: str) -> list[ScoreDistribution]:
        """How likely each score is for each function, exactly, after what the model writes before it."""
        return [found for _, found in self._begun(codes, language)]

    def prompts(self, codes: Sequence[str], language: str) -> list[ChatTokens]:
        """What the model is asked of each function, and how much of the code was cut for it."""
        return [self._format.encode(conversation(code, language, None, source="scored")) for code in codes]

    def _begun(self, codes: Sequence[str], language: str) -> list[tuple[str, ScoreDistribution]]:
        return self._in_batches(self._expected, codes, language)

    def _in_batches(self, read: Callable[[list[list[int]]], list[T]], codes: Sequence[str], language: str) -> list[T]:
        """What `read` makes of the functions' prompts, of like length together, in the functions' order."""
        prompts = [prompt.ids.tolist() for prompt in self.prompts(codes, language)]
        found: dict[int, T] = {}
        with Progress("score", len(prompts), "functions") as progress:
            for chosen in self._chunks(prompts):
                found.update(zip(chosen, read([prompts[number] for number in chosen]), strict=True))
                progress.advance(len(chosen))
        return [found[number] for number in range(len(prompts))]

    def _chunks(self, prompts: list[list[int]]) -> Iterator[list[int]]:
        if prompts:
            for chunk in length_chunks(np.array([len(ids) for ids in prompts]), self._tokens_at_once):
                yield chunk.tolist()

    def _free(self, prompts: list[list[int]]) -> list[str]:
        most = [min(MAX_NEW_TOKENS, self._language_model.context - len(ids)) for ids in prompts]
        rows = TokenRows(self._language_model, len(prompts))
        written = write_freely(rows, prompts, ends=end_tokens(self._language_model), most=most)
        return [self._text(ids) for ids in written]

    def _formed(self, prompts: list[list[int]]) -> list[str]:
        rows = TokenRows(self._language_model, len(prompts))
        written = write_formed(rows, prompts, self._whole, most=self.settings.answer_tokens)
        return [self._text(ids) for ids in written]

    def _expected(self, prompts: list[list[int]]) -> list[tuple[str, ScoreDistribution]]:
        rows = TokenRows(self._language_model, len(prompts))
        written = write_formed(rows, prompts, self._beginning, most=self.settings.answer_tokens)
        begun = [self._text(ids) for ids in written]
        # The beginning is read again as the tokenizer spells it with a score behind, as in training.
        rows.rewind([len(ids) for ids in prompts])
        trees = [
            answer_tree(encode_texts(self._language_model.tokenizer, [begin + score for score in SCORES]))
            for begin in begun
        ]
        found = answer_probabilities(rows, trees)
        return [(begin, ScoreDistribution(each)) for begin, each in zip(begun, found, strict=True)]

    @cached_property
    def _whole(self) -> AnswerForm:
        return AnswerForm(self._language_model, ANSWER_PATTERN)

    @cached_property
    def _beginning(self) -> AnswerForm:
        return AnswerForm(self._language_model, ANSWER + SCORE_LABEL)

    def _text(self, ids: list[int]) -> str:
        text: str = self._language_model.tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        return text


def load_language_model_scorer(
    place: str | Path,
    reading: Reading = "expectation",
    *,
    base: str | None = None,
    device: str = "auto",
    **options: Any,
) -> LanguageModelScorer:
    """The scorer of a folder that `train_chat` wrote, asked and loaded (in 4 bits or not) as it was in training.

    `base` is where an adapter's base is, if not where it was; `options` are other fields of `ScorerSettings`.
    """
    folder = Path(place)
    info = read_language_info(folder) if (folder / CODEFIT_FILE).exists() else None
    if info is None or info.answer_tokens is None:
        raise InputError("no language model that learned chats", where=str(place), fix="give what train_chat wrote")
    loading: dict[str, Any] = {"device": device}
    if info.kind == "adapter":
        loading |= {"revision": info.base_revision, "quantize": info.quantize}
    adapter = None if base is None else folder
    model = load_language_model(base or folder, adapter=adapter, **loading)
    room = {"max_tokens": max(info.lengths), "answer_tokens": info.answer_tokens}
    return LanguageModelScorer(model, ScorerSettings(reading=reading, **{**room, **options}))
