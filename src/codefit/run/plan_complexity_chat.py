"""What it takes to tune a language model on scored functions and to ask it, as far as its base is at hand.

Where the base is not there, the plan says so and why. Where its weights are and they fit, a few real steps are taken
at a rate of nought, and a few functions are asked about; else the times are worked out from a matrix product's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from codefit.errors import InputError
from codefit.recipe.complexity_scoring import ComplexityScoring, ScoreLanguageModel
from codefit.records import Conversation, ScoredFunction
from codefit.run.base_models import key_of_base
from codefit.run.complexity_training import chat_training
from codefit.run.pair_data import expanded
from codefit.run.plan_complexity_data import FunctionsFound
from codefit.run.plan_memory import Load, count_parameters, find_device, memory_plan
from codefit.run.plan_rows import CONTEXT, END, PREDICTED, Shown
from codefit.run.plan_speed import Speed, generation_seconds, measure_speed
from codefit.tasks.complexity.chat import answer, conversation
from codefit.tasks.complexity.dataset import chat_of
from codefit.train.language_model import spread

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from codefit.models.chat import ChatFormat
    from codefit.models.language_model import LanguageModel
    from codefit.train.chat import ChatTraining

ENCODED_CHATS = 400
ASKED_FUNCTIONS = 6
MEASURED_STEPS = 2  # after one that warms up
STEP_SECONDS = 12.0  # from which no second step is measured
LONGEST_STEP = 60.0  # seconds by the matrix product's rate, from which none is
WRITTEN_TOKENS = 30  # of an answer
EXAMPLE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class ChatsFound:
    """The chats in tokens: on average, and of them the answer's; the shares that are cut, and that do not fit."""

    encoded: int
    tokens: float
    answer_tokens: float
    cut: float
    left_out: float
    example: list[Shown]


@dataclass(frozen=True, slots=True)
class ChatFound:
    """What is known of the language model: all, or why it is not. Seconds are of a token and of a question."""

    base: str
    missing: str | None = None
    chats: ChatsFound | None = None
    steps: int = 0
    parameters: dict[str, int] = field(default_factory=dict)
    memory: dict[str, Any] | None = None
    measured: bool = False
    device: str = ""
    seconds_a_token: float = 0.0
    forward: float = 0.0
    asking: dict[str, float] = field(default_factory=dict)


def measure_chat(recipe: ComplexityScoring, section: ScoreLanguageModel, found: FunctionsFound) -> ChatFound:
    """Tokens, memory and speed of the recipe's language model.

    Raises `InputError` where the base is there and does not suit, as the stage would.
    """
    from codefit.models.hub_cache import TOKENIZER_FILES, folder_at_hand
    from codefit.models.language_model import load_lm_tokenizer, read_config, refuse_pickle

    place = expanded(section.base)
    folder = folder_at_hand(place, section.revision, TOKENIZER_FILES)
    if folder is None:
        return ChatFound(place, missing=_how_to_have(place, section.revision))
    refuse_pickle(folder)
    config, tokenizer = read_config(str(folder)), load_lm_tokenizer(str(folder))
    training = chat_training(section, recipe.seed)
    if training.max_tokens > int(config.max_position_embeddings):
        raise InputError(
            f"chats of {training.max_tokens} tokens are more than the context of {config.max_position_embeddings}",
            where=place,
            fix="lower language_model.max_tokens",
        )
    chats = _encode(found, tokenizer, training)
    load = Load(
        config,
        count_parameters(config, training.learning),
        training.learning,
        training.max_tokens,
        find_device(training.learning),
        four_bits=section.quantize is not None,
    )
    memory = memory_plan(load)
    speed = measure_speed(load, None, [], None, recipe.seed)
    known = _assumed(load, speed, chats, section)
    step = known["seconds_a_token"] * chats.tokens * section.batch_size
    model = _load_base(place, section, load) if memory["fits"] and step < LONGEST_STEP else None
    if model is not None:
        known |= _measured(model, found, training, section, recipe.seed)
    sizes = load.sizes
    return ChatFound(
        base=place,
        chats=chats,
        steps=_steps(found.train, training),
        parameters={"base": sizes.parameters, "adapter": sizes.adapter},
        memory=memory,
        device=load.device.name,
        **known,
    )


def _how_to_have(place: str, revision: str | None) -> str:
    """What to do for a base that is not on this machine; the plan does not ask the hub for it."""
    try:
        key_of_base(place, revision)
    except InputError as error:
        return error.fix or error.what
    wanted = f" --revision {revision}" if revision else ""
    return f"where there is a network: hf download {place} config.json tokenizer.json tokenizer_config.json{wanted}"


def _load_base(place: str, section: ScoreLanguageModel, load: Load) -> LanguageModel | None:
    """The base with its weights, where they are on this machine."""
    from codefit.models.hub_cache import MODEL_FILES, folder_at_hand, has_weights
    from codefit.models.language_model import load_language_model

    folder = folder_at_hand(place, section.revision, MODEL_FILES)
    if folder is None or not has_weights(folder):
        return None
    if section.quantize is not None and (find_spec("bitsandbytes") is None or load.device.kind == "cpu"):
        return None
    return load_language_model(place, revision=section.revision, device=section.device, quantize=section.quantize)


