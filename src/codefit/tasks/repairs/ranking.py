"""Lists of candidates as the ranker reads them: arrays of tokens, edits and which candidate has which edits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codefit.files import atomic_path
from codefit.source.syntax.terminals import TERMINALS
from codefit.tasks.repairs.candidates import Candidates, closed, error_places
from codefit.tasks.repairs.edits import LogLinearEdits
from codefit.tasks.repairs.ngrams import NgramModel
from codefit.tasks.repairs.packed import DELETE, NO_EDIT, PLACE_SHIFT, TERMINAL_BITS

BEGIN, FINISH, PAD = len(TERMINALS), len(TERMINALS) + 1, len(TERMINALS) + 2
DISTANCES = 41


@dataclass(frozen=True, slots=True)
class RankingList:
    """A broken string and its candidates.

    `edits` (candidates, 3) are packed as the search has them, -1 for none. `scalars` (candidates, 2) are the n-gram
    log probability, times its weight, and the score of the edits, both less those of the best candidate. `truth` is
    the number of the true repair, -1 where it is not among them or not known.
    """

    tokens: npt.NDArray[np.int16]
    first_error: int
    last_error: int
    edits: npt.NDArray[np.int64]
    scalars: npt.NDArray[np.float32]
    truth: int


def ranking_list(
    broken: Sequence[int], found: Candidates, weight: float, truth: Sequence[int] | None = None
) -> RankingList:
    """The list of what was found for a broken string; `weight` is the n-gram model's in its scores.

    With the true repair, its number among them.
    """
    tokens = np.array(closed(broken), dtype=np.int16)
    first, last = error_places(tokens.tolist())
    whole = closed(truth) if truth is not None else None
    number = found.strings.index(whole) if whole in found.strings else -1
    scalars = _scalars(found.likelihood * weight, found.scores - found.likelihood * weight)
    return RankingList(tokens, first, last, found.packed, scalars, number)


def given_list(
    tokens: npt.NDArray[np.int32],
    packed: npt.NDArray[np.int64],
    strings: Sequence[Sequence[int]],
    language_model: NgramModel,
    edits: LogLinearEdits,
) -> RankingList:
    """The list of given repairs of a string and the edits that lead to them."""
    first, last = error_places(tokens.tolist())
    scores = edits.scores(tokens, first, last)
    place, kind, terminal = packed >> PLACE_SHIFT, packed >> TERMINAL_BITS & 3, packed & 127
    at, old = np.clip(place, 0, len(tokens)), np.clip(place, 0, len(tokens) - 1)
    new = np.minimum(terminal, scores.insert.shape[1] - 1)
    by_kind = np.stack([scores.insert[at, new], scores.substitute[old, new], scores.delete[old]])
    own = np.take_along_axis(by_kind, kind[None] % 3, axis=0)[0]
    likelihood = language_model.log_likelihoods(strings) * np.float32(edits.weight)
    scalars = _scalars(likelihood, np.where(packed != NO_EDIT, own, 0).sum(axis=1))
    return RankingList(tokens.astype(np.int16), first, last, packed, scalars, -1)


def _scalars(likelihood: npt.NDArray[np.float32], of_edits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    scalars = np.stack([likelihood, of_edits], axis=1).astype(np.float32)
    if len(scalars):
        scalars -= scalars[scalars.sum(axis=1).argmax()]
    return scalars


class RankingArrays(NamedTuple):
    """What the network takes, see `codefit.models.ranker.RankingBatch`, and where each list's candidates end."""

    tokens: npt.NDArray[np.int64]
    distances: npt.NDArray[np.int64]
    edit_row: npt.NDArray[np.int64]
    edit_place: npt.NDArray[np.int64]
    edit_kind: npt.NDArray[np.int64]
    edit_token: npt.NDArray[np.int64]
    candidate_edits: npt.NDArray[np.int64]
    scalars: npt.NDArray[np.float32]


def distance_buckets(distance: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Signed distances as buckets: exact up to 10, coarser beyond (20 is nought)."""
    size = np.abs(distance)
    coarse = np.where(size <= 10, size, 10 + np.ceil(np.log2(np.maximum(size, 1) / 10) * 3)).astype(np.int64)
    return 20 + np.sign(distance) * np.minimum(coarse, 20)


def to_arrays(lists: Sequence[RankingList]) -> RankingArrays:
    """Lists one after another, the strings filled up to the longest."""
    length = max(len(one.tokens) for one in lists) + 2
    tokens = np.full((len(lists), length), PAD, dtype=np.int64)
    distances = np.zeros((len(lists), length, 2), dtype=np.int64)
    edits, owners, candidates, offset = [], [], [], 0
    for row, one in enumerate(lists):
        n = len(one.tokens)
        tokens[row, 0], tokens[row, 1 : n + 1], tokens[row, n + 1] = BEGIN, one.tokens, FINISH
        place = np.arange(length) - 1
        distances[row, :, 0] = distance_buckets(place - one.first_error)
        distances[row, :, 1] = distance_buckets(place - one.last_error)
        different, numbers = np.unique(one.edits, return_inverse=True)
        numbers = numbers.reshape(one.edits.shape)
        if len(different) and different[0] == NO_EDIT:
            different, numbers = different[1:], numbers - 1
        candidates.append(np.where(numbers >= 0, numbers + offset, -1))
        edits.append(different)
        owners.append(np.full(len(different), row))
        offset += len(different)
    packed = np.concatenate(edits)
    kind = packed >> TERMINAL_BITS & 3
    return RankingArrays(
        tokens=tokens,
        distances=distances,
        edit_row=np.concatenate(owners),
        edit_place=packed >> PLACE_SHIFT,
        edit_kind=kind,
        edit_token=np.where(kind == DELETE, PAD, packed & 127),
        candidate_edits=np.concatenate(candidates).astype(np.int64),
        scalars=np.concatenate([one.scalars for one in lists]),
    )


def save_lists(path: Path, lists: Sequence[RankingList]) -> None:
    """Write lists as one npz file."""
    with atomic_path(path) as temporary:
        np.savez_compressed(
            temporary,
            tokens=np.concatenate([one.tokens for one in lists]),
            lengths=np.array([len(one.tokens) for one in lists]),
            errors=np.array([(one.first_error, one.last_error) for one in lists]),
            edits=np.concatenate([one.edits for one in lists]),
            scalars=np.concatenate([one.scalars for one in lists]).astype(np.float16),
            counts=np.array([len(one.edits) for one in lists]),
            truths=np.array([one.truth for one in lists]),
        )


def load_lists(path: Path) -> list[RankingList]:
    """The inverse of `save_lists`."""
    with np.load(path) as stored:
        data = {name: stored[name] for name in stored.files}
    tokens = np.split(data["tokens"].astype(np.int16), np.cumsum(data["lengths"])[:-1])
    edits = np.split(data["edits"], np.cumsum(data["counts"])[:-1])
    scalars = np.split(data["scalars"].astype(np.float32), np.cumsum(data["counts"])[:-1])
    return [
        RankingList(t, int(first), int(last), e, s, int(truth))
        for t, (first, last), e, s, truth in zip(tokens, data["errors"], edits, scalars, data["truths"], strict=True)
    ]
