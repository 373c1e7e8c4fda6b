"""Files kept apart from training: whole directories, or the files that came after a date, and never a near duplicate.

Cutting a repository by chunks or by files at random leaks: a directory's files share their idioms, and a copy in the
next directory shares everything (Allamanis 2019, arXiv:1812.06469).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal

import numpy as np
import numpy.typing as npt

from codefit.corpus.hashing import seeded_hash
from codefit.corpus.manifest import UNKNOWN
from codefit.corpus.split import split_by_group
from codefit.errors import InputError
from codefit.records import Document

IntArray = npt.NDArray[np.int64]

Side = Literal["train", "evaluation", "validation"]
TRAIN: Side = "train"
EVALUATION: Side = "evaluation"
VALIDATION: Side = "validation"
SIDES: tuple[Side, ...] = (TRAIN, EVALUATION, VALIDATION)

KNOWN = {
    EVALUATION: "near duplicate of a training file, in evaluation",
    VALIDATION: "near duplicate of a training or evaluation file, in validation",
}


def directory_of(document: Document) -> str:
    """The directory that holds the file, with its repository: what stays on one side."""
    return f"{document.repo or UNKNOWN}/{PurePosixPath(document.path).parent}"


def hold_out_directories(
    directories: Sequence[str], *, share: float, validation_share: float = 0.0, seed: int
) -> list[Side]:
    """The side of each file, by the directory that holds it.

    Each directory is held out with probability `share`, by the hash of its name, so that it stays on its side when
    files come and go; one that alone has more than that share of the files stays in training, where it would be missed.
    `validation_share` of the held-out directories are for choosing checkpoints. Raises `InputError` for a share outside
    [0, 1), or where one directory holds everything.
    """
    _check_share("validation", validation_share)
    _check_share("hold-out", share)
    names = sorted(set(directories))
    if share and len(names) == 1:
        raise InputError(
            f"all files are in the directory {names[0]!r}, which cannot be on both sides",
            fix="hold out nothing (share 0), or what was added after a date",
        )
    alone = np.arange(len(directories))  # clusters are looked at later: see `known_files`
    chosen = split_by_group(directories, alone, eval_share=share, seed=seed).evaluation
    return _with_validation(directories, chosen.tolist(), validation_share, seed)


def hold_out_files(
    places: Sequence[str], are_new: Sequence[bool], *, validation_share: float = 0.0, seed: int
) -> list[Side]:
    """The side of each file where `are_new` says which came after a date; `validation_share` is of those files.

    Raises `InputError` where none is new, or all are.
    """
    _check_share("validation", validation_share)
    if not any(are_new) or all(are_new):
        raise InputError(
            f"{'every' if any(are_new) else 'no'} file that is left was added after the date", fix="choose another date"
        )
    return _with_validation(places, are_new, validation_share, seed)


def known_files(sides: Sequence[Side], clusters: IntArray) -> list[bool]:
    """Whether a held-out file has a near duplicate on a side that comes before its own (training, evaluation).

    `clusters` is (n,) each file's cluster of near duplicates. Such a file is unseen no longer, whoever wrote it.
    """
    rank = np.array([SIDES.index(side) for side in sides])
    lowest = np.full(len(sides), len(SIDES))
    np.minimum.at(lowest, clusters, rank)
    known: list[bool] = (lowest[clusters] < rank).tolist()
    return known


def _check_share(name: str, share: float) -> None:
    if not 0 <= share < 1:
        raise InputError(f"the {name} share {share} is not at least 0 and below 1")


def _with_validation(groups: Sequence[str], held_out: Sequence[bool], share: float, seed: int) -> list[Side]:
    """Training, evaluation and, of the held-out groups, `share` for validation: one at least, but never all."""
    names = sorted({group for group, out in zip(groups, held_out, strict=True) if out})
    count = min(max(1, round(share * len(names))), len(names) - 1) if share and names else 0
    if share and not count:
        raise InputError(
            "what is held out is one directory or file, which cannot be for validation and evaluation both",
            fix="hold out more, or set the validation share to 0",
        )
    validation = set(sorted(names, key=lambda name: seeded_hash(seed, f"validation\0{name}"))[:count])
    return [
        (VALIDATION if group in validation else EVALUATION) if out else TRAIN
        for group, out in zip(groups, held_out, strict=True)
    ]
