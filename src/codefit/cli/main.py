"""`codefit [--json] [--debug] COMMAND`: the entry point, the global flags and the exit codes."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

import codefit
from codefit.cli import data, doctor, embed, recipes, report, tokenizer
from codefit.cli import run as run_commands
from codefit.cli import search as search_commands
from codefit.cli.output import Settings
from codefit.errors import CodefitError, from_os_error

app = typer.Typer(
    name="codefit",
    help="Fit small models to code, on your own machine, and prove every number.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # joins the lines of a paragraph in help texts
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("run")(run_commands.run)
app.command("plan")(run_commands.plan)
app.command("report")(report.report)
app.command("doctor")(doctor.doctor)
app.command("search")(search_commands.search)
app.add_typer(recipes.app, name="recipes")
app.add_typer(data.app, name="data")
app.add_typer(tokenizer.app, name="tokenizer")
app.add_typer(embed.app, name="embed")

GLOBAL_FLAGS = ("--json", "--debug")


def _print_version(asked: bool) -> None:
    if asked:
        print(f"codefit {codefit.__version__}")
        raise typer.Exit


@app.callback()
def global_flags(
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object to stdout.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The flags that every command takes, before its name or after it."""
    Settings.json = as_json
    Settings.debug = debug


def global_flags_first(arguments: list[str]) -> list[str]:
    """Move `--json` and `--debug` before the command; what stands after `--` is left alone."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    flags = [a for a in arguments[:end] if a in GLOBAL_FLAGS]
    others = [a for a in arguments[:end] if a not in GLOBAL_FLAGS]
    return flags + others + arguments[end:]


def main(arguments: list[str] | None = None) -> int:
    """Run a command line; the exit code is 0 done, 1 it failed, 2 the input was wrong, 130 stopped by Ctrl-C."""
    given = sys.argv[1:] if arguments is None else arguments
    Settings.json = "--json" in given
    Settings.debug = "--debug" in given
    try:
        app(global_flags_first(given), standalone_mode=True)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except KeyboardInterrupt:
        return _fail(CodefitError("stopped"), 130)
    except BrokenPipeError:
        return 1
    except CodefitError as error:
        return _fail(error, error.exit_code)
    except OSError as os_error:
        known = from_os_error(os_error)
        return _fail(known, known.exit_code)
    except Exception as error:  # the last line of defence: a user gets one line, a developer asks for --debug
        return _fail(CodefitError(f"{type(error).__name__}: {error}", fix="run with --debug for the traceback"), 1)
    return 0


def _fail(error: CodefitError, code: int) -> int:
    if Settings.debug:
        import traceback

        traceback.print_exc()
    if Settings.json:
        print(json.dumps({"error": {"what": error.what, "where": error.where, "fix": error.fix}}))
    print(f"error: {error.line()}", file=sys.stderr)
    return code


def entry_point() -> None:
    """What the `codefit` script calls."""
    sys.exit(main())
