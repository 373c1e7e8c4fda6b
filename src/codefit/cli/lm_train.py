"""`codefit lm train`: train a language model on documents, without a recipe."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codefit.cli.output import emit

if TYPE_CHECKING:
    from codefit.train.language_model import TrainedLanguageModel


class AdapterKind(StrEnum):
    """What is trained."""

    LORA = "lora"
    DORA = "dora"
    RSLORA = "rslora"
    NONE = "none"


def train(
    model: Annotated[str, typer.Option(help="The model to begin with: a folder, or the hub's name of one.")],
    train_file: Annotated[Path, typer.Option(help="Documents to train on: JSONL, .gz, .zst (see data documents).")],
    output_dir: Annotated[Path, typer.Option(help="Folder for metrics.jsonl, checkpoints/ and adapter/ or model/.")],
    eval_file: Annotated[Path | None, typer.Option(help="Documents that choose the checkpoint that is kept.")] = None,
    replay_file: Annotated[Path | None, typer.Option(help="General code that is mixed in against forgetting.")] = None,
    replay_share: Annotated[float, typer.Option(min=0, max=0.99, help="Share of the tokens that is replay.")] = 0.0,
    revision: Annotated[str | None, typer.Option(help="Commit or branch of a model on the hub.")] = None,
    adapter: Annotated[
        AdapterKind, typer.Option(help="A low-rank adapter on all linear layers, or none: every weight.")
    ] = AdapterKind.LORA,
    rank: Annotated[int, typer.Option(min=1, help="Rank of the adapter.")] = 16,
    alpha: Annotated[float, typer.Option(help="Its scale, divided by the rank.")] = 32,
    max_steps: Annotated[int | None, typer.Option(help="Steps.", show_default="a pass at each length")] = None,
    lengths: Annotated[
        str | None, typer.Option(help="Tokens of a row, such as 768,1024,1536.", show_default="768,1024,1536")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows in memory at once.", show_default="1")] = None,
    accumulation: Annotated[int | None, typer.Option(help="Batches that make a step.", show_default="8")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="At its peak.", show_default="0.001")] = None,
    fim_rate: Annotated[
        float | None, typer.Option(help="Share of texts with a hole to fill in.", show_default="0")
    ] = None,
    stride: Annotated[
        int | None, typer.Option(help="Of the evaluation's window, in tokens.", show_default="half the longest length")
    ] = None,
    save_every: Annotated[int | None, typer.Option(help="Steps between checkpoints.", show_default="500")] = None,
    eval_every: Annotated[
        int | None, typer.Option(help="Steps between evaluations; 0: only the last.", show_default="0")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps.", show_default="auto")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any field of a recipe's train section: precision=bf16."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Order of rows, places of holes, the adapter's start.")] = 0,
) -> None:
    """Train a causal language model on documents: the same as a recipe's train stage. Run again to resume.

    Documents are cut where the code allows and packed into rows without attention across them; rows get longer as the
    training goes on. An adapter is written to OUTPUT_DIR/adapter, a model trained in full to OUTPUT_DIR/model.
    """
    import yaml

    from codefit.models.language_model import load_language_model
    from codefit.recipe import Adapter, CausalTrain, apply_override, parse_section
    from codefit.run.language_model import training_of
    from codefit.train.language_model import LanguageFiles, Validation, train_language_model

    given = {
        "lengths": [yaml.safe_load(length) for length in lengths.split(",")] if lengths else None,
        "batch_size": batch_size,
        "accumulation": accumulation,
        "learning_rate": learning_rate,
        "fim_rate": fim_rate,
        "save_every": save_every,
        "eval_every": eval_every,
        "device": device,
    }
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for field in set_ or []:
        apply_override(values, field)
    if max_steps is not None:
        values["max_steps"] = max_steps
    elif not {"epochs", "max_steps"} & values.keys():
        values["epochs"] = len(values.get("lengths", CausalTrain.model_fields["lengths"].default))
    where = "codefit lm train"
    section = parse_section(CausalTrain, values, where)
    chosen = (
        None
        if adapter is AdapterKind.NONE
        else parse_section(Adapter, {"kind": adapter.value, "rank": rank, "alpha": alpha}, where)
    )
    window = max(section.lengths)
    trained = train_language_model(
        LanguageFiles(train=train_file, out=output_dir, validation=eval_file, replay=replay_file),
        load_language_model(model, revision=revision, device=section.device),
        training_of(section, chosen, seed, replay_share=replay_share),
        Validation(window, stride or window // 2),
        base_revision=revision,
    )
    result = _result(trained)
    emit(result, lambda: _text(result))


def _result(trained: TrainedLanguageModel) -> dict[str, Any]:
    return {
        "model": str(trained.folder),
        "steps": trained.result.steps,
        "documents": trained.documents,
        "parameters": trained.parameters,
        "trained_parameters": trained.trained_parameters,
        "final_loss": trained.result.final_loss,
        "best_step": trained.result.best_step,
        "validation": dict(trained.validation),
        "tokens_per_second": trained.result.tokens_per_second,
        "seconds": trained.result.seconds,
    }


def _text(result: dict[str, Any]) -> str:
    lines = [
        f"{result['steps']:,} steps on {result['documents']:,} documents, {result['trained_parameters']:,} of "
        f"{result['parameters']:,} parameters, {result['seconds']:,.0f} s, {result['tokens_per_second']:,.0f} tokens/s",
        f"loss {result['final_loss']:.3f}",
    ]
    if result["validation"]:
        lines.append(f"best at step {result['best_step']:,}: perplexity {result['validation']['perplexity']:.3f}")
    return "\n".join([*lines, f"written  {result['model']}"])
