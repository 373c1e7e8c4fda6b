"""Batches of items of like length, drawn anew each time through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError

POOL = 50  # batches that are cut from one draw: within it items of like length stand together


def length_batches(
    lengths: Sequence[int], batch_size: int, *, seed: int, first_step: int
) -> Iterator[npt.NDArray[np.int64]]:
    """The numbers of each batch's items, without end; the same from `first_step` on as in one go.

    A batch is all items where there are fewer than `batch_size`. `InputError` where there is none.
    """
    sizes = np.array(lengths)
    if not len(sizes):
        raise InputError("there is nothing to learn from")
    batch_size = min(batch_size, len(sizes))
    a_round = len(sizes) // batch_size
    number, at = divmod(first_step, a_round)
    while True:
        rng = np.random.default_rng([seed, number])
        order = rng.permutation(len(sizes))[: a_round * batch_size]
        groups: list[npt.NDArray[np.int64]] = []
        for start in range(0, len(order), POOL * batch_size):
            pool = order[start : start + POOL * batch_size]
            parts = pool[np.argsort(sizes[pool], kind="stable")].reshape(-1, batch_size)
            groups.extend(parts[rng.permutation(len(parts))])
        yield from groups[at:]
        number, at = number + 1, 0
