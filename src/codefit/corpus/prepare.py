"""From mined pairs to training and evaluation pairs: every step that drops a row says so in the receipt.

The order: what a look at one row decides (filters, licence, contamination, redaction) comes first and streams; then
what needs all rows (duplicates, the split, balance); at last the check for leaks, which trusts nothing before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from codefit.corpus.balance import choose_rows, temperature_counts
from codefit.corpus.decontaminate import Benchmarks
from codefit.corpus.dedup import DEFAULT_THRESHOLD, exact_duplicates, near_duplicate_clusters
from codefit.corpus.filters import DEFAULT_LIMITS, Limits, pair_problem
from codefit.corpus.hashing import fingerprint
from codefit.corpus.leakage import check_leakage, same_questions, where
from codefit.corpus.licenses import is_allowed
from codefit.corpus.manifest import UNKNOWN, Receipt, describe_pairs
from codefit.corpus.redact import redact
from codefit.corpus.split import By, group_of, split_by_group
from codefit.errors import CodefitError
from codefit.progress import track
from codefit.records import Pair

KNOWN = "evaluation row known from training"
EVALUATION_SPLIT = "eval"
TRAIN_SPLIT = "train"


@dataclass(frozen=True, slots=True)
class PrepareSettings:
    """What a recipe may decide. The defaults drop what nobody wants and change no proportions."""

    limits: Limits = DEFAULT_LIMITS
    # SPDX identifiers, and "unknown" for rows without a licence; None allows all.
    allowed_licenses: tuple[str, ...] | None = None
    redact: bool = True
    near_duplicate_threshold: float = DEFAULT_THRESHOLD
    # Whether the copies on one side go too; those of an evaluation row in training always cost the evaluation row.
    drop_duplicates: bool = True
    # "Initialize the weights" stands above 127 functions of one environment: from there on a description tells nothing,
    # and in a batch each of its functions is a false negative of the others. The first so many stay, on each side.
    max_same_anchor: int = 10
    split_by: By = "source"
    # The share of the groups; 0 keeps all rows for training.
    eval_share: float = 0.1
    # Where groups are named, those are for evaluation and `eval_share` does not count.
    eval_groups: tuple[str, ...] = ()
    # A recipe names groups of data that not every machine has; those that give no row are then left out of evaluation.
    allow_missing_groups: bool = False
    seed: int = 0
    # Languages are balanced where one of the two is given: see `balance.temperature_counts`.
    temperature: float | None = None
    train_rows: int | None = None
    max_repeat: float = 1.0
    # Files of HumanEval, MBPP and CoSQA by those names; training and evaluation rows that hold their text go.
    benchmarks: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The pairs of both sides, and what a manifest says about how they came about."""

    train: list[Pair]
    evaluation: list[Pair]
    report: dict[str, Any]


def prepare_pairs(pairs: Iterable[Pair], settings: PrepareSettings, receipt: Receipt) -> Prepared:
    """Filter, check licences, decontaminate, redact, split, deduplicate and balance; then check for leaks.

    The same pairs and settings give the same rows in the same order. Raises `CodefitError` where no row is left or a
    leak is found, `InputError` where a setting is wrong.
    """
    redacted: Counter[str] = Counter()
    kept = list(_one_by_one(pairs, settings, receipt, redacted))
    if not kept:
        raise CodefitError("no pair is left after filtering", fix=f"dropped: {receipt.by_reason()}")
    train, evaluation = _divided(kept, settings, receipt)
    train, evaluation = (_telling(side, settings, receipt) for side in (train, evaluation))
    evaluation = _unasked(evaluation, train, receipt)
    train = _balanced(train, settings, receipt)
    if not train or (not evaluation and (settings.eval_share > 0 or settings.eval_groups)):
        raise CodefitError(
            f"{len(train)} training and {len(evaluation)} evaluation pairs are left",
            fix="choose other groups or limits",
        )
    leakage = check_leakage(train, evaluation, threshold=settings.near_duplicate_threshold, by=settings.split_by)
    receipt.keep(len(train) + len(evaluation))
    files = {name: [str(path) for path in paths] for name, paths in settings.benchmarks.items()}
    report = {
        "settings": {**asdict(settings), "benchmarks": files},
        "redacted": dict(redacted.most_common()),
        "train": {"rows": len(train), **describe_pairs(train)},
        "evaluation": {"rows": len(evaluation), **describe_pairs(evaluation)},
        "leakage": leakage.to_dict(),
    }
    return Prepared(train, evaluation, report)


