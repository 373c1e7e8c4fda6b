"""How long the searches of a ranker's stages take: a few of each with its budget, and what they find.

Candidates come from n-grams of the repairs to learn from; of edits nothing is learned yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from codefit.models.repair import RepairModel
from codefit.recipe import RepairRanking
from codefit.records import Repair
from codefit.run.memory import resident_bytes
from codefit.tasks.repairs.breaks import learn_mistakes, synthetic_pairs
from codefit.tasks.repairs.candidates import Candidates
from codefit.tasks.repairs.edits import starting_edits
from codefit.tasks.repairs.instances import RepairPair, pair_of
from codefit.tasks.repairs.ngrams import count_ngrams, smooth
from codefit.tasks.repairs.ranking import RankingList, ranking_list
from codefit.train.edit_model import Listing, fit_edits, list_candidates

if TYPE_CHECKING:
    pass

SEARCHED = 16  # strings of each kind
SEARCH_SECONDS = 4.0  # that the searches of one kind may take; the others of it go by what these came to
FITTED = 256  # lists that the fit of the edits is timed on

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Searches:
    """Seconds that a string takes in each stage, and what was found.

    `counting` is the time of one n-gram model of the repairs, `starting` that of loading what searches, `fitting` of a
    pass over one list; `listing_bytes` are those of what is kept of a list for the fit, `process_bytes` those of a
    process that searches.
    """

    counting: float
    starting: float
    fitting: float
    propose: float
    lists: float
    validation: float
    evaluate: float
    listing_bytes: float
    process_bytes: int
    rows: list[Repair]
    found: list[Candidates]
    to_rank: list[RankingList]
    to_score: list[RankingList]


def measure_searches(recipe: RepairRanking, train: Sequence[Repair], validation: Sequence[Repair]) -> Searches:
    """Search for the repairs of a few strings as each stage does, with n-grams of the repairs and no edits learned."""
    pairs = [pair_of(row) for row in train]
    rng = np.random.default_rng(recipe.seed)
    started = time.monotonic()
    language = smooth(
        count_ngrams([pair.fixed for pair in pairs], recipe.propose.order), most_contexts=recipe.propose.contexts
    )
    counting = time.monotonic() - started
    model = RepairModel(language, starting_edits())
    started = time.monotonic()
    model.candidates(pairs[0].broken, limit=2, steps=1)
    starting = time.monotonic() - started

    drawn = [pairs[k] for k in rng.permutation(len(pairs))[:SEARCHED]]
    made = _made(recipe, pairs, rng)
    rows = [validation[k] for k in rng.permutation(len(validation))[:SEARCHED]]
    section, evaluate = recipe.lists, recipe.evaluate

    def listing(pair: RepairPair) -> Listing | None:
        return list_candidates(*pair, language, model.edits, limit=recipe.propose.limit, steps=recipe.propose.steps)

    def to_rank(pair: RepairPair) -> RankingList:
        found = model.candidates(pair.broken, limit=section.limit, steps=section.steps)
        return ranking_list(pair.broken, found, model.edits.weight, pair.fixed)

    def to_score(row: Repair) -> RankingList:
        found = model.candidates(pair_of(row).broken, limit=section.validation_limit, steps=section.steps)
        return ranking_list(pair_of(row).broken, found, model.edits.weight)

    def end_to_end(row: Repair) -> Candidates:
        return model.candidates(pair_of(row).broken, limit=evaluate.limit, seconds=evaluate.seconds)

    proposing = _mixed(listing, drawn, made, len(pairs), recipe.propose.synthetic)
    ranking = _mixed(to_rank, drawn, made, len(pairs), section.synthetic)
    scoring, evaluating = timed(to_score, rows), timed(end_to_end, rows)
    process_bytes = resident_bytes()
    listings = [one for one in proposing.results if one is not None]
    return Searches(
        counting=counting,
        starting=starting,
        fitting=_fitting(listings),
        propose=proposing.seconds,
        lists=ranking.seconds,
        validation=scoring.seconds,
        evaluate=evaluating.seconds,
        listing_bytes=float(np.mean([one.features.nbytes + one.likelihood.nbytes for one in listings] or [0])),
        process_bytes=process_bytes,
        rows=rows[: len(evaluating.results)],
        found=evaluating.results,
        to_rank=ranking.results,
        to_score=scoring.results,
    )


def _made(recipe: RepairRanking, pairs: Sequence[RepairPair], rng: np.random.Generator) -> list[RepairPair]:
    """Broken strings that are made, where the recipe makes some."""
    if not recipe.propose.synthetic and not recipe.lists.synthetic:
        return []
    fixed = [pair.fixed for pair in pairs]
    found = synthetic_pairs(fixed, learn_mistakes(pairs), SEARCHED, recipe.propose.shares, rng)
    return [pair for _, pair in found]


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of an item on average, and what came of those that were worked on."""

    seconds: float
    results: list[Any]


def timed(work: Callable[[T], R], items: Sequence[T]) -> Timed:
    """Work on items until there are no more or `SEARCH_SECONDS` are over."""
    started = time.monotonic()
    results: list[R] = []
    for item in items:
        results.append(work(item))
        if time.monotonic() - started > SEARCH_SECONDS:
            break
    return Timed((time.monotonic() - started) / max(1, len(results)), results)


def _mixed(
    work: Callable[[RepairPair], Any],
    drawn: Sequence[RepairPair],
    made: Sequence[RepairPair],
    rows: int,
    synthetic: int,
) -> Timed:
    """The time of a string where there are so many of both kinds: those that are made take longer."""
    real, other = timed(work, drawn), timed(work, made if synthetic else [])
    seconds = (rows * real.seconds + synthetic * other.seconds) / (rows + synthetic)
    return Timed(seconds, real.results + other.results)


def measure_counting(recipe: RepairRanking, snippets: Sequence[bytes], tokens: int) -> float:
    """Seconds to count the n-grams of snippets of so many tokens, of which these are a part, and to smooth them."""
    started = time.monotonic()
    counted = count_ngrams(snippets, recipe.propose.order)
    counting = time.monotonic() - started
    started = time.monotonic()
    smooth(counted, most_contexts=recipe.propose.contexts)
    return counting * tokens / sum(map(len, snippets)) + time.monotonic() - started


def _fitting(listings: Sequence[Listing]) -> float:
    """Seconds of one pass of the fit of the edits over one list."""
    if not listings:
        return 0.0
    several = [listings[k % len(listings)] for k in range(FITTED)]
    fit_edits(several[:1], starting_edits(), epochs=1)  # loads what is loaded once
    started = time.monotonic()
    fit_edits(several, starting_edits(), epochs=1)
    return (time.monotonic() - started) / FITTED
