"""The charts of a trend of complexity, and of hotspots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from markupsafe import Markup

from codefit.errors import InputError
from codefit.review.history import MEDIAN, P90, Point, Trend
from codefit.review.hotspots import Hotspot, Hotspots
from codefit.run.report.charts import LineChart, Series
from codefit.run.report.scatter import Scatter, Spot
from codefit.run.report.svg import swatch

LOOKS = MappingProxyType(
    {"90th percentile": ("run-2", "diamond"), "mean": ("run-1", "dot"), "median": ("run-3", "square")}
)
LABEL_LOOKS = MappingProxyType({"Complex": ("run-6", "dot"), "Critical": ("run-5", "diamond")})
WHOLE = MappingProxyType({"cognitive": ("run-4", "dot")})
TICKS = 4  # dates on an axis: as many fit on a phone
NUMBERED = 10  # hotspots that a chart numbers and lists
SPOTS = 400  # of a chart: the worst; more would be a cloud


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with what is said of it, and its legend: names with colour and shape."""

    drawn: LineChart | Scatter
    says: str
    legend: Sequence[tuple[str, tuple[str, str]]] = ()

    def swatches(self) -> list[tuple[Markup, str]]:
        """The legend for a page."""
        return [(swatch(shape, look), name) for name, (look, shape) in self.legend]


def trend_charts(trend: Trend) -> list[Chart]:
    """Scores, hard functions and all complexity over time. `InputError` where fewer than two commits have functions."""
    points = [point for point in trend.points if point.tally.functions]
    if len(points) < 2:
        raise InputError(
            "a plot needs two commits with functions", where=trend.path, fix="give more --points or an earlier --since"
        )
    ticks, x_label = _axis([datetime.fromisoformat(point.date) for point in points])
    scores: dict[str, Callable[[Point], float]] = {
        "90th percentile": lambda point: point.tally.quantile(P90) or 0.0,
        "mean": lambda point: point.tally.mean() or 0.0,
        "median": lambda point: point.tally.quantile(MEDIAN) or 0.0,
    }
    labels: dict[str, Callable[[Point], float]] = {
        "Complex": lambda point: point.tally.labels["Complex"],
        "Critical": lambda point: point.tally.labels["Critical"],
    }
    first, last = points[0].tally, points[-1].tally

    def chart(ident: str, title: str, says: str, y: str, values: dict[str, Callable[[Point], float]],
              looks: MappingProxyType[str, tuple[str, str]], digits: int) -> Chart:  # fmt: skip
        series = [
            Series(name, *looks[name], [(float(place), value(point)) for place, point in enumerate(points)])
            for name, value in values.items()
        ]
        spoken = "; ".join(
            f"{one.name} from {one.points[0][1]:,.{digits}f} to {one.points[-1][1]:,.{digits}f}" for one in series
        )
        drawn = LineChart(ident, title, f"{spoken}.", y, series, x_label, digits, x_ticks=ticks)
        return Chart(drawn, says, list(looks.items()) if len(looks) > 1 else ())

    return [
        chart("scores", "Scores of functions", "How hard functions are to understand, from 1 to 10; lower is better. "
              "Nine in ten functions score at most the 90th percentile.", "score", scores, LOOKS, 2),
        chart("labels", "Functions that are hard to understand", f"Functions labelled Complex (above 6) and Critical "
              f"(above 8.5), of {first.functions:,} at first and {last.functions:,} at last.",
              "functions", labels, LABEL_LOOKS, 0),
        chart("cognitive", "Cognitive complexity of all code", "The cognitive complexity of all functions together: it "
              "grows with the code, and faster where the code becomes harder.", "cognitive complexity",
              {"cognitive": lambda point: point.tally.cognitive}, WHOLE, 0),
    ]  # fmt: skip


def hotspots_chart(hotspots: Hotspots) -> Chart:
    """Complexity over churn. `InputError` where nothing complex was changed."""
    spots = [each for each in hotspots.found if each.hotspot][:SPOTS]
    if not spots:
        raise InputError(
            "nothing complex was changed in this time, so there is nothing to draw",
            where=hotspots.path,
            fix="give an earlier --since",
        )
    by_lines = hotspots.by == "lines"
    x_label = "lines changed" if by_lines else "commits that changed it"
    worst = ", ".join(name_of(each) for each in spots[:3])
    return Chart(
        Scatter(
            "hotspots",
            "Complexity and change",
            f"Up: cognitive complexity. To the right: {x_label}. The worst are {worst}.",
            x_label,
            "cognitive complexity",
            [
                Spot(each.lines if by_lines else each.commits, each.cognitive, place if place <= NUMBERED else None)
                for place, each in enumerate(spots, start=1)
            ],
        ),
        "Each mark is one; the further up and to the right, the more it is worth simplifying. The numbers are those of "
        "the list. Both axes are logarithmic.",
    )


def name_of(hotspot: Hotspot) -> str:
    """What a hotspot is called: a function with its place, or a file."""
    place = hotspot.function
    return hotspot.path if place is None else f"{place.qualified} ({place.path}:{place.line})"


def _axis(dates: Sequence[datetime]) -> tuple[list[tuple[float, str]], str]:
    """Dates of some of the commits with their places among them, and what the axis is called.

    Commits stand evenly, as they were chosen: along a calendar, most of a history lies in a few busy weeks.
    """
    last = len(dates) - 1
    places = sorted({round(last * part / (TICKS - 1)) for part in range(TICKS)})
    years = sorted({date.year for date in dates})
    if len(years) == 1:
        return [(float(place), f"{dates[place]:%d %b}") for place in places], f"commits by date, {years[0]}"
    return [(float(place), f"{dates[place]:%Y-%m}") for place in places], "commits by date"
