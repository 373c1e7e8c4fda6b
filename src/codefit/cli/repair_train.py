"""`codefit repair pretrain` and `train`: the parts of a repair model from files, without a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codefit.cli.output import emit

if TYPE_CHECKING:
    from codefit.recipe import RepairRanking

RECIPE = "repair-ranking-cpu"
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help=f"Any field of the recipe {RECIPE}, such as model.layers=2."),
]
MaxSteps = Annotated[int | None, typer.Option(min=1, help="Steps.", show_default="the recipe's")]
BatchSize = Annotated[int | None, typer.Option(min=1, help="Strings a step.", show_default="the recipe's")]
Rate = Annotated[float | None, typer.Option(help="At its peak.", show_default="the recipe's")]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps.", show_default="auto")]
Seed = Annotated[int, typer.Option(help="Starting weights and order of batches.")]


def pretrain(
    output_dir: Annotated[Path, typer.Option(help="Folder for metrics.jsonl, checkpoints/ and encoder/.")],
    train_file: Annotated[
        Path | None,
        typer.Option(help="Snippets, one a line, a character a token.", show_default="made of --documents"),
    ] = None,
    eval_file: Annotated[Path | None, typer.Option(help="Snippets that choose the encoder that is kept.")] = None,
    documents: Annotated[
        list[str] | None,
        typer.Option(help="Python to make snippets of: folders, JSONL, env.", show_default="env"),
    ] = None,
    max_steps: MaxSteps = None,
    batch_size: BatchSize = None,
    learning_rate: Rate = None,
    device: Device = None,
    set_: Set = None,
    seed: Seed = 0,
) -> None:
    """Pre-train the ranker's encoder on sound code: the next token, with a causal mask. Run again to resume.

    Writes OUTPUT_DIR/encoder, which `codefit repair train --encoder` begins with.
    """
    from codefit.run.repair_ranking import pretrain_from

    given = {"max_steps": max_steps, "batch_size": batch_size, "learning_rate": learning_rate, "device": device}
    values = [*(["data.snippets.documents=" + repr(documents)] if documents else []), *_changes("pretrain", given)]
    recipe = _recipe([*values, *(set_ or [])], seed)
    trained = pretrain_from(recipe, output_dir, train_file, eval_file)
    result = {
        "encoder": str(trained.folder),
        "steps": trained.result.steps,
        "snippets": trained.examples,
        "parameters": trained.parameters,
        "final_loss": trained.result.final_loss,
        "validation": dict(trained.validation),
        "seconds": trained.result.seconds,
    }
    emit(result, lambda: _pretrain_text(result))


def _pretrain_text(result: dict[str, Any]) -> str:
    lines = [
        f"{result['steps']:,} steps on {result['snippets']:,} snippets, {result['parameters']:,} parameters, "
        f"{result['seconds']:,.0f} s, loss {result['final_loss']:.3f}"
    ]
    if result["validation"]:
        lines.append(f"perplexity {result['validation']['perplexity']:.2f} on the snippets that choose")
    return "\n".join([*lines, f"written  {result['encoder']}"])


def train(
    train_file: Annotated[Path, typer.Option(help="Rows with broken and fixed tokens: JSONL, .gz, .zst.")],
    output_dir: Annotated[Path, typer.Option(help="Folder of the run: what is learned on the way, and model/.")],
    eval_file: Annotated[
        Path | None, typer.Option(help="Rows that choose the model that is kept.", show_default="a tenth of the others")
    ] = None,
    encoder: Annotated[
        Path | None, typer.Option(help="What repair pretrain wrote; without it the encoder begins from random weights.")
    ] = None,
    frozen_encoder: Annotated[bool, typer.Option("--frozen-encoder", help="Leave the encoder as it is.")] = False,
    tau: Annotated[float | None, typer.Option(help="Divides the scores in the softmax.", show_default="1")] = None,
    synthetic: Annotated[
        int | None, typer.Option(min=0, help="Broken strings made of sound ones.", show_default="the recipe's")
    ] = None,
    max_steps: MaxSteps = None,
    batch_size: BatchSize = None,
    learning_rate: Rate = None,
    device: Device = None,
    set_: Set = None,
    seed: Seed = 0,
) -> None:
    """Train a repair model on broken snippets and their repairs. Run again to resume.

    N-grams and a model of edits are learned first, with them candidates are found, and on these the ranker learns.
    Writes OUTPUT_DIR/model, which every other repair command takes as --model.
    """
    from codefit.run.repair_ranking import train_from

    given = {"max_steps": max_steps, "batch_size": batch_size, "learning_rate": learning_rate, "device": device}
    values = _changes("train", {**given, "tau": tau, "frozen_encoder": frozen_encoder or None})
    values += _changes("lists", {"synthetic": synthetic})
    recipe = _recipe([*values, *(set_ or [])], seed)
    result = train_from(recipe, output_dir, train_file, eval_file, encoder)
    emit(result, lambda: "\n".join([*result["stages"].values(), f"written  {result['model']}"]))


def _changes(section: str, values: dict[str, Any]) -> list[str]:
    given = {name: value for name, value in values.items() if value is not None}
    if "max_steps" in given:
        given["epochs"] = "null"
    return [
        f"{section}.{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in given.items()
    ]


def _recipe(changes: list[str], seed: int) -> RepairRanking:
    from codefit.recipe import RepairRanking, load_recipe

    recipe = load_recipe(RECIPE, [*changes, f"seed={seed}"])
    assert isinstance(recipe, RepairRanking)
    return recipe
