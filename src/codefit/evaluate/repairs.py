"""How well repairs are found and ordered, end to end: from the broken string to the rank of what its author meant.

A repair that was not among the candidates has no rank and counts as a miss. Beside the model's order stand that of the
n-grams alone and of chance, over the same candidates, which are shuffled first, so that the order in which they were
made says nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.evaluate.intervals import bootstrap, paired_difference
from codefit.evaluate.ranking import rank_of, ranking_metrics
from codefit.models.repair import RepairModel
from codefit.records import RankingInstance
from codefit.source.syntax.terminals import from_characters
from codefit.tasks.repairs.align import distance
from codefit.tasks.repairs.candidates import LIMIT, SECONDS, closed
from codefit.tasks.repairs.ranking import ranking_list

LENGTHS = (20, 40, 60)  # tokens of the broken string, at most, of each class but the last
CURVE = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000)  # ranks
ORDERS = ("model", "edits", "ngrams", "random")


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of one broken string: the truth's rank in each order, infinite where it was not found.

    `in_reach` says that its distance is at most the least number of edits and one, and three.
    """

    ranks: Mapping[str, float]
    distance: int
    tokens: int
    candidates: int
    in_reach: bool
    complete: bool
    search_seconds: float
    rank_seconds: float


def repair_one(
    model: RepairModel,
    broken: Sequence[int],
    fixed: Sequence[int],
    rng: np.random.Generator,
    *,
    limit: int = LIMIT,
    seconds: float = SECONDS,
) -> Repaired:
    """Find and order the repairs of a broken string and look up the true one."""
    truth = closed(fixed)
    found = model.candidates(broken, limit=limit, seconds=seconds)
    place = found.strings.index(truth) if truth in found.strings else -1
    started = time.perf_counter()
    one = ranking_list(broken, found, model.edits.weight)
    of_edits = one.scalars.sum(axis=1)
    scores = model.score(one) if model.ranker is not None and len(found.strings) else of_edits
    rank_seconds = time.perf_counter() - started
    lengths = np.array([len(string) for string in found.strings])
    by_order = {
        "model": scores,
        "edits": of_edits,
        "ngrams": found.likelihood / np.maximum(lengths, 1),  # a token, as the original has it
        "random": rng.random(len(found.strings)),
    }
    away = distance(closed(broken), truth)
    least = found.least_edits if found.least_edits is not None else 0
    return Repaired(
        ranks={name: rank_of(np.asarray(values), place) for name, values in by_order.items()},
        distance=away,
        tokens=len(broken),
        candidates=len(found.strings),
        in_reach=away <= min(least + 1, 3),
        complete=found.complete,
        search_seconds=found.seconds,
        rank_seconds=rank_seconds,
    )


def evaluate_repairs(
    model: RepairModel,
    pairs: Iterable[tuple[Sequence[int], Sequence[int]]],
    *,
    limit: int = LIMIT,
    seconds: float = SECONDS,
    seed: int = 0,
) -> dict[str, Any]:
    """The figures of pairs (broken, fixed), one after another: their times are those of a string alone."""
    rng = np.random.default_rng(seed)
    return summary([repair_one(model, *pair, rng, limit=limit, seconds=seconds) for pair in pairs])


def evaluate_given(model: RepairModel, instances: Iterable[RankingInstance], *, seed: int = 0) -> dict[str, Any]:
    """The figures of lists of given candidates, a character a token. What is written twice counts once."""
    rng = np.random.default_rng(seed)
    return summary([_rank_given(model, instance, rng) for instance in instances])


