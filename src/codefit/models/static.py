"""A static embedding model: a table of token vectors, each with a learned weight; a text is the mean of its tokens'.

Word order is lost, and so is most of the cost: encoding is a look-up and an addition. The tokens of one word (`Parse`,
` parse`, `PARSE`) share a row while training, and get a row each when saved, so that what is written is a plain
sentence-transformers `StaticEmbedding` with the weights multiplied in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from codefit.models.tokenizer import case_folding

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.integer]
Bags = Any  # scipy.sparse.csr_matrix (texts, rows): how often each row of the table stands in each text

_INITIAL_DEVIATION = 0.8  # of a whole vector: with unit-length targets, neither lost in rounding nor hard to turn


@dataclass(slots=True)
class StaticTable:
    """The table while it is trained. `row_of` (vocabulary,) maps a token to its row of `vectors` (rows, d) and
    `weights` (rows, 1)."""

    tokenizer: Tokenizer
    row_of: npt.NDArray[np.int32]
    vectors: FloatArray
    weights: FloatArray

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    def bags(self, token_ids: Sequence[npt.NDArray[np.int32]]) -> Bags:
        """Token ids of texts as counts of table rows, (texts, rows)."""
        from scipy.sparse import csr_matrix

        lengths = [len(ids) for ids in token_ids]
        columns = self.row_of[np.concatenate(token_ids)] if sum(lengths) else np.zeros(0, dtype=np.int32)
        ends = np.concatenate([[0], np.cumsum(lengths)])
        shape = (len(token_ids), len(self.vectors))
        bags = csr_matrix((np.ones(len(columns), dtype=np.float32), columns, ends), shape=shape)
        bags.sum_duplicates()
        return bags

    def embed(self, token_ids: Sequence[npt.NDArray[np.int32]]) -> FloatArray:
        """Unit vectors of texts, (texts, d); a text without tokens is the zero vector."""
        summed = np.asarray(self.bags(token_ids) @ (self.weights * self.vectors), dtype=np.float32)
        lengths = np.linalg.norm(summed, axis=1, keepdims=True)
        unit: FloatArray = summed / np.maximum(lengths, 1e-12)
        return unit

    def token_vectors(self) -> FloatArray:
        """A vector for every token, weights multiplied in, (vocabulary, d)."""
        return (self.weights * self.vectors)[self.row_of]

    def save(self, folder: Path) -> None:
        """Write the files of a sentence-transformers model into an existing folder."""
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

        static = StaticEmbedding(self.tokenizer, embedding_weights=torch.from_numpy(self.token_vectors()))
        model = SentenceTransformer(modules=[static, Normalize()], device="cpu")
        model.save(str(folder), create_model_card=False)


def new_table(tokenizer: Tokenizer, dimensions: int, *, seed: int) -> StaticTable:
    """A random table; weights are 1 until `weigh_by_rarity`."""
    folded = case_folding(tokenizer)
    used, row_of = np.unique(folded, return_inverse=True)
    rng = np.random.default_rng(seed)
    deviation = _INITIAL_DEVIATION / np.sqrt(dimensions)
    return StaticTable(
        tokenizer=tokenizer,
        row_of=row_of.astype(np.int32),
        vectors=(rng.standard_normal((len(used), dimensions)) * deviation).astype(np.float32),
        weights=np.ones((len(used), 1), dtype=np.float32),
    )


def weigh_by_rarity(table: StaticTable, bags: Bags) -> None:
    """Start each weight at the inverse document frequency of its row among the texts of `bags`, mean 1."""
    documents = bags.shape[0]
    frequency = np.bincount(bags.indices, minlength=len(table.vectors))
    rarity = np.log(1 + (documents - frequency + 0.5) / (frequency + 0.5))
    table.weights = (rarity / rarity.mean()).astype(np.float32)[:, None]
