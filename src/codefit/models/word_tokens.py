"""Token ids of weighted words without tokenizing every text: each word is looked up once and then remembered.

In a text of weighted words each word stands behind a blank, so the tokenizer never looks across two of them, and the
text's ids are its words' ids in order. `tests/models/test_word_tokens.py` holds that against the tokenizer itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from codefit.models.remembered_ids import CountedIds, Ids, Known, RememberedIds, count_ids
from codefit.models.words import WordWeights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TokenIds = npt.NDArray[np.int32]


class WordTokens:
    """Encodes as `tokenizer` does the texts that `words` writes, at a fraction of the time."""

    def __init__(self, tokenizer: Tokenizer, words: WordWeights) -> None:
        self._tokenizer = tokenizer
        self._words = words
        self._known = RememberedIds(self._encode_words)

    def queries(self, queries: Sequence[str], max_tokens: int) -> list[TokenIds]:
        """Ids of each question, at most `max_tokens` of each."""
        return self._encode([self._words.query_times(query) for query in queries], max_tokens)

    def codes(self, codes: Sequence[str], max_tokens: int) -> list[TokenIds]:
        """Ids of each piece of code, at most `max_tokens` of each."""
        return self._encode([self._words.code_times(code) for code in codes], max_tokens)

    def counted_queries(self, queries: Sequence[str], max_tokens: int) -> list[CountedIds]:
        """As `queries`, each word's ids once with how often they stand there: for a model that adds up vectors."""
        return self._count([self._words.query_times(query) for query in queries], max_tokens)

    def counted_codes(self, codes: Sequence[str], max_tokens: int) -> list[CountedIds]:
        """As `codes`, each word's ids once with how often they stand there."""
        return self._count([self._words.code_times(code) for code in codes], max_tokens)

    def _encode(self, texts: Sequence[Mapping[str, int]], max_tokens: int) -> list[TokenIds]:
        known = self._known.of({word for words in texts for word in words})
        return [np.array(_repeated(words, known)[:max_tokens], dtype=np.int32) for words in texts]

    def _count(self, texts: Sequence[Mapping[str, int]], max_tokens: int) -> list[CountedIds]:
        known = self._known.of({word for words in texts for word in words})
        counted: list[CountedIds] = []
        for words in texts:
            ids, counts = count_ids(words, known)
            if sum(counts) > max_tokens:
                ids = _repeated(words, known)[:max_tokens]
                counts = [1] * len(ids)
            counted.append((ids, counts))
        return counted

    def _encode_words(self, words: list[str]) -> list[Ids]:
        texts = [f" {word}" for word in words]
        return [tuple(each.ids) for each in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


def _repeated(words: Mapping[str, int], known: Known) -> list[int]:
    return [i for word, times in words.items() for i in known[word] * times]
