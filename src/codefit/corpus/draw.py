"""As many files as make so many bytes, evenly over languages, always the same ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from codefit.corpus.balance import temperature_counts
from codefit.corpus.examine import place_of
from codefit.corpus.hashing import seeded_hash
from codefit.corpus.manifest import UNKNOWN
from codefit.corpus.richness import bytes_of
from codefit.records import Document


def draw_bytes(documents: Sequence[Document], total: int, seed: int) -> list[int]:
    """Indices, ascending, of documents of at most `total` bytes: of each language those whose names hash lowest.

    Every language gets the same number of bytes; what one does not have goes to the others. The first in the order of
    the hashes that fit together are taken, so that a file added displaces few.
    """
    sizes = [bytes_of(document.text) for document in documents]
    languages = [document.language or UNKNOWN for document in documents]
    held: Counter[str] = Counter()
    for language, size in zip(languages, sizes, strict=True):
        held[language] += size
    left = temperature_counts(dict(sorted(held.items())), math.inf, total)
    chosen = []
    full: set[str] = set()
    for row in sorted(range(len(documents)), key=lambda row: (seeded_hash(seed, place_of(documents[row])), row)):
        language = languages[row]
        if language in full:
            continue
        if sizes[row] <= left[language]:
            left[language] -= sizes[row]
            chosen.append(row)
        else:
            full.add(language)
    return sorted(chosen)
