"""Several runs side by side: what a comparison has whatever the system is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from markupsafe import Markup

from codefit.errors import InputError
from codefit.run.report.charts import LineChart, Series, smoothed
from codefit.run.report.formats import count, duration, size
from codefit.run.report.load import Run
from codefit.run.report.repeat import differences, how_to_repeat
from codefit.run.report.svg import SHAPES, swatch

MOST_RUNS = len(SHAPES)  # more lines on one chart cannot be told apart
ABSENT = "not there"
Cell = tuple[str, str]  # a value, and its interval or another word beneath it
R = TypeVar("R", bound=Run)


def common_comparison(runs: Sequence[Run], loss: str) -> dict[str, Any]:
    """What the template of a comparison shows of any runs; `loss` names it. `InputError` above `MOST_RUNS` runs."""
    if len(runs) > MOST_RUNS:
        raise InputError(f"{len(runs)} runs are too many for one page", fix=f"give at most {MOST_RUNS}")
    names, looks = run_names(runs), looks_of(runs)
    return {
        "runs": runs,
        "names": names,
        "legend_of_runs": [swatch(shape, look) for shape, look in zip(SHAPES, looks, strict=False)],
        "loss_chart": _loss_chart(runs, names, looks, loss),
        "differences": differences([run.record.recipe for run in runs]),
        "repeats": [how_to_repeat(run.record, run.folder.resolve().name) for run in runs],
    }


def looks_of(runs: Sequence[Run]) -> list[str]:
    """The class of each run, which gives its colour."""
    return [f"run-{number}" for number in range(1, len(runs) + 1)]


def rows_of(
    rows: Sequence[tuple[str, str, Callable[[R], str | Cell]]], runs: Sequence[R]
) -> list[tuple[str, str, list[str | Cell]]]:
    """The rows of a table: a name, what it means, and a cell of each run."""
    return [(title, meaning, [cell(run) for run in runs]) for title, meaning, cell in rows]


def run_names(runs: Sequence[Run]) -> list[str]:
    """A name for each run that no other has: its folder's, or as much of its path as it takes."""
    folders = [run.folder.resolve() for run in runs]
    names = [folder.name for folder in folders]
    if len(set(names)) == len(names):
        return names
    return [f"{folder.parent.name}/{folder.name}, {number}" for number, folder in enumerate(folders, start=1)]


def _machine(run: Run) -> Cell:
    machine = run.record.machine
    return f"{machine.get('cores')} cores", str(machine.get("gpu") or machine.get("cpu"))


COST: list[tuple[str, str, Callable[[Run], str | Cell]]] = [
    ("Steps", "batches learned from", lambda r: count(r.steps[-1].step) if r.steps else ABSENT),
    ("Time", "of all stages", lambda r: duration(r.seconds())),
    (
        "Memory",
        "the most held at once",
        lambda r: ABSENT if r.record.peak_memory_bytes is None else size(r.record.peak_memory_bytes),
    ),
    ("Machine", "where it ran", _machine),
]


def _loss_chart(runs: Sequence[Run], names: Sequence[str], looks: Sequence[str], y_label: str) -> Markup | None:
    series = [
        Series(name, look, shape, smoothed([(float(row.step), row.loss) for row in run.steps]))
        for run, name, look, shape in zip(runs, names, looks, SHAPES, strict=False)
        if run.steps
    ]
    if not series:
        return None
    ends = ", ".join(f"{one.name} {one.points[-1][1]:.2f}" for one in series)
    return LineChart(
        ident="loss",
        title="Training loss by step and run",
        description=f"The mean of neighbouring steps. At the end: {ends}.",
        y_label=y_label,
        series=series,
        digits=2,
    ).svg()
