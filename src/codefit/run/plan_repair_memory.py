"""What the stages of a ranker of repairs hold in memory at their peaks."""

from __future__ import annotations

from typing import Any

from codefit.recipe import RepairRanking
from codefit.run.plan_repair_data import SnippetsFound
from codefit.run.plan_repair_searches import Searches
from codefit.run.plan_repair_speed import Networks
from codefit.run.plan_sample import BASE_BYTES
from codefit.tasks.repairs.edits import feature_count

LIST_BYTES = 3 * 8 + 2 * 4  # a candidate of a list: its edits and its scalars
NUMBER_BYTES = 4 * 4  # a number that learns: itself, its gradient and Adam's two moments
EDIT_ACTIVATIONS = 6  # vectors that are kept of each edit of a candidate for the backward pass
# What the allocator holds after some hundred batches of different lengths, in activations of the longest (measured).
VARIED_LENGTHS = 4


def memory_plan(
    recipe: RepairRanking, snippets: SnippetsFound, searches: Searches, networks: Networks, lists: int, cores: int
) -> dict[str, Any]:
    """Bytes of each stage and the most of them: `{"parts", "total"}`.

    Memory of the many texts that the data stage reads is not given back to the system, so the later stages have it too.
    """
    process = searches.process_bytes
    workers = cores * process
    strings = lists + recipe.propose.synthetic - recipe.lists.synthetic
    edits = (recipe.propose.folds + 1) * 4 * feature_count()
    kept = LIST_BYTES * lists * recipe.lists.limit
    parts = {
        "data": process + workers,
        "propose": BASE_BYTES + workers + round(strings * searches.listing_bytes) + edits,
        "lists": process + workers + kept,
    }
    if recipe.pretrain is not None and networks.pretraining is not None:
        tokens = recipe.pretrain.batch_size * networks.pretraining.longest
        activations = VARIED_LENGTHS * _activations(recipe, tokens, networks.longest)
        learning = NUMBER_BYTES * networks.encoder_parameters + activations
        parts["pretrain"] = BASE_BYTES + learning + snippets.tokens
    tokens = recipe.train.batch_size * networks.longest
    candidates = recipe.train.batch_size * recipe.train.candidates
    of_edits = 3 * 4 * EDIT_ACTIVATIONS * recipe.model.edit * candidates
    activations = VARIED_LENGTHS * (_activations(recipe, tokens, networks.longest) + of_edits)
    # The lists are there twice while they are read: as one array, and cut apart.
    parts["train"] = BASE_BYTES + NUMBER_BYTES * networks.ranker_parameters + activations + 2 * kept
    held = {stage: size + snippets.held_bytes for stage, size in parts.items()}
    return {"parts": held, "total": max(held.values())}


def _activations(recipe: RepairRanking, tokens: int, length: int) -> int:
    """Bytes that the encoder keeps for the backward pass, without recomputation, in single precision.

    Korthikanti et al. (2022, equation 2): in half precision 34 bytes a token and unit of width and layer, and 5 bytes a
    head and pair of positions.
    """
    model = recipe.model
    return 2 * tokens * model.layers * (34 * model.hidden + 5 * model.heads * length)
