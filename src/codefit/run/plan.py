"""`codefit plan`: what a run will cost, before anything is spent. Nothing is trained and nothing is written."""

from __future__ import annotations

from typing import Any

from codefit.recipe import CodeEncoder, ComplexityScoring, Recipe, RepairRanking


def plan_recipe(recipe: Recipe) -> dict[str, Any]:
    """The plan of the recipe's system: data, tokens, parameters, memory, seconds, examples as the model sees them.

    What is counted and what is scaled up from a sample is said in it.
    """
    if isinstance(recipe, CodeEncoder):
        from codefit.run.plan_code_encoder import plan_code_encoder

        return plan_code_encoder(recipe)
    if isinstance(recipe, RepairRanking):
        from codefit.run.plan_repair import plan_repair_ranking

        return plan_repair_ranking(recipe)
    if isinstance(recipe, ComplexityScoring):
        from codefit.run.plan_complexity import plan_complexity_scoring

        return plan_complexity_scoring(recipe)
    from codefit.run.plan_language import plan_language_model

    return plan_language_model(recipe)
