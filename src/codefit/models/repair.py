"""A repair model in a folder: n-grams, edit weights and, where it has one, the ranker; everything without torch.

ngrams.npz      contexts and probabilities of `codefit.tasks.repairs.ngrams`
edits.npz       the weights that are not nought of `codefit.tasks.repairs.edits`
names.json      what names tell, by `codefit.tasks.repairs.names`
ranker.onnx     the network of `codefit.models.ranker`, by onnxruntime
codefit.json    what it was made of and its figures
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.files import atomic_path, write_json
from codefit.source.syntax.terminals import TERMINALS
from codefit.tasks.repairs.align import distance, packed_edits
from codefit.tasks.repairs.candidates import (
    LIMIT,
    SECONDS,
    Candidates,
    EditModel,
    EditScores,
    closed,
    find_candidates,
)
from codefit.tasks.repairs.edits import LogLinearEdits, feature_count
from codefit.tasks.repairs.names import CLUES, Clues, Names, add_clues, clues_of
from codefit.tasks.repairs.ngrams import NgramModel
from codefit.tasks.repairs.packed import MAX_EDITS, NO_EDIT
from codefit.tasks.repairs.ranking import RankingList, given_list, ranking_list, to_arrays

DEFAULT = Path(__file__).parent / "default_repair"
NGRAMS, EDITS, NAMES, RANKER, INFO = "ngrams.npz", "edits.npz", "names.json", "ranker.onnx", "codefit.json"
# Of the table that counts edits: two strings of 2,000 tokens. A service must not be held by a pair of millions.
MOST_CELLS = 2_000 * 2_000

Tokens = npt.NDArray[np.int32]


class RepairInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model comes from: the resolved recipe, seed, revision, hashes of data, packages; and its figures."""

    kind: Literal["repair"] = "repair"
    recipe: dict[str, Any] = {}
    seed: int | None = None
    code_revision: str | None = None
    data: dict[str, str] = {}
    packages: dict[str, str] = {}
    metrics: dict[str, Any] = {}


def write_repair_info(folder: Path, info: RepairInfo) -> None:
    """Write `codefit.json` into a model's folder."""
    write_json(folder / INFO, info)


