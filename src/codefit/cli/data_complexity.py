"""`codefit data complexity`: functions with their complexity, divided, as rows and as chats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codefit.cli.output import emit


def complexity(
    evaluation: Annotated[list[Path], typer.Option(help="Functions to measure on, of other repositories.")],
    output_dir: Annotated[Path, typer.Option(help="Folder below which data/ is written.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...", help="Functions to learn from: JSONL with code, .gz, .zst.", show_default=False
        ),
    ] = None,
    documents: Annotated[
        list[str] | None,
        typer.Option(help="Source whose functions are taken too: folders, checkouts, files, env.", show_default=False),
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Package or repository to leave out.")] = None,
    human: Annotated[list[Path] | None, typer.Option(help="Snippets with people's figures.")] = None,
    validation_share: Annotated[float, typer.Option(min=0.001, max=0.999, help="Share that chooses.")] = 0.08,
    train_functions: Annotated[
        int | None, typer.Option(min=1, help="Functions to learn from, at most.", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which files choose, which signs are taken away.")] = 0,
) -> None:
    """Make the files that complexity scoring learns from, with a manifest that says what was left out and why.

    The label is the reference run's formula over lizard's figures, computed here; a score or complexity that a row
    brings is kept and compared with it. Whole files choose, and near duplicates stay on one side. Chats are in the form
    of the reference run: a system prompt, the code, the figures and the score.
    """
    from codefit.files import read_json
    from codefit.recipe import ComplexityData, parse_section
    from codefit.run.complexity_data import MANIFEST, write_complexity_data

    values: dict[str, Any] = {
        "functions": [str(path) for path in files or ()],
        "documents": documents or [],
        "exclude": exclude or [],
        "evaluation": [str(path) for path in evaluation],
        "human": [str(path) for path in human or ()],
        "validation_share": validation_share,
        "train_functions": train_functions,
    }
    section = parse_section(ComplexityData, values, "codefit data complexity")
    said = write_complexity_data(section, seed, VARIANT_FUNCTIONS, output_dir)
    manifest = read_json(output_dir / MANIFEST)
    emit(manifest, lambda: _text(said, manifest, output_dir))


VARIANT_FUNCTIONS = 400  # functions to measure on that are written otherwise too, as the recipes have it


def _text(said: str, manifest: dict[str, Any], output_dir: Path) -> str:
    lines = [said]
    for stage in manifest["stages"].values():
        lines += [f"  {count:,} left out: {reason}" for reason, count in stage["dropped"].items()]
    for name, side in manifest["labels"].items():
        lines.append(
            f"of {side['rows']:,} functions to {name} {side['same']:,} have the label that the formula gives, "
            f"mean absolute difference {side['mean_absolute_difference']:.3f}"
        )
    return "\n".join([*lines, f"written  {output_dir / 'data'}"])
