"""`codefit run`: the whole trip of a recipe, from source to report."""

from __future__ import annotations

from pathlib import Path

from codefit.recipe import Recipe
from codefit.run.code_encoder import new_record, stages_of
from codefit.run.record import RunRecord
from codefit.run.runner import run_stages

REPORT = "report.html"


def run_recipe(recipe: Recipe, out: Path, *, start_from: str | None = None) -> RunRecord:
    """Do every stage that is not done yet in `out`, then write the report; the record of the run."""
    from codefit.run.report import write_report

    record = run_stages(stages_of(recipe), new_record(recipe), out, start_from=start_from)
    write_report([out], out / REPORT)
    return record
