"""Whether evaluation files, or what amounts to them, stand in the training files: the check that stops a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from codefit.corpus.dedup import DEFAULT_THRESHOLD, near_duplicate_clusters
from codefit.corpus.examine import place_of
from codefit.corpus.hashing import fingerprint
from codefit.corpus.hold_out import directory_of
from codefit.corpus.leakage import Leak
from codefit.corpus.manifest import UNKNOWN
from codefit.errors import CodefitError
from codefit.records import Document

SAME_TEXT = "same text"
SAME_FILE = "same file"
NEAR_TEXT = "near-duplicate text"
SAME_DIRECTORY = "same directory"
SAME_SOURCE = "same repository"

EXAMPLES = 5  # files that a message names for each kind: enough to see the habit, and still one line

# What must not stand on both sides beside copies; None where new files lie beside old ones (a split by date).
By = Literal["directory", "source"]


@dataclass(frozen=True, slots=True)
class DocumentLeaks:
    """The leaks found between so many files; `by` is what was not to stand on both sides."""

    train_documents: int
    eval_documents: int
    by: By | None
    leaks: tuple[Leak, ...]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON."""
        return asdict(self)


def find_document_leaks(
    train: Sequence[Document],
    evaluation: Sequence[Document],
    *,
    threshold: float = DEFAULT_THRESHOLD,
    by: By | None = "directory",
) -> DocumentLeaks:
    """Compare both sides file by file, from the texts alone; a file is counted under the first kind that holds."""
    tests: list[tuple[str, Callable[[], dict[int, int]]]] = [
        (SAME_TEXT, lambda: _same(evaluation, train, lambda each: fingerprint(each.text))),
        (SAME_FILE, lambda: _same(evaluation, train, place_of)),
        (NEAR_TEXT, lambda: _near(evaluation, train, threshold)),
    ]
    if by == "directory":
        tests.append((SAME_DIRECTORY, lambda: _same(evaluation, train, directory_of)))
    elif by == "source":
        tests.append((SAME_SOURCE, lambda: _same(evaluation, train, lambda each: each.repo or UNKNOWN)))
    leaks: list[Leak] = []
    known: set[int] = set()
    for kind, test in tests:
        found = {row: twin for row, twin in test().items() if row not in known}
        known |= found.keys()
        if found:
            examples = [f"{place_of(evaluation[row])} ~ {place_of(train[twin])}" for row, twin in found.items()]
            leaks.append(Leak(kind, len(found), tuple(examples[:EXAMPLES])))
    return DocumentLeaks(len(train), len(evaluation), by, tuple(leaks))


def check_document_leakage(
    train: Sequence[Document],
    evaluation: Sequence[Document],
    *,
    threshold: float = DEFAULT_THRESHOLD,
    by: By | None = "directory",
    names: tuple[str, str] = ("training", "evaluation"),
) -> DocumentLeaks:
    """The report of `find_document_leaks` where it found none; `CodefitError` naming the files where it did.

    `names` are what the two sides are called in the message.
    """
    report = find_document_leaks(train, evaluation, threshold=threshold, by=by)
    if report.leaks:
        found = "; ".join(f"{leak.count} by {leak.kind} ({', '.join(leak.examples)})" for leak in report.leaks)
        raise CodefitError(
            f"{names[1]} files are known from {names[0]}: {found}", fix="remove them from one side, or split again"
        )
    return report


def _same(
    documents: Sequence[Document], others: Sequence[Document], key: Callable[[Document], str | bytes]
) -> dict[int, int]:
    """Files that share a key with one of the others, each with the first such."""
    first: dict[str | bytes, int] = {}
    for index, other in enumerate(others):
        first.setdefault(key(other), index)
    return {row: first[k] for row, k in enumerate(map(key, documents)) if k in first}


def _near(evaluation: Sequence[Document], train: Sequence[Document], threshold: float) -> dict[int, int]:
    """Evaluation files in a cluster of near duplicates with a training file, each with the first such."""
    if not evaluation or not train:
        return {}
    # Training files come first, so that a cluster that holds one is named by it.
    clusters = near_duplicate_clusters([each.text for each in (*train, *evaluation)], threshold)
    of_evaluation = clusters[len(train) :].tolist()
    return {row: cluster for row, cluster in enumerate(of_evaluation) if cluster < len(train)}
