"""`codefit mcp`: tools for coding agents over standard input and output."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from codefit.cli.repair_fix import loaded_model
from codefit.cli.search import MODEL_VARIABLE
from codefit.progress import say


def mcp(
    model: Annotated[
        Path | None,
        typer.Option(envvar=MODEL_VARIABLE, help="Folder of the model that code is searched with.", show_default=False),
    ] = None,
    repair_model: Annotated[
        Path | None, typer.Option(help="Folder of a repair model.", show_default="the one in the package")
    ] = None,
) -> None:
    """Serve tools for coding agents: the Model Context Protocol over standard input and output.

    fix_syntax proposes repairs of Python that does not parse, as diffs with probabilities, and changes no file.
    score_complexity scores functions in ten languages, and says which lines add to a score.
    search_code finds functions by what they do, as codefit search does; it is offered where a model is given.

    An agent starts this command itself. Most are told so by a file such as:

    \b
    {"mcpServers": {"codefit": {"command": "codefit", "args": ["mcp"]}}}
    """
    from codefit.run.doctor import check_installed

    check_installed("mcp", ["mcp"])
    repairs = loaded_model(repair_model)
    searches = None
    if model is not None:
        from codefit.models.embedder import load_embedder

        searches = load_embedder(model)
    from codefit.serve.mcp import create_mcp_server

    _log_warnings_alone()
    if sys.stdin.isatty():
        say("waiting for the messages of an agent on standard input; an agent starts this itself: codefit mcp --help")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # else Ctrl-C would wait for the next line of standard input
    create_mcp_server(repairs, searches).run("stdio")


def _log_warnings_alone() -> None:
    """Log to standard error, before the SDK sets it up: it would show what libraries note for themselves."""
    import logging

    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    logging.basicConfig(format="%(levelname)s: %(message)s", handlers=[handler])
