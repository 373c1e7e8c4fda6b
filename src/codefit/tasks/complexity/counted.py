"""Where in a function's code the figures of its label lie: how many branches, tokens and lines at each place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from codefit.tasks.complexity.label import BY_LIZARD, METHOD_PREFIX, is_method
from codefit.tasks.complexity.lizard_reader import lizard_functions

FIGURES = 3  # branches, tokens, lines


def counted_at(code: str, language: str, starts: Sequence[int]) -> npt.NDArray[np.float32] | None:
    """The figures at each of the pieces that begin at `starts` (n,), the first at 0, as (n, `FIGURES`).

    Each place counts for the last piece that begins before or at it. None where the label is not made of places, as
    that of languages that lizard is not asked about.
    """
    if language not in BY_LIZARD:
        return None
    before = len(METHOD_PREFIX) if is_method(code) else 0
    found = lizard_functions(METHOD_PREFIX + code if before else code)
    figures = np.zeros((len(starts), FIGURES), dtype=np.float32)
    if found and len(starts):
        places = np.array([place.start - before for place in found[0].places])
        piece = (np.searchsorted(np.array(starts), places, side="right") - 1).clip(0)
        np.add.at(figures, piece, np.array([place[1:] for place in found[0].places], dtype=np.float32))
    return figures


def counted_of(question: tuple[str, str, Sequence[int]]) -> npt.NDArray[np.float32] | None:
    """`counted_at` of a code, its language, and where its pieces begin, as one argument."""
    return counted_at(*question)
