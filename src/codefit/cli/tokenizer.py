"""`codefit tokenizer`: a byte-level BPE from raw text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codefit.cli.output import emit, table
from codefit.errors import InputError

app = typer.Typer(help="Tokenizers: byte-level BPE that sees the words inside identifiers.", no_args_is_help=True)


@app.command()
def train(
    input_file: Annotated[
        list[Path],
        typer.Option(help="Rows of pairs, documents or raw text (.jsonl), or plain text; .gz and .zst. Repeatable."),
    ],
    output_file: Annotated[Path | None, typer.Option(help="The tokenizer.json to write.")] = None,
    output_dir: Annotated[Path | None, typer.Option(help="Folder for tokenizer.json, instead of a file.")] = None,
    vocab_size: Annotated[
        int | None, typer.Option(help="Pieces at most, the 256 bytes among them.", show_default="32000")
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option(help="Bytes of text to learn from at most.", show_default="60000000")
    ] = None,
    no_compare: Annotated[
        bool, typer.Option("--no-compare", help="Learn no plain BPE beside it: half the time.")
    ] = False,
) -> None:
    """Learn a byte-level BPE whose pieces never cross the words of an identifier.

    Learns from at most `--max-bytes`, evenly over languages. Beside tokenizer.json it writes report.json: tokens per
    byte by language, on text that it did not learn from, beside a plain byte-level BPE of the same size and texts.
    """
    from codefit.models.tokenizer_training import TOKENIZER_FILE, train_tokenizer_from_files

    if output_file is not None and output_dir is None:
        output = output_file
    elif output_dir is not None and output_file is None:
        output = output_dir / TOKENIZER_FILE
    else:
        raise InputError("give one of --output-file and --output-dir", fix="such as --output-dir tokenizer")
    given = {"vocab_size": vocab_size, "max_bytes": max_bytes}
    report = train_tokenizer_from_files(
        input_file, output, compare=not no_compare, **{name: n for name, n in given.items() if n is not None}
    )
    result = {**report, "tokenizer": str(output)}
    emit(result, lambda: _text(result))


def _text(result: dict[str, Any]) -> str:
    languages = result["languages"]
    rows = []
    for language, entry in languages.items():
        figures = [entry[name] for name in ("tokens_per_byte", "plain_tokens_per_byte") if name in entry]
        rows.append([language, f"{entry['bytes']:,}", *(f"{figure:.4f}" for figure in figures)])
    header = ["unseen text", "bytes", "tokens/byte", "plain BPE"][: len(rows[0]) if rows else 3]
    return "\n".join(
        [
            f"{result['vocab_size']:,} pieces from {result['texts']:,} texts, {result['bytes']:,} bytes",
            table(rows, header),
            f"tokenizer  {result['tokenizer']}",
        ]
    )
