"""Fill in the middle: a text with a hole, the hole's content last.

Bavarian et al., Efficient training of language models to fill in the middle, 2022 (arXiv:2207.14255): cut at
characters, not at tokens (section 4.4), and in the joint order of prefix-suffix-middle and its variant
suffix-prefix-middle, in which the prefix stands next to the middle (section 3.1 and appendix D).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from codefit.models.language_model import FimTokens

MARKS = 3  # tokens that a hole adds to a text

Encode = Callable[[Sequence[str]], list[list[int]]]


def with_hole(text: str, marks: FimTokens, encode: Encode, draw: np.random.Generator, *, spm_rate: float) -> list[int]:
    """Token ids of `text` with a hole between two characters drawn evenly; a share of `spm_rate` suffix first."""
    first, second = sorted(draw.integers(0, len(text) + 1, size=2).tolist())
    prefix, middle, suffix = encode([text[:first], text[first:second], text[second:]])
    if draw.random() < spm_rate:
        return [marks.prefix, marks.suffix, *suffix, marks.middle, *prefix, *middle]
    return [marks.prefix, *prefix, marks.suffix, *suffix, marks.middle, *middle]