def read_repair_info(folder: Path) -> RepairInfo:
    """Read it; `InputError` where it is not there or of something else."""
    try:
        return msgspec.json.decode((folder / INFO).read_bytes(), type=RepairInfo)
    except FileNotFoundError as error:
        raise InputError("no codefit.json there", where=str(folder)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not a repair model's codefit.json ({error})", where=str(folder / INFO)) from error


@dataclass(frozen=True)
class RepairModel:
    """What proposes repairs and orders them."""

    language_model: NgramModel
    edits: LogLinearEdits
    ranker: Path | None = None
    name_weights: tuple[float, ...] = (0.0,) * len(CLUES)

    def candidates(
        self,
        broken: Sequence[int],
        *,
        names: Names = (),
        limit: int = LIMIT,
        seconds: float = SECONDS,
        steps: int | None = None,
    ) -> Candidates:
        """The sentences near a broken string in the order of n-grams and edits.

        `names` are the texts of the tokens that are names, where the source is known: see
        `codefit.tasks.repairs.names`.
        """
        edits: EditModel = self.edits
        if names:
            edits = NamedEdits(self.edits, clues_of(closed(broken), names), self.name_weights)
        return find_candidates(broken, self.language_model, edits, limit=limit, seconds=seconds, steps=steps)

    def repairs(
        self, broken: Sequence[int], *, names: Names = (), limit: int = LIMIT, seconds: float = SECONDS
    ) -> Candidates:
        """The same in the ranker's order, where there is one; `scores` are then its own."""
        found = self.candidates(broken, names=names, limit=limit, seconds=seconds)
        if self.ranker is None or len(found.strings) < 2 or found.least_edits == 0:
            return found
        started = time.perf_counter()
        scores = self.score(ranking_list(broken, found, self.edits.weight))
        order = np.argsort(-scores, kind="stable")
        return replace(
            found,
            strings=[found.strings[k] for k in order],
            scores=scores[order],
            likelihood=found.likelihood[order],
            packed=found.packed[order],
            seconds=found.seconds + time.perf_counter() - started,
        )

    def score(self, one: RankingList) -> npt.NDArray[np.float32]:
        """The ranker's scores of a list's candidates."""
        names = [entry.name for entry in self._session.get_inputs()]
        feed = dict(to_arrays([one])._asdict())
        scores: npt.NDArray[np.float32] = self._session.run(None, {name: feed[name] for name in names})[0]
        return scores

    def rank(self, query: Sequence[int], documents: Sequence[Sequence[int] | None]) -> npt.NDArray[np.float32]:
        """Scores of given repairs of a broken string, whatever made them; the higher the better.

        Those of more than three edits come after all others, the farther the later, then what is None. Where there is
        no ranker the scores are those of n-grams and edits.
        """
        tokens = np.array(closed(query), dtype=np.int32)
        scores = np.full(len(documents), -np.inf, dtype=np.float32)
        known = [number for number, document in enumerate(documents) if document is not None]
        strings = [np.array(closed(documents[number] or []), dtype=np.int32) for number in known]
        edits = np.full((len(known), MAX_EDITS), NO_EDIT, dtype=np.int64)
        count = np.array([_count_edits(tokens, s, edits[row]) for row, s in enumerate(strings)], dtype=int)
        near = np.flatnonzero(count <= MAX_EDITS)
        if len(near):
            given = [strings[row].tolist() for row in near]
            one = given_list(tokens, edits[near], given, self.language_model, self.edits)
            own = one.scalars.sum(axis=1) if self.ranker is None else self.score(one)
            scores[np.array(known)[near]] = own
            lowest = float(own.min())
        else:
            lowest = 0.0
        for row in np.flatnonzero(count > MAX_EDITS):
            scores[known[row]] = lowest - count[row]
        return scores

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        return onnxruntime.InferenceSession(str(self.ranker), providers=["CPUExecutionProvider"])


def _count_edits(a: Tokens, b: Tokens, out: npt.NDArray[np.int64]) -> int:
    """How many edits make `b` of `a`; written to `out` where it has room for them.

    Of strings so long that counting would take more than `MOST_CELLS`, a number that it is not below: the tokens that
    one has and the other lacks (the bag distance; Bartolini, Ciaccia and Patella, SPIRE 2002), more than `out` holds.
    """
    more = np.bincount(a, minlength=len(TERMINALS)) - np.bincount(b, minlength=len(TERMINALS))
    least = int(max(more.clip(min=0).sum(), (-more).clip(min=0).sum()))
    if len(a) * len(b) > MOST_CELLS:
        return max(least, len(out) + 1)
    count = int(packed_edits(a, b, out)) if least <= len(out) else -1
    return count if count >= 0 else distance(a.tolist(), b.tolist())


@dataclass(frozen=True, slots=True)
class NamedEdits:
    """A model of edits that knows the names of one snippet."""

    edits: LogLinearEdits
    clues: Clues
    weights: Sequence[float]

    @property
    def weight(self) -> float:
        """Of the n-gram model's log probability beside the scores of edits."""
        return self.edits.weight

    def scores(self, tokens: Tokens, first_error: int, last_error: int) -> EditScores:
        """The scores of all edits of the snippet."""
        found = self.edits.scores(tokens, first_error, last_error)
        add_clues(self.clues, self.weights, found.insert, found.substitute)
        return found


def save_name_weights(weights: Sequence[float], folder: Path) -> None:
    """Write what names tell into an existing folder."""
    write_json(folder / NAMES, dict(zip(CLUES, weights, strict=True)))


def _read_name_weights(folder: Path) -> tuple[float, ...]:
    """Nought where the model was trained without sources."""
    if not (folder / NAMES).is_file():
        return (0.0,) * len(CLUES)
    try:
        weights = msgspec.json.decode((folder / NAMES).read_bytes(), type=dict[str, float])
        return tuple(weights[clue] for clue in CLUES)
    except (msgspec.DecodeError, KeyError) as error:
        raise InputError(f"damaged ({error})", where=str(folder / NAMES)) from error


def save_repair_model(model: RepairModel, folder: Path) -> None:
    """Write n-grams and edits into an existing folder."""
    language = model.language_model
    with atomic_path(folder / NGRAMS) as temporary:
        np.savez_compressed(
            temporary,
            order=np.int64(language.order),
            log_probability=language.log_probability.astype(np.float16),
            after=language.after,
            first=np.int64(language.first),
        )
    used = np.flatnonzero(model.edits.weights)
    with atomic_path(folder / EDITS) as temporary:
        np.savez_compressed(
            temporary,
            places=used.astype(np.int32),
            weights=model.edits.weights[used].astype(np.float16),
            count=np.int64(feature_count()),
            weight=np.float64(model.edits.weight),
        )


@lru_cache(maxsize=1)
def default_repair_model() -> RepairModel:
    """The model that comes with codefit, made by the recipe repair-ranking-cpu."""
    return load_repair_model(DEFAULT)


def load_repair_model(folder: Path) -> RepairModel:
    """The model of a folder; `InputError` where it holds none or one of another version."""
    if not (folder / NGRAMS).is_file() or not (folder / EDITS).is_file():
        raise InputError("holds no repair model", where=str(folder), fix="give a folder of codefit repair train")
    with np.load(folder / NGRAMS) as stored:
        language = NgramModel(
            int(stored["order"]),
            stored["log_probability"].astype(np.float32),
            stored["after"],
            int(stored["first"]),
        )
    with np.load(folder / EDITS) as stored:
        if int(stored["count"]) != feature_count():
            raise InputError("the edit weights are of another version", where=str(folder / EDITS), fix="train it anew")
        weights = np.zeros(feature_count(), dtype=np.float32)
        weights[stored["places"]] = stored["weights"]
        edits = LogLinearEdits(weights, float(stored["weight"]))
    # Compiled once after an installation, which is not to be taken from the time of the first search.
    edits.scores(np.zeros(1, dtype=np.int32), 0, 0)
    ranker = folder / RANKER
    return RepairModel(language, edits, ranker if ranker.is_file() else None, _read_name_weights(folder))
