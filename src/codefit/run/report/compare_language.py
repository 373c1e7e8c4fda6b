"""Runs of language models side by side: what each learned of its repository, what it forgot, and what that cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from markupsafe import Markup

from codefit.run.report import language_charts as charts
from codefit.run.report.charts import LineChart, Mark, MarkChart, Series, thinned
from codefit.run.report.compare import ABSENT, COST, Cell, common_comparison, looks_of, rows_of
from codefit.run.report.formats import (
    MINUS,
    count,
    figure,
    signed_share,
    signed_share_span,
    size,
    surprise,
    surprise_span,
)
from codefit.run.report.language_shapes import Perplexity, PerplexitySet
from codefit.run.report.language_view import MEANINGS
from codefit.run.report.load import LanguageModelRun
from codefit.run.report.svg import SHAPES

MEASURED_FILES = ("eval_documents.jsonl.gz", "general_documents.jsonl.gz")
ROLES = {
    "domain": "The repository, files held out",
    "general": "General code, what was forgotten",
    "training": "The repository, files trained on",
}
SAME = (
    "The runs that have been measured were so on the same files by the same window, so their figures can be set "
    "against each other. Perplexities only where the tokenizer is the same; bits per byte always."
)
OTHER = (
    "The runs were measured on different files or by different windows,",
    "or do not say on which, so their figures cannot be set against each other: compare each with its own before.",
)

Row = tuple[str, str, Callable[[LanguageModelRun], str | Cell]]


def language_comparison(runs: Sequence[LanguageModelRun]) -> dict[str, Any]:
    """What the template of a comparison shows."""
    view = common_comparison(runs, "loss, nats a token")
    names, looks = view["names"], looks_of(runs)
    return {
        **view,
        "intro": "The same numbers of every run, each with its 95 % interval. Perplexity is how surprised a model is "
        "by a token: lower is better.",
        "same": same_files(runs),
        "same_text": SAME,
        "other_text": OTHER,
        "tables": [*_tables(runs), ("What it cost", rows_of(_COST, runs))],
        "figures_chart": _figures_chart(runs, names, looks),
        "figures_caption": "Change of perplexity in each run, with 95 % intervals; further left is better, and to the "
        "right of zero is what was forgotten."
        if _compared(runs)
        else "Perplexity of each set of files in each run, with 95 % intervals; further left is better.",
        "curves_text": "How each model learned: the loss falls, and so does the perplexity of the validation files.",
        "looks_chart": _looks_chart(runs, names, looks),
        "looks_caption": "Perplexity of each run's validation files; lower is better.",
        "meanings": MEANINGS,
    }


def same_files(runs: Sequence[LanguageModelRun]) -> bool | None:
    """Whether the runs that were measured were so on the same files; None where there are not two to compare.

    A run whose manifest is gone does not say what it was measured on, so it counts as another.
    """
    measured = []
    for run in runs:
        if run.evaluation is None:
            continue
        outputs = run.manifest.outputs if run.manifest is not None else {}
        hashes = [outputs[name].sha256 if name in outputs else None for name in MEASURED_FILES]
        known = hashes if hashes[0] is not None else [str(run.folder)]
        measured.append((*known, run.evaluation.window, run.evaluation.stride))
    return len(set(measured)) == 1 if len(measured) > 1 else None


def _sets(runs: Sequence[LanguageModelRun], role: str) -> list[str]:
    """The names of a role's sets, as any of the runs has them."""
    found = (entry for run in runs if run.evaluation is not None for entry in run.evaluation.of_role(role))
    return list(dict.fromkeys(entry.name for entry in found))


def _find(run: LanguageModelRun, role: str, name: str) -> PerplexitySet | None:
    sets = run.evaluation.of_role(role) if run.evaluation is not None else []
    return next((entry for entry in sets if entry.name == name), None)


def _tables(runs: Sequence[LanguageModelRun]) -> Iterator[tuple[str, list[tuple[str, str, list[str | Cell]]]]]:
    for role, title in ROLES.items():
        rows: list[Row] = []
        for name in _sets(runs, role):
            entries = [entry for run in runs if (entry := _find(run, role, name)) is not None]
            rows += _rows_of_set(role, name, charts.set_name(entries[0]) if role == "general" else "")
        if rows:
            yield title, rows_of(rows, runs)


