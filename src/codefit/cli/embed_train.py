"""`codefit embed train`: a model from files of pairs and a tokenizer, without a recipe."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codefit.cli.output import emit

if TYPE_CHECKING:
    from codefit.recipe import CodeEncoder


class Kind(StrEnum):
    """What is trained."""

    STATIC = "static"
    ENCODER = "encoder"


def train(
    train_file: Annotated[Path, typer.Option(help="Pairs to train on: JSONL, .gz or .zst.")],
    tokenizer_path: Annotated[Path, typer.Option(help="tokenizer.json, or the folder that holds it.")],
    output_dir: Annotated[Path, typer.Option(help="Folder for metrics.jsonl, checkpoints/ and model/.")],
    eval_file: Annotated[
        Path | None, typer.Option(help="Pairs that choose the best checkpoint and the weight of the fusion with BM25.")
    ] = None,
    model: Annotated[Kind, typer.Option(help="A table of token vectors, or a BERT-style encoder.")] = Kind.STATIC,
    max_steps: Annotated[int | None, typer.Option(help="Steps.", show_default="two epochs")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pairs a step.", show_default="1024")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="At its peak.", show_default="static 0.01, encoder 0.0003")
    ] = None,
    warmup_steps: Annotated[int | None, typer.Option(help="Steps in which the rate rises.", show_default="0")] = None,
    temperature: Annotated[float | None, typer.Option(help="Of the contrastive loss.", show_default="0.05")] = None,
    hard_neg_weight: Annotated[
        float | None, typer.Option(help="How much a pair's own negatives count.", show_default="1")
    ] = None,
    sizes: Annotated[str | None, typer.Option(help="Leading dimensions that must work alone, such as 64,128.")] = None,
    save_every: Annotated[int | None, typer.Option(help="Steps between checkpoints.", show_default="500")] = None,
    eval_every: Annotated[
        int | None, typer.Option(help="Steps between evaluations; 0: only the last.", show_default="0")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps.", show_default="auto")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any field of a recipe's model section, such as layers=4."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Starting weights and order of batches.")] = 0,
) -> None:
    """Train an embedding model on pairs: the same as a recipe's train stage. Run again to resume.

    The model is a sentence-transformers folder with codefit.json beside it, in OUTPUT_DIR/model.
    """
    from codefit.run.embedding import train_settings, trainable
    from codefit.train.embedding import TrainFiles, train_embedding_model

    given = {
        "batch_size": batch_size,
        "learning_rate": learning_rate if learning_rate is not None else (None if model is Kind.STATIC else 3e-4),
        "warmup_steps": warmup_steps,
        "temperature": temperature,
        "hard_neg_weight": hard_neg_weight,
        "sizes": [int(size) for size in sizes.split(",")] if sizes else None,
        "save_every": save_every,
        "eval_every": eval_every,
        "device": device,
    }
    recipe = _as_recipe(model, {k: v for k, v in given.items() if v is not None}, max_steps, set_ or [])
    files = TrainFiles(
        train=train_file,
        evaluation=eval_file,
        tokenizer=tokenizer_path,
        out=output_dir,
        rejected=output_dir / "rejected.jsonl",
    )
    trained = train_embedding_model(
        files,
        trainable(recipe.model, recipe.train),
        lambda pairs: train_settings(recipe.train, pairs, seed),
        pool_size=recipe.evaluate.pool_size,
    )
    result = {
        "model": str(output_dir / "model"),
        "steps": trained.result.steps,
        "pairs": trained.pairs,
        "parameters": trained.parameters,
        "final_loss": trained.result.final_loss,
        "best_step": trained.result.best_step,
        "validation": dict(trained.validation),
        "model_weight": trained.model_weight,
        "tokens_per_second": trained.result.tokens_per_second,
        "seconds": trained.result.seconds,
    }
    emit(result, lambda: _text(result))


def _as_recipe(model: Kind, train_fields: dict[str, Any], max_steps: int | None, fields: list[str]) -> CodeEncoder:
    """The flags as a recipe, so that both are checked by the same rules and mean the same."""
    from codefit.recipe import CodeEncoder, apply_override, parse_section

    length: dict[str, Any] = {"max_steps": max_steps} if max_steps is not None else {"epochs": 2}
    values: dict[str, Any] = {
        "system": "code-encoder",
        "name": "embed train",
        "description": "",
        "data": {},
        "model": {"kind": model.value},
        "train": {**length, **train_fields},
    }
    for field in fields:
        apply_override(values, f"model.{field}")
    return parse_section(CodeEncoder, values, where="codefit embed train")


def _text(result: dict[str, Any]) -> str:
    lines = [
        f"{result['steps']:,} steps on {result['pairs']:,} pairs, {result['parameters']:,} parameters, "
        f"{result['seconds']:,.0f} s, {result['tokens_per_second']:,.0f} tokens/s",
        f"loss {result['final_loss']:.3f}",
    ]
    if result["validation"]:
        lines.append(
            f"best at step {result['best_step']:,}: MRR@10 {result['validation']['mrr@10']:.3f} "
            f"(BM25 {result['validation']['bm25 mrr@10']:.3f}); weight of the model in the fusion "
            f"{result['model_weight']:.2f}"
        )
    return "\n".join([*lines, f"model  {result['model']}"])
