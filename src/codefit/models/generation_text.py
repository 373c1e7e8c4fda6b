"""Text out of tokens, as it comes: whole characters only, and never a part of a stop string."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

CUT_CHARACTER = "\ufffd"  # how decoders show bytes that are no character, or not one yet
# Tokens of the prompt that are decoded with the first new ones: some decoders drop a blank before a text's first word.
CONTEXT_TOKENS = 5


class TokenText:
    """The text of tokens that come one by one; a character whose bytes are not all there yet is held back.

    What was given out and what `rest()` gives is together the decoded whole, however the text is split into tokens.
    New tokens are decoded together with the last ones given out, whose own text is then cut off, since a decoder may
    write a token differently at the start of a text.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, prompt: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._ids = list(prompt[-CONTEXT_TOKENS:])
        self._given = len(self._ids)  # tokens whose text was given out

    def push(self, token: int) -> str:
        """The characters that are whole with this token, none where it ends within one."""
        self._ids.append(token)
        text = self._new_text()
        if not text or text.endswith(CUT_CHARACTER):
            return ""
        self._ids = self._ids[self._given :]
        self._given = len(self._ids)
        return text

    def rest(self) -> str:
        """What is held back, as it is decoded where nothing follows."""
        text = self._new_text()
        self._ids = self._ids[self._given :]
        self._given = len(self._ids)
        return text

    def _new_text(self) -> str:
        return self._decode(self._ids)[len(self._decode(self._ids[: self._given])) :]

    def _decode(self, ids: list[int]) -> str:
        # Without the tidying of blanks before punctuation that some tokenizers ask for: code is kept as it is.
        text: str = self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text


class StopText:
    """Text up to the first stop string; what could still become one is held back.

    The first is the one that ends first, so that it does not matter in what pieces the text comes.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.stopped = False

    def push(self, text: str) -> str:
        """What can be given out now. Nothing more is taken once `stopped`."""
        if self.stopped:
            return ""
        text = self._held + text
        ends = [(start + len(stop), start) for stop in self._stops if (start := text.find(stop)) >= 0]
        if ends:
            self.stopped, self._held = True, ""
            return text[: min(ends)[1]]
        keep = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What is held back: it became no stop string."""
        text, self._held = self._held, ""
        return text


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of a text that begins a stop string without being one."""
    longest = min(len(text), len(stop) - 1)
    return next((length for length in range(longest, 0, -1) if text.endswith(stop[:length])), 0)
