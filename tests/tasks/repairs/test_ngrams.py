"""The n-gram model: against a plain recursion over counts, and that it is a distribution."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from codefit.errors import InputError
from codefit.tasks.repairs.ngrams import END, SYMBOLS, add_counts, count_ngrams, read_counts, smooth

RNG = np.random.default_rng(0)
# A few tokens, drawn so that some follow others more often: every count from one up occurs.
STRINGS = [
    [int(t) for t in np.minimum(RNG.geometric(0.35, size=RNG.integers(1, 12)) + row % 3, 9)] for row in range(300)
]


def plain_probability(context: tuple[int, ...], token: int, order: int) -> float:
    """Interpolated modified Kneser-Ney by its formulas (Chen and Goodman 1999, equations 20 to 26), unoptimized."""
    padded = [[END] * (order - 1) + list(string) + [END] for string in STRINGS]
    highest = Counter(tuple(p[i : i + order]) for p in padded for i in range(len(p) - order + 1))

    def counts(length: int) -> Counter[tuple[int, ...]]:
        if length == order:
            return highest
        return Counter(gram[1:] for gram in counts(length + 1))

    def probability(history: tuple[int, ...]) -> float:
        level = counts(len(history) + 1)
        below = probability(history[1:]) if history else 1 / SYMBOLS
        n = [sum(c == k for c in level.values()) for k in (1, 2, 3, 4)]
        y = n[0] / (n[0] + 2 * n[1]) if n[0] and n[1] else 0.5
        discounts = [
            0.0,
            1 - 2 * y * n[1] / n[0] if n[0] else 0.5,
            2 - 3 * y * n[2] / n[1] if n[1] else 0.75,
            3 - 4 * y * n[3] / n[2] if n[2] else 1.0,
        ]
        seen = {gram[-1]: count for gram, count in level.items() if gram[:-1] == history}
        if not seen:
            return below
        taken = {t: min(max(discounts[min(c, 3)], 0), c) for t, c in seen.items()}
        total = sum(seen.values())
        own = (seen.get(token, 0) - taken.get(token, 0)) / total
        return own + sum(taken.values()) / total * below

    return probability(context)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_are_those_of_the_formulas(order: int) -> None:
    model = smooth(count_ngrams(STRINGS, order))
    for string in STRINGS[:6]:
        padded = [END] * (order - 1) + string
        contexts = model.contexts(string)
        for place, token in enumerate([*string, END]):
            history = tuple(padded[place : place + order - 1])
            expected = plain_probability(history, token, order)
            assert model.log_probability[contexts[place], token] == pytest.approx(np.log(expected), abs=1e-5)


def test_every_context_is_a_distribution_and_leads_to_known_ones() -> None:
    model = smooth(count_ngrams(STRINGS, 4), most_contexts=60)
    assert len(model.after) <= 60 + 1
    assert np.exp(model.log_probability.astype(np.float64)).sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert model.after.min() >= 0
    assert model.after.max() < len(model.after)


def test_fewer_contexts_cost_likelihood_and_more_counts_bring_it() -> None:
    held_out = STRINGS[200:]

    def fit(strings: list[list[int]], contexts: int) -> float:
        model = smooth(count_ngrams(strings, 3), most_contexts=contexts)
        return sum(model.log_likelihood(string) for string in held_out)

    assert fit(STRINGS[:200], 1_000) > fit(STRINGS[:200], 12)
    assert fit(STRINGS[:200], 1_000) > fit(STRINGS[:10], 1_000)


def test_published_counts_are_read(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv.gz"
    file.write_bytes(gzip.compress(b"NAME . NAME ::: 12\nNAME OR |= ::: 3\nBOS NAME . ::: 9\n"))
    counts = read_counts(file)
    assert (counts.order, sorted(counts.counts.tolist())) == (3, [3, 12])
    assert add_counts([(counts, 1.0), (counts, 0.5)]).counts.tolist() == [18, 4]
    file.write_bytes(gzip.compress(b"NAME . NAME 12\n"))
    with pytest.raises(InputError, match=r"csv\.gz:1: not a line of n-gram counts"):
        read_counts(file)


def test_nothing_to_count_is_told() -> None:
    with pytest.raises(InputError, match="nothing to count"):
        count_ngrams([], 3)
