"""`codefit search`: ask a question of the functions of a folder."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codefit.cli.output import emit
from codefit.errors import InputError
from codefit.progress import say

if TYPE_CHECKING:
    from codefit.search.rank import Result

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
    from codefit.corpus.manifest import Receipt
    from codefit.models.embedder import load_embedder
    from codefit.search.functions import read_functions
    from codefit.search.index import build_index
    from codefit.search.rank import search as rank_functions

    if not query.strip():
        raise InputError("the question is empty", fix="say what the code does, such as: open a file and count lines")
    embedder = load_embedder(model or default_model(), backend=backend)
    started = time.perf_counter()
    receipt = Receipt()
    functions = read_functions(root, languages=language, globs=path or (), receipt=receipt)
    _say_if_nothing(root, len(functions), language or [], path or [])
    index = build_index(functions, embedder)
    indexed = time.perf_counter()
    found = rank_functions(index, embedder, query, results, model_weight=model_weight)
    finished = time.perf_counter()
    emit(
        {
            "query": query,
            "results": [each.to_dict() for each in found],
            "fresh": True,
            "took_ms": (finished - indexed) * 1000,
            "indexed_ms": (indexed - started) * 1000,
            "functions": len(functions),
            "skipped": receipt.by_reason(),
            "model": {"folder": str(embedder.folder), "backend": embedder.backend},
        },
        lambda: _text(found, len(functions), receipt.by_reason(), indexed - started, finished - indexed),
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


def _say_if_nothing(root: Path, functions: int, languages: list[str], globs: list[str]) -> None:
    if functions:
        return
    filters = [f"--language {name}" for name in languages] + [f"--path {glob}" for glob in globs]
    if filters:
        raise InputError(f"no function is left by {' '.join(filters)}", where=str(root), fix="check the filter")
    say(f"{root}: there is no function in a language that codefit reads")


def _text(found: list[Result], functions: int, skipped: dict[str, int], indexing: float, asking: float) -> str:
    bold, dim, plain = ("\033[1m", "\033[2m", "\033[0m") if _is_terminal() else ("", "", "")
    blocks = []
    for each in found:
        place, signals = each.function, each.signals
        header = f"{bold}{place.path}:{place.start_line}-{place.end_line}{plain}  {place.name}  {each.score:.2f}"
        header += f"  {dim}model {signals['model']:.2f}, bm25 {signals['bm25']:.1f}{plain}"
        width = len(str(each.snippet.numbers[-1]))
        lines = zip(each.snippet.numbers, each.snippet.lines, strict=True)
        blocks.append(
            "\n".join([header, *(f"  {dim}{number:>{width}}{plain}  {line}".rstrip() for number, line in lines)])
        )
    left_out = f"; left out: {', '.join(f'{count} {reason}' for reason, count in skipped.items())}" if skipped else ""
    summary = f"{functions:,} functions read and embedded in {indexing:.1f} s, searched in {asking * 1000:.0f} ms"
    return "\n\n".join([*blocks, f"{dim}{summary}{left_out}{plain}"])


def _is_terminal() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
