"""A trend of complexity, and hotspots, as one self-contained page or as an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from codefit.files import write_text
from codefit.review.history import Trend
from codefit.review.hotspots import Hotspot, Hotspots
from codefit.run.report.page import render, style_sheet
from codefit.run.report.review_charts import NUMBERED, hotspots_chart, name_of, trend_charts
from codefit.run.report.still_image import WIDTH, still_image
from codefit.run.report.svg import CHARACTER, shortened

LISTED = 50  # hotspots in a page's table
DATE = 10  # characters of a date in ISO form


def write_trend_plot(trend: Trend, output: Path) -> Path:
    """Write the page (.html) or the image (.svg) to `output`; returns it.

    `InputError` where there is no line to draw.
    """
    charts = trend_charts(trend)
    title = f"Complexity of {_called(trend.path)}"
    if output.suffix.lower() == ".svg":
        write_text(output, still_image(title, charts, style_sheet()))
    else:
        view = {
            "trend": trend,
            "title": title,
            "charts": charts,
            "rows": [_row(point.to_dict()) for point in trend.points],
        }
        write_text(output, render("trend.html", view))
    return output


def write_hotspots_plot(hotspots: Hotspots, output: Path) -> Path:
    """Write the page (.html) or the image (.svg) to `output`; returns it.

    `InputError` where there is nothing to draw.
    """
    chart = hotspots_chart(hotspots)
    title = f"Hotspots of {_called(hotspots.path)}"
    spots = [each for each in hotspots.found if each.hotspot]
    if output.suffix.lower() == ".svg":
        most = int((WIDTH - 40) / CHARACTER)
        notes = [shortened(f"{place}. {name_of(each)}", most) for place, each in enumerate(spots[:NUMBERED], start=1)]
        write_text(output, still_image(title, [chart], style_sheet(), notes))
    else:
        view = {"hotspots": hotspots, "title": title, "chart": chart, "spots": spots[:LISTED], "name": breakable}
        write_text(output, render("hotspots.html", view))
    return output


def breakable(hotspot: Hotspot) -> Markup:
    """What a hotspot is called, with places where a line may end."""
    return escape(name_of(hotspot)).replace("/", Markup("/<wbr>"))


def _called(path: str) -> str:
    """A path as a heading has it; the current folder by its name."""
    return Path(path).resolve().name if path in ("", ".") else path


def _row(point: dict[str, Any]) -> dict[str, Any]:
    scores = [point["score"][name] for name in ("mean", "median", "p90")]
    return {
        **point,
        "commit": point["commit"][:8],
        "date": point["date"][:DATE],
        "scores": ["–" if value is None else f"{value:.2f}" for value in scores],
    }
