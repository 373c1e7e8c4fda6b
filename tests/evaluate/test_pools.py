"""Pools of a repository each: which rows are drawn, and questions read from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.errors import InputError
from codefit.evaluate.pools import pooled_report, pools_by_source, read_retrieval_set, retrieval_set
from codefit.evaluate.retrieval import METRICS, RetrievalSet, rank
from codefit.records import Pair, PoolRow, Query, write_rows


def pair(source: str, number: int, language: str | None = "python") -> Pair:
    word = "abcdefghij"[number % 10] * (number // 10 + 1)
    return Pair(anchor=f"Do {word} in {source}", positive=f"def {word}(): {source}", source=source, language=language)


def pairs(source: str, count: int, **options: Any) -> list[Pair]:
    return [pair(source, number, **options) for number in range(count)]


def test_every_source_and_language_is_a_pool_in_the_order_of_names() -> None:
    rows = [*pairs("zoo", 4), *pairs("ant", 3), *pairs("mix", 3), *pairs("mix", 3, language="go"), *pairs("few", 2)]
    pools = pools_by_source(rows, minimum=3)
    assert list(pools) == ["ant", "mix (go)", "mix (python)", "zoo"]
    assert pools["zoo"].queries == [row.anchor for row in rows[:4]]
    assert pools["zoo"].pool == [row.positive for row in rows[:4]]
    assert pools["zoo"].gold.tolist() == [0, 1, 2, 3]
    assert pools["mix (go)"].groups == {"source": ["mix"] * 3, "language": ["go"] * 3}


def test_a_pool_has_at_most_its_size_and_at_least_its_minimum() -> None:
    assert len(pools_by_source(pairs("ant", 40), size=25, minimum=5)["ant"].pool) == 25
    assert pools_by_source(pairs("ant", 9), minimum=10) == {}
    assert len(pools_by_source(pairs("ant", 10), minimum=10)["ant"].pool) == 10
    assert pools_by_source([]) == {}


def test_no_question_has_two_right_answers() -> None:
    rows = [
        Pair("Open it", "def a(): pass", "s"),
        Pair("open  IT", "def b(): pass", "s"),
        Pair("Close it", "def a():   pass", "s"),
        Pair("Close it now", "def c(): pass", "s"),
        Pair("Open it", "def d(): pass", "other"),
    ]
    pools = pools_by_source(rows, minimum=1)
    assert pools["s"].queries == ["Open it", "Close it now"]
    assert pools["s"].pool == ["def a(): pass", "def c(): pass"]
    assert pools["other"].queries == ["Open it"]


@given(st.sets(st.integers(0, 99), min_size=2, max_size=60), st.integers(0, 3))
def test_minimum_counts_what_is_left_after_doubles_go(numbers: set[int], seed: int) -> None:
    rows = [pair("s", number) for number in numbers]
    pools = pools_by_source(rows + rows, minimum=len(rows), size=1000, seed=seed)
    assert len(pools["s"].pool) == len(rows)
    assert pools_by_source(rows + rows, minimum=len(rows) + 1, size=1000) == {}


@given(st.sets(st.integers(0, 99), min_size=20, max_size=60), st.sets(st.integers(100, 150), max_size=10))
def test_a_pool_is_stable_when_others_grow_and_loses_little_when_it_grows(base: set[int], more: set[int]) -> None:
    rows = [pair("s", number) for number in sorted(base)]
    before = pools_by_source(rows, size=10, minimum=1)["s"]
    beside = pools_by_source([*pairs("t", 5), *rows, *pairs("u", 5)], size=10, minimum=1)["s"]
    assert (beside.queries, beside.pool) == (before.queries, before.pool)
    grown = pools_by_source([*rows, *(pair("s", number) for number in sorted(more))], size=10, minimum=1)["s"]
    old = {row.anchor for row in rows}
    # A new row displaces one that was drawn; it never calls another old one in.
    assert {query for query in grown.queries if query in old} <= set(before.queries)
    assert len(set(before.queries) - set(grown.queries)) <= len(more)


def test_the_order_of_rows_does_not_matter_but_for_the_order_within() -> None:
    rows = pairs("s", 80)
    forwards, backwards = (pools_by_source(r, size=20, minimum=1)["s"] for r in (rows, rows[::-1]))
    assert set(forwards.queries) == set(backwards.queries)
    other = pools_by_source(rows, size=20, minimum=1, seed=1)["s"]
    assert set(other.queries) != set(forwards.queries)


class ByLength:
    """An embedder that knows a text by its length alone."""

    def encode_queries(self, queries: list[str]) -> np.ndarray:
        angle = np.array([len(text) for text in queries], dtype=np.float32)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)

    encode_codes = encode_queries


def test_the_pooled_report_asks_each_question_of_its_own_pool() -> None:
    pools = pools_by_source([*pairs("ant", 30), *pairs("bee", 12), *pairs("bee", 12, language="go")], minimum=1)
    found = pooled_report(ByLength(), pools, 0.5)
    rankings = {name: rank(ByLength(), pool, 0.5) for name, pool in pools.items()}
    joined = np.concatenate([ranking.model for ranking in rankings.values()])
    assert (found["n"], found["pool"]) == (54, 30)
    assert found["model"]["mrr@10"] == pytest.approx(METRICS["mrr@10"](joined).mean())
    assert found["mean_over_sources"]["bm25"] == pytest.approx(
        np.mean([METRICS["mrr@10"](ranking.bm25).mean() for ranking in rankings.values()])
    )
    assert {name: group["n"] for name, group in found["by"]["source"].items()} == {"ant": 30, "bee": 24}
    assert {name: group["n"] for name, group in found["by"]["language"].items()} == {"python": 42, "go": 12}
    ant = METRICS["mrr@10"](rankings["ant"].hybrid).mean()
    assert found["by"]["source"]["ant"]["hybrid"]["mrr@10"] == pytest.approx(ant)


def test_pairs_without_a_language_are_grouped_by_source_alone() -> None:
    assert retrieval_set(pairs("s", 2, language=None)).groups == {"source": ["s", "s"]}
    mixed = [*pairs("s", 2), *pairs("t", 1, language=None)]
    assert retrieval_set(mixed).groups["language"] == ["python", "python", "unknown"]
    pools = {"a": retrieval_set(pairs("s", 3)), "b": RetrievalSet(["Do a"], ["def a"], np.array([0]))}
    assert {*pooled_report(ByLength(), pools, 0.5)["by"]["language"]} == {"python", "unknown"}


def test_questions_find_their_answers_by_id(tmp_path: Path) -> None:
    queries, pool = tmp_path / "queries.jsonl.gz", tmp_path / "pool.jsonl"
    write_rows(pool, [PoolRow(7, "seven"), PoolRow("x", "ex"), PoolRow("7", "text seven")])
    write_rows(queries, [Query("find ex", "x"), Query("find 7", 7), Query("find '7'", "7"), Query("again", "x")])
    found = read_retrieval_set(queries, pool)
    assert found.queries == ["find ex", "find 7", "find '7'", "again"]
    assert [found.pool[i] for i in found.gold] == ["ex", "seven", "text seven", "ex"]


def test_an_answer_that_the_pool_lacks_is_an_error(tmp_path: Path) -> None:
    queries, pool = tmp_path / "queries.jsonl", tmp_path / "pool.jsonl"
    write_rows(pool, [PoolRow(1, "one")])
    write_rows(queries, [Query("a", 1), Query("b", 2), Query("c", "1")])
    with pytest.raises(InputError, match="2 of 3 queries name an answer that the pool lacks, such as 2") as caught:
        read_retrieval_set(queries, pool)
    assert caught.value.where == str(queries)
    assert str(pool) in (caught.value.fix or "")


def test_two_rows_with_one_id_an_empty_pool_and_other_shapes_are_errors(tmp_path: Path) -> None:
    queries, pool = tmp_path / "queries.jsonl", tmp_path / "pool.jsonl"
    write_rows(queries, [Query("a", 1)])
    write_rows(pool, [PoolRow(1, "one"), PoolRow(1, "other")])
    with pytest.raises(InputError, match="two rows have the same id"):
        read_retrieval_set(queries, pool)
    pool.write_text("")
    with pytest.raises(InputError, match="holds no PoolRow rows"):
        read_retrieval_set(queries, pool)
    pool.write_text('{"id": 1.5, "code": "x"}\n')
    with pytest.raises(InputError, match="1 of 1 rows do not fit"):
        read_retrieval_set(queries, pool)
    with pytest.raises(InputError, match="1 of 1 rows do not fit"):
        read_retrieval_set(pool, queries)
