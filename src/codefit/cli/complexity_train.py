"""`codefit complexity train` and `eval`: scorers that learn from functions, and what a scorer is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codefit.cli.output import emit, table

RECIPE = "complexity-scoring-cpu"


def train(
    train_file: Annotated[Path, typer.Option(help="Functions with code, and a score or not: JSONL, .gz, .zst.")],
    output_dir: Annotated[Path, typer.Option(help="Folder of the run: what is learned on the way, and model/.")],
    eval_file: Annotated[
        Path | None, typer.Option(help="Functions that choose what is kept.", show_default="a part of the others")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            help="Language model to tune with an adapter: a folder, or a name on the hub.", show_default="none"
        ),
    ] = None,
    quantize: Annotated[
        str | None, typer.Option(metavar="nf4", help="The base in 4 bits (QLoRA).", show_default="as it is")
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of the encoder.", show_default="the recipe's")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps.", show_default="auto")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help=f"Any field of the recipe {RECIPE}, such as model.layers=2."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Starting weights and order of functions.")] = 0,
) -> None:
    """Train scorers of functions: boosted trees on metrics, an encoder that reads code, with --base a language model.

    Scores that the rows bring are learned as they are; else they are computed by the formula, which
    `codefit complexity score` does exactly and at once. Run again to resume. Writes OUTPUT_DIR/model, which
    `codefit complexity eval` and `codefit serve --complexity` take.
    """
    from codefit.recipe import ComplexityScoring, load_recipe
    from codefit.run.complexity_scoring import train_from

    changes = ["language_model=null"] if base is None else [f"language_model.base={base}"]
    if quantize is not None:
        changes.append(f"language_model.quantize={quantize}")
    if max_steps is not None:
        changes += ["train.epochs=null", f"train.max_steps={max_steps}"]
    if device is not None:
        changes += [f"train.device={device}", *([f"language_model.device={device}"] if base is not None else [])]
    recipe = load_recipe(RECIPE, [*changes, *(set_ or []), f"seed={seed}"])
    assert isinstance(recipe, ComplexityScoring)
    result = train_from(recipe, output_dir, train_file, eval_file)
    emit(result, lambda: "\n".join([*result["stages"].values(), f"written  {result['model']}"]))


def evaluate(
    functions: Annotated[Path, typer.Option(help="Functions with code and a score or complexity: JSONL, .gz, .zst.")],
    model: Annotated[
        Path | None,
        typer.Option(help="Model folder of complexity train or of a run.", show_default="the exact scores alone"),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Where the language model's base is.", show_default="where it was in training")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of the resamples that make the intervals.")] = 0,
) -> None:
    """Measure scorers on functions with known scores: mean absolute error, r², rank correlations, with intervals.

    The formula and the exact score are always measured beside a model and its members. An answer that is none is
    counted, and in no figure.
    """
    from codefit.run.complexity_evaluation import evaluate_file

    result = evaluate_file(functions, model, base=base, device=device, seed=seed)
    emit(result, lambda: _evaluation_text(result))


def _evaluation_text(result: dict[str, Any]) -> str:
    lines = [scorers_table(result["scorers"])]
    lines += [f"{name} is left out: {reason}" for name, reason in result["missing"].items()]
    return "\n".join([*lines, f"{result['n']:,} functions"])


def scorers_table(rows: list[dict[str, Any]]) -> str:
    """A line a scorer, the mean absolute error with its interval."""
    cells = []
    for row in rows:
        mae = row["mae"]
        cells.append(
            [
                row["name"],
                *(["", ""] if mae is None else [f"{mae[0]:.3f}", f"{mae[1]:.3f}–{mae[2]:.3f}"]),
                *(f"{row[name][0]:.3f}" if row[name] is not None else "" for name in ("rmse", "r2", "spearman")),
                f"{row['n']:,}",
                f"{row['invalid']:,}",
                f"{row['ms']:.2f}",
            ]
        )
    return table(cells, ["scorer", "MAE", "95 %", "RMSE", "r²", "Spearman", "n", "invalid", "ms"])
