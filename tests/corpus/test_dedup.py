"""Near duplicates against brute force, estimates against datasketch, and inputs made to be slow."""

from __future__ import annotations

import argparse
import ast
import inspect
import random
import time
import typing
from functools import cache

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from codefit.corpus import dedup
from codefit.corpus.dedup import (
    PERMUTATIONS,
    exact_duplicates,
    minhash_signatures,
    near_duplicate_clusters,
    rows_per_band,
)
from codefit.corpus.shingles import jaccard, shingle_sets
from codefit.errors import InputError


@cache
def real_functions() -> list[str]:
    texts = []
    for module in (argparse, ast, inspect, random, typing):
        source = inspect.getsource(module)
        lines = source.splitlines()
        functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
        texts += ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in functions]
    return texts


def mutate(text: str, rng: random.Random) -> str:
    """A copy as people make them: a line more, a line less, another name, another number."""
    lines = text.splitlines()
    kind = rng.randrange(4)
    if kind == 0:
        lines.insert(rng.randrange(len(lines) + 1), "    log.debug('here')")
    elif kind == 1 and len(lines) > 1:
        del lines[rng.randrange(1, len(lines))]
    elif kind == 2:
        lines[0] = lines[0].replace("(", "_copy(", 1)
    else:
        place = rng.randrange(len(lines))
        lines[place] = lines[place].replace("0", "1").replace("self", "this")
    return "\n".join(lines)


def mutated_functions(count: int, seed: int = 7) -> list[str]:
    rng = random.Random(seed)
    originals = rng.sample(real_functions(), count // 2)
    copies = []
    for _ in range(count - len(originals)):
        text = rng.choice(originals)
        for _ in range(rng.randint(1, 4)):
            text = mutate(text, rng)
        copies.append(text)
    texts = originals + copies
    rng.shuffle(texts)
    return texts


def brute_force_clusters(texts: list[str], threshold: float) -> list[int]:
    sets = [set(shingles.tolist()) for shingles in shingle_sets(texts)]
    cluster = list(range(len(texts)))
    for i, a in enumerate(sets):
        for j in range(i):
            b = sets[j]
            if cluster[i] != cluster[j] and (not a | b or len(a & b) / len(a | b) >= threshold):
                low, high = sorted((cluster[i], cluster[j]))
                cluster = [low if c == high else c for c in cluster]
    return cluster


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.95, 1.0])
def test_clusters_are_those_of_brute_force(threshold: float) -> None:
    texts = mutated_functions(500)
    expected = brute_force_clusters(texts, threshold)
    assert near_duplicate_clusters(texts, threshold).tolist() == expected
    assert len(set(expected)) < len(texts), "the sample must hold duplicates for the comparison to mean anything"


def test_estimates_are_as_good_as_datasketchs() -> None:
    texts = mutated_functions(300)
    sets = list(shingle_sets(texts))
    signatures = minhash_signatures(sets)
    peers = []
    for shingles in sets:
        peer = MinHash(num_perm=PERMUTATIONS, seed=1)
        peer.update_batch([shingle.tobytes() for shingle in shingles])
        peers.append(peer)
    exact, ours, theirs = [], [], []
    for i in range(len(sets)):
        for j in range(i):
            index = jaccard(sets[i], sets[j])
            if index > 0.2:
                exact.append(index)
                ours.append(np.mean(signatures[i] == signatures[j]))
                theirs.append(peers[i].jaccard(peers[j]))
    assert len(exact) > 100
    our_error, their_error = np.subtract(ours, exact), np.subtract(theirs, exact)
    assert abs(our_error.mean()) < 0.02
    assert np.sqrt((our_error**2).mean()) < 1.3 * np.sqrt((their_error**2).mean())


