"""What the commands of `codefit complexity` have in common: which files they read, and how their text looks."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from codefit.review.files import Choice
    from codefit.review.score import Reading
    from codefit.review.text import Look

Languages = Annotated[
    list[str] | None,
    typer.Option("--language", help="Only files in this language; of one named file or -, the language it is in."),
]
Globs = Annotated[
    list[str] | None,
    typer.Option("--path", metavar="GLOB", help="Only files whose path matches, as in .gitignore; may be repeated."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Leave out files whose path matches, as in .gitignore; may be repeated."),
]
Everything = Annotated[
    bool, typer.Option("--all", help="Also read vendored, generated and minified files; ignored ones stay out.")
]
Seconds = Annotated[
    float | None, typer.Option(min=0.01, help="Time that a file may take; a slower one is left out.", show_default="10")
]
Workers = Annotated[int | None, typer.Option(min=0, help="Processes that measure.", show_default="one a core")]
Top = Annotated[
    int | None,
    typer.Option("--top", "-k", min=0, help="Show the worst so many; 0 for all.", show_default="30; JSON all"),
]


def choice_of(
    languages: list[str] | None, globs: list[str] | None, exclude: list[str] | None, everything: bool
) -> Choice:
    """The files that the flags ask for. `InputError` where a language is not known."""
    from codefit.review.files import Choice

    choice = Choice(tuple(languages or ()), tuple(globs or ()), tuple(exclude or ()), everything)
    choice.check()
    return choice


def reading_of(
    everything: bool, seconds: float | None, explain: str | None = None, above: float | None = None
) -> Reading:
    """How the flags ask to read them; what adds to functions is kept of those that `explain` matches, above a score."""
    from codefit.review.score import SECONDS, Explain, Reading

    wanted = None if explain is None else Explain(explain, above or 0.0)
    return Reading(everything, SECONDS if seconds is None else seconds, wanted)


def own_look() -> Look:
    """How text looks on this standard output: as wide as the terminal, and colours on a terminal alone."""
    from codefit.review.text import Look, coloured, plain

    width = shutil.get_terminal_size().columns
    return Look(width, coloured if sys.stdout.isatty() and "NO_COLOR" not in os.environ else plain)
