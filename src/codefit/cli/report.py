"""`codefit report`: a run, or several side by side, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codefit.cli.output import emit

REPORT = "report.html"
COMPARISON = "comparison.html"


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(help="The page to write.", show_default=f"RUN/{REPORT}; several runs: {COMPARISON}"),
    ] = None,
) -> None:
    """Write one self-contained HTML page of a run: figures, curves, data, answers. Several runs are compared.

    A run that stopped half-way is shown as far as it came.
    """
    from codefit.run.report import write_report

    page = write_report(runs, output or (runs[0] / REPORT if len(runs) == 1 else Path(COMPARISON)))
    emit({"report": str(page), "runs": [str(run) for run in runs]}, lambda: str(page))
