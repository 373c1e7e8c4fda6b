"""What plans of every system share: the sample that they are scaled up from, and what a process holds at least."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

from codefit.corpus.hashing import seeded_hash

# An interpreter with torch, tokenizers and scipy loaded.
BASE_BYTES = 600_000_000

T = TypeVar("T")


class LowestHashes(Generic[T]):
    """A fixed random sample of a stream, without holding the stream: the `most` items whose names hash lowest."""

    def __init__(self, most: int, seed: int) -> None:
        self._most = most
        self._seed = seed
        self._lowest: list[tuple[float, int, T]] = []
        self.seen = 0

    def add(self, name: str, item: T) -> None:
        """The stream's next item; items of one name hash alike."""
        self.seen += 1
        entry = (-seeded_hash(self._seed, name), self.seen, item)
        if len(self._lowest) < self._most:
            heapq.heappush(self._lowest, entry)
        else:
            heapq.heappushpop(self._lowest, entry)

    def items(self) -> list[T]:
        """The sample, in no particular order."""
        return [item for _, _, item in self._lowest]
