"""Code as windows of tokens: what the encoder that scores functions reads, in torch and in onnxruntime alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from codefit.models.length_chunks import CPU_CHUNK_COST, length_chunks
from codefit.models.tokenizer import encode_ids

if TYPE_CHECKING:
    from tokenizers import Tokenizer

IntArray = npt.NDArray[np.integer]
Tokens = npt.NDArray[np.int32]  # (tokens, 2): the id of each, and how deep in brackets it stands

MOST_TOKENS = 65_536  # of a text; a function that long has the highest score there is
CHUNK_TOKENS = 4_096  # of windows that go through the network together, padding counted
DEEPEST = 31
_OPENS, _CLOSES = "([{", ")]}"


class CodeTokens:
    """Codes to tokens with their depth."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        size = tokenizer.get_vocab_size()
        pieces = [tokenizer.id_to_token(number) or "" for number in range(size)]
        self._change = np.array(
            [sum(map(piece.count, _OPENS)) - sum(map(piece.count, _CLOSES)) for piece in pieces], dtype=np.int64
        )

    def __call__(self, codes: Sequence[str]) -> list[Tokens]:
        """The tokens of each code."""
        return [self._with_depth(ids[:MOST_TOKENS]) for ids in encode_ids(self.tokenizer, codes)]

    def _with_depth(self, ids: list[int]) -> Tokens:
        own = np.array(ids, dtype=np.int64)
        change = self._change[own]
        before = np.cumsum(change) - change
        return np.stack([own, before.clip(0, DEEPEST)], axis=1).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Windows of like length: `text` (windows,) says whose each is, `start` where it begins there.

    `tokens` and `depths` (windows, length) are filled up with the token that is none.
    """

    text: IntArray
    start: IntArray
    tokens: npt.NDArray[np.int64]
    depths: npt.NDArray[np.int64]


def chunks_of(texts: Sequence[Tokens], window: int, pad: int, most: int = CHUNK_TOKENS) -> list[Chunk]:
    """All windows of the texts, in chunks of at most `most` tokens; a text without tokens is in none."""
    places = [
        (number, start, min(window, len(text) - start))
        for number, text in enumerate(texts)
        for start in range(0, len(text), window)
    ]
    if not places:
        return []
    table = np.array(places)
    chunks = []
    for rows in length_chunks(table[:, 2], max(most, window), CPU_CHUNK_COST):
        own = table[rows]
        tokens = np.full((len(rows), int(own[:, 2].max())), pad, dtype=np.int64)
        depths = np.zeros_like(tokens)
        for row, (number, start, length) in enumerate(own.tolist()):
            part = texts[number][start : start + length]
            tokens[row, :length], depths[row, :length] = part[:, 0], part[:, 1]
        chunks.append(Chunk(own[:, 0], own[:, 1], tokens, depths))
    return chunks
