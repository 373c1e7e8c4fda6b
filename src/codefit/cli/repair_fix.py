"""`codefit repair fix`: the likeliest repairs of a file as diffs."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codefit.cli.output import Settings, emit

if TYPE_CHECKING:
    from codefit.models.repair import RepairModel
    from codefit.tasks.repairs.fix import Fix, Rank

Model = Annotated[Path | None, typer.Option(help="Folder of a repair model.", show_default="the one in the package")]
Seconds = Annotated[float, typer.Option(min=0.01, help="Time to look for candidates of a string.")]
COLOURS = {"+": "32", "-": "31", "@": "36"}


def loaded_model(folder: Path | None) -> RepairModel:
    """The model of a folder, or the one that comes with codefit. `CodefitError` where the extra `repair` is missing."""
    check_repair_installed()
    from codefit.models.repair import default_repair_model, load_repair_model

    return load_repair_model(folder) if folder is not None else default_repair_model()


def check_repair_installed() -> None:
    """Raise `CodefitError` with the command to run where the extra `repair` is missing."""
    from codefit.run.doctor import check_installed

    check_installed("repair", ["numba"])


def fix(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Python files to mend.", show_default=False)],
    model: Model = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the first repair; what was there stays beside it as FILE.bak.")
    ] = False,
    k: Annotated[int, typer.Option("-k", min=1, max=20, help="Repairs to show.")] = 3,
    seconds: Seconds = 1.0,
) -> None:
    """Show the likeliest repairs of the first syntax error of each file, as diffs with their probabilities.

    Exit code 1 where a file is broken and was not mended, as a hook before a commit wants it.
    """
    check_repair_installed()
    from codefit.serve.fixes import read_source
    from codefit.tasks.repairs.fix import fix_source

    rank = _rank(model, seconds)
    sources = [read_source(file) for file in files]
    results, texts, broken = [], [], False
    for file, source in zip(files, sources, strict=True):
        found = fix_source(source, rank, most=k)
        backup = _write(file, found.repairs[0].source) if apply and found.repairs else None
        broken = broken or (found.fault is not None and (backup is None or found.more_faults))
        results.append(_result(file, source, found, backup))
        if not Settings.json:
            texts.append(_text(file, source, found, backup))
    emit(results[0] if len(results) == 1 else {"files": results}, lambda: "\n\n".join(texts))
    if broken:
        raise typer.Exit(1)


def _rank(model: Path | None, seconds: float) -> Rank:
    """What finds the repairs; the model is loaded at the first broken file, and once."""
    load = cache(lambda: loaded_model(model))
    return lambda tokens, names: load().repairs(tokens, names=names, seconds=seconds)


def _write(file: Path, source: str) -> Path:
    """Write the mended file after a copy of it as it was; never over another copy."""
    from codefit.files import atomic_path

    backup = file.with_name(f"{file.name}.bak")
    number = 1
    while backup.exists():
        number += 1
        backup = file.with_name(f"{file.name}.bak{number}")
    mode = file.stat().st_mode
    for path, data in ((backup, file.read_bytes()), (file, source.encode())):
        with atomic_path(path) as temporary:
            temporary.write_bytes(data)
            temporary.chmod(mode)
    return backup


def _result(file: Path, source: str, found: Fix, backup: Path | None) -> dict[str, Any]:
    from codefit.serve.fixes import fix_to_dict

    return {
        **fix_to_dict(str(file), source, found),
        "applied": backup is not None,
        "backup": str(backup) if backup is not None else None,
    }


def _text(file: Path, source: str, found: Fix, backup: Path | None) -> str:
    from codefit.serve.fixes import fix_text

    text = fix_text(str(file), source, found, _coloured)
    return text if backup is None else f"{text}\n\nthe first is written; as it was: {backup}"


def _coloured(line: str) -> str:
    colour = COLOURS.get(line[:1])
    return f"\x1b[{colour}m{line}\x1b[0m" if colour and sys.stdout.isatty() else line
