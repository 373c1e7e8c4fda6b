"""The three kinds of charts: lines by step, marks with intervals, bars. Each is SVG that needs nothing but the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from codefit.run.report.formats import figure
from codefit.run.report.svg import (
    CHARACTER,
    DIGIT,
    WIDE,
    Point,
    both_widths,
    drawing,
    label,
    line,
    marker,
    polyline,
    shortened,
    tick_text,
    ticks,
)

PLOT_HEIGHT = 220.0
END_LABEL_GAP = 15.0  # pixels between the base lines of two labels
EARLY_END = 60.0  # a line that ends so far from the edge has its last value written above it
ROW = 17.0  # height of a mark's row
LABEL_ROOM = 22.0  # beside the characters of a row's name: the gap to the axis, and some for letters that are wide
FROM_ZERO = 0.4  # an axis starts at zero where the smallest value is below this share of the largest


@dataclass(frozen=True, slots=True)
class Series:
    """A line. `faint` is the noise that it was smoothed from; `flat` marks a baseline that stays where it is."""

    name: str
    look: str  # the class that gives the colour
    shape: str
    points: Sequence[Point]
    faint: Sequence[Point] = ()
    flat: bool = False


@dataclass(frozen=True, slots=True)
class LineChart:
    """Series over steps. `digits` is for the values written at the ends of the lines.

    `dividers` are steps at which something else begins, with its name. `x_ticks` are places and texts for an axis that
    does not count evenly, such as that of logarithms.
    """

    ident: str
    title: str
    description: str
    y_label: str
    series: Sequence[Series]
    x_label: str = "step"
    digits: int = 3
    dividers: Sequence[tuple[float, str]] = ()
    x_ticks: Sequence[tuple[float, str]] = ()

    def svg(self) -> Markup:
        """The chart in both widths."""
        return both_widths(self.draw, self.ident)

    def draw(self, ident: str, width: float) -> str:
        """The chart in a width."""
        values = [y for one in self.series for _, y in (*one.points, *one.faint)]
        steps = [x for one in self.series for x, _ in one.points]
        low, high = min(values), max(values)
        ys = ticks(0.0 if 0 <= low < FROM_ZERO * high else low, high, 4)
        # The lines end at the edge, where their last values are written, so the last tick may lie before it.
        end = max(steps)
        xs = self.x_ticks or _even_ticks(end, 8 if width >= WIDE else 4)
        y_step = ys[1] - ys[0]
        left = 10 + CHARACTER * max(len(tick_text(y, y_step)) for y in ys)
        widest = max(len(self._ending(one)) for one in self.series)
        top, right = 46.0 if self.dividers else 26.0, width - 14 - DIGIT * max(2 + self.digits, widest)
        bottom = top + PLOT_HEIGHT

        def place(point: Point) -> Point:
            x = left + (right - left) * point[0] / end
            return x, bottom - PLOT_HEIGHT * (point[1] - ys[0]) / (ys[-1] - ys[0])

        parts = [label(0, 12, self.y_label, "axis-label")]
        for y in ys:
            height = place((0.0, y))[1]
            parts += [line(left, height, right, height, "grid")]
            parts += [label(left - 6, height + 4, tick_text(y, y_step), anchor="end")]
        for x, text in ((x, text) for x, text in xs if x <= end):
            across = place((x, ys[0]))[0]
            parts += [line(across, bottom, across, bottom + 4, "axis")]
            parts += [label(max(across, DIGIT * len(text) / 2), bottom + 18, text, anchor="middle")]
        parts += [line(left, bottom, right, bottom, "axis")]
        parts += [label(right, bottom + 36, self.x_label, "axis-label", "end")]
        for step, name in self.dividers:
            across = place((step, ys[0]))[0]
            parts += [line(across, top - 16, across, bottom, "divider"), label(across + 4, top - 7, name)]
        for one in self.series:
            parts += self._one(one, [place(p) for p in one.points], [place(p) for p in one.faint])
        parts += self._end_labels([(place(one.points[-1]), one) for one in self.series], right, bottom)
        return drawing(ident, self.title, self.description, width, bottom + 42, parts)

    def _ending(self, one: Series) -> str:
        return f"{one.points[-1][1]:,.{self.digits}f}"

    def _one(self, one: Series, points: Sequence[Point], faint: Sequence[Point]) -> list[str]:
        parts = [polyline(faint, f"faint {one.look}")] if faint else []
        parts.append(polyline(points, f"series {one.look}" + (" flat" if one.flat else "")))
        return [*parts, marker(one.shape, *points[-1], one.look)]

    def _end_labels(self, ends: Sequence[tuple[Point, Series]], right: float, bottom: float) -> list[str]:
        """The last values, at the edge and moved apart where lines end close together; above a line that ends early.

        Lines that end in one value have it once, in no line's colour.
        """
        parts = []
        at_edge: dict[str, tuple[float, str]] = {}
        for (x, y), one in ends:
            text, look = self._ending(one), f"end-label text-{one.look}"
            if x < right - EARLY_END:
                parts.append(label(x, y - 10, text, look, "middle"))
            else:
                at_edge[text] = (y + 4, "end-label" if text in at_edge else look)
        placed = sorted((y, text, look) for text, (y, look) in at_edge.items())
        for (_, text, look), y in zip(placed, _apart([y for y, _, _ in placed], bottom), strict=True):
            parts.append(label(right + 9, y, text, look))
        return parts


def _even_ticks(end: float, count: int) -> list[tuple[float, str]]:
    """Round values from nought on, with their texts."""
    places = ticks(0.0, end, count)
    return [(place, tick_text(place, places[1] - places[0])) for place in places]


def _apart(heights: Sequence[float], lowest: float) -> list[float]:
    """Sorted heights moved down until no two are nearer than a label is high, then up again from the axis."""
    moved: list[float] = []
    for y in heights:
        moved.append(max(y, moved[-1] + END_LABEL_GAP) if moved else y)
    for place in range(len(moved) - 1, -1, -1):
        floor = lowest if place == len(moved) - 1 else moved[place + 1] - END_LABEL_GAP
        moved[place] = min(moved[place], floor)
    return moved


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with the ends of its interval, if it has one."""

    name: str
    look: str
    shape: str
    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class MarkChart:
    """Groups of marks, a row each, over a common axis; where `zero` is set it starts there.

    `write` is how the values at the ends of the rows are written, if not with three decimals.
    """

    ident: str
    title: str
    description: str
    x_label: str
    groups: Sequence[tuple[str, Sequence[Mark]]]
    zero: bool = True
    write: Callable[[float], str] = figure

    def svg(self) -> Markup:
        """The chart in both widths."""
        return both_widths(self._draw, self.ident)

    def _draw(self, ident: str, width: float) -> str:
        wide = width >= WIDE
        bounds = [b for _, marks in self.groups for m in marks for b in (m.value, *(m.interval or ()))]
        axis = ticks(min(0.0, *bounds) if self.zero else min(bounds), max(bounds), 5 if wide else 4)
        step = axis[1] - axis[0]
        longest = max(len(name) for name, _ in self.groups)
        half_a_tick = DIGIT * len(tick_text(axis[0], step)) / 2
        left = min(230.0, LABEL_ROOM + CHARACTER * longest) if wide else max(14.0, half_a_tick)
        right = width - 14 - DIGIT * max(len(self.write(m.value)) for _, marks in self.groups for m in marks)

        def across(value: float) -> float:
            return left + (right - left) * (value - axis[0]) / (axis[-1] - axis[0])

        rows: list[str] = []
        y = 4.0
        for name, marks in self.groups:
            if wide:
                middle = y + ROW * len(marks) / 2
                rows.append(label(left - 12, middle + 4, shortened(name, 31), "row-label", "end"))
            else:
                rows.append(label(0, y + 13, shortened(name, 44), "row-label"))
                y += ROW + 2
            for mark in marks:
                rows += self._row(mark, y + ROW / 2, across, right)
                y += ROW
            y += 11
        bottom = y - 4
        parts = [line(across(x), 0, across(x), bottom, "grid" if x != 0 or axis[0] == 0 else "axis") for x in axis]
        parts += [label(across(x), bottom + 16, tick_text(x, step), anchor="middle") for x in axis]
        parts += [label(right, bottom + 34, self.x_label, "axis-label", "end")]
        return drawing(ident, self.title, self.description, width, bottom + 40, [*parts, *rows])

    def _row(self, mark: Mark, y: float, across: Callable[[float], float], right: float) -> list[str]:
        parts = []
        if mark.interval is not None:
            low, high = (across(end) for end in mark.interval)
            parts += [line(low, y, high, y, f"whisker {mark.look}")]
            parts += [line(end, y - 4, end, y + 4, f"whisker {mark.look}") for end in (low, high)]
        parts.append(marker(mark.shape, across(mark.value), y, mark.look))
        return [*parts, label(right + 10, y + 4, self.write(mark.value), f"end-label text-{mark.look}")]


