"""A trend and hotspots as pages and as images: what stands on them, and that it can be seen."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import Browser, running
from codefit.errors import InputError
from codefit.run.report.review_charts import NUMBERED, hotspots_chart, trend_charts
from codefit.run.report.review_page import write_hotspots_plot, write_trend_plot
from codefit.run.report.scatter import Scatter, Spot
from run.report.sample_review import sample_hotspots, sample_trend

SVG = "{http://www.w3.org/2000/svg}"
# An image in a page, as a README shows it.
HOLDER = '<!doctype html><meta name="viewport" content="width=device-width"><img style="max-width: 100%" src="{}">'


def texts_of(image: Path) -> list[str]:
    return [node.text or "" for node in ElementTree.parse(image).iter(f"{SVG}text")]


def test_a_trend_is_a_page_with_charts_and_every_commit(tmp_path: Path) -> None:
    trend = sample_trend()
    page = write_trend_plot(trend, tmp_path / "trend.html").read_text()
    for chart in trend_charts(trend):
        assert chart.drawn.title in page
    assert page.count('<div class="chart wide">') == 3
    for point in trend.points:
        assert point.commit[:8] in page
    assert "&lt;b&gt;A subject&lt;/b&gt;" in page
    assert "<b>A subject" not in page
    assert "Not measured: minified 3." in page


def test_the_axis_tells_dates_with_the_year_where_it_changes() -> None:
    def ticks(points: int, days: int) -> tuple[list[str], str]:
        drawn = trend_charts(sample_trend(points, days=days))[0].drawn
        return [text for _, text in getattr(drawn, "x_ticks", ())], getattr(drawn, "x_label", "")

    assert ticks(20, 40) == (["2023-06", "2024-02", "2024-12", "2025-07"], "commits by date")
    assert ticks(4, 2) == (["30 Jun", "02 Jul", "04 Jul", "06 Jul"], "commits by date, 2023")
    assert ticks(2, 0) == (["30 Jun", "30 Jun"], "commits by date, 2023")


def test_lines_end_in_the_last_figures() -> None:
    trend = sample_trend()
    scores, labels, whole = trend_charts(trend)
    last = trend.points[-1].tally
    assert [series.points[-1][1] for series in getattr(scores.drawn, "series", ())] == [
        last.quantile(0.9),
        last.mean(),
        last.quantile(0.5),
    ]
    assert [series.points[-1][1] for series in getattr(labels.drawn, "series", ())] == [20, 20]
    assert [series.points[-1][1] for series in getattr(whole.drawn, "series", ())] == [200 * 12_345]


def test_without_two_points_or_without_churn_there_is_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a plot needs two commits with functions"):
        write_trend_plot(sample_trend(1), tmp_path / "trend.svg")
    with pytest.raises(InputError, match="nothing complex was changed in this time"):
        hotspots_chart(sample_hotspots(0))
    assert list(tmp_path.iterdir()) == []


def test_an_image_stands_alone(tmp_path: Path) -> None:
    image = write_trend_plot(sample_trend(), tmp_path / "trend.svg")
    source = image.read_text()
    assert source.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert "prefers-color-scheme: dark" in source
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", source)
    for used in set(re.findall(r"var\((--[\w-]+)\)", source)):
        assert f"{used}:" in source
    texts = texts_of(image)
    for said in ("Scores of functions", "90th percentile", "mean", "median", "Complex", "Critical", "2,469,000"):
        assert said in texts


def test_hotspots_are_numbered_in_the_chart_and_named_in_the_list(tmp_path: Path) -> None:
    hotspots = sample_hotspots(functions=True)
    image = write_hotspots_plot(hotspots, tmp_path / "hotspots.svg")
    texts = texts_of(image)
    assert "1. Class.a_method_of_it (src/deep/file_0.py:12)" in texts
    assert sum(re.match(r"\d+\. ", text) is not None for text in texts) == NUMBERED
    page = write_hotspots_plot(hotspots, tmp_path / "hotspots.html").read_text()
    assert page.count("<tr>") == 1 + 50
    assert "The worst 50 of 60" in page


def test_numbers_of_a_scatter_do_not_cover_each_other() -> None:
    spots = [Spot(5, 5, number) for number in range(1, 8)] + [Spot(1, 1), Spot(1000, 300)]
    drawn = Scatter("s", "t", "d", "x", "y", spots).draw("s", 760)
    labels = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="end-label" text-anchor="(\w+)">(\d+)<', drawn)
    assert [number for *_, number in labels] == ["1", "2", "3", "4"]  # one on each side of the mark
    assert len({place[:3] for place in labels}) == 4


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_an_image_fits_a_phone_and_follows_the_scheme(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    write_trend_plot(sample_trend(), tmp_path / "trend.svg")
    (tmp_path / "holder.html").write_text(HOLDER.format("trend.svg"))
    page = browser.open(tmp_path / "holder.html", width=width, scheme=scheme).page
    shown = page.locator("img").bounding_box()
    assert shown is not None
    assert shown["width"] == pytest.approx(min(440, width - 16), abs=1)
    assert shown["height"] > shown["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    alone = browser.open(tmp_path / "trend.svg", width=width, scheme=scheme).page
    ground = alone.evaluate("getComputedStyle(document.querySelector('rect')).fill")
    assert ground == ("rgb(252, 252, 251)" if scheme == "light" else "rgb(19, 22, 26)")
    cut = alone.evaluate(
        """() => [...document.querySelectorAll('text')].filter((node) => {
          const box = node.getBoundingClientRect(), whole = document.documentElement.getBoundingClientRect();
          return box.left < whole.left - 1 || box.right > whole.right + 1;
        }).map((node) => node.textContent)"""
    )
    assert cut == []
    page.close()
    alone.close()
