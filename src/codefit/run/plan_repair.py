"""What training a ranker of repairs will cost: rows, snippets, steps, memory and time, and strings with candidates.

Repairs are counted and divided, a part of the sound code is lexed, a few strings are searched for with the budgets of
each stage, and both networks take a few steps at a rate of nought. Nothing is trained and nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from codefit.recipe import RepairRanking, RepairSteps
from codefit.run.machine import machine_facts
from codefit.run.pair_data import find_files
from codefit.run.plan_repair_data import RepairsFound, SnippetsFound, survey_repairs, survey_snippets
from codefit.run.plan_repair_examples import choose_examples, rank_of
from codefit.run.plan_repair_memory import memory_plan
from codefit.run.plan_repair_searches import Searches, measure_counting, measure_searches
from codefit.run.plan_repair_speed import Networks, measure_networks, parameters_of
from codefit.run.repair_ranking import shape_of, steps_of
from codefit.tasks.repairs.align import edits_between
from codefit.tasks.repairs.instances import pair_of
from codefit.tasks.repairs.packed import MAX_EDITS

# Tracing the graph and quantizing it take about as long for a small network as for a large one: not measured.
EXPORT_SECONDS = 12.0
FORWARD = 1 / 3  # of a step's time: to read a batch without learning


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is counted and timed; `lists` are those that the ranker learns from, `counting` the time of n-grams."""

    recipe: RepairRanking
    repairs: RepairsFound
    snippets: SnippetsFound
    searches: Searches
    networks: Networks
    lists: int
    counting: float
    cores: int

    @property
    def evaluated(self) -> int:
        """Strings to measure on."""
        return len(self.repairs.evaluation[: self.recipe.evaluate.max_instances])

    @property
    def pretrain_steps(self) -> int:
        """Steps of the pre-training, none where there is none."""
        section = self.recipe.pretrain
        return steps_of(section, 0).count(self.snippets.count) if section is not None else 0

    @property
    def train_steps(self) -> int:
        """Steps of the ranker's training."""
        return steps_of(self.recipe.train, 0).count(self.lists)


def plan_repair_ranking(recipe: RepairRanking) -> dict[str, Any]:
    """The plan of a ranker of repairs; see `codefit.run.plan_repair_text` for how it is told.

    Raises what the data stage would raise.
    """
    import psutil

    machine = machine_facts() | {"load": psutil.getloadavg()[0]}
    repairs, snippets = survey_repairs(recipe), survey_snippets(recipe.data, recipe.seed)
    searches = measure_searches(recipe, repairs.train, repairs.validation)
    measured = _Measured(
        recipe=recipe,
        repairs=repairs,
        snippets=snippets,
        searches=searches,
        networks=measure_networks(recipe, snippets.snippets, searches, shape_of(recipe)),
        lists=_lists(repairs, recipe),
        counting=measure_counting(recipe, snippets.snippets, snippets.tokens),
        cores=machine["cores"],
    )
    seconds = _seconds(measured)
    networks = measured.networks
    return {
        "recipe": recipe.name,
        "system": recipe.system,
        "data": {
            "dropped": repairs.dropped,
            "files": snippets.read_files,
            "bytes": snippets.read_bytes,
            "lexed_files": snippets.lexed_files,
            "missing": [*snippets.missing, *find_files(recipe.data.counts)[1]],
        },
        "rows": {
            "train": len(repairs.train),
            "validation": len(repairs.validation),
            "evaluation": measured.evaluated,
            "telling": repairs.telling,
            "made_for_edits": recipe.propose.synthetic,
            "made_for_lists": recipe.lists.synthetic,
            "lists": measured.lists,
        },
        "tokens": _tokens(measured),
        "parameters": {"encoder": networks.encoder_parameters, "ranker": networks.ranker_parameters},
        "steps": {"pretrain": measured.pretrain_steps, "train": measured.train_steps},
        "batch_size": {
            "pretrain": recipe.pretrain.batch_size if recipe.pretrain is not None else 0,
            "train": recipe.train.batch_size,
        },
        "memory_bytes": memory_plan(recipe, snippets, searches, networks, measured.lists, measured.cores),
        "search": _search(searches),
        "seconds": {**seconds, "total": sum(seconds.values())},
        "machine": machine,
        "examples": choose_examples(searches.rows, searches.found),
    }


def _lists(repairs: RepairsFound, recipe: RepairRanking) -> int:
    """Lists to rank: of a pair that is too far apart there is none."""
    near = sum(0 < len(edits_between(*pair_of(row))) <= MAX_EDITS for row in repairs.train)
    return near + recipe.lists.synthetic


