"""`codefit [--json] [--debug] COMMAND`: the entry point, the global flags and the exit codes."""

from __future__ import annotations

import os
import sys
from itertools import takewhile
from typing import Annotated, Any

import typer

import codefit
from codefit.cli import complexity, data, doctor, embed, lm, recipes, repair, report, tokenizer
from codefit.cli import mcp as mcp_commands
from codefit.cli import run as run_commands
from codefit.cli import search as search_commands
from codefit.cli import serve as serve_commands
from codefit.cli.output import Settings
from codefit.errors import CodefitError, InputError, from_os_error

app = typer.Typer(
    name="codefit",
    help="Fit small models to code, on your own machine, and prove every number.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich and its markdown would take half the time of --help
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

app.command("run")(run_commands.run)
app.command("plan")(run_commands.plan)
app.command("report")(report.report)
app.command("doctor")(doctor.doctor)
app.command("search")(search_commands.search)
app.command("serve")(serve_commands.serve)
app.command("mcp")(mcp_commands.mcp)
app.add_typer(recipes.app, name="recipes")
app.add_typer(data.app, name="data")
app.add_typer(tokenizer.app, name="tokenizer")
app.add_typer(embed.app, name="embed")
app.add_typer(lm.app, name="lm")
app.add_typer(repair.app, name="repair")
app.add_typer(complexity.app, name="complexity")

GLOBAL_FLAGS = ("--json", "--debug")
STOPPED = 130  # 128 and the number of SIGINT, as shells have it
USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]  # of whichever click typer was built with


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
    ordered = global_flags_first(sys.argv[1:] if arguments is None else arguments)
    flags = list(takewhile(lambda argument: argument in GLOBAL_FLAGS, ordered))
    Settings.json = "--json" in flags
    Settings.debug = "--debug" in flags
    try:
        code = app(ordered, prog_name=app.info.name, standalone_mode=False)
        sys.stdout.flush()
    except USAGE_ERROR as usage:
        return _fail_usage(usage)
    except KeyboardInterrupt:
        return _fail(CodefitError("stopped"), STOPPED)
    except BrokenPipeError:
        # What is still in the buffer would raise again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except CodefitError as error:
        return _fail(error, error.exit_code)
    except OSError as os_error:
        known = from_os_error(os_error)
        return _fail(known, known.exit_code)
    except Exception as error:  # the last line of defence: a user gets one line, a developer asks for --debug
        return _fail(CodefitError(f"{type(error).__name__}: {error}", fix="run with --debug for the traceback"), 1)
    if code == STOPPED:  # typer's answer to Ctrl-C
        return _fail(CodefitError("stopped"), STOPPED)
    return code if isinstance(code, int) else 0


def _fail_usage(error: Any) -> int:
    """A command line that cannot be read: help where nothing was asked, else one line."""
    if type(error).__name__ == "NoArgsIsHelpError" and not Settings.json:
        print(error.format_message())
        return InputError.exit_code
    command = error.ctx.command_path if error.ctx else app.info.name
    what = "no command given" if type(error).__name__ == "NoArgsIsHelpError" else error.format_message()
    return _fail(InputError(what.rstrip("."), fix=f"see {command} --help"), InputError.exit_code)


def _fail(error: CodefitError, code: int) -> int:
    if Settings.debug:
        import traceback

        traceback.print_exc()
    if Settings.json:
        import json

        print(json.dumps({"error": {"what": error.what, "where": error.where, "fix": error.fix}}))
    print(f"error: {error.line()}", file=sys.stderr)
    return code


def entry_point() -> None:
    """What the `codefit` script calls."""
    sys.exit(main())
