"""An index in memory: a vector for each function, and BM25 over their words and docs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from codefit.files import hash_bytes
from codefit.models.lexical import WeightedBM25
from codefit.search.functions import Function

FloatArray = npt.NDArray[np.float32]

SHOW_PROGRESS_FROM = 500  # functions: fewer take no second with any model


class SearchModel(Protocol):
    """What a search asks of a model; `codefit.models.embedder.LoadedEmbedder` is one."""

    @property
    def model_weight(self) -> float: ...

    def encode_queries(self, queries: Sequence[str], label: str | None = None) -> FloatArray: ...

    def encode_codes(self, codes: Sequence[str], label: str | None = None) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class Index:
    """Functions, their unit vectors (n, d) in the same order, and the words they are found by."""

    functions: Sequence[Function]
    vectors: FloatArray
    lexical: WeightedBM25


def build_index(functions: Sequence[Function], model: SearchModel) -> Index:
    """Embed and index functions; code that stands in several places is embedded once."""
    return Index(functions, embed_codes([each.code for each in functions], model), lexical_index(functions))


def embed_codes(codes: Sequence[str], model: SearchModel) -> FloatArray:
    """A unit vector for each code, (n, d), by way of the distinct ones, keyed by the hash of their content."""
    rows: dict[str, int] = {}
    distinct: list[str] = []
    places = np.empty(len(codes), dtype=np.intp)
    for place, code in enumerate(codes):
        key = hash_bytes(code.encode("utf-8", "surrogatepass"))
        if key not in rows:
            rows[key] = len(distinct)
            distinct.append(code)
        places[place] = rows[key]
    vectors = model.encode_codes(distinct, "embed" if len(distinct) >= SHOW_PROGRESS_FROM else None)
    return vectors[places]


def lexical_index(functions: Sequence[Function]) -> WeightedBM25:
    """BM25 over code and doc. The code goes first: its first words, the signature, weigh more."""
    return WeightedBM25([f"{each.code}\n{each.doc}" for each in functions])