def _tokens(measured: _Measured) -> dict[str, Any]:
    """Tokens of the data and of both trainings; positions less their padding."""
    snippets, networks, recipe = measured.snippets, measured.networks, measured.recipe
    of_repairs = float(np.mean([len(pair_of(row).broken) for row in measured.repairs.train]))
    found: dict[str, Any] = {
        "a_repair": of_repairs,
        "snippets": snippets.tokens,
        "snippets_held_out": snippets.held_out_tokens,
        "known": "counted" if snippets.counted else "scaled up",
        "sampled_files": snippets.sampled_files,
        "training": round(of_repairs * recipe.train.batch_size * measured.train_steps),
    }
    if networks.pretraining is None:
        return found | {"pretraining": 0}
    padding = networks.pretraining.padding
    seen = measured.pretrain_steps * networks.pretraining.positions * (1 - padding)
    return found | {
        "pretraining": round(seen),
        "padding_share": padding,
        "padding_share_unsorted": networks.pretraining.padding_unsorted,
    }


def _search(searches: Searches) -> dict[str, Any]:
    """How the searches went that have the budget of the last stage."""
    found = searches.found
    return {
        "strings": len(found),
        "milliseconds": 1000 * searches.evaluate,
        "candidates": float(np.mean([len(one.strings) for one in found])),
        "found": sum(rank_of(row, one) is not None for row, one in zip(searches.rows, found, strict=True)),
    }


def _seconds(measured: _Measured) -> dict[str, float]:
    """Seconds of each stage, in the order of the run."""
    recipe, searches, networks = measured.recipe, measured.searches, measured.networks
    validation = len(measured.repairs.validation)
    scoring = validation * networks.scoring
    found = {"data": measured.repairs.seconds + measured.snippets.seconds, "propose": _proposing(measured)}
    telling = searches.starting + measured.repairs.telling * searches.lists / measured.cores
    found["names"] = measured.repairs.naming_seconds + telling
    strings = len(measured.repairs.train) + recipe.lists.synthetic
    searching = strings * searches.lists + validation * searches.validation
    found["lists"] = 2 * searches.starting + searching / measured.cores
    pretrain = _pretraining(measured, recipe)
    if recipe.pretrain is not None:
        found["pretrain"] = pretrain
    found["train"] = _training(measured, recipe)
    if recipe.variants:
        found["variants"] = _variants(measured)
    found["export"] = EXPORT_SECONDS + 3 * scoring  # by torch, in single precision, in int8
    found["evaluate"] = measured.evaluated * (searches.evaluate + networks.scoring)
    return found


def _proposing(measured: _Measured) -> float:
    """n-grams of each fold and of all, in each round searches and as many fits, and n-grams of other code."""
    section, searches = measured.recipe.propose, measured.searches
    strings = len(measured.repairs.train) + section.synthetic
    searching = searches.starting + strings * searches.propose / measured.cores
    fits = section.folds  # folds without their own part are one whole less than folds, and the whole is fitted too
    fitting = fits * strings * section.epochs * searches.fitting
    published = len(find_files(measured.recipe.data.counts)[0]) * searches.counting
    counting = (section.folds + 1) * searches.counting + measured.counting + published
    return counting + section.rounds * (searching + fitting)


def _looks(section: RepairSteps, steps: int) -> int:
    """How often it is looked at what chooses the model."""
    return 1 + (steps // section.eval_every if section.eval_every else 0)


def _pretraining(measured: _Measured, recipe: RepairRanking) -> float:
    """Of the recipe's encoder; of a variant's as much more as it has numbers."""
    section, speed = recipe.pretrain, measured.networks.pretraining
    if section is None or speed is None:
        return 0.0
    share = parameters_of(shape_of(recipe))[0] / measured.networks.encoder_parameters
    held_out = measured.snippets.held_out_tokens if recipe.data.snippet_validation_sources else 0
    looking = _looks(section, measured.pretrain_steps) * held_out * FORWARD
    return share * speed.seconds_a_position * (measured.pretrain_steps * speed.positions + looking)


def _training(measured: _Measured, recipe: RepairRanking) -> float:
    """The same of the ranker; its steps are of as many strings as the recipe's batch has."""
    networks = measured.networks
    steps = steps_of(recipe.train, 0).count(measured.lists)
    share = parameters_of(shape_of(recipe))[1] / networks.ranker_parameters
    positions = networks.training.positions * recipe.train.batch_size / measured.recipe.train.batch_size
    looking = _looks(recipe.train, steps) * len(measured.repairs.validation) * networks.scoring
    return share * (steps * positions * networks.training.seconds_a_position + looking)


def _variants(measured: _Measured) -> float:
    """Each is trained; one with an encoder of other sizes is pre-trained before."""
    recipe = measured.recipe
    total = 2 * len(measured.repairs.validation) * measured.networks.scoring
    for variant in recipe.variants.values():
        changed = recipe.with_variant(variant)
        total += _training(measured, changed)
        if shape_of(changed) != shape_of(recipe):
            total += _pretraining(measured, changed)
    return total
