"""`codefit search`: ask a question of the functions of a folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from codefit.cli.output import emit
from codefit.errors import InputError
from codefit.progress import say

MODEL_VARIABLE = "CODEFIT_MODEL"
QUICKSTART_MODEL = Path("runs/quickstart/export")


def search(
    query: Annotated[str, typer.Argument(help="What the code does, in words.")],
    root: Annotated[Path, typer.Argument(metavar="PATH", help="Folder or source file to search.")] = Path("."),
    results: Annotated[int, typer.Option("--results", "-k", min=1, help="Results at most.")] = 10,
    model: Annotated[
        Path | None,
        typer.Option(help="Folder of the model.", show_default=f"${MODEL_VARIABLE}, else {QUICKSTART_MODEL}"),
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="Only files in this language; several may be given.")
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Only files whose path matches, as in .gitignore; several may be given."),
    ] = None,
    model_weight: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="The model's share of a score; BM25 has the rest.", show_default="the model's"),
    ] = None,
    backend: Annotated[str, typer.Option(help="auto, onnx-fp32, onnx-int8 or torch.")] = "auto",
) -> None:
    """Find functions, methods and types by what they do.

    Reads the folder anew each time (ignore files count), embeds every function with the model, and ranks by the model
    and BM25 together. Needs no torch with an exported model.
    """
    from codefit.models.embedder import load_embedder
    from codefit.search.folder import PLAIN, TERMINAL_STYLES, answer_text, search_folder

    if not query.strip():  # before the model is loaded
        raise InputError("the question is empty", fix="say what the code does, such as: open a file and count lines")
    embedder = load_embedder(model or default_model(), backend=backend)
    answer = search_folder(
        root, query, embedder, results, languages=language, globs=path or (), model_weight=model_weight
    )
    if not answer.functions:
        say(f"{root}: there is no function in a language that codefit reads")
    emit(
        {**answer.to_dict(), "model": {"folder": str(embedder.folder), "backend": embedder.backend}},
        lambda: answer_text(answer, TERMINAL_STYLES if _is_terminal() else PLAIN),
    )


def default_model() -> Path:
    """`$CODEFIT_MODEL`, else the quickstart's model under this folder; `InputError` where neither is there."""
    named = os.environ.get(MODEL_VARIABLE)
    if named:
        return Path(named)
    if QUICKSTART_MODEL.is_dir():
        return QUICKSTART_MODEL
    raise InputError(
        f"no model is given, and {QUICKSTART_MODEL} is not there",
        fix=f"make one with `make quickstart`, or name one with --model or {MODEL_VARIABLE}",
    )


def _is_terminal() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