def _encode(found: FunctionsFound, tokenizer: PreTrainedTokenizerFast, training: ChatTraining) -> ChatsFound:
    """Some chats as training encodes them. What is counted in an answer is nought here: it takes as many tokens."""
    from codefit.models.chat import ChatFormat

    chat_format = ChatFormat(tokenizer, max_tokens=training.max_tokens, answer_tokens=training.answer_tokens)
    chats = [chat_format.encode(_chat(row)) for row in spread(found.sides.train, ENCODED_CHATS)]
    fits = [chat for chat in chats if len(chat.ids) <= training.max_tokens]
    if not fits:
        raise InputError("of no function a chat fits", fix="raise language_model.max_tokens")
    return ChatsFound(
        encoded=len(chats),
        tokens=float(np.mean([len(chat.ids) for chat in fits])),
        answer_tokens=float(np.mean([chat.learned.sum() for chat in fits])),
        cut=sum(chat.left_out > 0 for chat in fits) / len(chats),
        left_out=1 - len(fits) / len(chats),
        example=_example(found.scored, chat_format, tokenizer),
    )


def _chat(row: ScoredFunction) -> Conversation:
    return conversation(row.code, row.language, answer(0, 0, 0, row.score), source=row.source or "functions")


def _example(
    rows: Sequence[ScoredFunction], chat_format: ChatFormat, tokenizer: PreTrainedTokenizerFast
) -> list[Shown]:
    """A chat token by token, each with what happens to it."""
    row = min(rows, key=lambda own: abs(len(own.code) - EXAMPLE_CHARACTERS))
    chat = chat_format.encode(chat_of(row))
    special = set(tokenizer.all_special_ids)
    return [
        (
            tokenizer.decode([token], clean_up_tokenization_spaces=False),
            (END if token in special else PREDICTED) if is_learned else CONTEXT,
        )
        for token, is_learned in zip(chat.ids.tolist(), chat.learned.tolist(), strict=True)
    ]


def _steps(functions: int, training: ChatTraining) -> int:
    if training.steps is not None:
        return training.steps
    return max(1, round(training.epochs * -(-functions // training.chats_a_step)))


def _assumed(load: Load, speed: Speed, chats: ChatsFound, section: ScoreLanguageModel) -> dict[str, Any]:
    """Times by the FLOPs of a matrix product; an answer is written for as many functions at once as the scorer asks."""
    from codefit.models.score_answers import CPU_TOKENS_AT_ONCE, GPU_TOKENS_AT_ONCE

    context = chats.tokens / 2
    training = speed.training_seconds(load, load.longest, 1, context)
    forward = speed.forward_seconds(load, 1, context)
    at_once = GPU_TOKENS_AT_ONCE if load.device.kind == "cuda" else CPU_TOKENS_AT_ONCE
    writing = generation_seconds(load, WRITTEN_TOKENS) / max(1.0, at_once / chats.tokens)
    asking = chats.tokens * forward + writing
    return {"seconds_a_token": training, "forward": forward, "asking": dict.fromkeys(section.readings, asking)}


def _measured(
    model: LanguageModel, found: FunctionsFound, training: ChatTraining, section: ScoreLanguageModel, seed: int
) -> dict[str, Any]:
    """Times of a few steps and a few questions."""
    from codefit.models.chat import ChatFormat
    from codefit.train.causal import CausalLearner
    from codefit.train.causal_data import CausalBatch
    from codefit.train.chat_data import ChatData, EncodedChats

    chat_format = ChatFormat(model.tokenizer, max_tokens=training.max_tokens, answer_tokens=training.answer_tokens)
    encoded = [chat_format.encode(_chat(row)) for row in spread(found.sides.train, training.learning.rows_at_once * 3)]
    data = ChatData(EncodedChats(encoded, [f"chat {number}" for number in range(len(encoded))]))
    learner = CausalLearner(model, data, training.learning, seed=seed)
    rows = [data.chats.row(number) for number in range(min(len(encoded), training.learning.rows_at_once))]
    batch = CausalBatch(rows, data.longest)
    learner.learn(batch, 0.0)
    started = time.monotonic()
    taken = 0
    while taken < MEASURED_STEPS and (not taken or time.monotonic() - started < STEP_SECONDS):
        learner.learn(batch, 0.0)
        taken += 1
    a_token = (time.monotonic() - started) / taken / data.tokens(batch)
    started = time.monotonic()
    learner.mean_loss(rows)
    forward = (time.monotonic() - started) / data.tokens(batch)
    asking = _asking(learner.evaluating(), found.scored, training, section)
    return {"measured": True, "seconds_a_token": a_token, "forward": forward, **({"asking": asking} if asking else {})}


def _asking(
    model: LanguageModel, rows: Sequence[ScoredFunction], training: ChatTraining, section: ScoreLanguageModel
) -> dict[str, float]:
    """Seconds of a question by how its answer is read; none without the library that answers take form by."""
    from codefit.models.score_answers import LanguageModelScorer, ScorerSettings

    if find_spec("llguidance") is None:
        return {}
    room = {"max_tokens": training.max_tokens, "answer_tokens": training.answer_tokens}
    asked = list(rows[:ASKED_FUNCTIONS])
    found: dict[str, float] = {}
    for reading in section.readings:
        scorer = LanguageModelScorer(model, ScorerSettings(reading=reading, **room))
        started = time.monotonic()
        scorer.score([row.code for row in asked], asked[0].language)
        found[reading] = (time.monotonic() - started) / len(asked)
    return found
