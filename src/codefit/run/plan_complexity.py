"""What scorers of complexity will cost: functions, tokens, steps, memory and time, and what each network is shown.

Functions of files are counted and divided, documents are sampled; both networks take a few steps at a rate of nought.
Nothing is trained and nothing is written.
"""

from __future__ import annotations

from typing import Any

from codefit.recipe.complexity_scoring import ComplexityScoring
from codefit.run.machine import machine_facts
from codefit.run.plan_complexity_chat import ChatFound, ChatsFound, measure_chat
from codefit.run.plan_complexity_data import FunctionsFound, survey_functions
from codefit.run.plan_complexity_encoder import EncoderFound, measure_encoder, memory_of, variants
from codefit.run.plan_sample import BASE_BYTES
from codefit.tasks.complexity.variants import VARIANTS

# Fitting the baselines, and tracing and quantizing the graphs, take about as long whatever the sizes: not measured.
BASELINE_SECONDS, EXPORT_SECONDS = 10.0, 12.0
METRIC_SCORERS = 7  # formula, exact, constant, lines, linear, boosted, and the boosted trees of the ensemble


def plan_complexity_scoring(recipe: ComplexityScoring) -> dict[str, Any]:
    """The plan of scorers of complexity; see `codefit.run.plan_complexity_text` for how it is told.

    Raises what the data stage would raise.
    """
    import psutil

    machine = machine_facts() | {"load": psutil.getloadavg()[0]}
    found = survey_functions(recipe, machine["cores"])
    encoder = measure_encoder(recipe, found)
    section = recipe.language_model
    chat = measure_chat(recipe, section, found) if section is not None else None
    seconds = _seconds(recipe, found, encoder, chat, machine["cores"])
    parts = {"train": BASE_BYTES + memory_of(recipe, encoder, found.train)}
    if chat is not None and chat.memory is not None:
        parts["chat"] = chat.memory["total"]
    sides = found.sides
    return {
        "recipe": recipe.name,
        "system": recipe.system,
        "data": {
            "documents": found.documents,
            "sampled_documents": found.sampled_documents,
            "dropped": found.dropped,
            "known": "counted" if found.counted else "scaled up",
        },
        "rows": {
            "train": found.train,
            "validation": found.validation,
            "evaluation": len(sides.evaluation),
            "measured": _measured(recipe, found),
            "human": found.human,
        },
        "tokens": _tokens(recipe, found, encoder),
        "parameters": {"encoder": encoder.parameters, **(chat.parameters if chat is not None else {})},
        "steps": {"train": encoder.steps, "chat": chat.steps if chat is not None else 0},
        "batch_size": {
            "train": recipe.train.batch_size,
            "chat": section.batch_size * section.accumulation if section is not None else 0,
        },
        "language_model": _chat_facts(recipe, found, chat) if chat is not None else None,
        "memory_bytes": {"parts": parts, "total": max(parts.values())},
        "seconds": {**seconds, "total": sum(seconds.values())},
        "machine": machine,
        "examples": {
            "encoder": encoder.example,
            "chat": chat.chats.example if chat is not None and chat.chats is not None else [],
        },
    }


def _tokens(recipe: ComplexityScoring, found: FunctionsFound, encoder: EncoderFound) -> dict[str, Any]:
    """What the encoder reads."""
    return {
        "a_function": encoder.tokens,
        "an_epoch": round(encoder.tokens * found.train),
        "training": round(encoder.tokens * recipe.train.batch_size * encoder.steps),
        "known": "counted" if encoder.counted else "estimated",
        "tokenized_functions": encoder.tokenized,
        "longer_than_window": encoder.longer,
        "padding_share": encoder.padding,
        "padding_share_unsorted": encoder.padding_whole,
    }


def _measured(recipe: ComplexityScoring, found: FunctionsFound) -> int:
    """Functions that are measured on."""
    count = len(found.sides.evaluation)
    return min(count, recipe.evaluate.max_functions or count)


