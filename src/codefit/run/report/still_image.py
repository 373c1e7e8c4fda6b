"""Charts as one SVG image that stands alone: its own style, light and dark, titles and legends inside.

A page draws a chart twice, for a desk and for a phone. An image has one width, near a phone's, so that its text can be
read there; it is never wider than the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from codefit.run.report.review_charts import Chart
from codefit.run.report.svg import CHARACTER, label, marker

WIDTH = 440.0
MARGIN = 16.0
TITLE, LEGEND, GAP = 30.0, 24.0, 26.0  # heights: of a chart's title, of its legend, and between two charts
NOTE = 17.0  # height of a line of text
MARK = 14.0  # width of a legend's mark


def still_image(title: str, charts: Sequence[Chart], style: str, notes: Sequence[str] = ()) -> str:
    """The image: charts below each other, then lines of text; `style` is the pages' style sheet."""
    parts: list[str] = []
    y = MARGIN
    for chart in charts:
        parts.append(label(MARGIN, y + 14, chart.drawn.title, "end-label"))
        y += TITLE
        if chart.legend:
            parts += _legend(chart, y)
            y += LEGEND
        drawn = chart.drawn.draw(chart.drawn.ident, WIDTH - 2 * MARGIN)
        parts.append(f'<g transform="translate({MARGIN:.0f} {y:.0f})">{drawn}</g>')
        y += _height(drawn) + GAP
    for note in notes:
        parts.append(label(MARGIN, y, note, "row-label"))
        y += NOTE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {y:.0f}" width="{WIDTH:.0f}" '
        f'height="{y:.0f}" style="max-width: 100%; height: auto" role="img" aria-label="{escape(title)}">'
        f"<style>{_style(style)}</style>"
        f'<rect width="100%" height="100%" style="fill: var(--ground)"/>{"".join(parts)}</svg>\n'
    )


def _legend(chart: Chart, y: float) -> list[str]:
    parts, x = [], MARGIN
    for name, (look, shape) in chart.legend:
        parts += [marker(shape, x + 5, y + 4, look), label(x + MARK, y + 8, name)]
        x += MARK + CHARACTER * len(name) + 18
    return parts


def _height(drawn: str) -> float:
    """The height of a drawing, which says it itself."""
    return float(drawn.split('height="', 1)[1].split('"', 1)[0])


def _style(sheet: str) -> str:
    """What of the pages' style sheet a chart needs: the colours of both schemes, and the rules of its marks."""
    colours = sheet[sheet.index(":root {") : sheet.index("*, *::before")]
    marks = sheet[sheet.index("svg text {") : sheet.index("/* What folds")]
    return colours + marks
