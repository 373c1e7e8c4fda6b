"""Code as windows of tokens: what the encoder that scores functions reads, in torch and in onnxruntime alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from codefit.models.length_chunks import CPU_CHUNK_COST, length_chunks
from codefit.models.tokenizer import encode_places
from codefit.source.nesting import nesting

if TYPE_CHECKING:
    from tokenizers import Tokenizer

IntArray = npt.NDArray[np.integer]
# (tokens, 4): the id of each; its depth in brackets, its depth in functions, functions that ended before it.
Tokens = npt.NDArray[np.int32]

MOST_TOKENS = 65_536  # of a text; a function that long has the highest score there is
CHUNK_TOKENS = 4_096  # of windows that go through the network together, padding counted
NESTING = (32, 8, 8)  # how many values each of the three figures of nesting has; what is more is taken for the last


@dataclass(frozen=True, slots=True)
class CodeTokens:
    """Codes to tokens and where they are nested."""

    tokenizer: Tokenizer

    def __call__(self, codes: Sequence[str]) -> list[Tokens]:
        """The tokens of each code."""
        return [tokens for tokens, _ in self.with_starts(codes)]

    def with_starts(self, codes: Sequence[str]) -> list[tuple[Tokens, list[int]]]:
        """The tokens of each code, and the character at which each of them begins."""
        encoded = encode_places(self.tokenizer, codes)
        return [
            (_nested(code, ids[:MOST_TOKENS], starts[:MOST_TOKENS]), starts[:MOST_TOKENS])
            for code, (ids, starts) in zip(codes, encoded, strict=True)
        ]


def _nested(code: str, ids: list[int], starts: list[int]) -> Tokens:
    nested = nesting(code).at(starts).clip(0, np.array(NESTING) - 1)
    return np.concatenate([np.array(ids, dtype=np.int32)[:, None], nested.astype(np.int32)], axis=1)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Windows of like length: `text` (windows,) says whose each is, `start` where it begins there.

    `tokens` (windows, length) are filled up with the token that is none, `nesting` (windows, length, 3) with noughts.
    """

    text: IntArray
    start: IntArray
    tokens: npt.NDArray[np.int64]
    nesting: npt.NDArray[np.int64]


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
        nested = np.zeros((*tokens.shape, len(NESTING)), dtype=np.int64)
        for row, (number, start, length) in enumerate(own.tolist()):
            part = texts[number][start : start + length]
            tokens[row, :length], nested[row, :length] = part[:, 0], part[:, 1:]
        chunks.append(Chunk(own[:, 0], own[:, 1], tokens, nested))
    return chunks
