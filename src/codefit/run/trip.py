"""`codefit run`: the whole trip of a recipe, from source to report."""

from __future__ import annotations

from pathlib import Path

from codefit.recipe import CodeEncoder, ComplexityScoring, ExtendedPretraining, Recipe, RepairRanking
from codefit.run.record import RunRecord, new_record
from codefit.run.runner import Stage, run_stages

REPORT = "report.html"


def run_recipe(recipe: Recipe, out: Path, *, start_from: str | None = None) -> RunRecord:
    """Do every stage that is not done yet in `out`, then write the report; the record of the run."""
    from codefit.run.report import write_report

    stages = stages_of(recipe)
    record = run_stages(stages, new_record(recipe, [stage.name for stage in stages]), out, start_from=start_from)
    write_report([out], out / REPORT)
    return record


def stages_of(recipe: Recipe) -> list[Stage]:
    """The stages of the recipe's system, in order."""
    if isinstance(recipe, CodeEncoder):
        from codefit.run.code_encoder import stages_of as of_code_encoder

        return of_code_encoder(recipe)
    if isinstance(recipe, ExtendedPretraining):
        from codefit.run.extended_pretraining import stages_of as of_extended

        return of_extended(recipe)
    if isinstance(recipe, RepairRanking):
        from codefit.run.repair_ranking import stages_of as of_repair_ranking

        return of_repair_ranking(recipe)
    if isinstance(recipe, ComplexityScoring):
        from codefit.run.complexity_scoring import stages_of as of_complexity_scoring

        return of_complexity_scoring(recipe)
    from codefit.run.base_language_model import stages_of as of_base

    return of_base(recipe)
