"""A scatter of things with two quantities over logarithmic axes, of which the first few are numbered."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from codefit.run.report.svg import CHARACTER, DIGIT, Point, both_widths, drawing, label, line, marker

PLOT_HEIGHT = 260.0
STEPS = tuple(step * 10**power for power in range(9) for step in (1, 2, 5))
TICK_GAP = 34.0  # pixels between two ticks at least: the width of `100,000` and some
SPOT = 4.5  # radius of a mark
NUMBER_HEIGHT = 12.0
# Where a number may stand beside its mark, by the way to its base line: the first place that is free is taken.
BESIDE = ((7.0, -5.0, "start"), (-7.0, -5.0, "end"), (7.0, 13.0, "start"), (-7.0, 13.0, "end"))
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Spot:
    """A thing by its two quantities, both 1 or more; `number` is written beside the mark."""

    x: float
    y: float
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Scatter:
    """Spots over the logarithms of their quantities."""

    ident: str
    title: str
    description: str
    x_label: str
    y_label: str
    spots: Sequence[Spot]

    def svg(self) -> Markup:
        """The chart in both widths."""
        return both_widths(self.draw, self.ident)

    def draw(self, ident: str, width: float) -> str:
        """The chart in a width."""
        xs = _ticks(max(spot.x for spot in self.spots))
        ys = _ticks(max(spot.y for spot in self.spots))
        left = 10 + CHARACTER * max(len(f"{y:,}") for y in ys)
        top, right = 26.0, width - 26.0
        bottom = top + PLOT_HEIGHT

        def place(x: float, y: float) -> Point:
            across = left + (right - left) * math.log(x) / math.log(xs[-1])
            return across, bottom - PLOT_HEIGHT * math.log(y) / math.log(ys[-1])

        parts = [label(0, 12, self.y_label, "axis-label")]
        for y in ys:
            height = place(1, y)[1]
            parts += [line(left, height, right, height, "grid" if y > 1 else "axis")]
            parts += [label(left - 6, height + 4, f"{y:,}", anchor="end")]
        last = -TICK_GAP
        for x in xs:
            across = place(x, 1)[0]
            parts.append(line(across, bottom, across, bottom + 4, "axis"))
            if across - last >= TICK_GAP:
                parts.append(label(across, bottom + 18, f"{x:,}", anchor="middle"))
                last = across
        parts.append(label(right, bottom + 36, self.x_label, "axis-label", "end"))
        parts += self._marks(place)
        return drawing(ident, self.title, self.description, width, bottom + 42, parts)

    def _marks(self, place: Callable[[float, float], Point]) -> list[str]:
        """The marks, numbered ones on top, and their numbers where none covers another."""
        plain = [place(spot.x, spot.y) for spot in self.spots if spot.number is None]
        parts = [marker("ring", x, y, "bm25", 3.5) for x, y in plain]
        numbered = [(spot.number, place(spot.x, spot.y)) for spot in self.spots if spot.number is not None]
        parts += [marker("dot", x, y, "hybrid", SPOT) for _, (x, y) in reversed(numbered)]
        taken: list[Box] = [(x - SPOT, y - SPOT, x + SPOT, y + SPOT) for _, (x, y) in numbered]
        for number, (x, y) in numbered:
            for right, down, anchor in BESIDE:
                box = _box(x + right, y + down, str(number), anchor)
                if not any(_meet(box, other) for other in taken):
                    taken.append(box)
                    parts.append(label(x + right, y + down, str(number), "end-label", anchor))
                    break
        return parts


def _box(x: float, y: float, text: str, anchor: str) -> Box:
    """The ground that a text takes up."""
    width = DIGIT * len(text)
    start = x - width if anchor == "end" else x
    return start, y - NUMBER_HEIGHT, start + width, y


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _ticks(most: float) -> list[int]:
    """Steps from one to the first that is at least `most`, two at least."""
    end = next((place for place, step in enumerate(STEPS) if step >= most), len(STEPS) - 1)
    return list(STEPS[: max(end, 1) + 1])
