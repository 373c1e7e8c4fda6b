"""Whether evaluation files, or what amounts to them, stand in the training files: the check that stops a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from codefit.corpus.dedup import DEFAULT_THRESHOLD
from codefit.corpus.examine import place_of
from codefit.corpus.hashing import fingerprint
from codefit.corpus.hold_out import directory_of
from codefit.corpus.leakage import Leak, Test, first_leaks, near_texts, refuse_leaks, same_key
from codefit.corpus.manifest import UNKNOWN
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
    tests: list[tuple[str, Test]] = [
        (SAME_TEXT, lambda: same_key(evaluation, train, lambda each: fingerprint(each.text))),
        (SAME_FILE, lambda: same_key(evaluation, train, place_of)),
        (NEAR_TEXT, lambda: near_texts([d.text for d in evaluation], [d.text for d in train], threshold)),
    ]
    if by == "directory":
        tests.append((SAME_DIRECTORY, lambda: same_key(evaluation, train, directory_of)))
    elif by == "source":
        tests.append((SAME_SOURCE, lambda: same_key(evaluation, train, lambda each: each.repo or UNKNOWN)))
    leaks = first_leaks(tests, lambda row, twin: f"{place_of(evaluation[row])} ~ {place_of(train[twin])}", EXAMPLES)
    return DocumentLeaks(len(train), len(evaluation), by, leaks)


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
    refuse_leaks(report.leaks, f"{names[1]} files are known from {names[0]}")
    return report
