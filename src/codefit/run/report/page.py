"""One self-contained page of a run, or of several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import codefit
from codefit.errors import InputError
from codefit.files import check_writable, write_text
from codefit.run.report import figures
from codefit.run.report.compare import comparison
from codefit.run.report.formats import FILTERS
from codefit.run.report.load import Run, load_run
from codefit.run.report.repeat import how_to_repeat
from codefit.run.report.shapes import MAIN_METRIC, METRICS, SYSTEMS
from codefit.run.report.svg import swatch

HERE = Path(__file__).parent
STYLE = "codefit.css"

# What each number means, in a line for somebody who sees it for the first time.
MEANINGS = {
    "MRR@10": "One divided by the rank of the right function, 0 below rank 10, averaged over all questions: "
    "1 is always first, 0.5 is what always second would give.",
    "nDCG@10": "The same idea with a gentler discount: rank 1 counts 1, rank 3 counts 0.5, below rank 10 nothing.",
    "recall@k": "The share of questions whose right function is among the first k results.",
    "95 % interval": "Where the figure would fall in 95 of 100 repetitions with other questions of the same kind "
    "(bootstrap). Of a difference, it is taken question by question.",
    "BM25": "Classic word matching, what a good search box does without any model: the figure to beat.",
    "Model": "The trained model alone: it compares meanings as vectors and needs no word in common.",
    "Hybrid": "Model and BM25 fused into one ranking: what codefit search uses.",
}


def write_report(runs: Sequence[Path], output: Path) -> Path:
    """Write the page of one run, or the comparison of several, to `output`; returns it.

    Parts that a run has not come to are said to be missing. Raises `InputError` for a folder that is no run, and for
    a damaged file in one.
    """
    if not runs:
        raise InputError("no run is given", fix="codefit report runs/NAME")
    loaded = [load_run(folder) for folder in runs]
    check_writable(output.parent)
    write_text(output, run_page(loaded[0]) if len(loaded) == 1 else comparison_page(loaded))
    return output


def run_page(run: Run) -> str:
    """The HTML of one run's page."""
    return _environment().get_template("report.html").render(_shared() | _view(run))


def comparison_page(runs: Sequence[Run]) -> str:
    """The HTML of several runs side by side."""
    return _environment().get_template("compare.html").render(_shared() | comparison(runs))


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,  # everything that comes from data is escaped; only our own SVG is Markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    return environment


def _shared() -> dict[str, Any]:
    return {
        "style": Markup((HERE / STYLE).read_text(encoding="utf-8")),
        "version": codefit.__version__,
        "metrics": METRICS,
        "main_metric": MAIN_METRIC,
        "systems": SYSTEMS,
        "meanings": MEANINGS,
        "legend": {system: swatch(figures.SHAPE_OF[system], system) for system in SYSTEMS},
        "backends": figures.BACKENDS,
    }


def _view(run: Run) -> dict[str, Any]:
    charts: dict[str, Any] = {"stages": figures.stages_chart(run)}
    if run.steps:
        charts["loss"] = figures.loss_chart(run)
    if run.looks:
        charts["looks"] = figures.looks_chart(run)
    if run.tokenizer is not None:
        charts["density"] = figures.density_chart(run.tokenizer)
    if run.export is not None and run.export.benchmark is not None and run.export.benchmark.rows:
        charts["speed"] = figures.speed_chart(run.export.benchmark.rows, run.export.winner)
    sets = run.evaluation.sets if run.evaluation is not None else []
    return {
        "run": run,
        "record": run.record,
        "charts": charts,
        "sets": [_set_view(entry, number) for number, entry in enumerate(sets)],
        "verdict": figures.verdict(sets[0]) if sets else None,
        "best_look": figures.best_look(run) if run.looks else None,
        "repeat": how_to_repeat(run.record, run.folder.resolve().name),
    }


def _set_view(entry: Any, number: int) -> dict[str, Any]:
    groups = [
        {"kind": kind, "rows": rows, "chart": figures.groups_chart(rows, kind, f"set-{number}-{kind}")}
        for kind, rows in sorted(entry.by.items(), key=lambda item: item[0] != "source")
        if len(rows) > 1
    ]
    return {"entry": entry, "number": number, "chart": figures.metrics_chart(entry, f"set-{number}"), "groups": groups}
