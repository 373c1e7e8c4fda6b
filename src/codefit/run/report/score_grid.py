"""Scores against the true ones: a small square for each scorer, in which darker cells hold more functions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from codefit.run.report.svg import CHARACTER, WIDE, Point, both_widths, drawing, element, label, line, shortened

LOWEST, HIGHEST = 1.0, 10.0
CELLS = 18  # a side: half a point each
TICKS = (1, 4, 7, 10)
LEFT, TOP, GAP, BELOW = 20.0, 24.0, 32.0, 24.0  # beside a square, above it, between two, for the ticks beneath
EDGE = 8.0  # half of the last tick, behind the last square
FAINTEST = 0.22  # of a cell with one function, so that it is seen


@dataclass(frozen=True, slots=True)
class Panel:
    """A scorer's pairs of a true score and its own; `look` gives the colour; `short` is for a small panel."""

    name: str
    short: str
    look: str
    pairs: Sequence[Point]


@dataclass(frozen=True, slots=True)
class ScoreGrid:
    """Panels side by side, as many as there is room for."""

    ident: str
    title: str
    description: str
    panels: Sequence[Panel]

    def svg(self) -> Markup:
        """The chart in both widths."""
        return both_widths(self.draw, self.ident)

    def draw(self, ident: str, width: float) -> str:
        """The chart in a width."""
        across = 3 if width >= WIDE else 2
        pitch = (width - LEFT + GAP - EDGE) / across
        side = pitch - GAP
        parts = [label(0, 12, "score said, upwards", "axis-label")]
        rows = -(-len(self.panels) // across)
        for number, panel in enumerate(self.panels):
            left = LEFT + (number % across) * pitch
            top = 20 + TOP + (number // across) * (side + TOP + BELOW)
            parts += _panel(panel, left, top, side)
        height = 20 + rows * (side + TOP + BELOW) + 18
        parts.append(label(width - EDGE, height - 4, "true score, to the right", "axis-label", "end"))
        return drawing(ident, self.title, self.description, width, height, parts)


def cells_of(pairs: Sequence[Point]) -> dict[tuple[int, int], int]:
    """How many of the pairs fall into each cell, by column and row from the lowest."""
    return Counter((_place(truth), _place(score)) for truth, score in pairs)


def _place(score: float) -> int:
    share = (score - LOWEST) / (HIGHEST - LOWEST)
    return min(CELLS - 1, max(0, math.floor(share * CELLS + 1e-9)))


def _title(panel: Panel, most: int) -> str:
    return panel.name if len(panel.name) <= most else shortened(panel.short, most)


def _panel(panel: Panel, left: float, top: float, side: float) -> list[str]:
    size, bottom = side / CELLS, top + side
    parts = [label(left, top - 8, _title(panel, int(side / CHARACTER)), "row-label")]
    found = cells_of(panel.pairs)
    most = math.log1p(max(found.values(), default=1))
    for (column, row), count in sorted(found.items()):
        shade = FAINTEST + (1 - FAINTEST) * math.log1p(count) / most
        parts.append(
            element(
                "rect",
                x=left + column * size,
                y=bottom - (row + 1) * size,
                width=size,
                height=size,
                class_=f"cell {panel.look}",
                fill_opacity=f"{shade:.2f}",
            )
        )
    parts.append(line(left, bottom, left + side, top, "diagonal"))
    parts += [line(left, bottom, left + side, bottom, "axis"), line(left, top, left, bottom, "axis")]
    for tick in TICKS:
        away = side * (tick - LOWEST) / (HIGHEST - LOWEST)
        parts += [
            label(left + away, bottom + 16, str(tick), anchor="middle"),
            label(left - 4, bottom - away + 4, str(tick), anchor="end"),
        ]
    return parts
