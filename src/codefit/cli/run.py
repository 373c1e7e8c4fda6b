"""`codefit run` and `codefit plan`: the whole trip, and what it will cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codefit.cli import run_code_encoder, run_complexity_scoring, run_language_model, run_repair_ranking
from codefit.cli.output import emit
from codefit.errors import InputError

if TYPE_CHECKING:
    from codefit.run.record import RunRecord

# What a run comes to is told by a module of its system's; all language models share one.
SYSTEMS = {
    "code-encoder": run_code_encoder,
    "repair-ranking": run_repair_ranking,
    "complexity-scoring": run_complexity_scoring,
}
WITHOUT_PAGE = ("code-encoder", "repair-ranking", "complexity-scoring")  # of the plan

RecipeArgument = Annotated[str, typer.Argument(metavar="RECIPE", help="A bundled recipe's name, or a YAML file.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Fields to change, such as train.epochs=3.")
]


def run(
    recipe: RecipeArgument,
    overrides: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run.", show_default="runs/RECIPE")] = None,
    from_stage: Annotated[
        str | None, typer.Option("--from", metavar="STAGE", help="Do this stage and those after it again.")
    ] = None,
) -> None:
    """Go through a recipe's stages, from data to what is shipped; then write the report.

    Run it again to go on after an interruption: what is done stays, training goes on from its last checkpoint, and the
    result is that of an unbroken run. A changed field runs again what depends on it.
    """
    import msgspec

    from codefit.recipe import load_recipe
    from codefit.run.trip import run_recipe

    checked = load_recipe(recipe, overrides or ())
    folder = out or Path("runs") / checked.name
    record = run_recipe(checked, folder, start_from=from_stage)
    system = SYSTEMS.get(checked.system, run_language_model)
    found = system.results(folder)
    result = {
        "run": str(folder),
        "report": str(folder / "report.html"),
        **system.places(folder),
        "stages": [msgspec.to_builtins(stage) for stage in record.stages],
        "peak_memory_bytes": record.peak_memory_bytes,
        **found,
    }
    emit(result, lambda: "\n\n".join([*system.text(found), f"{_cost(folder, record)}\n{system.places_text(folder)}"]))


def _cost(folder: Path, record: RunRecord) -> str:
    seconds = sum(stage.seconds or 0 for stage in record.stages)
    peak = (record.peak_memory_bytes or 0) / 2**30
    return f"{seconds:,.0f} s, {peak:.1f} GiB at most\nreport  {folder / 'report.html'}"


def plan(
    recipe: RecipeArgument,
    overrides: Overrides = None,
    page: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write the plan as a page, with rows of training text in colour."),
    ] = None,
) -> None:
    """Say what a run will cost, before anything is spent: rows, tokens, padding, parameters, memory, time.

    Counts what the recipe names, or a sample of it, takes a few steps to see how fast this machine is, and shows an
    example as the model sees it.
    """
    from codefit.recipe import load_recipe
    from codefit.run.plan import plan_recipe
    from codefit.run.plan_text import plan_text

    checked = load_recipe(recipe, overrides or ())
    if page is not None:
        if checked.system in WITHOUT_PAGE:
            raise InputError(
                f"there is no page for the plan of a {checked.system}", where=recipe, fix="leave --page out"
            )
        from codefit.files import check_writable

        check_writable(page.parent)
    result = plan_recipe(checked)
    written = ""
    if page is not None:
        from codefit.run.plan_page import write_plan_page

        result["page"] = str(write_plan_page(result, page))
        written = f"\npage  {page}"
    emit(result, lambda: plan_text(result) + written)
