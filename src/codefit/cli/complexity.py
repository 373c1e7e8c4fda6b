"""`codefit complexity`: how hard functions are to understand: now, in a change, over a history; learned scorers."""

from __future__ import annotations

import typer

from codefit.cli.complexity_history import hotspots, trend
from codefit.cli.complexity_score import ScoreCommand, score
from codefit.cli.complexity_train import evaluate, train

app = typer.Typer(
    help="Function complexity: score files, judge changes, follow a history, find hotspots, train scorers.",
    no_args_is_help=True,
)
app.command("score", cls=ScoreCommand)(score)
app.command("trend")(trend)
app.command("hotspots")(hotspots)
app.command("train")(train)
app.command("eval")(evaluate)
