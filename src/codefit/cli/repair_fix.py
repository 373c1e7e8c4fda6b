"""`codefit repair fix`: the likeliest repairs of a file as diffs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codefit.cli.output import Settings, emit
from codefit.errors import InputError

if TYPE_CHECKING:
    from codefit.models.repair import RepairModel
    from codefit.tasks.repairs.fix import Fix

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
    sources = [_read(file) for file in files]
    results, texts, broken = [], [], False
    for file, source in zip(files, sources, strict=True):
        found = _fixed(source, model, seconds, k)
        backup = _write(file, found.repairs[0].source) if apply and found.repairs else None
        broken = broken or (found.fault is not None and (backup is None or found.more_faults))
        results.append(_result(file, source, found, backup))
        if not Settings.json:
            texts.append(_text(file, source, found, backup))
    emit(results[0] if len(results) == 1 else {"files": results}, lambda: "\n\n".join(texts))
    if broken:
        raise typer.Exit(1)


def _read(file: Path) -> str:
    try:
        # Line ends stay as they are: what is not mended must come out as it went in.
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 ({error.reason} at byte {error.start})", where=str(file)) from error


def _fixed(source: str, model: Path | None, seconds: float, k: int) -> Fix:
    from codefit.tasks.repairs.fix import fix_source
    from codefit.tasks.repairs.region import fault_of

    if fault_of(source) is None:  # nothing needs to be loaded
        return fix_source(source, _never)
    return fix_source(source, lambda tokens: loaded_model(model).repairs(tokens, seconds=seconds), most=k)


def _never(tokens: Any) -> Any:
    raise AssertionError("a sound file has nothing to repair")


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
    return {
        "path": str(file),
        "sound": found.fault is None,
        "error": None if found.fault is None else {"line": found.line, "what": found.fault},
        "region": found.region,
        "repairs": [
            {"probability": each.probability, "edits": each.edits, "diff": "".join(_diff(file, source, each.source))}
            for each in found.repairs
        ],
        "beyond_three_edits": found.beyond,
        "more_errors": found.more_faults,
        "complete": found.complete,
        "applied": backup is not None,
        "backup": str(backup) if backup is not None else None,
    }


def _diff(file: Path, before: str, after: str) -> list[str]:
    import difflib

    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), str(file), str(file), n=2
    )
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]


def _text(file: Path, source: str, found: Fix, backup: Path | None) -> str:
    from codefit.tasks.repairs.fix import share_text

    if found.fault is None:
        return f"{file} is sound"
    lines = [f"{file}:{found.line}: {found.fault}"]
    for number, each in enumerate(found.repairs, start=1):
        lines += ["", f"{number}. {share_text(each.probability)}  {', '.join(each.edits)}"]
        lines += [_coloured(line.rstrip("\r\n")) for line in _diff(file, source, each.source)[2:]]
    if not found.repairs:
        lines.append(why_not(found))
    elif found.more_faults:
        lines += ["", "more is broken after it: mend this and run again"]
    if found.repairs and not found.complete:
        lines += ["", "time ran out before all candidates were seen: --seconds gives more"]
    if backup is not None:
        lines += ["", f"the first is written; as it was: {backup}"]
    return "\n".join(lines)


def why_not(found: Fix) -> str:
    """Why there is no repair, in a sentence."""
    if found.magic:
        return (
            f"no repair: line {found.region[0] if found.region else found.line} is a command of a notebook, not Python"
        )
    if found.beyond:
        return "no repair: three edits of tokens do not mend it"
    if found.region is None:
        return "no repair: what is broken could not be narrowed to a few lines"
    if not found.complete:
        return "no repair found in the time: --seconds gives more"
    return "no repair found"


def _coloured(line: str) -> str:
    colour = COLOURS.get(line[:1])
    return f"\x1b[{colour}m{line}\x1b[0m" if colour and sys.stdout.isatty() else line
