"""Learning how much the names of a snippet tell: the weights of `codefit.tasks.repairs.names`.

Each pair's candidates are found by the model that did not see its fold; then the weights are those under which the true
repairs are likeliest, beside the scores that the candidates have already: a conditional log-linear model with as many
weights as there are kinds of clues, fitted by Newton's method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.source.lexemes import lex
from codefit.tasks.repairs.candidates import closed
from codefit.tasks.repairs.instances import RepairPair
from codefit.tasks.repairs.names import CLUES, Clues, Names, clue_counts, clues_of, names_of
from codefit.train.proposer import Example, each_of, loaded_proposer, with_truth

STEPS = 50  # of Newton's method, which is done after a few
PRECISION = 0.05  # of the normal prior of a weight: a clue that was never seen to fail stays finite
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class NamedExample:
    """An example and the names of its broken string."""

    example: Example
    names: Names


@dataclass(frozen=True, slots=True)
class ClueList:
    """A pair's candidates: their scores (n,), what clues each follows (n, clues), the number of the true one."""

    scores: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]
    truth: int


def names_of_source(pair: RepairPair, source: str | None) -> Names | None:
    """The names of a pair's broken string, None where the source is not known or lexed otherwise."""
    if source is None:
        return None
    lexed = lex(source)
    return names_of(lexed) if closed(lexed.terminals) == pair.broken else None


def fit_names(proposer: Path, examples: Sequence[NamedExample], *, limit: int, steps: int) -> dict[str, Any]:
    """The weights by clue, and of how many pairs they come: those in which a name tells something."""
    telling = [one for one in examples if clues_of(one.example.pair.broken, one.names)]
    work = partial(_clue_list, proposer, limit, steps)
    lists = [found for _, found in each_of(work, telling, "names") if found is not None]
    weights = fit_weights(lists)
    return {
        "pairs": len(examples),
        "telling": len(telling),
        "lists": len(lists),
        "weights": dict(zip(CLUES, weights, strict=True)),
        "loss": {"without": _loss(lists, np.zeros(len(CLUES))), "with": _loss(lists, np.array(weights))},
    }


def _clue_list(proposer: Path, limit: int, steps: int, one: NamedExample) -> ClueList | None:
    model = loaded_proposer(proposer / str(one.example.fold))
    found = with_truth(model, one.example.pair, limit=limit, steps=steps)
    if found is None:
        return None
    clues: Clues = clues_of(one.example.pair.broken, one.names)
    counts = clue_counts(clues, found.edits).astype(np.float64)
    if not counts.any():
        return None
    return ClueList(found.scalars.sum(axis=1).astype(np.float64), counts, found.truth)


def fit_weights(lists: Sequence[ClueList]) -> list[float]:
    """The weights under which the truths are likeliest, less a prior."""
    weights = np.zeros(len(CLUES))
    for _ in range(STEPS):
        gradient, hessian = -PRECISION * weights, -PRECISION * np.eye(len(CLUES))
        for one in lists:
            share = _shares(one, weights)
            mean = share @ one.counts
            gradient += one.counts[one.truth] - mean
            hessian -= one.counts.T @ (one.counts * share[:, None]) - np.outer(mean, mean)
        step = -np.linalg.solve(hessian, gradient)
        before = _objective(lists, weights)
        while _objective(lists, weights + step) < before and np.abs(step).max() >= TOLERANCE:
            step /= 2  # a whole step may go past the maximum, where few lists bend the curve
        weights += step
        if np.abs(step).max() < TOLERANCE:
            break
    found: list[float] = weights.tolist()
    return found


def _objective(lists: Sequence[ClueList], weights: npt.NDArray[np.float64]) -> float:
    likelihood = sum(float(np.log(_shares(one, weights)[one.truth])) for one in lists)
    return likelihood - PRECISION * float(weights @ weights) / 2


def _shares(one: ClueList, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    scores = one.scores + one.counts @ weights
    shares = np.exp(scores - scores.max())
    normalised: npt.NDArray[np.float64] = shares / shares.sum()
    return normalised


def _loss(lists: Sequence[ClueList], weights: npt.NDArray[np.float64]) -> float | None:
    """Mean nats of the truth; None without lists."""
    if not lists:
        return None
    return float(-np.mean([np.log(_shares(one, weights)[one.truth]) for one in lists]))