def _rows_of_set(role: str, name: str, title: str) -> list[Row]:
    def of(write: Callable[[PerplexitySet], str | Cell]) -> Callable[[LanguageModelRun], str | Cell]:
        def cell(run: LanguageModelRun) -> str | Cell:
            entry = _find(run, role, name)
            return ABSENT if entry is None else write(entry)

        return cell

    start = f"{title}, " if title else ""

    def named(what: str) -> str:
        return f"{start}{what}" if start else what.capitalize()

    return [
        (named("before"), "perplexity", of(lambda entry: _perplexity(entry.before))),
        (named("after"), "perplexity", of(lambda entry: _perplexity(entry.after))),
        (named("change"), "after by before, file by file", of(_change)),
        (named("after, bits per byte"), "whatever the tokenizer", of(lambda e: figure(e.after.bits_per_byte))),
    ]


def _perplexity(found: Perplexity | None) -> str | Cell:
    if found is None:
        return "none"
    return (surprise(found.perplexity), surprise_span(found.interval)) if found.interval else surprise(found.perplexity)


def _change(entry: PerplexitySet) -> str | Cell:
    if entry.change is None:
        return "none"
    return signed_share(entry.change.perplexity), signed_share_span(entry.change.ci95)


def _trained(run: LanguageModelRun) -> str | Cell:
    model = run.record.recipe.get("model", {})
    adapter = model.get("adapter")
    if run.record.system == "base-language-model":
        return "every weight", "from random numbers"
    if adapter is None:
        return "every weight", str(model.get("base"))
    return f"{adapter['kind']}, rank {adapter['rank']}", str(model.get("base"))


def _replay(run: LanguageModelRun) -> str:
    share = run.record.recipe.get("data", {}).get("replay_share")
    return "none" if not share else f"{100 * share:g} %"


def _speed(run: LanguageModelRun) -> str:
    speed = charts.speed_of(run.steps)
    return ABSENT if speed is None else count(speed)


def _smallest(run: LanguageModelRun) -> str | Cell:
    published = [form for form in run.shipped.forms if form.published] if run.shipped is not None else []
    if not published:
        return ABSENT
    least = min(published, key=lambda form: form.bytes)
    return size(least.bytes), least.form


_COST: list[Row] = [
    ("Trained", "what of the model", _trained),
    ("Replay", "general code mixed in", _replay),
    ("Training files", "learned from", lambda r: ABSENT if r.manifest is None else count(r.manifest.train.rows)),
    ("Speed", "tokens a second, median", _speed),
    *COST,
    ("Smallest form", "published, size on disk", _smallest),
]


def _compared(runs: Sequence[LanguageModelRun]) -> bool:
    return any(entry.change for run in runs if run.evaluation is not None for entry in run.evaluation.sets)


def _figures_chart(runs: Sequence[LanguageModelRun], names: Sequence[str], looks: Sequence[str]) -> Markup | None:
    """The change of every set in every run; the perplexities themselves where no run has a before."""
    compared = _compared(runs)
    groups: dict[str, list[Mark]] = {}
    for role in ROLES:
        for set_name in _sets(runs, role):
            for run, name, look, shape in zip(runs, names, looks, SHAPES, strict=False):
                entry = _find(run, role, set_name)
                if entry is None:
                    continue
                marks = groups.setdefault(charts.set_name(entry), [])
                if not compared:
                    marks.append(Mark(name, look, shape, entry.after.perplexity, entry.after.interval))
                elif entry.change is not None:
                    low, high = (100 * end for end in entry.change.ci95)
                    marks.append(Mark(name, look, shape, 100 * entry.change.perplexity, (low, high)))
    shown = [(name, marks) for name, marks in groups.items() if marks]
    if not shown:
        return None
    return MarkChart(
        ident="figures",
        title="Change of perplexity by set of files and run" if compared else "Perplexity by set of files and run",
        description="Dots are values, whiskers 95 % intervals. The tables above have every value.",
        x_label="change of perplexity, per cent" if compared else charts.X_LABEL,
        groups=shown,
        zero=compared,
        write=_signed_percent if compared else surprise,
    ).svg()


def _signed_percent(value: float) -> str:
    return f"{value:+.1f}".replace("-", MINUS)


def _looks_chart(runs: Sequence[LanguageModelRun], names: Sequence[str], looks: Sequence[str]) -> Markup | None:
    series = [
        Series(name, look, shape, thinned([(float(row.step), row.perplexity) for row in run.looks], 300))
        for run, name, look, shape in zip(runs, names, looks, SHAPES, strict=False)
        if run.looks
    ]
    if not series:
        return None
    ends = ", ".join(f"{one.name} {surprise(one.points[-1][1])}" for one in series)
    return LineChart(
        ident="validation",
        title="Perplexity of the validation files by step and run",
        description=f"At the end: {ends}.",
        y_label="perplexity of the validation files",
        series=series,
        digits=2,
    ).svg()
