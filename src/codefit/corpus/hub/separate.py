"""Keeps training apart from evaluation across sources: benchmarks' text, near duplicates and known questions go.

Unlike mined pairs, public evaluation sets are what others measure on too, so it is always the training row that goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from codefit.corpus.decontaminate import Benchmarks
from codefit.corpus.dedup import near_duplicate_clusters
from codefit.corpus.hub.harvest import Harvest
from codefit.corpus.leakage import LeakReport, check_leakage, same_questions, where
from codefit.records import Pair

CONTAMINATED = "holds text of a benchmark"
KNOWN = "near duplicate of an evaluation row"
ASKED = "same description and similar code as an evaluation row"
REPEATED = "near duplicate"


def separate(harvests: Sequence[Harvest]) -> LeakReport:
    """Drop rows from the harvests until no training row tells of an evaluation row; the report of the last check.

    Benchmarks are decontaminated against where their rows were seen and are not to be trained on. Of near duplicates
    among the training rows, and of the evaluation rows, the first stays. Raises `CodefitError` where a leak is left.
    """
    benchmarks = Benchmarks(chain.from_iterable(harvest.benchmark_texts for harvest in harvests))
    for harvest in harvests:
        _decontaminate(harvest, benchmarks)
    _drop_near_duplicates(harvests)
    _drop_known_questions(harvests)
    train, evaluation = _all_pairs(harvests)
    return check_leakage(train, evaluation, by=None)


def _all_pairs(harvests: Sequence[Harvest]) -> tuple[list[Pair], list[Pair]]:
    train = list(chain.from_iterable(harvest.train for harvest in harvests))
    return train, list(chain.from_iterable(harvest.evaluation for harvest in harvests))


def _decontaminate(harvest: Harvest, benchmarks: Benchmarks) -> None:
    pairs, raw = [], []
    for pair in harvest.train:
        known = benchmarks.contaminated(pair.positive) or benchmarks.contaminated(pair.anchor)
        if known is None:
            pairs.append(pair)
        else:
            harvest.receipt.drop(CONTAMINATED, f"{where(pair)} ({known})")
    for number, row in enumerate(harvest.raw):
        known = benchmarks.contaminated(row.text)
        if known is None:
            raw.append(row)
        else:
            harvest.receipt.drop(CONTAMINATED, f"{row.source} text {number} ({known})")
    harvest.train, harvest.raw = pairs, raw


def _drop_near_duplicates(harvests: Sequence[Harvest]) -> None:
    train, evaluation = _all_pairs(harvests)
    # Evaluation rows come first: a cluster that holds one has its index, so its training rows are told by it.
    clusters = iter(near_duplicate_clusters([pair.positive for pair in (*evaluation, *train)]).tolist())
    seen: set[int] = set()
    for harvest in harvests:
        kept = []
        for pair in harvest.evaluation:
            cluster = next(clusters)
            if cluster in seen:
                harvest.receipt.drop(REPEATED, where(pair))
            else:
                seen.add(cluster)
                kept.append(pair)
        harvest.evaluation = kept
    for harvest in harvests:
        kept = []
        for pair in harvest.train:
            cluster = next(clusters)
            if cluster in seen:
                harvest.receipt.drop(KNOWN if cluster < len(evaluation) else REPEATED, where(pair))
            else:
                seen.add(cluster)
                kept.append(pair)
        harvest.train = kept


def _drop_known_questions(harvests: Sequence[Harvest]) -> None:
    _, evaluation = _all_pairs(harvests)
    for harvest in harvests:
        asked = same_questions(harvest.train, evaluation)
        for row in asked:
            harvest.receipt.drop(ASKED, where(harvest.train[row]))
        harvest.train = [pair for row, pair in enumerate(harvest.train) if row not in asked]
