"""`codefit data repairs`: broken snippets and their repairs, checked and divided, and snippets to pre-train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codefit.cli.output import emit


def repairs(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Rows to learn from: JSONL, .gz, .zst.")],
    evaluation: Annotated[
        list[Path], typer.Option(help="Rows to measure on; near duplicates of them are not learned from.")
    ],
    output_dir: Annotated[Path, typer.Option(help="Folder below which data/ is written.")],
    documents: Annotated[
        list[str] | None,
        typer.Option(help="Python to make snippets of: folders, JSONL, env.", show_default="env"),
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Package or repository to leave out of the snippets.")
    ] = None,
    validation_share: Annotated[float, typer.Option(min=0.001, max=0.999, help="Share of the rows that choose.")] = 0.1,
    snippet_tokens: Annotated[int, typer.Option(min=1, help="Tokens of snippets, at most.")] = 4_000_000,
    seed: Annotated[int, typer.Option(help="Which rows choose, which files are drawn.")] = 0,
) -> None:
    """Make the files that repair training reads, with a manifest that says what was left out and why.

    A row is `{"broken", "fixed"}`, tokens with spaces between, and optionally the sources of both. Near duplicates stay
    on one side. Snippets are whole statements of Python files, a character a token, each once.
    """
    from codefit.files import read_json
    from codefit.recipe import RepairData, parse_section
    from codefit.run.repair_data import MANIFEST, write_repair_data

    values: dict[str, Any] = {
        "repairs": [str(path) for path in files],
        "evaluation": [str(path) for path in evaluation],
        "validation_share": validation_share,
        "snippets": {"documents": documents or ["env"], "exclude": exclude or []},
        "snippet_tokens": snippet_tokens,
    }
    said = write_repair_data(parse_section(RepairData, values, "codefit data repairs"), seed, output_dir)
    manifest = read_json(output_dir / MANIFEST)
    emit(manifest, lambda: _text(said, manifest, output_dir))


def _text(said: str, manifest: dict[str, Any], output_dir: Path) -> str:
    lines = [said]
    dropped = {
        reason: count
        for name, stage in manifest["stages"].items()
        if name != "snippets"
        for reason, count in stage["dropped"].items()
    }
    lines += [f"  {count:,} left out: {reason}" for reason, count in dropped.items()]
    for name, side in manifest["lexing"].items():
        if side["rows"]:
            share = side["same"] / side["rows"]
            lines.append(f"the tokens of {share:.1%} of {side['rows']:,} {name} sources are as codefit lexes them")
    return "\n".join([*lines, f"written  {output_dir / 'data'}"])
