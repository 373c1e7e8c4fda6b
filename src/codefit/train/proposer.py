"""Learning what proposes repairs: the n-grams, the model of edits, and honest lists for the ranker to learn from.

What was counted and fitted on a pair knows its repair, and lists made with that would teach the ranker to trust scores
that it will not see again. So the pairs are divided into folds, near duplicates together, and each pair's candidates
are found with models that did not see its fold (cross-fitting, as in stacking: Wolpert, "Stacked generalization",
1992). Beside these models of the folds there is the one of all pairs, which is the one that is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.engine.processes import map_records
from codefit.errors import CodefitError
from codefit.files import atomic_folder
from codefit.models.repair import RepairModel, load_repair_model, save_repair_model
from codefit.progress import say, track
from codefit.tasks.repairs.align import edits_between
from codefit.tasks.repairs.breaks import learn_mistakes, synthetic_pairs
from codefit.tasks.repairs.edits import starting_edits
from codefit.tasks.repairs.instances import RepairPair
from codefit.tasks.repairs.ngrams import NgramModel, count_ngrams, smooth
from codefit.tasks.repairs.packed import MAX_EDITS, NO_EDIT, pack
from codefit.tasks.repairs.ranking import RankingList, given_list, ranking_list
from codefit.train.edit_model import Listing, fit_edits, list_candidates

ALL = "all"
SECONDS_A_LIST = 120.0  # a search is bounded by its steps; this is for what should not happen


@dataclass(frozen=True, slots=True)
class ProposerSettings:
    """How it is learned.

    The n-grams' `order` and how many `contexts` are kept; how many `synthetic` broken strings are made, with one, two
    or three mistakes in these `shares`; into how many `folds` pairs are divided; in each of `rounds` how many
    candidates at most are found of a pair, with so many `steps` of the parser; the fit's epochs and rate.
    """

    order: int = 5
    contexts: int = 20_000
    synthetic: int = 2_000
    shares: tuple[float, ...] = (1.0, 1.0, 1.0)
    folds: int = 4
    rounds: int = 2
    limit: int = 80
    steps: int = 1_000_000
    epochs: int = 6
    learning_rate: float = 0.05
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """A pair to learn from and the fold that it is in."""

    pair: RepairPair
    fold: int


def examples_of(
    pairs: Sequence[RepairPair],
    groups: npt.NDArray[np.int64],
    synthetic: int,
    settings: ProposerSettings,
    *,
    stream: int = 0,
) -> list[Example]:
    """The pairs and broken strings made of their repairs by the mistakes seen in them, each in the fold of its group.

    `groups` (pairs,) are numbers that near duplicates share; another `stream` makes other broken strings.
    """
    different, numbers = np.unique(groups, return_inverse=True)
    folds = np.random.default_rng(settings.seed).permutation(len(different)) % settings.folds
    fold_of = folds[numbers]
    rng = np.random.default_rng([settings.seed, 1 + stream])
    made = synthetic_pairs(
        [pair.fixed for pair in pairs], learn_mistakes(pairs), synthetic, settings.shares, rng
    ) if synthetic else ()  # fmt: skip
    return [
        *(Example(pair, int(fold)) for pair, fold in zip(pairs, fold_of, strict=True)),
        *(Example(pair, int(fold_of[number])) for number, pair in made),
    ]


def count_models(
    pairs: Sequence[RepairPair], examples: Sequence[Example], settings: ProposerSettings
) -> list[NgramModel]:
    """The n-gram model of the repairs outside each fold, and last that of all."""
    real = examples[: len(pairs)]

    def of(fold: int | None) -> NgramModel:
        kept = [example.pair.fixed for example in real if example.fold != fold]
        return smooth(count_ngrams(kept, settings.order), most_contexts=settings.contexts)

    return [of(fold) for fold in (*range(settings.folds), None)]


def train_proposer(
    pairs: Sequence[RepairPair], groups: npt.NDArray[np.int64], settings: ProposerSettings, out: Path
) -> dict[str, Any]:
    """Write the model of each fold and that of all below `out`; what was learned."""
    examples = examples_of(pairs, groups, settings.synthetic, settings)
    languages = count_models(pairs, examples, settings)
    start = starting_edits()
    models = [RepairModel(language, start) for language in languages]
    report: list[dict[str, Any]] = []
    with atomic_folder(out) as folder:
        for number in range(settings.rounds):
            _save_all(folder, models)
            listings = list(_listings(folder, examples, settings))
            models = [
                RepairModel(
                    model.language_model,
                    fit_edits(
                        [one for fold, one in listings if fold != own],
                        start,
                        epochs=settings.epochs,
                        rate=settings.learning_rate,
                        seed=settings.seed,
                    ),
                )
                for own, model in enumerate(models)
            ]
            report.append({"lists": len(listings), "weight": models[-1].edits.weight})
            say(f"propose: round {number + 1}, {len(listings):,} lists, n-grams weigh {models[-1].edits.weight:.2f}")
        _save_all(folder, models)
    return {"pairs": len(pairs), "synthetic": len(examples) - len(pairs), "rounds": report}


def _save_all(folder: Path, models: Sequence[RepairModel]) -> None:
    for number, model in enumerate(models):
        place = folder / (ALL if number == len(models) - 1 else str(number))
        place.mkdir(exist_ok=True)
        save_repair_model(model, place)


def _listings(folder: Path, examples: Sequence[Example], settings: ProposerSettings) -> Iterator[tuple[int, Listing]]:
    work = partial(_listing, folder, settings.limit, settings.steps)
    for example, listing in each_of(work, examples, "candidates"):
        if listing is not None:
            yield example.fold, listing


def _listing(folder: Path, limit: int, steps: int, example: Example) -> Listing | None:
    model = loaded_proposer(folder / str(example.fold))
    return list_candidates(*example.pair, model.language_model, model.edits, limit=limit, steps=steps)


@lru_cache(maxsize=8)
def _loaded_at(folder: Path, changed: int) -> RepairModel:
    return load_repair_model(folder)


def loaded_proposer(folder: Path) -> RepairModel:
    """The model of a folder, read once; the rounds write it anew."""
    return _loaded_at(folder, (folder / "edits.npz").stat().st_mtime_ns)


def training_lists(proposer: Path, examples: Sequence[Example], *, limit: int, steps: int) -> Iterator[RankingList]:
    """What the ranker learns from: of each example the candidates that the model outside its fold finds.

    The true repair is put in where it was not found and is at most three edits away; where it is farther the list is
    left out.
    """
    work = partial(_training_list, proposer, limit, steps)
    for _, one in each_of(work, examples, "lists"):
        if one is not None:
            yield one


def _training_list(proposer: Path, limit: int, steps: int, example: Example) -> RankingList | None:
    return with_truth(loaded_proposer(proposer / str(example.fold)), example.pair, limit=limit, steps=steps)


def with_truth(model: RepairModel, pair: RepairPair, *, limit: int, steps: int) -> RankingList | None:
    """A pair's candidates, the true repair put in where it was not found; None where it cannot be one."""
    broken, fixed = pair
    found = model.candidates(broken, limit=limit, steps=steps)
    if found.least_edits == 0:
        return None
    one = ranking_list(broken, found, model.edits.weight, fixed)
    if one.truth >= 0:
        return one
    edits = edits_between(broken, fixed)
    if not 0 < len(edits) <= MAX_EDITS:
        return None
    row = np.full((1, MAX_EDITS), NO_EDIT, dtype=np.int64)
    row[0, : len(edits)] = [pack(edit) for edit in edits]
    given = given_list(
        np.array(broken, dtype=np.int32),
        np.concatenate([found.packed, row]),
        [*found.strings, fixed],
        model.language_model,
        model.edits,
    )
    return replace(given, truth=len(found.strings))


def validation_lists(folder: Path, pairs: Sequence[RepairPair], *, limit: int, steps: int) -> Iterator[RankingList]:
    """The lists of pairs as the model of a folder finds them; the truth has the number -1 where it was not found."""
    work = partial(_validation_list, folder, limit, steps)
    for _, one in each_of(work, pairs, "validation lists"):
        yield one


def _validation_list(folder: Path, limit: int, steps: int, pair: RepairPair) -> RankingList:
    model = loaded_proposer(folder)
    found = model.candidates(pair.broken, limit=limit, steps=steps)
    return ranking_list(pair.broken, found, model.edits.weight, pair.fixed)


def each_of(work: Any, items: Sequence[Any], what: str) -> Iterable[tuple[Any, Any]]:
    """Each item with what `work` makes of it, by the processes of this machine; one that fails is an error."""
    outcomes = map_records(work, items, seconds_per_item=SECONDS_A_LIST)
    for outcome in track(outcomes, what, len(items), "strings"):
        if outcome.error is not None:
            raise CodefitError(f"no candidates could be found of string {outcome.index + 1}: {outcome.error}")
        yield items[outcome.index], outcome.value
