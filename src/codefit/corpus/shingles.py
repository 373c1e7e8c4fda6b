"""Texts as sets of hashed shingles: what near-duplicate search and its exact check compare.

A token is a word (identifier, keyword, number, a word inside a string) or a single other character, so layout does
not count but operators do. A shingle is `SHINGLE_TOKENS` tokens in a row, where the text's border stands for the tokens
before its first and after its last: every token is in equally many shingles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

UInt64Array = npt.NDArray[np.uint64]

TOKEN = re.compile(r"\w+|[^\w\s]")

# A token that changes takes three shingles with it, and a text of n tokens has n + 2: (n - 1) / (n + 5) >= 0.8 needs
# n >= 25. So a function of five lines with one name changed is a near duplicate, while the three-line functions that
# make up a fifth of mined code (`return self.width`, `return self.height`) stay apart unless they are the same but for
# layout. Sets of single words (Allamanis 2019, arXiv:1812.06469) merge overloads and delegating functions; shingles of
# five tokens (Lee et al. 2022, arXiv:2107.06499) need 41 tokens for the same, and miss the copies of short functions.
SHINGLE_TOKENS = 3

# The table of token hashes is emptied at this size, about 200 MB, so that memory stays bounded for any corpus.
MAX_TABLE = 1 << 20

# 2^64 / golden ratio, odd, so that no bit of a token is lost (Fibonacci hashing: Knuth, TAOCP 3, section 6.4).
_MULTIPLIER = 0x9E3779B97F4A7C15


class TokenHashes(dict[str, int]):
    """Token to 64-bit hash. Python's own `hash` differs from process to process; results must not."""

    def __missing__(self, token: str) -> int:
        # Text decoded with errors="surrogateescape" may hold lone surrogates.
        digest = blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        value = self[token] = int.from_bytes(digest, "little")
        return value

    def of(self, tokens: Sequence[str]) -> UInt64Array:
        """(n,) the tokens' hashes."""
        if len(self) > MAX_TABLE:
            self.clear()
        return np.fromiter(map(self.__getitem__, tokens), np.uint64, len(tokens))


def powers(count: int) -> UInt64Array:
    """(count,) the powers of the multiplier modulo 2^64, highest first: weights by which the order of values counts."""
    return np.multiply.accumulate(np.full(count, _MULTIPLIER, np.uint64))[::-1]


def runs(hashes: UInt64Array, width: int) -> UInt64Array:
    """(n - width + 1,) a hash of each `width` values in a row: the polynomial of Karp and Rabin 1987; n >= width."""
    return np.convolve(hashes, powers(width), mode="valid")


def shingle_sets(texts: Iterable[str], width: int = SHINGLE_TOKENS) -> Iterator[UInt64Array]:
    """Each text's distinct shingle hashes, sorted; the same in every process.

    A text of n tokens has at most n + `width` - 1 shingles, a text without tokens none.
    """
    table = TokenHashes()
    for text in texts:
        tokens = TOKEN.findall(text)
        if tokens:
            border = width - 1
            padded = np.zeros(len(tokens) + 2 * border, np.uint64)
            padded[border : border + len(tokens)] = table.of(tokens)
            shingles = runs(padded, width)
            shingles.sort()
            first = np.ones(len(shingles), np.bool_)
            np.not_equal(shingles[1:], shingles[:-1], out=first[1:])
            yield shingles[first]  # a fifth of what np.unique takes
        else:
            yield np.zeros(0, np.uint64)


def jaccard(first: UInt64Array, second: UInt64Array) -> float:
    """Size of the intersection over size of the union of two sorted sets; two empty sets are alike (1.0)."""
    both = np.concatenate((first, second))
    both.sort()
    shared = int(np.count_nonzero(both[1:] == both[:-1]))  # four times as fast as np.intersect1d on sets of this size
    union = first.size + second.size - shared
    return shared / union if union else 1.0
