"""Tokenised pairs, and the order in which training sees them.

A batch is drawn from one source (repository or package) wherever that has rows enough: then the other codes of the
batch, which serve as negatives, are the ones that a search of that repository has to tell apart. Random batches mix
languages and projects, and most of their negatives are told apart at a glance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.records import Pair

IntArray = npt.NDArray[np.integer]
TokenIds = npt.NDArray[np.int32]

NAMED_ROWS = 5  # of a batch, in an error


@dataclass(frozen=True, slots=True)
class TokenizedPairs:
    """Pairs as token ids. `group` (n,) numbers the source; `positive_key` (n,) is equal for equal positives."""

    anchors: Sequence[TokenIds]
    positives: Sequence[TokenIds]
    negatives: Sequence[Sequence[TokenIds]]
    group: IntArray
    positive_key: IntArray

    def __len__(self) -> int:
        return len(self.anchors)

    def tokens(self, rows: IntArray) -> int:
        """Tokens of these rows, anchors, positives and negatives together."""
        return sum(len(self.anchors[i]) + len(self.positives[i]) + sum(len(n) for n in self.negatives[i]) for i in rows)

    def batches(self, batch_size: int, *, seed: int, first_step: int) -> Iterator[IntArray]:
        """Row numbers of each batch, epoch after epoch without end, from `first_step` on."""
        step = 0
        epoch = 0
        while True:
            for batch in epoch_batches(self, batch_size, seed=seed, epoch=epoch):
                if step >= first_step:
                    yield batch
                step += 1
            epoch += 1

    def notes(self, rows: IntArray) -> Mapping[str, float]:
        """Nothing that the journal has not."""
        return {}

    def name(self, rows: IntArray) -> str:
        """The first row numbers of a batch."""
        listed = ", ".join(str(row) for row in rows[:NAMED_ROWS])
        return f"{len(rows)} pairs (rows {listed}{', …' if len(rows) > NAMED_ROWS else ''})"


def number_groups(pairs: Sequence[Pair]) -> IntArray:
    """A number for each distinct source, in order of first appearance, by pair (n,)."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(pair.source, len(numbers)) for pair in pairs], dtype=np.int64)


def positive_keys(pairs: Sequence[Pair]) -> IntArray:
    """64 bits of a hash of each positive without its white space (n,)."""
    digests = (hashlib.blake2b("".join(pair.positive.split()).encode(), digest_size=8).digest() for pair in pairs)
    return np.array([int.from_bytes(digest, "little", signed=True) for digest in digests], dtype=np.int64)


def epoch_batches(data: TokenizedPairs, batch_size: int, *, seed: int, epoch: int) -> Iterator[IntArray]:
    """Row numbers of each batch of one epoch; the same for the same seed and epoch.

    Each source is shuffled and cut into runs of `batch_size`; the runs are shuffled, and short ones joined. A row whose
    positive is in the batch already waits for a later one, since it would be a false negative. What does not fill a
    batch at the end of the epoch is left for the next.
    """
    different = len(np.unique(data.positive_key))
    if different < batch_size:
        raise InputError(
            f"{different} different positives do not fill a batch of {batch_size}",
            fix="lower the batch size or add pairs",
        )
    rng = np.random.default_rng([seed, epoch])
    batch: list[int] = []
    keys: set[int] = set()
    waiting: list[int] = []
    for run in _runs(data.group, batch_size, rng):
        candidates, waiting = [*waiting, *run.tolist()], []
        for row in candidates:
            key = int(data.positive_key[row])
            if key in keys:
                waiting.append(row)
                continue
            batch.append(row)
            keys.add(key)
            if len(batch) == batch_size:
                yield np.array(batch, dtype=np.int64)
                batch, keys = [], set()


def _runs(group: IntArray, length: int, rng: np.random.Generator) -> list[IntArray]:
    shuffled = rng.permutation(len(group))
    by_group = shuffled[np.argsort(group[shuffled], kind="stable")]
    borders = np.flatnonzero(np.diff(group[by_group])) + 1
    runs: list[IntArray] = []
    for rows in np.split(by_group, borders):
        runs.extend(rows[start : start + length] for start in range(0, len(rows), length))
    return [runs[i] for i in rng.permutation(len(runs))]
