"""`codefit complexity trend` and `hotspots`: complexity over a git history, and where it meets change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codefit.cli.complexity_options import (
    Everything,
    Exclude,
    Globs,
    Languages,
    Seconds,
    Top,
    Workers,
    choice_of,
    own_look,
    reading_of,
)
from codefit.cli.output import emit
from codefit.errors import InputError

PLOTS = (".html", ".svg")
BY = ("commits", "lines")

Place = Annotated[str, typer.Argument(metavar="PATH", help="Folder or file in a git checkout.")]
Plot = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it to an .html page or an .svg image.")]


def trend(
    place: Place = ".",
    since: Annotated[
        str | None, typer.Option(help="Begin there: 2025-06-30, 90 days, 1 year.", show_default="the first commit")
    ] = None,
    points: Annotated[int, typer.Option(min=1, help="Commits to measure, evenly chosen.")] = 20,
    plot: Plot = None,
    language: Languages = None,
    path: Globs = None,
    exclude: Exclude = None,
    everything: Everything = False,
    seconds: Seconds = None,
    workers: Workers = None,
) -> None:
    """Follow the complexity of a path over the git history: functions, scores, labels, cognitive complexity.

    Reads commits as they are stored, without a checkout, along the first parents of the current one; a content that
    occurs often is measured once. A path counts where it lay at the time.
    """
    from codefit.review.history import read_trend
    from codefit.review.history_text import trend_text
    from codefit.review.scope import Scope

    _check_plot(plot)
    scope = Scope([place], choice_of(language, path, exclude, everything))
    found = read_trend(place, scope, reading_of(everything, seconds), since=since, points=points, workers=workers)
    if plot is not None:
        from codefit.run.report.review_page import write_trend_plot

        write_trend_plot(found, plot)
    result = {**found.to_dict(), "plot": None if plot is None else str(plot)}
    emit(result, lambda: _with_plot(trend_text(found, own_look()), plot))


def hotspots(
    place: Place = ".",
    since: Annotated[str, typer.Option(help="Count changes from there: 2025-06-30, 90 days, 1 year.")] = "1 year",
    by: Annotated[str, typer.Option(help="What counts as change: commits, or the lines they changed.")] = "commits",
    functions: Annotated[bool, typer.Option("--functions", help="Tell functions instead of files.")] = False,
    top: Top = None,
    plot: Plot = None,
    language: Languages = None,
    path: Globs = None,
    exclude: Exclude = None,
    everything: Everything = False,
    seconds: Seconds = None,
    workers: Workers = None,
) -> None:
    """Find complex code that is changed often: cognitive complexity times commits, the worst first.

    Follows first parents, so that a merge counts as one change, and renamed files. A function is followed by its lines:
    those of today are carried back through the changed lines of each commit. Reads what is committed.
    """
    from codefit.review.history_text import hotspots_text
    from codefit.review.hotspots import read_hotspots
    from codefit.review.order import SHOWN
    from codefit.review.scope import Scope

    _check_plot(plot)
    if by not in BY:
        raise InputError(f"change is not counted by {by!r}", fix=f"one of {', '.join(BY)}")
    scope = Scope([place], choice_of(language, path, exclude, everything))
    found = read_hotspots(
        place,
        scope,
        reading_of(everything, seconds),
        since=since,
        by=by,
        functions=functions,
        workers=workers,
    )
    if plot is not None:
        from codefit.run.report.review_page import write_hotspots_plot

        write_hotspots_plot(found, plot)
    most = SHOWN if top is None else top
    shown = found.found[:most] if most else found.found
    result = {**found.to_dict(top or None), "plot": None if plot is None else str(plot)}
    emit(result, lambda: _with_plot(hotspots_text(found, shown, own_look()), plot))


def _check_plot(plot: Path | None) -> None:
    """Before the work: a file of another kind, or in a place that cannot be written to."""
    if plot is not None:
        from codefit.files import check_writable

        if plot.suffix.lower() not in PLOTS:
            raise InputError("a plot is an .html page or an .svg image", where=str(plot), fix="name it so")
        check_writable(plot.parent)


def _with_plot(text: str, plot: Path | None) -> str:
    return text if plot is None else f"{text}\nthe plot is in {plot}"
