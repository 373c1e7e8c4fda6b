"""Ranks and figures of retrieval, held against ranx, against brute force, and against what a system is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codefit.evaluate import retrieval
from codefit.evaluate.intervals import bootstrap
from codefit.evaluate.retrieval import (
    METRICS,
    Ranking,
    RetrievalSet,
    figures,
    fit_model_weight,
    rank,
    ranks_of_gold,
    report,
)
from codefit.models.fusion import WEIGHT_GRID, fuse
from codefit.models.lexical import BM25, WeightedBM25

POOL = [
    "def read_header(stream): return stream.read()",
    "def write_header(stream, header): stream.write(header)",
    "def close_socket(socket): socket.close()",
    "def open_file(path): return open(path)",
    "def count_lines(text): return text.count('\\n')",
]
QUERIES = ["read the header", "close it", "count lines of a text", "something else", "write a header to a stream"]
DATA = RetrievalSet(QUERIES, POOL, np.array([0, 2, 4, 3, 1]), {"language": ["python", "python", "go", "go", "go"]})


class Angles:
    """An embedder whose vectors are given: each text stands at an angle of its own."""

    def __init__(self, angles: dict[str, float]) -> None:
        self.angles = angles

    def encode_queries(self, queries: list[str]) -> np.ndarray:
        angle = np.array([self.angles[text] for text in queries], dtype=np.float32)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)

    encode_codes = encode_queries


def perfect() -> Angles:
    return Angles(
        {code: float(i) for i, code in enumerate(POOL)}
        | {query: float(gold) for query, gold in zip(QUERIES, DATA.gold, strict=True)}
    )


def blind() -> Angles:
    return Angles(dict.fromkeys([*POOL, *QUERIES], 1.0))


RANX = """
import json, sys
from ranx import Qrels, Run, evaluate
qrels, run, metrics = json.load(sys.stdin)
print(json.dumps({name: float(value) for name, value in evaluate(Qrels(qrels), Run(run), metrics).items()}))
"""


def test_the_figures_are_those_of_ranx() -> None:
    rng = np.random.default_rng(0)
    scores = rng.permuted(np.tile(np.linspace(0, 1, 40), (60, 1)), axis=1)
    gold = rng.integers(0, 40, 60)
    scores[np.arange(60), gold] += rng.random(60) / 2  # no ties: ranx breaks them by order
    qrels = {f"q{i}": {f"d{g}": 1} for i, g in enumerate(gold)}
    run = {f"q{i}": {f"d{j}": float(s) for j, s in enumerate(row)} for i, row in enumerate(scores)}
    # In plain Python: compiled, as numba would have it, the same takes a minute.
    done = subprocess.run(
        [sys.executable, "-c", RANX],
        input=json.dumps([qrels, run, list(METRICS)]),
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = json.loads(done.stdout.splitlines()[-1])
    ours = figures(ranks_of_gold(scores, gold))
    for name in METRICS:
        assert 0 < theirs[name] < 1
        assert ours[name] == pytest.approx(theirs[name], abs=1e-12)


@given(arrays(np.int8, st.integers(1, 6), elements=st.integers(0, 2)), st.data())
def test_ties_share_the_mean_of_the_ranks_they_may_have(scores: np.ndarray, data: st.DataObject) -> None:
    gold = data.draw(st.integers(0, len(scores) - 1))
    places = []
    for order in permutations(range(len(scores))):
        # An order by score, ties broken as this permutation has them.
        ranked = sorted(order, key=lambda i: -scores[i])
        places.append(ranked.index(gold) + 1)
    assert ranks_of_gold(scores[None], np.array([gold])).tolist() == [np.mean(places)]


def test_a_model_that_says_nothing_ranks_in_the_middle() -> None:
    assert ranks_of_gold(np.zeros((1, 500)), np.array([7])).tolist() == [250.5]
    assert ranks_of_gold(np.full((2, 1), 3.0), np.array([0, 0])).tolist() == [1.0, 1.0]


def test_figures_at_the_edges_of_the_cutoff() -> None:
    ranks = np.array([1.0, 1.5, 5.0, 5.5, 10.0, 10.5, 400.0])
    assert METRICS["mrr@10"](ranks).tolist() == [1, 1 / 1.5, 0.2, 1 / 5.5, 0.1, 0, 0]
    assert METRICS["ndcg@10"](ranks).tolist() == [1, 1 / np.log2(2.5), *(1 / np.log2([6, 6.5, 11])), 0, 0]
    assert METRICS["recall@1"](ranks).tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert METRICS["recall@5"](ranks).tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert METRICS["recall@10"](ranks).tolist() == [1, 1, 1, 1, 1, 0, 0]


def test_every_system_is_ranked_by_its_own_scores() -> None:
    ranking = rank(perfect(), DATA, 0.5)
    assert ranking.model.tolist() == [1] * 5
    assert ranking.bm25.tolist() == ranks_of_gold(BM25(POOL).score_matrix(QUERIES), DATA.gold).tolist()
    cosine = perfect().encode_queries(QUERIES) @ perfect().encode_codes(POOL).T
    fused = fuse(cosine, WeightedBM25(POOL).score_matrix(QUERIES), 0.5)
    assert ranking.hybrid.tolist() == ranks_of_gold(fused, DATA.gold).tolist()
    assert ranking.pool_size == 5
    # "something else" shares no word with the pool.
    assert ranking.bm25[3] == 3.0


def test_the_hybrid_at_weight_1_is_the_model_and_at_0_its_bm25() -> None:
    angles = Angles({text: float(7 * i % 10) / 3 for i, text in enumerate([*POOL, *QUERIES])})
    assert rank(angles, DATA, 1.0).hybrid.tolist() == rank(angles, DATA, 1.0).model.tolist()
    weighted = ranks_of_gold(WeightedBM25(POOL).score_matrix(QUERIES), DATA.gold)
    assert rank(angles, DATA, 0.0).hybrid.tolist() == weighted.tolist()


def test_blocks_of_queries_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rank(perfect(), DATA, 0.5)
    monkeypatch.setattr(retrieval, "_BLOCK_CELLS", 2 * len(POOL))
    for system, ranks in rank(perfect(), DATA, 0.5).systems().items():
        assert ranks.tolist() == whole.systems()[system].tolist()


def test_the_fitted_weight_goes_to_the_side_that_knows() -> None:
    gold = (DATA.gold + 1) % 5  # the words point to another answer
    misleading = RetrievalSet(QUERIES, POOL, gold)
    knows = Angles(perfect().angles | {query: float(g) for query, g in zip(QUERIES, gold, strict=True)})
    assert fit_model_weight(knows, [misleading]) > 0.5
    assert fit_model_weight(knows, [DATA]) < 0.5
    middle = fit_model_weight(knows, [misleading, DATA, DATA])
    means = {
        w: sum(METRICS["mrr@10"](rank(knows, data, w).hybrid).mean() for data in (misleading, DATA, DATA))
        for w in WEIGHT_GRID
    }
    assert means[middle] == pytest.approx(max(means.values()))


def test_the_report_has_figures_intervals_differences_and_groups() -> None:
    ranking = Ranking(
        model=np.array([1.0, 1.0, 2.0, 1.0, 4.0]),
        bm25=np.array([2.0, 1.0, 12.0, 1.0, 4.0]),
        hybrid=np.array([1.0, 1.0, 1.0, 1.0, 1.0]),
        pool_size=5,
    )
    found = report(ranking, DATA)
    assert (found["n"], found["pool"]) == (5, 5)
    assert found["model"]["mrr@10"] == pytest.approx((1 + 1 + 0.5 + 1 + 0.25) / 5)
    estimate = bootstrap(METRICS["mrr@10"](ranking.model))
    assert found["model"]["ci95"]["mrr@10"] == [estimate.low, estimate.high]
    assert set(found["model"]) == {*METRICS, "ci95"}
    assert set(found["difference_to_bm25"]) == {"model", "hybrid"}
    for system in ("model", "hybrid"):
        assert found["difference_to_bm25"][system]["mrr@10"] == pytest.approx(
            found[system]["mrr@10"] - found["bm25"]["mrr@10"]
        )
    assert set(found["by"]) == {"language"}
    python, go = found["by"]["language"]["python"], found["by"]["language"]["go"]
    assert (python["n"], go["n"]) == (2, 3)
    assert python["model"]["mrr@10"] == 1.0
    assert go["bm25"]["recall@10"] == pytest.approx(2 / 3)
    assert "by" not in report(ranking, RetrievalSet(QUERIES, POOL, DATA.gold))


def test_a_blind_model_is_no_better_than_chance_in_the_report() -> None:
    found = report(rank(blind(), DATA, 0.0), DATA)
    assert found["model"]["mrr@10"] == pytest.approx(1 / 3)
    assert found["model"]["recall@1"] == 0
