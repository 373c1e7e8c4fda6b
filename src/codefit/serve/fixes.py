"""What came of mending a source, as JSON and as text: what the command line prints and coding agents read."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from codefit.errors import InputError
from codefit.tasks.repairs.fix import Fix, share_text

CONTEXT = 2  # lines of a diff before and after what changes


def read_source(file: Path) -> str:
    """A file's text, its line ends as they are: what is not mended must come out as it went in.

    Raises `InputError` where it is not UTF-8.
    """
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 ({error.reason} at byte {error.start})", where=str(file)) from error


def fix_to_dict(name: str, source: str, found: Fix) -> dict[str, Any]:
    """The JSON form; `name` is the file's in the diffs."""
    return {
        "path": name,
        "sound": found.fault is None,
        "error": None if found.fault is None else {"line": found.line, "what": found.fault},
        "region": found.region,
        "repairs": [
            {"probability": each.probability, "edits": each.edits, "diff": "".join(diff_of(name, source, each.source))}
            for each in found.repairs
        ],
        "why_not": None if found.fault is None or found.repairs else why_not(found),
        "beyond_three_edits": found.beyond,
        "more_errors": found.more_faults,
        "complete": found.complete,
    }


def fix_text(name: str, source: str, found: Fix, colour: Callable[[str], str] = str) -> str:
    """What is wrong, and the repairs as diffs with their probabilities or why there is none.

    `colour` is given each line of a diff.
    """
    if found.fault is None:
        return f"{name} is sound"
    lines = [f"{name}:{found.line}: {found.fault}"]
    for number, each in enumerate(found.repairs, start=1):
        lines += ["", f"{number}. {share_text(each.probability)}  {', '.join(each.edits)}"]
        lines += [colour(line.rstrip("\r\n")) for line in diff_of(name, source, each.source)[2:]]
    if not found.repairs:
        lines.append(why_not(found))
    elif found.more_faults:
        lines += ["", "more is broken after it: mend this and run again"]
    if found.repairs and not found.complete:
        lines += ["", "time ran out before all candidates were seen: more seconds may find better ones"]
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
        return "no repair found in the time: more seconds may find one"
    return "no repair found"


def diff_of(name: str, before: str, after: str) -> list[str]:
    """The lines of a unified diff, each with its end."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, name, n=CONTEXT
    )
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]
