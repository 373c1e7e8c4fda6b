"""BM25 over code: the lexical baseline of every evaluation, and half of every hybrid search."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# camelCase, PascalCase, HTTPServer and snake_case fall apart into their words; digits and other scripts stand alone.
_UPPER, _LOWER = "A-ZÀ-ÖØ-Þ", "a-zß-öø-ÿ"
_WORD = re.compile(f"[{_UPPER}]+(?![{_LOWER}])|[{_UPPER}]?[{_LOWER}]+|[0-9]+|[^\\W\\d_{_UPPER}{_LOWER}]+")

K1 = 1.5  # the middle of the range that Robertson and Zaragoza (2009, section 3.4) give for k1
B = 0.75
SIGNATURE_WORDS = 8  # a function's modifiers, type, name and first parameters
SIGNATURE_BONUS = 3  # further times that each of them counts; 1 to 8 tried on repositories kept for tuning
_MIN_STEM = 3  # `is` and `used` keep their endings' letters: what were left would say nothing

WordsOf = Callable[[str], list[str]]


def code_words(text: str) -> list[str]:
    """The words of a text in lower case, identifiers split."""
    # One call of lower() for all words is several times as fast as one for each.
    return "\n".join(_WORD.findall(text)).lower().split()


class BM25:
    """BM25 in Lucene's form (Robertson and Zaragoza, 2009; IDF of Lucene 8) over a fixed list of texts."""

    def __init__(
        self, texts: Sequence[str], words_of: WordsOf = code_words, query_words_of: WordsOf = code_words
    ) -> None:
        import bm25s

        self.size = len(texts)
        self._query_words_of = query_words_of
        words = [words_of(text) for text in texts]
        self._index: Any = None
        if any(words):
            self._index = bm25s.BM25(method="lucene", k1=K1, b=B, backend="numpy")
            self._index.index(words, show_progress=False)

    def scores(self, query: str) -> npt.NDArray[np.float32]:
        """Scores of every text for one query, shape (n,); zero where no word is shared."""
        words = [] if self._index is None else self._query_words_of(query)
        known = [word for word in words if word in self._index.vocab_dict]
        if not known:
            return np.zeros(self.size, dtype=np.float32)
        return np.asarray(self._index.get_scores(known), dtype=np.float32)

    def score_matrix(self, queries: Sequence[str]) -> npt.NDArray[np.float32]:
        """Scores of every text for every query, shape (queries, n)."""
        return np.stack([self.scores(query) for query in queries])


class WeightedBM25(BM25):
    """BM25 for the hybrid: endings cut, the signature counted again, as fields are weighed in BM25F (ibid., 3.6)."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(texts, words_of=_weighted_stems, query_words_of=stems)


def stems(text: str) -> list[str]:
    """The words of a text without their commonest English endings, so that `returns` finds `return`."""
    return [_stem(word) for word in code_words(text)]


def _weighted_stems(code: str) -> list[str]:
    words = stems(code)
    return words + words[:SIGNATURE_WORDS] * SIGNATURE_BONUS


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            return word[: -len(ending)]
    return word
