"""Scored functions as chats, and tiny language models that can be asked, for the tests."""

from __future__ import annotations

import dataclasses
import random
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from codefit.models.chat import ChatFormat
from codefit.models.language_model import (
    SPECIAL_TOKENS,
    LanguageModel,
    new_language_model,
    save_language_model,
)
from codefit.models.tokenizer import train_tokenizer
from codefit.records import Conversation, Message, write_rows
from codefit.tasks.complexity.chat import answer, conversation
from small_models import standard_functions
from tiny_language_models import SHAPE

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TURNS = ("<|im_start|>", "<|im_end|>")
# ChatML as Qwen2.5 and Qwen3 have it, with the answer marked as TRL wants it marked.
CHATML = """\
{%- for message in messages -%}
{%- if message.role == 'assistant' -%}
{{- '<|im_start|>assistant\\n' -}}
{%- if thinks and loop.last -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}
{% generation %}{{- message.content + '<|im_end|>' -}}{% endgeneration %}{{- '\\n' -}}
{%- else -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- if thinks and enable_thinking == false -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}
{%- endif -%}
"""
CONTEXT = 256
ROOM = 96  # tokens of the tiny tokenizer that the longest answer takes, and some


@cache
def _tokenizer() -> Tokenizer:
    return train_tokenizer(
        [*standard_functions(), answer(1, 2, 3, 4.5)],
        600,
        special_tokens=(*SPECIAL_TOKENS, *TURNS),
        splitting="qwen2",
    )


def chat_model(template: str | None = None, *, seed: int = 0, **sizes: int) -> LanguageModel:
    """A tiny model with random weights, with a chat template or without one."""
    shape = dataclasses.replace(SHAPE, **{"context": CONTEXT, **sizes})
    made = new_language_model(shape, _tokenizer(), seed=seed)
    made.tokenizer.chat_template = template
    made.model.eval()
    return made


def write_chat_model(folder: Path, template: str | None = None, *, seed: int = 0, **sizes: int) -> Path:
    """`chat_model` as a transformers folder."""
    folder.mkdir(parents=True)
    save_language_model(chat_model(template, seed=seed, **sizes), folder)
    return folder


def chat_format(language_model: LanguageModel, *, max_tokens: int = CONTEXT) -> ChatFormat:
    """The model's format with room for any answer."""
    return ChatFormat(language_model.tokenizer, max_tokens=max_tokens, answer_tokens=ROOM)


def short_chat(question: str, answered: str | None, *, system: str = "Count.") -> Conversation:
    """A chat of few tokens, so that tiny models hold several."""
    messages = [Message("system", system), Message("user", question)]
    if answered is not None:
        messages.append(Message("assistant", answered))
    return Conversation(messages=messages, kind="complexity", source="here")


def scored_chats(count: int, *, seed: int = 0) -> list[Conversation]:
    """Short functions whose score is 1.0 and as many tenths as they have calls."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        calls = draw.randint(0, 9)
        code = f"def f(x):\n{'    g(x)' * calls}\n"
        found.append(short_chat(code, answer(1, 0, calls, 1 + calls / 10)))
    return found


def write_chats(path: Path, chats: list[Conversation]) -> Path:
    """The chats as JSONL."""
    write_rows(path, chats)
    return path


def whole_chat(code: str, answered: str | None) -> Conversation:
    """A chat as the recipe has it, with the whole system prompt."""
    return conversation(code, "python", answered, source="here")
