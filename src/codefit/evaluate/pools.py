"""Pools to search: the functions of one repository, as a person searches them, with a question for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from codefit.corpus.hashing import fingerprint, seeded_hash
from codefit.errors import InputError
from codefit.evaluate.retrieval import METRICS, Embedder, Ranking, RetrievalSet, rank, report
from codefit.records import Pair, PoolRow, Query, load_rows

DEFAULT_POOL_SIZE = 500
DEFAULT_MIN_POOL = 50  # smaller repositories give intervals too wide to say anything


def pools_by_source(
    pairs: Iterable[Pair], *, size: int = DEFAULT_POOL_SIZE, minimum: int = DEFAULT_MIN_POOL, seed: int = 0
) -> dict[str, RetrievalSet]:
    """A pool of at most `size` functions of each source and language, in the order of their names.

    Of pairs with the same description or the same code one stays, since a question with two right answers measures
    chance. Which rows are drawn depends on each row and the seed alone, so that a pool is stable when others grow.
    """
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        groups.setdefault((pair.source, pair.language or ""), []).append(pair)
    languages_of: dict[str, int] = {}
    for source, _ in groups:
        languages_of[source] = languages_of.get(source, 0) + 1
    pools: dict[str, RetrievalSet] = {}
    for (source, language), rows in sorted(groups.items()):
        chosen = _drawn(_distinct(rows), size, seed)
        if len(chosen) >= minimum:
            name = source if languages_of[source] == 1 else f"{source} ({language})"
            pools[name] = retrieval_set(chosen)
    return pools


def retrieval_set(pairs: Sequence[Pair]) -> RetrievalSet:
    """Every pair's anchor as a question to the pool of all positives; its own is the answer."""
    groups: dict[str, list[str]] = {"source": [pair.source for pair in pairs]}
    if any(pair.language for pair in pairs):
        groups["language"] = [pair.language or "unknown" for pair in pairs]
    return RetrievalSet(
        queries=[pair.anchor for pair in pairs],
        pool=[pair.positive for pair in pairs],
        gold=np.arange(len(pairs)),
        groups=groups,
    )


def pooled_report(embedder: Embedder, pools: Mapping[str, RetrievalSet], model_weight: float) -> dict[str, Any]:
    """Every question asked of its own pool, in one report; `pool` is the size of the largest.

    `mean_over_sources` is the MRR@10 of each system where every source counts the same, whatever its size.
    """
    rankings = [rank(embedder, pool, model_weight) for pool in pools.values()]
    joined = Ranking(
        model=np.concatenate([ranking.model for ranking in rankings]),
        bm25=np.concatenate([ranking.bm25 for ranking in rankings]),
        hybrid=np.concatenate([ranking.hybrid for ranking in rankings]),
        pool_size=max(ranking.pool_size for ranking in rankings),
    )
    groups = {
        kind: [label for pool in pools.values() for label in pool.groups.get(kind, ["unknown"] * len(pool.queries))]
        for kind in sorted({kind for pool in pools.values() for kind in pool.groups})
    }
    queries = [query for pool in pools.values() for query in pool.queries]
    whole = RetrievalSet(queries, pool=[], gold=np.arange(len(queries)), groups=groups)
    means = {
        system: float(np.mean([METRICS["mrr@10"](ranking.systems()[system]).mean() for ranking in rankings]))
        for system in joined.systems()
    }
    return report(joined, whole) | {"mean_over_sources": means}


def read_retrieval_set(queries_file: Path, pool_file: Path) -> RetrievalSet:
    """Questions with a `positive_id`, and the pool whose row of that id is the answer."""
    queries = load_rows(queries_file, Query)
    pool = load_rows(pool_file, PoolRow)
    place: Mapping[int | str, int] = {row.id: i for i, row in enumerate(pool)}
    if len(place) < len(pool):
        raise InputError("two rows have the same id", where=str(pool_file))
    missing = [query.positive_id for query in queries if query.positive_id not in place]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(queries)} queries name an answer that the pool lacks, such as {missing[0]!r}",
            where=str(queries_file),
            fix=f"check that {pool_file} is their pool",
        )
    gold = np.array([place[query.positive_id] for query in queries])
    return RetrievalSet([query.anchor for query in queries], [row.code for row in pool], gold)


def _distinct(pairs: Sequence[Pair]) -> list[Pair]:
    anchors: set[bytes] = set()
    codes: set[bytes] = set()
    kept = []
    for pair in pairs:
        anchor, code = fingerprint(pair.anchor.lower()), fingerprint(pair.positive)
        if anchor not in anchors and code not in codes:
            kept.append(pair)
            anchors.add(anchor)
            codes.add(code)
    return kept


def _drawn(pairs: Sequence[Pair], size: int, seed: int) -> list[Pair]:
    order = sorted(range(len(pairs)), key=lambda i: seeded_hash(seed, f"{pairs[i].anchor}\0{pairs[i].positive}"))
    return [pairs[i] for i in sorted(order[:size])]
