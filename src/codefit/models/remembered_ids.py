"""Token ids of the parts that texts are made of, each part encoded once and then remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

Ids = tuple[int, ...]
CountedIds = tuple[list[int], list[int]]  # ids, and how often each stands in its text
Known = Mapping[str, Ids]

MAX_REMEMBERED = 500_000  # parts; a million functions have fewer, and random strings must not fill the memory


class RememberedIds:
    """The ids of parts (words, pieces); `encode` gives those of new ones, in their order."""

    def __init__(self, encode: Callable[[list[str]], Iterable[Ids]]) -> None:
        self._encode = encode
        self._ids: dict[str, Ids] = {}

    def of(self, parts: set[str]) -> Known:
        """A mapping that has the ids of all `parts`. Another thread may put a new one in its place meanwhile."""
        known = self._ids
        new = sorted(parts.difference(known))
        if len(known) + len(new) > MAX_REMEMBERED:
            self._ids = known = {}
            new = sorted(parts)
        known.update(zip(new, self._encode(new), strict=True))
        return known


def count_ids(times: Mapping[str, int], known: Known) -> CountedIds:
    """Each part's ids once, with how often the part stands in the text: for a model that adds up vectors."""
    ids: list[int] = []
    counts: list[int] = []
    for part, number in times.items():
        own = known[part]
        ids += own
        counts += [number] * len(own)
    return ids, counts
