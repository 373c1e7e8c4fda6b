"""What a page is made of: parts, each a section with a template of its own; and what every run's page has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from codefit.run.report import run_charts
from codefit.run.report.load import Run
from codefit.run.report.repeat import how_to_repeat


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a page: its anchor, what the contents call it, and its template."""

    ident: str
    title: str
    template: str


LAST_PARTS = (Part("stages", "Stages", "stages.html"), Part("repeat", "How to repeat it", "repeat.html"))


def common_view(run: Run, parts: Sequence[Part]) -> dict[str, Any]:
    """What the template of a run's page shows whatever the system is; `charts` is added to by the system's view."""
    charts: dict[str, Any] = {"stages": run_charts.stages_chart(run)}
    if run.tokenizer is not None:
        charts["density"] = run_charts.density_chart(run.tokenizer)
    return {
        "run": run,
        "record": run.record,
        "parts": (*parts, *LAST_PARTS),
        "charts": charts,
        "repeat": how_to_repeat(run.record, run.folder.resolve().name),
    }