def _rank_given(model: RepairModel, instance: RankingInstance, rng: np.random.Generator) -> Repaired:
    documents = list(dict.fromkeys([instance.relevant, *instance.candidates]))
    strings = [documents[k] for k in rng.permutation(len(documents))]
    place = strings.index(instance.relevant)
    query = from_characters(instance.query)
    tokens = [from_characters(string) for string in strings]
    started = time.perf_counter()
    scores = model.rank(query, tokens)
    seconds = time.perf_counter() - started
    likelihood = model.language_model.log_likelihoods(tokens) / np.array([max(1, len(own)) for own in tokens])
    by_order = {
        "model": scores,
        "edits": replace(model, ranker=None).rank(query, tokens),
        "ngrams": likelihood,
        "random": rng.random(len(strings)),
    }
    return Repaired(
        ranks={name: rank_of(np.asarray(values), place) for name, values in by_order.items()},
        distance=distance(closed(query), closed(tokens[place])),
        tokens=len(query),
        candidates=len(strings),
        in_reach=True,
        complete=True,
        search_seconds=0.0,
        rank_seconds=seconds,
    )


def summary(found: Sequence[Repaired]) -> dict[str, Any]:
    """The figures of all, of each order, by distance and by length, and where the truth was among the candidates."""
    return {
        "n": len(found),
        **_flat(found, "model"),
        "orders": {name: _figures([one.ranks[name] for one in found]) for name in ORDERS},
        "curve": {name: _curve([one.ranks[name] for one in found]) for name in ORDERS},
        "retrieved": _retrieved(found),
        "by_distance": {str(d): _flat(group, "model") for d, group in _groups(found, lambda one: one.distance)},
        "by_length": {label: _flat(group, "model") for label, group in _groups(found, _length)},
        "candidates": _candidates(found),
        "over_edits": dict(
            zip(
                ("mean", "low", "high"),
                paired_difference(_reciprocal(found, "model"), _reciprocal(found, "edits")),
                strict=True,
            )
        ),
        "latency_ms": _latency([one.search_seconds + one.rank_seconds for one in found]),
        "search_ms": _latency([one.search_seconds for one in found]),
        "rank_ms": _latency([one.rank_seconds for one in found]),
        "complete": sum(one.complete for one in found) / len(found),
    }


def _figures(ranks: Sequence[float]) -> dict[str, Any]:
    found = ranking_metrics(ranks)
    return {
        **{name: estimate.mean for name, estimate in found.items()},
        "ci95": {name: [estimate.low, estimate.high] for name, estimate in found.items()},
    }


def _curve(ranks: Sequence[float]) -> list[tuple[int, float]]:
    """The share of strings whose repair is among the first k, for a plot."""
    array = np.asarray(ranks)
    return [(k, float((array <= k).mean())) for k in CURVE]


def _flat(group: Sequence[Repaired], order: str) -> dict[str, Any]:
    return {**_figures([one.ranks[order] for one in group]), "count": len(group)}


def _retrieved(found: Sequence[Repaired]) -> dict[str, Any]:
    """The figures where the truth was among the candidates, as the published work has them beside the others."""
    group = [one for one in found if np.isfinite(one.ranks["model"])]
    return {name: _flat(group, name) for name in ORDERS} if group else {}


def _candidates(found: Sequence[Repaired]) -> dict[str, Any]:
    reached = np.array([np.isfinite(one.ranks["model"]) for one in found if one.in_reach], dtype=np.float64)
    recall = bootstrap(reached) if len(reached) else None
    return {
        "in_reach": sum(one.in_reach for one in found) / len(found),
        "recall_in_reach": recall.mean if recall else None,
        "recall_in_reach_ci95": [recall.low, recall.high] if recall else None,
        "median": float(np.median([one.candidates for one in found])),
    }


def _reciprocal(found: Sequence[Repaired], order: str) -> npt.NDArray[np.float64]:
    return 1 / np.array([one.ranks[order] for one in found])


def _length(one: Repaired) -> str:
    below = next((limit for limit in LENGTHS if one.tokens <= limit), None)
    return f"to {below}" if below else f"above {LENGTHS[-1]}"


def _groups(found: Iterable[Repaired], key: Any) -> list[tuple[Any, list[Repaired]]]:
    groups: dict[Any, list[Repaired]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    return sorted(groups.items(), key=lambda entry: (len(str(entry[0])), str(entry[0])))


def _latency(seconds: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.quantile(np.asarray(seconds) * 1000, [0.5, 0.95])
    return {"p50": float(p50), "p95": float(p95)}
