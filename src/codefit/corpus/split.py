"""Training and evaluation apart: by repository or file, with each cluster of near duplicates on one side.

Rows drawn at random leak: a repository's own helpers and its copies of others' code stand on both sides, and figures
double (Allamanis 2019, arXiv:1812.06469).
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from codefit.corpus.hashing import HASH_RANGE, seeded_hash
from codefit.errors import InputError
from codefit.records import Pair

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# What keeps together: the rows of a repository or package, or those of a file where there is but one repository.
By = Literal["source", "path"]


@dataclass(frozen=True, slots=True)
class Split:
    """(n,) `evaluation`: the row is for evaluation; (n,) `removed`: the row is for neither side."""

    evaluation: BoolArray
    removed: BoolArray


def group_of(pair: Pair, by: By) -> str:
    """The name of what a pair keeps together with; a pair without a path goes with its source."""
    return pair.source if by == "source" or pair.path is None else f"{pair.source}:{pair.path}"


def split_by_group(
    groups: Sequence[str],
    clusters: IntArray,
    *,
    eval_share: float,
    seed: int,
    eval_groups: Collection[str] | None = None,
    allow_missing: bool = False,
) -> Split:
    """Put whole groups on one side, and take an evaluation row away where training has a near duplicate of it.

    `groups` is each row's group, `clusters` (n,) its cluster of near duplicates. Where `eval_groups` names groups,
    those are for evaluation and no others; else each group is with probability `eval_share`, by the hash of its name,
    so that a group stays on its side when rows and groups are added. It is a share of the groups, not of the rows; a
    group that alone has more than that share of the rows stays in training, where it would be missed.

    The rows of a cluster on both sides stay in training and leave evaluation: such a function is no longer unseen,
    whoever answers for it, and moved into evaluation it would take its group's other rows out of training.

    Raises `InputError` for an unknown group (unless `allow_missing`), a share outside [0, 1), or a single group that
    would have to be divided.
    """
    rows = Counter(groups)
    chosen = _named(sorted(rows), eval_groups, allow_missing) if eval_groups else _drawn(rows, eval_share, seed)
    evaluation = np.fromiter((group in chosen for group in groups), np.bool_, len(groups))
    return Split(evaluation, evaluation & np.isin(clusters, clusters[~evaluation]))


def _named(names: list[str], eval_groups: Collection[str], allow_missing: bool) -> set[str]:
    for name in eval_groups:
        if name not in names and not allow_missing:
            near = difflib.get_close_matches(name, names, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names[:8])}"
            raise InputError(f"no rows come from the evaluation group {name!r}", fix=fix)
    return set(eval_groups).intersection(names)


def _drawn(rows: Counter[str], eval_share: float, seed: int) -> set[str]:
    if not 0 <= eval_share < 1:
        raise InputError(f"the evaluation share {eval_share} is not at least 0 and below 1")
    if eval_share == 0 or not rows:
        return set()
    if len(rows) == 1:
        raise InputError(
            f"all rows come from {next(iter(rows))!r}, which cannot be on both sides",
            fix="split by path, or add another",
        )
    by_hash = sorted(rows, key=lambda name: seeded_hash(seed, name))
    small = [name for name in by_hash if rows[name] <= eval_share * rows.total()]
    chosen = {name for name in small if seeded_hash(seed, name) < eval_share * HASH_RANGE}
    # With few groups chance may leave a side empty: the first in order is for evaluation then, the last for training.
    if not chosen:
        return {(small or by_hash)[0]}
    return chosen if len(chosen) < len(rows) else chosen - {by_hash[-1]}
