"""Token ids of any text by way of its pieces: each piece is merged once and then remembered.

A byte-level BPE cuts a text into pieces and merges within each, so a text's ids are those of its pieces in order; and
the same few thousand pieces make nearly all of a corpus. The tokenizer's own search for pieces takes most of its time:
text in ASCII, which nearly all code is, is cut by Python's `re` with the same pattern instead. Everything else, and a
tokenizer that is not one of codefit's, goes to the tokenizer itself. `tests/models/test_piece_tokens.py` holds both
against it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codefit.models.remembered_ids import CountedIds, Ids, RememberedIds, count_ids
from codefit.models.tokenizer import encode_ids, identifier_pre_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# `codefit.models.tokenizer.IDENTIFIER_PATTERN`, as far as ASCII has letters.
_ASCII_PIECES = re.compile(
    r"[ _]?[A-Z]+(?![a-z])"
    r"|[ _]?[A-Z]?[a-z]+"
    r"|[ _]?[0-9]{1,3}"
    r"|\s*[\r\n]\s*"
    r"| ?[^\sA-Za-z0-9]+?(?=_[A-Za-z0-9]|[\sA-Za-z0-9]|\Z)"
    r"|\s+(?=\s)|\s",
    re.ASCII,
)


class PieceTokens:
    """Encodes as `tokenizer.encode` does without special tokens, faster where the tokenizer is one of codefit's."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._known = RememberedIds(self._encode_pieces)
        self.fits = has_identifier_pieces(tokenizer)
        # A text that holds one of these is cut around it first.
        self._added = [token.content for token in tokenizer.get_added_tokens_decoder().values()]

    def ids(self, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
        """Ids of each text, at most `max_tokens` of each."""
        pieces = [self._pieces(text) for text in texts]
        known = self._known.of({piece for own in pieces if own is not None for piece in own})
        whole = iter(
            encode_ids(self._tokenizer, [text for text, own in zip(texts, pieces, strict=True) if own is None])
        )
        return [
            (next(whole) if own is None else [i for piece in own for i in known[piece]])[:max_tokens] for own in pieces
        ]

    def counted(self, texts: Sequence[str], max_tokens: int) -> list[CountedIds]:
        """As `ids`, each piece's ids once with how often they stand there: for a model that adds up vectors."""
        pieces = [self._pieces(text) for text in texts]
        counts = [Counter(own) if own is not None else Counter() for own in pieces]
        known = self._known.of({piece for own in counts for piece in own})
        found: list[CountedIds] = []
        for text, own, count in zip(texts, pieces, counts, strict=True):
            ids, times = count_ids(count, known)
            if own is None or sum(times) > max_tokens:
                ids = self.ids([text], max_tokens)[0]
                times = [1] * len(ids)
            found.append((ids, times))
        return found

    def _pieces(self, text: str) -> list[str] | None:
        """The pieces of a text, None where it takes the tokenizer itself to tell."""
        if not self.fits or not text.isascii() or any(added in text for added in self._added):
            return None
        return _ASCII_PIECES.findall(text)

    def _encode_pieces(self, pieces: list[str]) -> list[Ids]:
        model = self._tokenizer.model
        return [tuple(token.id for token in model.tokenize(_as_bytes(piece))) for piece in pieces]


def has_identifier_pieces(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer is a BPE over the pieces of `codefit.models.tokenizer`, with nothing before or between."""
    from tokenizers import Tokenizer, models

    alike = Tokenizer(models.BPE())
    alike.pre_tokenizer = identifier_pre_tokenizer()
    parts = json.loads(tokenizer.to_str())
    return (
        parts["normalizer"] is None
        and parts["pre_tokenizer"] == json.loads(alike.to_str())["pre_tokenizer"]
        and parts["model"]["type"] == "BPE"
        and not parts["model"].get("dropout")
        and not parts["model"].get("ignore_merges")
        and parts["post_processor"] is None
    )


def _byte_characters() -> dict[int, str]:
    """The character that stands for each byte of ASCII (Radford et al. 2019: those that print are their own)."""
    printed = {byte: chr(byte) for byte in range(ord("!"), ord("~") + 1)}
    others = [byte for byte in range(128) if byte not in printed]
    return printed | {byte: chr(256 + place) for place, byte in enumerate(others)}


_CHARACTER_OF = _byte_characters()


def _as_bytes(piece: str) -> str:
    return piece.translate(_CHARACTER_OF)