def _one_by_one(
    pairs: Iterable[Pair], settings: PrepareSettings, receipt: Receipt, redacted: Counter[str]
) -> Iterator[Pair]:
    """The pairs that pass the checks which need no other pair, redacted."""
    benchmarks = Benchmarks.read(settings.benchmarks)
    for pair in track(pairs, "filter", unit="pairs"):
        problem = pair_problem(pair, settings.limits) or _license_problem(pair, settings)
        if problem is not None:
            receipt.drop(problem, where(pair))
            continue
        known = benchmarks.contaminated(pair.positive) or benchmarks.contaminated(pair.anchor)
        if known is not None:
            receipt.drop("holds text of a benchmark", f"{where(pair)} ({known})")
            continue
        yield _redacted(pair, redacted) if settings.redact else pair


def _license_problem(pair: Pair, settings: PrepareSettings) -> str | None:
    if settings.allowed_licenses is None or is_allowed(pair.license, settings.allowed_licenses):
        return None
    return "licence not stated" if pair.license is None else "licence not allowed"


def _redacted(pair: Pair, redacted: Counter[str]) -> Pair:
    (anchor, positive, *negatives), counts = zip(
        *map(redact, (pair.anchor, pair.positive, *pair.negatives())), strict=True
    )
    if not any(counts):
        return pair
    for count in counts:
        redacted.update(count)
    return msgspec.structs.replace(pair, anchor=anchor, positive=positive, negative=negatives or None)


def _divided(kept: list[Pair], settings: PrepareSettings, receipt: Receipt) -> tuple[list[Pair], list[Pair]]:
    """Training and evaluation pairs; of each cluster of near duplicates one on a side, unless all are wanted."""
    codes = [pair.positive for pair in kept]
    exact = exact_duplicates(codes)
    clusters = near_duplicate_clusters(codes, settings.near_duplicate_threshold)
    split = split_by_group(
        [group_of(pair, settings.split_by) for pair in kept],
        clusters,
        eval_share=settings.eval_share,
        seed=settings.seed,
        eval_groups=settings.eval_groups or None,
        allow_missing=settings.allow_missing_groups,
    )
    train: list[Pair] = []
    evaluation: list[Pair] = []
    seen: tuple[set[int], set[int]] = (set(), set())
    for pair, twin, cluster, is_evaluation, is_removed in zip(
        kept, exact, clusters.tolist(), split.evaluation.tolist(), split.removed.tolist(), strict=True
    ):
        if is_removed:
            receipt.drop(KNOWN, where(pair))
        elif settings.drop_duplicates and cluster in seen[is_evaluation]:
            receipt.drop("near duplicate" if twin is None else "exact duplicate", where(pair))
        else:
            seen[is_evaluation].add(cluster)
            side, name = (evaluation, EVALUATION_SPLIT) if is_evaluation else (train, TRAIN_SPLIT)
            side.append(pair if pair.split == name else msgspec.structs.replace(pair, split=name))
    return train, evaluation


def _telling(pairs: list[Pair], settings: PrepareSettings, receipt: Receipt) -> list[Pair]:
    """The pairs without those whose description many before them have."""
    seen: Counter[bytes] = Counter()
    kept = []
    for pair in pairs:
        anchor = fingerprint(pair.anchor.lower())
        seen[anchor] += 1
        if seen[anchor] <= settings.max_same_anchor:
            kept.append(pair)
        else:
            receipt.drop("anchor above many functions", where(pair))
    return kept


def _unasked(evaluation: list[Pair], train: list[Pair], receipt: Receipt) -> list[Pair]:
    """The evaluation pairs whose question training does not answer by other code with the same description."""
    asked = same_questions(evaluation, train)
    for row in asked:
        receipt.drop(KNOWN, where(evaluation[row]))
    return [pair for row, pair in enumerate(evaluation) if row not in asked]


def _balanced(train: list[Pair], settings: PrepareSettings, receipt: Receipt) -> list[Pair]:
    """The training pairs with the languages in the shares that the temperature asks for, in their first order."""
    if settings.temperature is None and settings.train_rows is None:
        return train
    languages = np.array([pair.language or UNKNOWN for pair in train])
    targets = temperature_counts(
        dict(sorted(Counter(languages.tolist()).items())),
        settings.temperature or 1.0,
        settings.train_rows,
        max_repeat=settings.max_repeat,
    )
    chosen: list[int] = []
    for language, count in targets.items():
        rows = np.flatnonzero(languages == language).tolist()
        keys = [f"{train[row].anchor}\0{train[row].positive}" for row in rows]
        chosen += [rows[place] for place in choose_rows(keys, count, settings.seed)]
    for row in sorted(set(range(len(train))).difference(chosen)):
        receipt.drop("balance of languages", where(train[row]))
    return [train[row] for row in sorted(chosen)]
