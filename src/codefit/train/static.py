"""Training a static table: each step touches only the rows that its batch names.

A batch of 1,024 pairs names a few thousand of the table's rows. Sums of rows are products with a sparse matrix of
counts, and Adam runs on the named rows alone (lazy Adam, as torch's SparseAdam), so that a step costs the same for any
vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.models.static import Bags, StaticTable
from codefit.train.contrastive import info_nce
from codefit.train.pair_batches import TokenizedPairs

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.integer]

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # Adam's own defaults (Kingma and Ba, 2015)


@dataclass(frozen=True, slots=True)
class StaticSettings:
    """`learning_rate` is Adam's at its peak: a table of independent rows bears one that a network would not."""

    learning_rate: float = 1e-2
    temperature: float = 0.05
    sizes: tuple[int, ...] = ()
    hard_negative_weight: float = 1.0


@dataclass(frozen=True, slots=True)
class _View:
    """The pairs as counts of table rows; explicit negatives of pair i are rows `ends[i]` to `ends[i + 1]`."""

    anchors: Bags
    positives: Bags
    negatives: Bags
    negative_ends: IntArray


class StaticLearner:
    """Trains a `StaticTable`. Of several views of the pairs (texts prepared, texts as they are) a step takes one."""

    def __init__(self, table: StaticTable, views: Sequence[TokenizedPairs], settings: StaticSettings) -> None:
        self.table = table
        self.data = views[0]
        self.settings = settings
        self._views = [_as_bags(table, view) for view in views]
        self._step = 0
        self._moments = {
            name: np.zeros_like(array)
            for name, array in (
                ("vectors.first", table.vectors),
                ("vectors.second", table.vectors),
                ("weights.first", table.weights),
                ("weights.second", table.weights),
            )
        }

    def learn(self, batch: IntArray, rate_factor: float) -> float:
        """One lazy Adam step; the loss before it."""
        import torch

        counts, pairs = self._counts(batch)
        # Columns that the batch does not name are left out: the rest is a few thousand rows of the table.
        named, columns = np.unique(counts.indices, return_inverse=True)
        counts.indices = columns.astype(np.int32)
        counts.resize(counts.shape[0], len(named))
        vectors, weights = self.table.vectors[named], self.table.weights[named]

        summed = torch.from_numpy(counts @ (weights * vectors)).requires_grad_()
        loss = info_nce(
            summed[:pairs],
            summed[pairs : 2 * pairs],
            negatives=summed[2 * pairs :] if len(summed) > 2 * pairs else None,
            temperature=self.settings.temperature,
            sizes=self.settings.sizes,
            hard_negative_weight=self.settings.hard_negative_weight,
        )
        loss.backward()  # type: ignore[no-untyped-call]
        assert summed.grad is not None
        product_gradient = counts.T @ summed.grad.numpy()

        self._step += 1
        rate = self.settings.learning_rate * rate_factor
        self._adam("vectors", named, weights * product_gradient, rate)
        self._adam("weights", named, (vectors * product_gradient).sum(axis=1, keepdims=True), rate)
        return float(loss.item())

    def state(self) -> Mapping[str, npt.NDArray[Any]]:
        """Vectors, weights and Adam's moments."""
        return {"vectors": self.table.vectors, "weights": self.table.weights, **self._moments}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], step: int) -> None:
        """Take over what `state` gave."""
        self.table.vectors = arrays["vectors"].copy()
        self.table.weights = arrays["weights"].copy()
        self._moments = {name: arrays[name].copy() for name in self._moments}
        self._step = step

    def save_model(self, folder: Path) -> None:
        """Write the table into an existing folder, as sentence-transformers has it."""
        self.table.save(folder)

    def _counts(self, batch: IntArray) -> tuple[Bags, int]:
        from scipy.sparse import vstack

        view = self._views[self._step % len(self._views)]
        parts = [view.anchors[batch], view.positives[batch]]
        own = [np.arange(view.negative_ends[i], view.negative_ends[i + 1]) for i in batch]
        if sum(map(len, own)):
            parts.append(view.negatives[np.concatenate(own)])
        return vstack(parts, format="csr"), len(batch)

    def _adam(self, name: str, rows: IntArray, gradient: FloatArray, rate: float) -> None:
        """Lazy Adam on `rows`, in place on copies of them: the arithmetic is as fast as memory."""
        import torch

        values = torch.from_numpy(getattr(self.table, name))
        first, second = (torch.from_numpy(self._moments[f"{name}.{moment}"]) for moment in ("first", "second"))
        at, slope = torch.from_numpy(rows).long(), torch.from_numpy(gradient)
        mean = first[at].lerp_(slope, 1 - BETA1)
        square = second[at].mul_(BETA2).addcmul_(slope, slope, value=1 - BETA2)
        first[at], second[at] = mean, square
        spread = square.div_(1 - BETA2**self._step).sqrt_().add_(EPSILON)
        values[at] = values[at].addcdiv_(mean, spread, value=-rate / (1 - BETA1**self._step))


def _as_bags(table: StaticTable, data: TokenizedPairs) -> _View:
    negatives = [ids for own in data.negatives for ids in own]
    return _View(
        anchors=table.bags(data.anchors),
        positives=table.bags(data.positives),
        negatives=table.bags(negatives),
        negative_ends=np.concatenate([[0], np.cumsum([len(own) for own in data.negatives])]),
    )