@dataclass(frozen=True, slots=True)
class Bar:
    """A quantity with the words that it is written in."""

    name: str
    value: float
    text: str
    look: str = "model"


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars from zero, the quantity written at the end of each."""

    ident: str
    title: str
    description: str
    bars: Sequence[Bar] = field(default_factory=list)

    def svg(self) -> Markup:
        """The chart in both widths."""
        return both_widths(self._draw, self.ident)

    def _draw(self, ident: str, width: float) -> str:
        left = min(width * 0.4, LABEL_ROOM + CHARACTER * max(len(bar.name) for bar in self.bars))
        right = width - 14 - DIGIT * max(len(bar.text) for bar in self.bars)
        most = max(bar.value for bar in self.bars) or 1.0
        height = 26.0
        parts = [line(left, 0, left, height * len(self.bars), "axis")]
        for row, bar in enumerate(self.bars):
            y, end = row * height, left + (right - left) * bar.value / most
            parts.append(
                label(left - 10, y + 17, shortened(bar.name, int((left - 10) / CHARACTER) - 1), "row-label", "end")
            )
            parts.append(line(left, y + 13, max(end, left + 1), y + 13, f"bar {bar.look}"))
            parts.append(label(max(end, left + 1) + 8, y + 17, bar.text, "end-label"))
        return drawing(ident, self.title, self.description, width, height * len(self.bars) + 2, parts)


def smoothed(points: Sequence[Point], share: float = 0.04, most: int = 300) -> list[Point]:
    """The mean of the points around each, `share` of all to either side; at most `most` of them.

    The outermost count half, so that a loss which alternates between two kinds of batches gives a straight line. Near
    the beginning, where a loss falls steeply, as many are taken after a point as there are before it: else the mean
    of the first would be that of later ones.
    """
    reach = max(1, round(share * len(points)))
    sums = [0.0]
    for _, y in points:
        sums.append(sums[-1] + y)

    def mean(i: int) -> float:
        first, last = max(0, i - reach), min(len(points) - 1, i + max(1, min(reach, i)))
        if first == last:
            return points[i][1]
        return (sums[last + 1] - sums[first] - (points[first][1] + points[last][1]) / 2) / (last - first)

    return [(points[i][0], mean(i)) for i in _spread(len(points), most)]


def thinned(points: Sequence[Point], most: int = 600) -> list[Point]:
    """At most `most` of the points, evenly, with the first and the last."""
    return [points[i] for i in _spread(len(points), most)]


def _spread(length: int, most: int) -> list[int]:
    if length <= most:
        return list(range(length))
    return sorted({round(i * (length - 1) / (most - 1)) for i in range(most)})
