"""Charts: round axes, places that are those of the values, labels that do not lie over each other."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.run.report.charts import Bar, BarChart, LineChart, Mark, MarkChart, Series, smoothed, thinned
from codefit.run.report.svg import NARROW, WIDE, marker, shortened, tick_text, ticks
from run.report.parsed import Node, parse

finite = st.floats(-1e9, 1e9, allow_nan=False)


@given(finite, finite, st.integers(2, 10))
def test_ticks_are_round_cover_the_range_and_are_few(one: float, two: float, count: int) -> None:
    low, high = min(one, two), max(one, two)
    found = ticks(low, high, count)
    step = found[1] - found[0]
    slack = 1e-6 * max(step, abs(low), abs(high))
    assert found[0] <= low + slack
    assert found[-1] >= high - slack
    assert 2 <= len(found) <= count + 3
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - base) for base in (1, 2, 2.5, 5)) < 1e-4


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [(0.25, 0.05, "0.25"), (1000, 500, "1,000"), (-0.5, 0.5, "−0.5"), (0.125, 0.025, "0.125")],
)
def test_a_tick_has_the_decimals_that_its_step_needs(value: float, step: float, text: str) -> None:
    assert tick_text(value, step) == text


@given(st.text(min_size=1, max_size=60), st.integers(5, 40))
def test_shortened_text_keeps_both_ends(text: str, most: int) -> None:
    found = shortened(text, most)
    assert len(found) <= most
    if len(text) > most:
        assert found[0] == text[0]
        assert found[-1] == text[-1]
    else:
        assert found == text


def drawings(markup: str) -> dict[float, Node]:
    """The two drawings of a chart by their width."""
    return {float(node.attributes["width"] or 0): node for node in parse(markup).all("svg")}


def dots(node: Node) -> list[tuple[float, float]]:
    return [(float(n.attributes["cx"] or 0), float(n.attributes["cy"] or 0)) for n in node.all("circle")]


def lines(node: Node, kind: str) -> list[list[tuple[float, float]]]:
    found = []
    for one in node.by_class(kind):
        points = [point.split(",") for point in (one.attributes["points"] or "").split()]
        found.append([(float(x), float(y)) for x, y in points])
    return found


def test_lines_go_where_their_values_are() -> None:
    rising = Series("a", "model", "dot", [(10, 0.2), (20, 0.6), (40, 0.8)])
    flat = Series("b", "bm25", "ring", [(0, 0.4), (40, 0.4)], flat=True)
    found = drawings(LineChart("x", "t", "d", "y", [rising, flat]).svg())
    assert set(found) == {WIDE, NARROW}
    for node in found.values():
        (one,) = [points for points in lines(node, "series") if len(points) == 3]
        (two,) = [points for points in lines(node, "series") if len(points) == 2]
        assert two[0][1] == two[1][1]
        (x0, y0), (x1, y1), (x2, y2) = one
        assert (x2 - x1) / (x1 - x0) == pytest.approx(2, rel=0.02)
        assert (y0 - y1) / (y1 - y2) == pytest.approx(2, rel=0.02)
        # 0.4 lies half-way between 0.2 and 0.6
        assert two[0][1] == pytest.approx((y0 + y1) / 2, abs=0.2)
        assert {label.text for label in node.by_class("end-label")} == {"0.800", "0.400"}


def test_end_labels_of_lines_that_meet_are_apart_and_above_the_axis() -> None:
    series = [Series(str(i), "model", "dot", [(0, 1.0), (10, 0.001 * i)]) for i in range(5)]
    for node in drawings(LineChart("x", "t", "d", "y", series).svg()).values():
        heights = sorted(float(label.attributes["y"] or 0) for label in node.by_class("end-label"))
        assert all(after - before > 12 for before, after in pairwise(heights))
        axis = max(float(line.attributes["y1"] or 0) for line in node.by_class("axis"))
        assert heights[-1] <= axis


def test_a_line_that_ends_early_has_its_value_above_its_end() -> None:
    series = [
        Series("long", "model", "dot", [(0, 0.5), (100, 0.9)]),
        Series("short", "hybrid", "ring", [(0, 0.5), (30, 0.6)]),
    ]
    for node in drawings(LineChart("x", "t", "d", "y", series).svg()).values():
        (label,) = [label for label in node.by_class("end-label") if label.text == "0.600"]
        end = next(points for points in lines(node, "series") if len(points) == 2 and points[1] != points[0])
        ends = [points[-1] for points in lines(node, "series")]
        assert (float(label.attributes["x"] or 0), float(label.attributes["y"] or 0) + 10) in [
            (pytest.approx(x, abs=0.2), pytest.approx(y, abs=0.2)) for x, y in ends
        ]
        assert end


def test_lines_that_end_in_one_value_have_it_once_in_no_lines_colour() -> None:
    ends = {"a": 0.97501, "b": 0.97499, "c": 0.5}
    series = [Series(name, f"run-{i}", "dot", [(0, 0.1), (10, end)]) for i, (name, end) in enumerate(ends.items())]
    for node in drawings(LineChart("x", "t", "d", "y", series).svg()).values():
        found = {label.text: label.attributes["class"] for label in node.by_class("end-label")}
        assert found == {"0.975": "end-label", "0.500": "end-label text-run-2"}
        assert len(node.by_class("end-label")) == 2


def test_an_axis_of_its_own_ticks_has_those_within_it() -> None:
    series = [Series("a", "model", "dot", [(0, 0.2), (1, 0.5), (2, 0.9)])]
    ticks = [(0, "1"), (0.5, "3"), (1, "10"), (2, "100"), (3, "1,000")]
    for node in drawings(LineChart("x", "t", "d", "y", series, x_ticks=ticks).svg()).values():
        (points,) = lines(node, "series")
        across = {
            label.text: float(label.attributes["x"] or 0)
            for label in node.by_class("tick")
            if label.attributes["text-anchor"] == "middle"
        }
        assert list(across) == ["1", "3", "10", "100"]
        assert [across[text] for text in ("1", "10", "100")] == pytest.approx([x for x, _ in points], abs=0.2)


def test_whiskers_span_the_interval_around_the_mark() -> None:
    marks = [Mark("a", "bm25", "ring", 0.5, (0.4, 0.6)), Mark("b", "model", "dot", 0.75, (0.5, 1.0))]
    for node in drawings(MarkChart("x", "t", "d", "share", [("group", marks)]).svg()).values():
        spans = [n for n in node.by_class("whisker") if n.attributes["y1"] == n.attributes["y2"]]
        ends = [(float(n.attributes["x1"] or 0), float(n.attributes["x2"] or 0)) for n in spans]
        (a, _), (b, _) = dots(node)
        assert a == pytest.approx(sum(ends[0]) / 2, abs=0.2)
        assert b == pytest.approx(sum(ends[1]) / 2, abs=0.2)
        assert (ends[1][1] - ends[1][0]) / (ends[0][1] - ends[0][0]) == pytest.approx(2.5, rel=0.02)


def test_a_long_first_tick_is_within_the_chart() -> None:
    marks = [Mark("a", "model", "dot", 0.0002, (-0.0006, 0.0004))]
    for width, node in drawings(MarkChart("x", "t", "d", "difference", [("group", marks)]).svg()).items():
        (first,) = [label for label in node.by_class("tick") if label.text.startswith("−0.00")][:1]
        assert float(first.attributes["x"] or 0) >= 4 * len(first.text)
        assert width in (WIDE, NARROW)


def test_bars_are_as_long_as_their_values() -> None:
    bars = [Bar("a", 10, "10 s"), Bar("b", 5, "5 s"), Bar("none", 0, "0 s")]
    for node in drawings(BarChart("x", "t", "d", bars).svg()).values():
        lengths = [float(n.attributes["x2"] or 0) - float(n.attributes["x1"] or 0) for n in node.by_class("bar")]
        assert lengths[0] == pytest.approx(2 * lengths[1], abs=0.3)
        assert lengths[2] == 1  # still to be seen


def test_smoothing_keeps_a_line_and_averages_noise() -> None:
    straight = [(float(x), 3.0 - 0.01 * x) for x in range(200)]
    assert smoothed(straight)[0] == pytest.approx((0.0, 2.995))
    for (x, y), (_, expected) in zip(smoothed(straight)[1:-9], straight[1:], strict=False):
        assert y == pytest.approx(expected), x
    alternating = [(float(x), 1.0 + (0.5 if x % 2 else -0.5)) for x in range(200)]
    assert all(y == pytest.approx(1) for _, y in smoothed(alternating)[:-9])
    assert smoothed(alternating[:1]) == alternating[:1]


def test_thinning_keeps_both_ends_and_few_between() -> None:
    points = [(float(x), 0.0) for x in range(20_000)]
    found = thinned(points, 600)
    assert (found[0], found[-1]) == (points[0], points[-1])
    assert len(found) == 600
    assert thinned(points[:50], 600) == points[:50]


def test_names_are_escaped() -> None:
    chart = MarkChart(
        "x", "<script>", '"quoted" & <b>', "x", [("<script>alert(1)</script>", [Mark("a", "model", "dot", 1)])]
    )
    markup = str(chart.svg())
    assert "<script>" not in markup
    assert "<b>" not in markup
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in markup


@pytest.mark.parametrize("shape", ["ring", "dot", "diamond", "square", "triangle", "cross"])
def test_each_shape_is_drawn_at_its_place(shape: str) -> None:
    (node,) = parse(marker(shape, 20, 30, "model")).children
    if node.tag == "circle":
        centre = float(node.attributes["cx"] or 0), float(node.attributes["cy"] or 0)
    else:
        points = [tuple(map(float, point.split(","))) for point in (node.attributes["points"] or "").split()]
        centre = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    assert centre == (pytest.approx(20, abs=0.5), pytest.approx(30, abs=1.5))


def test_a_divider_stands_where_its_step_is_and_has_its_name() -> None:
    points = [(float(step), 2.0 + step) for step in range(0, 101, 10)]
    chart = LineChart("c", "t", "d", "y", [Series("a", "model", "dot", points)], dividers=[(0.0, "256"), (50.0, "512")])
    drawing = parse(str(chart.svg())).all("svg")[0]
    (axis,) = [node for node in drawing.by_class("axis") if node.attributes["x1"] != node.attributes["x2"]]
    left, right = float(axis.attributes["x1"] or 0), float(axis.attributes["x2"] or 0)
    at = [float(node.attributes["x1"] or 0) for node in drawing.by_class("divider")]
    assert at == pytest.approx([left, (left + right) / 2], abs=0.1)
    named = {node.text: float(node.attributes["x"] or 0) for node in drawing.all("text") if node.text in ("256", "512")}
    assert list(named) == ["256", "512"]
    assert all(named[name] - x == pytest.approx(4, abs=0.1) for name, x in zip(named, at, strict=True))
