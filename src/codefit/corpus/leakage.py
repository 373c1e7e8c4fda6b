"""Whether evaluation rows, or what amounts to them, stand in the training rows: the check that stops a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from codefit.corpus.dedup import DEFAULT_THRESHOLD, near_duplicate_clusters
from codefit.corpus.hashing import fingerprint
from codefit.corpus.shingles import jaccard, shingle_sets
from codefit.corpus.split import By, group_of
from codefit.errors import CodefitError
from codefit.records import Pair, load_rows

T = TypeVar("T")
# What finds evaluation rows known from training, each with its twin there.
Test = Callable[[], dict[int, int]]

SAME_CODE = "same code"
NEAR_CODE = "near-duplicate code"
SAME_QUESTION = "same anchor and similar code"
SAME_GROUP = "same repository or file"

# Two functions with one description are the same question when half of their shingles are shared: a port, a rewrite.
SIMILAR = 0.5
# "Returns the name." stands above thousands of functions; comparing with the first of them is enough to see a habit.
MAX_SAME_ANCHOR = 50
EXAMPLES = 2


@dataclass(frozen=True, slots=True)
class Leak:
    """One way in which `count` evaluation rows are known from training, with some of them."""

    kind: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeakReport:
    """The leaks found. `shared_anchors` counts evaluation rows whose description alone is in training: no leak."""

    train_rows: int
    eval_rows: int
    shared_anchors: int
    leaks: tuple[Leak, ...]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON."""
        return asdict(self)


def where(pair: Pair) -> str:
    """Where a pair comes from, for a message: `source:path:line`, or as much of it as is known."""
    known = (pair.source, pair.path or pair.name, pair.line)
    return ":".join(str(part) for part in known if part is not None)


def find_leaks(
    train: Sequence[Pair],
    evaluation: Sequence[Pair],
    *,
    threshold: float = DEFAULT_THRESHOLD,
    by: By | None = "source",
) -> LeakReport:
    """Compare both sides row by row; `by` is what must not stand on both, or None where a source may.

    A row is counted under the first kind that holds for it, from `SAME_CODE` to `SAME_GROUP`.
    """
    tests: tuple[tuple[str, Test], ...] = (
        (SAME_CODE, lambda: same_key(evaluation, train, lambda pair: fingerprint(pair.positive))),
        (NEAR_CODE, lambda: near_texts([p.positive for p in evaluation], [p.positive for p in train], threshold)),
        (SAME_QUESTION, lambda: same_questions(evaluation, train)),
        (SAME_GROUP, lambda: same_key(evaluation, train, lambda pair: group_of(pair, by)) if by else {}),
    )
    leaks = first_leaks(tests, lambda row, twin: f"{where(evaluation[row])} ~ {where(train[twin])}", EXAMPLES)
    shared = same_key(evaluation, train, lambda pair: fingerprint(pair.anchor.lower()))
    return LeakReport(len(train), len(evaluation), len(shared), leaks)


def check_leakage(
    train: Sequence[Pair],
    evaluation: Sequence[Pair],
    *,
    threshold: float = DEFAULT_THRESHOLD,
    by: By | None = "source",
) -> LeakReport:
    """The report of `find_leaks` where it found none; `CodefitError` with counts and examples where it did."""
    report = find_leaks(train, evaluation, threshold=threshold, by=by)
    refuse_leaks(report.leaks, "evaluation rows are known from training")
    return report


def check_leakage_files(
    train: Path, evaluation: Path, *, threshold: float = DEFAULT_THRESHOLD, by: By | None = "source"
) -> LeakReport:
    """`check_leakage` of two files of pairs."""
    try:
        return check_leakage(load_rows(train, Pair), load_rows(evaluation, Pair), threshold=threshold, by=by)
    except CodefitError as error:
        if error.where is not None:
            raise
        raise CodefitError(error.what, where=f"{train} and {evaluation}", fix=error.fix) from error


def first_leaks(tests: Sequence[tuple[str, Test]], told: Callable[[int, int], str], examples: int) -> tuple[Leak, ...]:
    """The leaks that the tests find, each row under the first of them; `told` writes a row and its twin."""
    leaks: list[Leak] = []
    known: set[int] = set()
    for kind, test in tests:
        found = {row: twin for row, twin in test().items() if row not in known}
        known |= found.keys()
        if found:
            leaks.append(Leak(kind, len(found), tuple(told(*pair) for pair in islice(found.items(), examples))))
    return tuple(leaks)


def refuse_leaks(leaks: Sequence[Leak], what: str) -> None:
    """Raise `CodefitError` with counts and examples where there are leaks."""
    if leaks:
        found = "; ".join(f"{leak.count} by {leak.kind} ({', '.join(leak.examples)})" for leak in leaks)
        raise CodefitError(f"{what}: {found}", fix="remove them from one side, or split again")


def same_key(rows: Sequence[T], others: Iterable[T], key: Callable[[T], Hashable]) -> dict[int, int]:
    """Rows that share a key with one of the others, each with the first such."""
    first: dict[Hashable, int] = {}
    for index, other in enumerate(others):
        first.setdefault(key(other), index)
    return {row: first[k] for row, k in enumerate(map(key, rows)) if k in first}


def near_texts(evaluation: Sequence[str], train: Sequence[str], threshold: float) -> dict[int, int]:
    """Evaluation texts in a cluster of near duplicates with a training text, each with the first such.

    Training texts come first, so that a cluster that holds one is named by it.
    """
    if not evaluation or not train:  # nothing to compare: do not cluster one side for nothing
        return {}
    clusters = near_duplicate_clusters([*train, *evaluation], threshold)
    of_evaluation = clusters[len(train) :].tolist()
    return {row: cluster for row, cluster in enumerate(of_evaluation) if cluster < len(train)}


def same_questions(evaluation: Sequence[Pair], train: Sequence[Pair]) -> dict[int, int]:
    """Evaluation rows with a training row of the same anchor and similar code (Jaccard index at least `SIMILAR`).

    Each with the first such training row.
    """
    asked = {fingerprint(pair.anchor.lower()) for pair in evaluation}
    candidates: dict[bytes, list[int]] = defaultdict(list)
    for index, pair in enumerate(train):
        anchor = fingerprint(pair.anchor.lower())
        if anchor in asked and len(candidates[anchor]) < MAX_SAME_ANCHOR:
            candidates[anchor].append(index)
    found: dict[int, int] = {}
    for row, pair in enumerate(evaluation):
        twins = candidates.get(fingerprint(pair.anchor.lower()), [])
        if twins:
            code, *others = shingle_sets([pair.positive, *(train[twin].positive for twin in twins)])
            alike = [twin for twin, other in zip(twins, others, strict=True) if jaccard(code, other) >= SIMILAR]
            if alike:
                found[row] = alike[0]
    return found
