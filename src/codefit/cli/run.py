"""`codefit run` and `codefit plan`: the whole trip, and what it will cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codefit.cli.output import emit, table

if TYPE_CHECKING:
    from codefit.run.record import RunRecord

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
    """Go through a recipe's stages: data, tokenizer, train, evaluate, export, ask; then write the report.

    Run it again to go on after an interruption: what is done stays, training goes on from its last checkpoint, and the
    result is that of an unbroken run. A changed field runs again what depends on it.
    """
    import msgspec

    from codefit.files import read_json
    from codefit.recipe import load_recipe
    from codefit.run.trip import run_recipe

    checked = load_recipe(recipe, overrides or ())
    folder = out or Path("runs") / checked.name
    record = run_recipe(checked, folder, start_from=from_stage)
    evaluation = read_json(folder / "evaluation.json")["sets"]
    answers = read_json(folder / "answers.json") if (folder / "answers.json").exists() else None
    result = {
        "run": str(folder),
        "report": str(folder / "report.html"),
        "model": str(folder / "model"),
        "export": str(folder / "export"),
        "stages": [msgspec.to_builtins(stage) for stage in record.stages],
        "peak_memory_bytes": record.peak_memory_bytes,
        "evaluation": evaluation,
        "answers": answers,
    }
    emit(result, lambda: "\n\n".join([_figures(evaluation), *_answers(answers), _places(folder, record)]))


def _figures(sets: list[dict[str, Any]]) -> str:
    rows = []
    for entry in sets:
        for system in ("bm25", "model", "hybrid"):
            low, high = entry[system]["ci95"]["mrr@10"]
            figures = [f"{entry[system][metric]:.3f}" for metric in ("mrr@10", "ndcg@10", "recall@1", "recall@10")]
            rows.append([system, figures[0], f"{low:.3f}–{high:.3f}", *figures[1:]])
    sources = len(sets[0].get("by", {}).get("source", {}))
    title = f"{sets[0]['n']:,} questions to {sources} sources unseen in training, pools of at most {sets[0]['pool']}"
    return title + "\n" + table(rows, ["", "MRR@10", "95 %", "nDCG@10", "recall@1", "recall@10"])


def _answers(answers: dict[str, Any] | None) -> list[str]:
    if answers is None:
        return []
    lines = [f"asked of {answers['source']}, {answers['functions']:,} functions:"]
    for query in answers["queries"]:
        lines.append(f"  {query['query']}")
        lines += [f"    {r['score']:6.2f}  {r['name']}  {r['path']}:{r['start_line']}" for r in query["results"]]
    return ["\n".join(lines)]


def _places(folder: Path, record: RunRecord) -> str:
    seconds = sum(stage.seconds or 0 for stage in record.stages)
    peak = (record.peak_memory_bytes or 0) / 2**30
    return (
        f"{seconds:,.0f} s, {peak:.1f} GiB at most\n"
        f"report  {folder / 'report.html'}\nmodel   {folder / 'export'}\n"
        f'search  codefit search "open a file and count its lines" PATH --model {folder / "export"}'
    )


def plan(recipe: RecipeArgument, overrides: Overrides = None) -> None:
    """Say what a run will cost, before anything is spent: rows, tokens, padding, parameters, memory, time.

    Counts what the recipe names, mines a sample of it, and takes a few steps on it to see how fast this machine is.
    """
    from codefit.recipe import load_recipe
    from codefit.run.plan import plan_recipe
    from codefit.run.plan_text import plan_text

    result = plan_recipe(load_recipe(recipe, overrides or ()))
    emit(result, lambda: plan_text(result))
