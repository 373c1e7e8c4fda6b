"""Rank the functions of an index for a question: the model's scores and BM25's, fused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.models.fusion import fuse
from codefit.search.functions import Function
from codefit.search.index import Index, SearchModel
from codefit.search.snippets import Snippet, snippet_of

FloatArray = npt.NDArray[np.float32]

DEFAULT_RESULTS = 10


@dataclass(frozen=True, slots=True)
class Result:
    """A function that was found.

    `score` is the fused one, in deviations above the mean of what was searched. `signals` are what it is made of:
    `model` the cosine, `bm25` the BM25 score.
    """

    function: Function
    score: float
    signals: dict[str, float]
    snippet: Snippet

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON has it."""
        found = self.function
        return {
            "path": found.path,
            "start_line": found.start_line,
            "end_line": found.end_line,
            "name": found.name,
            "kind": found.kind,
            "language": found.language,
            "score": self.score,
            "signals": self.signals,
            "snippet": self.snippet.text,
            "snippet_lines": list(self.snippet.numbers),
        }


def search(
    index: Index, model: SearchModel, query: str, k: int = DEFAULT_RESULTS, *, model_weight: float | None = None
) -> list[Result]:
    """The best `k` functions, best first; of the same score, in the order of the files.

    `model_weight` is the model's share of the score, None the one saved with it. Raises `InputError` for an empty
    question.
    """
    if not query.strip():
        raise InputError("the question is empty", fix="say what the code does, such as: open a file and count lines")
    if not index.functions:
        return []
    by_model = index.vectors @ model.encode_queries([query])[0]
    by_words = index.lexical.scores(query)
    fused = fuse(by_model, by_words, model.model_weight if model_weight is None else model_weight)
    return [
        Result(
            function=index.functions[row],
            score=float(fused[row]),
            signals={"model": float(by_model[row]), "bm25": float(by_words[row])},
            snippet=snippet_of(index.functions[row], query),
        )
        for row in top_rows(fused, k)
    ]


def top_rows(scores: FloatArray, k: int) -> npt.NDArray[np.intp]:
    """Rows of the `k` highest of `scores` (n,), best first, equal ones in order."""
    if k >= len(scores):
        return np.argsort(-scores, kind="stable")
    # All that reach the k-th highest score, so that which of equal ones is taken depends on their order alone.
    threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
    rows = np.flatnonzero(scores >= threshold)
    return rows[np.argsort(-scores[rows], kind="stable")][:k]
