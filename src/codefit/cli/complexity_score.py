"""`codefit complexity score`: the complexity of every function of files, or of those that a change touches."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

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
from codefit.cli.output import Settings, emit
from codefit.errors import InputError

if TYPE_CHECKING:
    from codefit.review.limits import Limits
    from codefit.review.report import Report

FORMATS = ("text", "sarif")
SARIF_SCORE = 6.0  # above which a function is a result where no limit is given: what is Complex or Critical
EVERY_FUNCTION = "*"
STANDARD_INPUT = "-"


class ScoreCommand(TyperCommand):
    """The command, whose `--explain` may stand without a name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a lone `--explain` the pattern that every name matches."""
        return super().parse_args(ctx, with_explained(args))


def with_explained(args: list[str]) -> list[str]:
    """The arguments with a pattern behind each `--explain` that has a flag, a path or nothing behind it."""
    given: list[str] = []
    for place, argument in enumerate(args):
        given.append(argument)
        if argument == "--explain" and "--" not in args[:place]:
            following = args[place + 1 : place + 2]
            if not following or following[0].startswith("-") or Path(following[0]).exists():
                given.append(EVERY_FUNCTION)
    return given


def score(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Files and folders, or - for standard input.", show_default="."),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(help="Order: score, path, name, or a figure such as cognitive.", show_default="score; JSON path"),
    ] = None,
    top: Top = None,
    least: Annotated[float | None, typer.Option("--min", help="Show functions with this score or more.")] = None,
    most: Annotated[float | None, typer.Option("--max", help="Exit with 1 where a score is above this.")] = None,
    max_cognitive: Annotated[int | None, typer.Option(help="The same for the cognitive complexity.")] = None,
    max_cyclomatic: Annotated[int | None, typer.Option(help="The same for the cyclomatic complexity.")] = None,
    max_increase: Annotated[
        float | None, typer.Option(help="The same for what a change adds to a score; with --diff.")
    ] = None,
    diff: Annotated[
        str | None,
        typer.Option(
            metavar="REV", help="Only functions that are new or changed against a git revision; also A..B, A...B."
        ),
    ] = None,
    explain: Annotated[
        str | None,
        typer.Option(metavar="[NAME]", help="Show what adds to the complexity, line by line; NAME may have * in it."),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text, or sarif for code scanning.")] = "text",
    output: Annotated[Path | None, typer.Option(help="Write the SARIF to this file.")] = None,
    language: Languages = None,
    path: Globs = None,
    exclude: Exclude = None,
    everything: Everything = False,
    seconds: Seconds = None,
    workers: Workers = None,
) -> None:
    """Score every function of files and folders from 1 to 10, the worst first, with the figures behind it.

    Up to 3 is Simple, up to 6 Moderate, up to 8.5 Complex, above Critical. Ignore files count. With a limit (--max and
    its like) only functions above it are shown, and the exit code is 1 where there are any, as a hook before a commit
    wants it; with --diff only functions that the change touches are judged.
    """
    from codefit.review.limits import Limits
    from codefit.review.order import Selection
    from codefit.review.report import Request, report_changes, report_files

    limits = Limits(most, max_cognitive, max_cyclomatic, max_increase)
    _check_flags(paths or [], limits, diff, form, output)
    is_sarif = form == "sarif"
    wanted = Limits(SARIF_SCORE) if is_sarif and not limits.are_given else limits
    # Increments are told of results alone; where scores decide which these are, others are not kept.
    above = wanted.score if is_sarif and set(wanted.to_dict()) == {"score"} else None
    request = Request(
        tuple(paths or ["."]),
        choice_of(language, path, exclude, everything),
        reading_of(everything, seconds, EVERY_FUNCTION if is_sarif else explain, above),
        wanted,
        Selection(sort, top, least),
        explain,
        workers,
    )
    request.selection.check()
    report = report_files(request) if diff is None else report_changes(request, diff)
    _print(report, output if is_sarif else None, is_sarif=is_sarif)
    if limits.are_given and report.breaches:
        raise typer.Exit(1)


def _check_flags(paths: list[str], limits: Limits, diff: str | None, form: str, output: Path | None) -> None:
    """Raise `InputError` where flags contradict each other."""
    if form not in FORMATS:
        raise InputError(f"there is no format {form!r}", fix=f"one of {', '.join(FORMATS)}; JSON is --json")
    if output is not None and form != "sarif":
        raise InputError("--output is for --format sarif", fix="add it, or redirect what is printed")
    if form == "sarif" and Settings.json and output is None:
        raise InputError("--json and --format sarif both want standard output", fix="add --output FILE, or leave one")
    if STANDARD_INPUT in paths and (form == "sarif" or diff is not None):
        raise InputError("standard input has no place in a repository", where="-", fix="give files")
    if limits.increase is not None and diff is None:
        raise InputError("--max-increase is about a change", fix="say which with --diff REV")


def _print(report: Report, output: Path | None, *, is_sarif: bool) -> None:
    if is_sarif:
        from codefit.files import check_writable, write_json
        from codefit.review.sarif import sarif_log

        log = sarif_log(report.breaches, report.receipt)
        if output is None:
            import msgspec

            sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n")
            return
        check_writable(output.parent)
        write_json(output, log)
    emit(report.to_dict(), lambda: report.text(own_look()))