def test_bands_are_as_long_as_the_threshold_allows() -> None:
    assert (rows_per_band(0.8), rows_per_band(0.7)) == (5, 4)
    lengths = [rows_per_band(threshold / 100) for threshold in range(10, 101)]
    assert lengths == sorted(lengths)
    assert (1 - 0.8**5) ** (PERMUTATIONS // 5) <= 1e-3 < (1 - 0.8**6) ** (PERMUTATIONS // 6)


def test_a_pair_exactly_at_the_threshold_is_a_near_duplicate() -> None:
    assert near_duplicate_clusters(["a b c d e", "a b c d"], 0.8, width=1).tolist() == [0, 0]
    assert near_duplicate_clusters(["a b c d e", "a b c d"], 0.81, width=1).tolist() == [0, 1]


lines = st.sampled_from(["x = 1", "y = x + 1", "return y", "for i in z:", "if x:", "def f(x, y):", "print(x)"])
snippets = st.lists(lines, max_size=12).map("\n".join)


def partition(texts: list[str], order: list[int], threshold: float) -> set[frozenset[int]]:
    return partition_of(near_duplicate_clusters([texts[i] for i in order], threshold), order)


def partition_of(clusters: np.ndarray, order: list[int]) -> set[frozenset[int]]:
    groups: dict[int, set[int]] = {}
    for place, cluster in enumerate(clusters.tolist()):
        groups.setdefault(cluster, set()).add(order[place])
    return {frozenset(group) for group in groups.values()}


@settings(max_examples=50, deadline=None)
@given(st.lists(snippets, max_size=30), st.randoms(use_true_random=False))
def test_the_partition_does_not_depend_on_the_order(texts: list[str], rng: random.Random) -> None:
    order = list(range(len(texts)))
    shuffled = order.copy()
    rng.shuffle(shuffled)
    assert partition(texts, order, 0.7) == partition(texts, shuffled, 0.7)


def crowd(pairs: int) -> list[str]:
    """Texts that share 20 of 22 words with all others, and 21 with one: 0.91 alike in pairs, 0.83 across."""
    shared = " ".join(f"c{i}" for i in range(20))
    return [f"{shared} pair{i // 2} own{i}" for i in range(2 * pairs)]


def test_nor_does_it_where_buckets_are_too_large_to_compare_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(order: list[int]) -> set[frozenset[int]]:
        clusters = near_duplicate_clusters([texts[i] for i in order], 0.9, width=1)
        return partition_of(clusters, order)

    monkeypatch.setattr(dedup, "MAX_NEIGHBOURS", 1)
    texts = crowd(200)
    order = list(range(len(texts)))
    expected = found(order)
    for seed in range(3):
        random.Random(seed).shuffle(order)
        assert found(order) == expected


def test_pairs_are_found_in_a_crowd_that_shares_their_buckets() -> None:
    clusters = near_duplicate_clusters(crowd(1_000), 0.9, width=1)
    assert len(set(clusters.tolist())) <= 1_050  # of a thousand pairs, one in twenty may hide among its neighbours


@settings(max_examples=50, deadline=None)
@given(st.lists(snippets, max_size=20))
def test_a_cluster_is_named_by_its_first_member(texts: list[str]) -> None:
    clusters = near_duplicate_clusters(texts).tolist()
    for index, cluster in enumerate(clusters):
        assert cluster == clusters.index(cluster) <= index
    doubled = near_duplicate_clusters(texts + texts).tolist()
    assert doubled == clusters + clusters


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01])
def test_a_threshold_outside_its_range_is_the_users_error(threshold: float) -> None:
    with pytest.raises(InputError, match="threshold"):
        near_duplicate_clusters(["a"], threshold)


def seconds_for(texts: list[str]) -> float:
    started = time.process_time()
    near_duplicate_clusters(texts)
    return time.process_time() - started


@pytest.mark.parametrize(
    "shape",
    [
        "same text",
        "",
        # 0.6 alike, yet in one bucket by their shape; then 0.79 alike, so that each pair is worth the exact check.
        "def get_x{}(self):\n    return self.x_value\n",
        "def compute(self, alpha, beta):\n    total = alpha * beta + 1\n    return frob(total, q{})\n",
    ],
)
def test_time_grows_linearly_where_all_texts_share_a_bucket(shape: str) -> None:
    few, many = ([shape.format(i) for i in range(count)] for count in (1_000, 4_000))
    seconds_for(few)
    # Quadratic growth is a factor of 16; the constant leaves room for a busy machine and the fixed cost of a call.
    assert seconds_for(many) < 8 * seconds_for(few) + 0.5


def test_exact_duplicates_name_the_first_and_ignore_layout() -> None:
    texts = ["a = 1", "b = 2", "a  =\t1\n", "b = 2", "c"]
    assert exact_duplicates(texts) == [None, None, 0, 1, None]
    assert exact_duplicates(iter([])) == []
