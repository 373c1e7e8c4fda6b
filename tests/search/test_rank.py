"""Search over an index: the model, BM25 and the docs are each heard, and equal scores keep their order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.errors import InputError
from codefit.models.embedder import load_embedder
from codefit.models.fusion import fuse
from codefit.search.functions import Function
from codefit.search.index import build_index, embed_codes
from codefit.search.rank import search, top_rows


def function(name: str, body: str, doc: str = "", path: str = "a.py") -> Function:
    code = f"def {name}():\n    {body}"
    return Function(path, name, "function", "python", 1, 2, code, doc, tuple(code.split("\n")))


FUNCTIONS = [
    function("open_socket", "return socket.create_connection(address)"),
    function("merge_sorted", "return heapq.merge(left, right)"),
    function("zap", "return x", doc="Remove every duplicate row."),
    function("merge_sorted", "return heapq.merge(left, right)", path="b.py"),
]


class CountingModel:
    """Encodes with the model it is given, and remembers what."""

    def __init__(self, folder: Path) -> None:
        self.inner = load_embedder(folder)
        self.model_weight = 0.5
        self.encoded: list[str] = []

    def encode_queries(self, queries: Sequence[str], label: str | None = None) -> np.ndarray:
        return self.inner.encode_queries(queries)

    def encode_codes(self, codes: Sequence[str], label: str | None = None) -> np.ndarray:
        self.encoded += codes
        return self.inner.encode_codes(codes)


def test_the_name_is_found_and_scores_are_explained(static_export: Path) -> None:
    model = load_embedder(static_export)
    index = build_index(FUNCTIONS, model)
    results = search(index, model, "open a socket", 4)
    assert results[0].function.name == "open_socket"
    scores = [each.score for each in results]
    assert scores == sorted(scores, reverse=True)
    by_model = index.vectors @ model.encode_queries(["open a socket"])[0]
    by_words = index.lexical.scores("open a socket")
    expected = fuse(by_model, by_words, model.model_weight)
    for each in results:
        row = FUNCTIONS.index(each.function)
        assert each.score == pytest.approx(expected[row])
        assert each.signals == {"model": pytest.approx(by_model[row]), "bm25": pytest.approx(by_words[row])}


def test_docs_are_read_by_the_lexical_side(static_export: Path) -> None:
    model = load_embedder(static_export)
    index = build_index(FUNCTIONS, model)
    (best,) = search(index, model, "a duplicate row", 1, model_weight=0)
    assert best.function.name == "zap"
    assert best.signals["bm25"] > 0


def test_the_weight_decides_who_is_heard(static_export: Path) -> None:
    model = load_embedder(static_export)
    index = build_index(FUNCTIONS, model)
    vectors = index.vectors @ model.encode_queries(["duplicate rows merge"])[0]
    (by_model,) = search(index, model, "duplicate rows merge", 1, model_weight=1)
    assert by_model.function == FUNCTIONS[int(vectors.argmax())]


def test_equal_code_is_embedded_once_and_found_twice(static_export: Path) -> None:
    model = CountingModel(static_export)
    index = build_index(FUNCTIONS, model)
    assert len(model.encoded) == 3
    np.testing.assert_array_equal(index.vectors[1], index.vectors[3])
    best = search(index, model, "merge sorted", 2)
    assert [each.function.path for each in best] == ["a.py", "b.py"]
    assert best[0].score == pytest.approx(best[1].score)


def test_vectors_stand_where_their_codes_do(static_export: Path) -> None:
    model = load_embedder(static_export)
    codes = ["def a(): pass", "class B: pass", "def a(): pass", "x = 1"]
    np.testing.assert_allclose(embed_codes(codes, model), model.encode_codes(codes), atol=1e-6)


def test_no_functions_give_no_results(static_export: Path) -> None:
    model = load_embedder(static_export)
    assert search(build_index([], model), model, "anything") == []


@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_question_is_refused(query: str, static_export: Path) -> None:
    model = load_embedder(static_export)
    with pytest.raises(InputError, match="question is empty"):
        search(build_index(FUNCTIONS, model), model, query)


@pytest.mark.parametrize("query", ["qqqq zzzz", "???", "\ud800", "名前"])
def test_any_question_gets_an_answer(query: str, static_export: Path) -> None:
    model = load_embedder(static_export)
    results = search(build_index(FUNCTIONS, model), model, query, 10)
    assert len(results) == 4
    assert np.isfinite([each.score for each in results]).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(1, 70))
def test_top_rows_are_those_of_a_stable_sort(values: list[int], k: int) -> None:
    scores = np.array(values, dtype=np.float32)
    expected = sorted(range(len(values)), key=lambda row: (-values[row], row))[:k]
    assert top_rows(scores, k).tolist() == expected
