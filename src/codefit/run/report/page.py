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
from codefit.run.report.compare_complexity import complexity_comparison
from codefit.run.report.compare_encoders import encoder_comparison
from codefit.run.report.compare_language import language_comparison
from codefit.run.report.compare_repairs import repair_comparison
from codefit.run.report.complexity_view import complexity_view
from codefit.run.report.encoder_view import encoder_view
from codefit.run.report.formats import FILTERS
from codefit.run.report.language_view import language_view
from codefit.run.report.load import AnyRun, ComplexityRun, EncoderRun, LanguageModelRun, RepairRun, load_run
from codefit.run.report.repair_view import repair_view

HERE = Path(__file__).parent
STYLE = "codefit.css"


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


def run_page(run: AnyRun) -> str:
    """The HTML of one run's page."""
    if isinstance(run, EncoderRun):
        view = encoder_view(run)
    elif isinstance(run, RepairRun):
        view = repair_view(run)
    elif isinstance(run, ComplexityRun):
        view = complexity_view(run)
    else:
        view = language_view(run)
    return render("report.html", view)


def comparison_page(runs: Sequence[AnyRun]) -> str:
    """The HTML of several runs side by side. `InputError` where they have no figure in common."""
    encoders = [run for run in runs if isinstance(run, EncoderRun)]
    language_models = [run for run in runs if isinstance(run, LanguageModelRun)]
    repairs = [run for run in runs if isinstance(run, RepairRun)]
    scorers = [run for run in runs if isinstance(run, ComplexityRun)]
    first: list[AnyRun] = [kind[0] for kind in (encoders, language_models, repairs, scorers) if kind]
    if len(first) > 1:
        raise InputError(
            f"{' and '.join(run.record.system for run in first)} have no figure in common",
            where=", ".join(str(run.folder) for run in first),
            fix="compare runs of one kind",
        )
    if encoders:
        view = encoder_comparison(encoders)
    elif repairs:
        view = repair_comparison(repairs)
    elif scorers:
        view = complexity_comparison(scorers)
    else:
        view = language_comparison(language_models)
    return render("compare.html", view)


def render(template: str, view: dict[str, Any]) -> str:
    """A page of one of the templates here, with the style sheet and codefit's version."""
    return _environment().get_template(template).render({**_shared(), **view})


def style_sheet() -> str:
    """The one style sheet of all pages."""
    return (HERE / STYLE).read_text(encoding="utf-8")


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
        "style": Markup(style_sheet()),
        "version": codefit.__version__,
    }
