"""`codefit lm`: language models of code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from codefit.cli.lm_generate import generate
from codefit.cli.lm_merge import merge, push
from codefit.cli.lm_train import train
from codefit.cli.output import emit, table
from codefit.errors import InputError

if TYPE_CHECKING:
    from codefit.records import Document, Rejects

SHOWN = 20  # directories of the table: the most surprising ones

app = typer.Typer(help="Language models: measure, train, merge, generate.", no_args_is_help=True)
app.command("generate")(generate)
app.command("train")(train)
app.command("merge")(merge)
app.command("push")(push)


@app.command("eval")
def evaluate(
    model: Annotated[str, typer.Option(help="Folder of a model or of an adapter, or the hub's name of a model.")],
    documents: Annotated[Path, typer.Option(help="Documents (.jsonl, .gz, .zst), a folder of source, or a file.")],
    adapter: Annotated[Path | None, typer.Option(help="Folder of an adapter that is put on the model.")] = None,
    revision: Annotated[str | None, typer.Option(help="Commit or branch of a model on the hub.")] = None,
    window: Annotated[
        int | None, typer.Option(help="Tokens that the model sees at once.", show_default="1536, or its context")
    ] = None,
    stride: Annotated[
        int | None, typer.Option(help="Tokens from one window to the next.", show_default="half a window")
    ] = None,
    max_documents: Annotated[int | None, typer.Option(min=1, help="Score only the first of them.")] = None,
    by_directory: Annotated[int, typer.Option(min=1, help="Parts of a directory's name that tell it apart.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:0 or mps.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
) -> None:
    """Perplexity and bits a byte of a model on documents, by directory, each with its 95 % interval over files.

    Each token is scored once, with at least window - stride tokens before it but at the begin of its document.
    """
    import time

    from codefit.evaluate.perplexity import DEFAULT_WINDOW, evaluate_perplexity
    from codefit.models.language_model import DataType, load_language_model
    from codefit.progress import track

    if dtype not in get_args(DataType):
        raise InputError(f"unknown dtype {dtype!r}", fix=f"choose from {', '.join(get_args(DataType))}")
    left_out = LeftOut()
    rows = read_scored_documents(documents, left_out)
    loaded = load_language_model(model, revision=revision, adapter=adapter, device=device, dtype=cast(DataType, dtype))
    size = window or min(DEFAULT_WINDOW, loaded.context)
    step = stride or max(1, size // 2)
    started = time.monotonic()
    report = evaluate_perplexity(
        loaded, track(rows, "lm eval", unit="documents"), window=size, stride=step, max_documents=max_documents
    )
    result = report.summary() | {
        "window": size,
        "stride": step,
        "by_directory": report.by_directory(by_directory),
        "left_out": left_out.by_reason(),
        "model": loaded.place,
        "seconds": time.monotonic() - started,
    }
    emit(result, lambda: _text(result))


class LeftOut:
    """Why files and rows were not scored: a folder's receipt, or the rows of a file that are no documents."""

    def __init__(self) -> None:
        from codefit.corpus.manifest import Receipt
        from codefit.records import Rejects

        self.receipt = Receipt()
        self.rejects = Rejects()

    def by_reason(self) -> dict[str, int]:
        """How many for each reason."""
        return self.receipt.by_reason() | self.rejects.by_reason()


def read_scored_documents(place: Path, left_out: LeftOut) -> Iterator[Document]:
    """Every row of a JSONL as it stands, whatever its language; else the source of a folder or a file.

    Raises `InputError` at once where nothing is there, and at the end where more than 1 % of the rows do not fit.
    """
    from codefit.corpus.documents.read import read_documents
    from codefit.corpus.documents.rows import is_row_file

    if place.is_file() and is_row_file(place):
        return _read_rows(place, left_out.rejects)
    return read_documents([str(place)], languages=None, exclude=(), receipt=left_out.receipt)


def _read_rows(place: Path, rejects: Rejects) -> Iterator[Document]:
    from codefit.records import Document, read_rows

    yield from read_rows(place, Document, rejects)
    rejects.check()


def _text(result: dict[str, Any]) -> str:
    header = ["directory", "perplexity", "", "bits/byte", "", "tokens", "documents"]
    directories = result["by_directory"]
    rows = [_row(name, figures) for name, figures in list(directories.items())[:SHOWN]]
    if len(directories) > SHOWN:
        rows.append([f"{len(directories) - SHOWN:,} more (--json)", *[""] * 6])
    lines = [
        f"{result['model']}: windows of {result['window']:,} tokens, stride {result['stride']:,}, 95 % intervals",
        table([*rows, _row("all", result)], header),
    ]
    if result["left_out"]:
        reasons = ", ".join(f"{reason} ({count:,})" for reason, count in result["left_out"].items())
        lines.append(f"not scored: {reasons}")
    rate = result["tokens"] / max(result["seconds"], 1e-9)
    lines.append(f"{result['bytes']:,} bytes in {result['seconds']:.1f} s, {rate:,.0f} tokens/s")
    return "\n".join(lines)


def _row(name: str, figures: dict[str, Any]) -> list[str]:
    cells = [name]
    for figure, digits in (("perplexity", 2), ("bits_per_byte", 3)):
        low, high = figures["ci95"][figure]
        cells += [f"{figures[figure]:,.{digits}f}", f"({low:,.{digits}f}-{high:,.{digits}f})"]
    return [*cells, f"{figures['tokens']:,}", f"{figures['documents']:,}"]
