"""The pieces that charts are made of: escaped elements, round ticks, markers, and a figure in two widths."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from markupsafe import Markup

# A chart is drawn twice and the style sheet shows one: scaled down to a phone, its text could not be read.
WIDE = 760
NARROW = 328
SHAPES = ("ring", "dot", "diamond", "square", "triangle", "cross")
CHARACTER = 6.7  # pixels of a character of the 12-pixel text, on average, with room to spare
DIGIT = 8.6  # pixels of a digit in bold: the widest of the fonts that a system may bring
SAME = 1e-6  # difference, by the larger of two values or by one, below which they are one to an eye
Point = tuple[float, float]


def element(tag: str, text: str = "", **attributes: str | float) -> str:
    """An SVG element; attribute names are written with _ for - and class_ for class."""
    written = "".join(f' {name.rstrip("_").replace("_", "-")}="{_value(v)}"' for name, v in attributes.items())
    return f"<{tag}{written}>{escape(text)}</{tag}>"


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def label(x: float, y: float, text: str, class_: str = "tick", anchor: str = "start") -> str:
    """Text whose base line is at `y`."""
    return element("text", text, x=x, y=y, class_=class_, text_anchor=anchor)


def polyline(points: Sequence[Point], class_: str) -> str:
    """A line through points."""
    return element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=class_)


def marker(shape: str, x: float, y: float, class_: str, r: float = 4.5) -> str:
    """A mark at a point: series differ by shape as well, for eyes and printers that see no colour."""
    class_ = f"mark {shape} {class_}"
    if shape in ("ring", "dot"):
        return element("circle", cx=x, cy=y, r=r, class_=class_)
    outlines: dict[str, Sequence[Point]] = {
        "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "triangle": ((0, -1.2), (1.15, 0.9), (-1.15, 0.9)),
        "cross": ((-1, -1), (1, 1), (0, 0), (1, -1), (-1, 1), (0, 0)),
    }
    points = " ".join(f"{x + r * dx:.1f},{y + r * dy:.1f}" for dx, dy in outlines[shape])
    return element("polygon", points=points, class_=class_)


def drawing(ident: str, title: str, description: str, width: float, height: float, parts: Sequence[str]) -> str:
    """A whole `<svg>`, named and described for those who do not see it."""
    return (
        f'<svg role="img" aria-labelledby="{ident}-t {ident}-d" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}">'
        f"{element('title', title, id=f'{ident}-t')}{element('desc', description, id=f'{ident}-d')}"
        f"{''.join(parts)}</svg>"
    )


def both_widths(draw: Callable[[str, float], str], ident: str) -> Markup:
    """The chart for a desk and for a phone, of which the style sheet shows one; `draw` gets identifier and width."""
    wide, narrow = draw(f"{ident}-wide", WIDE), draw(f"{ident}-narrow", NARROW)
    return Markup(f'<div class="chart wide">{wide}</div><div class="chart narrow">{narrow}</div>')


def swatch(shape: str, class_: str) -> Markup:
    """A small mark for a legend, which says in words what it stands for."""
    inner = line(0, 7, 22, 7, f"series {class_}") + marker(shape, 11, 7, class_)
    return Markup(f'<svg class="swatch" aria-hidden="true" width="22" height="14" viewBox="0 0 22 14">{inner}</svg>')


def round_step(span: float, count: int) -> float:
    """The step of 1, 2, 2.5 or 5 times a power of ten that divides `span` into at most `count` parts."""
    if span <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / count))
    return next(power * base for base in (1, 2, 2.5, 5, 10, 20) if power * base * count >= span * (1 - 1e-9))


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round values from at or below `low` to at or above `high`; about `count` of them.

    Values that differ by less than an axis can show count as one.
    """
    span = high - low
    step = round_step(span if span > SAME * max(abs(low), abs(high), 1.0) else 0.0, count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, 10) for place in range(first, max(last, first + 1) + 1)]


def tick_text(value: float, step: float) -> str:
    """A tick with the decimals that its neighbours need."""
    digits = next(d for d in range(8) if abs(round(step, d) - step) < step * 1e-6)
    return f"{value:,.{digits}f}".replace("-", "−")


def shortened(text: str, most: int) -> str:
    """Text of at most so many characters; the middle goes, since the ends tell names apart."""
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[len(text) - (most - 1 - half) :]}"
