"""Chats as a language model reads them: the frame of its own template, and which tokens are an answer's.

The template is rendered once for the roles of a chat, with a mark where each message stands, and the messages are put
in afterwards. So what a message says is never part of the frame: code that names the end token does not end a turn. An
answer begins at a token of its own, and what is asked in training is token for token what is asked later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.models.language_model import as_text, encode_texts
from codefit.records import Conversation

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

ASSISTANT = "assistant"
# For a tokenizer without a template: no token beyond its own end token, which a base model knows and stops at.
PLAIN_TEMPLATE = """\
{{- bos_token if bos_token else eos_token -}}
{%- for message in messages -%}
{{- '### ' + message['role'] + '\\n' -}}
{%- if message['role'] == 'assistant' -%}
{% generation %}{{- message['content'] + eos_token -}}{% endgeneration %}
{%- else -%}
{{- message['content'] + '\\n\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '### assistant\\n' -}}{%- endif -%}
"""
# Room that every prompt leaves for the answer: the longest of tasks/complexity/chat.py takes 30 tokens of Qwen's.
ANSWER_TOKENS = 48
LEAST_KEPT = 16  # tokens of a message that is cut: with fewer there is nothing left to ask about
_MARK = re.compile("\ue000([0-9]+)\ue001")  # private-use characters, which no template writes

TokenIds = npt.NDArray[np.int32]
Learned = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ChatTokens:
    """A chat's ids (n,), which of them are of an answer and its end token (n,), and how many characters were cut."""

    ids: TokenIds
    learned: Learned
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a chat: a message by its number, a token of the frame by its id, else text of the frame."""

    text: str = ""
    token: int | None = None
    message: int | None = None
    learned: bool = False


class ChatFormat:
    """Conversations to tokens by a tokenizer's template; one that has none is given `PLAIN_TEMPLATE`.

    What is asked takes at most `max_tokens - answer_tokens`: of a longer one the longest message is cut in its middle,
    by whole lines where that leaves enough, and a note stands in the gap. Raises `InputError` for a template that ends
    no answer, or asks otherwise than it shows what was answered.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, *, max_tokens: int, answer_tokens: int = ANSWER_TOKENS
    ) -> None:
        if tokenizer.chat_template is None:
            tokenizer.chat_template = PLAIN_TEMPLATE
        self.max_tokens = max_tokens
        self.answer_tokens = answer_tokens
        self._tokenizer = tokenizer
        added = tokenizer.added_tokens_decoder
        self._ids = {token.content: number for number, token in added.items()}
        self._ids |= {tokenizer.eos_token: int(tokenizer.eos_token_id)}
        ends = {token.content for token in added.values() if token.special} | {tokenizer.eos_token}
        self._frame_token = re.compile(f"({_any_of(self._ids)})")
        self._end = re.compile(rf"\s*(?:{_any_of(ends)})")
        self._parts_of = cache(self._parts)

    def encode(self, conversation: Conversation) -> ChatTokens:
        """A chat that ends with an answer, whole; one that does not, up to where its answer begins.

        An answer that is longer than its room is not cut: whoever trains on chats leaves those out.
        """
        roles = tuple(message.role for message in conversation.messages)
        if not roles:
            raise InputError("a chat without a message", where=conversation.source)
        parts = self._parts_of(roles)
        asked = parts
        if roles[-1] == ASSISTANT:
            asked = parts[: next(n for n, part in enumerate(parts) if part.message == len(roles) - 1)]
        contents, left_out = self._fitted(asked, roles, [message.content for message in conversation.messages])
        ids, learned = self._tokens(parts, contents)
        return ChatTokens(np.array(ids, dtype=np.int32), np.array(learned, dtype=np.bool_), left_out)

    def _parts(self, roles: tuple[str, ...]) -> tuple[_Part, ...]:
        """The parts of chats with these roles, in order."""
        answered = roles[-1] == ASSISTANT
        rendered = self._render(roles, ask=not answered)
        if answered and not rendered.startswith(self._render(roles[:-1], ask=True) + _mark(len(roles) - 1)):
            raise self._unfit("asks for an answer otherwise than it shows one")
        pieces = _MARK.split(rendered)
        if pieces[1::2] != [str(number) for number in range(len(roles))]:
            raise self._unfit("leaves out or repeats a message")
        parts = list(self._frame(pieces[0]))
        for number, frame in zip(map(int, pieces[1::2]), pieces[2::2], strict=True):
            is_answer = roles[number] == ASSISTANT
            parts.append(_Part(message=number, learned=is_answer))
            ended = 0
            if is_answer:
                end = self._end.match(frame)
                if end is None:
                    raise self._unfit("ends no answer with a special token, so a model would never learn to stop")
                ended = end.end()
                parts += self._frame(frame[:ended], learned=True)
            parts += self._frame(frame[ended:])
        return tuple(parts)

    def _render(self, roles: tuple[str, ...], *, ask: bool) -> str:
        from jinja2 import TemplateError

        messages = [{"role": role, "content": _mark(number)} for number, role in enumerate(roles)]
        try:
            # Models that can think first are asked not to, as they were not shown how.
            text: str = self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=ask, enable_thinking=False
            )
        except TemplateError as error:
            raise self._unfit(f"takes no chat of {', '.join(roles) or 'nothing'} ({error})") from error
        return text

    def _frame(self, text: str, *, learned: bool = False) -> list[_Part]:
        pieces = [piece for piece in self._frame_token.split(text) if piece]
        return [_Part(text=piece, token=self._ids.get(piece), learned=learned) for piece in pieces]

    def _tokens(self, parts: tuple[_Part, ...], contents: list[str]) -> tuple[list[int], list[bool]]:
        """Ids of parts, and whether each is learned. Frame and message are encoded as one text, an answer by itself."""
        runs: list[tuple[str | int, bool]] = []
        for part in parts:
            text = part.text if part.message is None else contents[part.message]
            if part.token is not None:
                runs.append((part.token, part.learned))
            elif runs and isinstance(runs[-1][0], str) and runs[-1][1] == part.learned:
                runs[-1] = (runs[-1][0] + text, part.learned)
            else:
                runs.append((text, part.learned))
        texts = iter(encode_texts(self._tokenizer, [run for run, _ in runs if isinstance(run, str)]))
        ids: list[int] = []
        learned: list[bool] = []
        for run, is_learned in runs:
            own = next(texts) if isinstance(run, str) else [run]
            ids += own
            learned += [is_learned] * len(own)
        return ids, learned

    def _fitted(self, asked: tuple[_Part, ...], roles: tuple[str, ...], contents: list[str]) -> tuple[list[str], int]:
        """The messages with the longest cut so far that what is asked leaves room, and how many characters went."""
        room = self.max_tokens - self.answer_tokens
        over = len(self._tokens(asked, contents)[0]) - room
        if over <= 0:
            return contents, 0
        number = max((n for n, role in enumerate(roles) if role != ASSISTANT), key=lambda n: len(contents[n]))
        whole = contents[number].encode("utf-8", "replace").decode()  # half of a surrogate pair has no offset
        with as_text(self._tokenizer) as backend:
            offsets = backend.encode(whole, add_special_tokens=False).offsets
        keep = len(offsets) - over
        while keep >= LEAST_KEPT:
            shorter, left_out = _without_middle(whole, offsets, keep)
            fitted = [*contents[:number], shorter, *contents[number + 1 :]]
            over = len(self._tokens(asked, fitted)[0]) - room
            if over <= 0:
                return fitted, left_out
            keep -= over
        raise InputError(
            f"{self.max_tokens} tokens hold no question beside the chat's frame and {self.answer_tokens} of an answer",
            fix="raise max_tokens",
        )

    def _unfit(self, what: str) -> InputError:
        return InputError(
            f"the chat template {what}", where=self._tokenizer.name_or_path or None, fix="choose another base"
        )


def _without_middle(text: str, offsets: list[tuple[int, int]], keep: int) -> tuple[str, int]:
    """The text with about `keep` of its tokens, half from either end, and how many characters were left out.

    The cut is at lines where that leaves at least half of what could stay.
    """
    first, last = offsets[keep // 2 - 1][1], offsets[len(offsets) - (keep - keep // 2)][0]
    line = text.rfind("\n", 0, first) + 1
    first = line if line > first // 2 else first
    line = text.find("\n", last)
    last = line if 0 <= line < (last + len(text)) // 2 else last
    gone = text[first:last]
    note = f"[... {gone.count(chr(10))} lines, {len(gone)} characters left out ...]"
    return f"{text[:first]}{note}{text[last:]}", len(gone)


def _mark(number: int) -> str:
    return f"\ue000{number}\ue001"


def _any_of(tokens: set[str] | dict[str, int]) -> str:
    """A pattern of any of the tokens, the longest first."""
    return "|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True))