def _chat_facts(recipe: ComplexityScoring, found: FunctionsFound, chat: ChatFound) -> dict[str, Any]:
    """What there is to say of the language model; where its base is missing, that."""
    facts: dict[str, Any] = {"base": chat.base, "missing": chat.missing}
    section, chats = recipe.language_model, chat.chats
    if chats is None or section is None:
        return facts
    kept = found.train * (1 - chats.left_out)
    per_step = section.batch_size * section.accumulation
    return facts | {
        "chats": round(kept),
        "tokens_a_chat": chats.tokens,
        "answer_tokens_a_chat": chats.answer_tokens,
        "tokens": round(chats.tokens * chat.steps * per_step),
        "cut": round(found.train * chats.cut),
        "left_out": round(found.train * chats.left_out),
        "max_tokens": section.max_tokens,
        "encoded_chats": chats.encoded,
        "known": "counted" if found.counted and chats.encoded == found.train else "scaled up",
        "device": chat.device,
        "speed": "measured" if chat.measured else "assumed",
        "memory": chat.memory,
        "questions": _questions(recipe, found),
    }


def _seconds(
    recipe: ComplexityScoring, found: FunctionsFound, encoder: EncoderFound, chat: ChatFound | None, cores: int
) -> dict[str, float]:
    """Seconds of each stage, in the order of the run; without those of a language model whose base is missing."""
    validation = found.validation * encoder.tokens * encoder.scoring
    looks = 1 + (encoder.steps // recipe.train.eval_every if recipe.train.eval_every else 0)
    # Where each label's figures lie is found anew, of the functions and of their variants.
    labels = (1 + variants(recipe)) * found.train * found.measuring / cores
    learning = encoder.steps * recipe.train.batch_size * encoder.tokens * encoder.seconds_a_token
    seconds = {
        "data": found.data,
        "baselines": BASELINE_SECONDS,
        "tokenizer": encoder.tokenizing,
        "train": labels + learning + looks * validation,
    }
    known = chat if chat is not None and chat.chats is not None else None
    section = recipe.language_model
    asked = 0.0
    if known is not None and known.chats is not None and section is not None:
        seconds["chat"] = _chatting(recipe, found, known, known.chats)
        shown = min(found.validation, section.validation_chats or found.validation)
        asked = shown * known.asking["expectation"]
    seconds["export"] = EXPORT_SECONDS + 4 * validation + asked
    measured = _measured(recipe, found)
    count = measured + min(recipe.evaluate.variant_functions, measured) * len(VARIANTS) + found.human
    reading = METRIC_SCORERS * found.measuring + 2 * encoder.tokens * encoder.scoring
    seconds["evaluate"] = count * reading + (_answering(recipe, found, known) if known is not None else 0.0)
    return seconds


def _chatting(recipe: ComplexityScoring, found: FunctionsFound, chat: ChatFound, chats: ChatsFound) -> float:
    """The adapter's steps, and looks at validation."""
    section = recipe.language_model
    assert section is not None
    tokens = chat.steps * section.batch_size * section.accumulation * chats.tokens
    looks = 1 + (chat.steps // section.eval_every if section.eval_every else 0)
    looked_at = min(found.validation, section.validation_chats or found.validation)
    return tokens * chat.seconds_a_token + looks * looked_at * chats.tokens * chat.forward


def _questions(recipe: ComplexityScoring, found: FunctionsFound) -> int:
    """How often the language model is asked for each way to read its answers."""
    section = recipe.language_model
    assert section is not None
    measured = _measured(recipe, found)
    asked = min(measured, section.evaluation_functions or measured)
    varied = min(recipe.evaluate.variant_functions, measured) * len(VARIANTS) * asked / max(1, measured)
    return round(asked + varied + found.human)


def _answering(recipe: ComplexityScoring, found: FunctionsFound, chat: ChatFound) -> float:
    """All questions of the evaluation; the ensemble asks by expectation once more."""
    each = sum(chat.asking.values()) + chat.asking["expectation"]
    return _questions(recipe, found) * each
