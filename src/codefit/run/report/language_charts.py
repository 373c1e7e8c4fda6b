"""The charts of a language model's run, from its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import median

from markupsafe import Markup

from codefit.run.report.charts import LineChart, Mark, MarkChart, Series, smoothed, thinned
from codefit.run.report.formats import count, language, surprise
from codefit.run.report.language_shapes import Comparison, PerplexityRow, PerplexitySet
from codefit.run.report.load import LanguageModelRun
from codefit.run.report.shapes import TrainRow

BEFORE, AFTER = "bm25", "model"  # the colours of what there was and of what was trained, as on every page
SHAPE_OF: Mapping[str, str] = {BEFORE: "ring", AFTER: "dot"}
MOST_DIRECTORIES = 16  # on a chart; the table beneath it has all
X_LABEL = "perplexity, lower is better"


def set_name(entry: PerplexitySet) -> str:
    """A set as a page calls it."""
    names = {"domain": "The repository, held out", "training": "The repository, trained on"}
    if entry.role in names:
        return names[entry.role]
    return f"{language(entry.language)}: {entry.name}" if entry.language else entry.name


def _marks(entry: Comparison) -> Iterator[Mark]:
    if entry.before is not None:
        yield Mark("before", BEFORE, SHAPE_OF[BEFORE], entry.before.perplexity, entry.before.interval)
    yield Mark("after", AFTER, SHAPE_OF[AFTER], entry.after.perplexity, entry.after.interval)


def sets_chart(sets: Sequence[PerplexitySet]) -> Markup:
    """Perplexity of every set, before and after, with intervals."""
    spoken = "; ".join(
        f"{set_name(entry)}: " + " to ".join(surprise(mark.value) for mark in _marks(entry)) for entry in sets
    )
    return MarkChart(
        ident="sets",
        title="Perplexity by set of files",
        description=f"Dots are perplexities, whiskers 95 % intervals. {spoken}.",
        x_label=X_LABEL,
        groups=[(set_name(entry), list(_marks(entry))) for entry in sets],
        zero=False,
        write=surprise,
    ).svg()


def largest(directories: Mapping[str, Comparison]) -> list[tuple[str, Comparison]]:
    """Directories by the bytes that were measured, the largest first."""
    return sorted(directories.items(), key=lambda item: (-item[1].after.bytes, item[0]))


def directories_chart(directories: Mapping[str, Comparison]) -> Markup:
    """Perplexity of the largest directories, before and after."""
    shown = largest(directories)[:MOST_DIRECTORIES]
    hardest = max(shown, key=lambda item: item[1].after.perplexity)
    easiest = min(shown, key=lambda item: item[1].after.perplexity)
    return MarkChart(
        ident="directories",
        title="Perplexity by directory",
        description=f"The largest directories. After training {easiest[0]} is least surprising "
        f"({surprise(easiest[1].after.perplexity)}) and {hardest[0]} most ({surprise(hardest[1].after.perplexity)}).",
        x_label=X_LABEL,
        groups=[(name, list(_marks(entry))) for name, entry in shown],
        zero=False,
        write=surprise,
    ).svg()


def curriculum(steps: Sequence[TrainRow]) -> list[tuple[int, list[TrainRow]]]:
    """The stages of the curriculum in order: tokens of a sequence, and the steps; empty where no step says its own."""
    known = [row for row in steps if row.length is not None]
    return [(length or 0, list(rows)) for length, rows in groupby(known, key=lambda row: row.length)]


def stage_dividers(steps: Sequence[TrainRow]) -> list[tuple[float, str]]:
    """Where each stage of the curriculum begins, by its tokens a sequence; none where there is one stage."""
    stages = curriculum(steps)
    if len(stages) < 2:
        return []
    return [
        (float(rows[0].step) if number else 0.0, count(length) + ("" if number else " tokens"))
        for number, (length, rows) in enumerate(stages)
    ]


def speed_of(rows: Sequence[TrainRow]) -> float | None:
    """The median of tokens a second; None where no step says it."""
    speeds = [row.tokens_per_second for row in rows if row.tokens_per_second]
    return median(speeds) if speeds else None


def speed_chart(run: LanguageModelRun) -> Markup | None:
    """Tokens a second by step, with the stages; None where the steps do not say it."""
    points = [(float(row.step), row.tokens_per_second) for row in run.steps if row.tokens_per_second]
    if not points:
        return None
    return LineChart(
        ident="tokens",
        title="Tokens a second by step",
        description=f"The median is {count(speed_of(run.steps) or 0)} tokens a second.",
        y_label="tokens trained on a second",
        series=[Series("tokens", AFTER, SHAPE_OF[AFTER], smoothed(points), faint=thinned(points))],
        digits=0,
        dividers=stage_dividers(run.steps),
    ).svg()


def looks_chart(
    looks: Sequence[PerplexityRow],
    dividers: Sequence[tuple[float, str]] = (),
    *,
    ident: str = "validation",
    of: str = "the validation files",
) -> Markup:
    """Perplexity `of` what chooses the checkpoint, by step."""
    points = [(float(row.step), row.perplexity) for row in looks]
    best = best_look(looks)
    return LineChart(
        ident=ident,
        title=f"Perplexity of {of} by step",
        description=f"From {surprise(points[0][1])} to {surprise(points[-1][1])}; the best is "
        f"{surprise(best.perplexity)} at step {count(best.step)}.",
        y_label=f"perplexity of {of}",
        series=[Series("model", AFTER, SHAPE_OF[AFTER], thinned(points, 300))],
        digits=2,
        dividers=dividers,
    ).svg()


def best_look(looks: Sequence[PerplexityRow]) -> PerplexityRow:
    """The look at the checkpoint that was kept: the first of the lowest."""
    return min(looks, key=lambda row: row.perplexity)
