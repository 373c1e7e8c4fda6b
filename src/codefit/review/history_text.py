"""A trend and hotspots for people, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from codefit.review.history import MEDIAN, P90, Point, Trend
from codefit.review.hotspots import Hotspot, Hotspots
from codefit.review.rows import Function
from codefit.review.text import NARROWEST_NAME, Look, counted, ending, left_out_lines, place_of

COMMIT = 8  # characters of a commit's name: enough to name it in most repositories
DATE = 10


def trend_text(trend: Trend, look: Look) -> str:
    """A row a commit, the oldest first, and what changed from the first to the last."""
    header = f"{'commit':<{COMMIT}}  {'date':<{DATE}}  functions  mean  p50   p90  Complex  Critical  cognitive"
    rows = [look.paint(header, "dim"), *(_trend_row(point) for point in trend.points)]
    whole = (
        f"{counted(len(trend.points), 'commit')} of {trend.commits:,} that touch {trend.path}, "
        f"{counted(trend.contents, 'file version')}, {trend.seconds:.1f} s"
    )
    return "\n".join([*rows, *_change(trend), whole, *left_out_lines(trend.receipt, look)])


def hotspots_text(hotspots: Hotspots, shown: Sequence[Hotspot], look: Look) -> str:
    """A row a hotspot, the worst first."""
    header = f"{'share':>6}  {'commits':>7}  {'changed':>7}  {'cogn':>6}  {'score':>5}  "
    room = look.width - len(header)
    names = [each.function.qualified for each in shown if each.function is not None]
    width = max(NARROWEST_NAME, min(max(map(len, names), default=0), room * 2 // 5)) if names else 0
    title = f"{'function':<{width}}  place" if names else "file"
    rows = [look.paint(f"{header}{title}", "dim")]
    for each in shown:
        score = look.paint(f"{each.score:>5.1f}", each.label) if each.label else f"{'':>5}"
        figures = f"{each.share:>6.1%}  {each.commits:>7,}  {each.lines:>7,}  {each.cognitive:>6,}  {score}  "
        rows.append(figures + _hotspot_name(each.function, each.path, width, room))
    whole = (
        f"{counted(len(hotspots.found), 'function' if names else 'file')}, "
        f"{counted(hotspots.commits, 'commit')} since {hotspots.since[:DATE]}, {hotspots.seconds:.1f} s"
    )
    meaning = f"share is that of cognitive × {_churn(hotspots.by)}"
    return "\n".join([*rows, whole, meaning, *left_out_lines(hotspots.receipt, look)])


def _trend_row(point: Point) -> str:
    tally = point.tally
    mean, median, p90 = tally.mean(), tally.quantile(MEDIAN), tally.quantile(P90)
    scores = "  ".join(
        ("–" if value is None else f"{value:.{digits}f}").rjust(width)
        for value, digits, width in ((mean, 2, 4), (median, 1, 4), (p90, 1, 4))
    )
    return (
        f"{point.commit[:COMMIT]:<{COMMIT}}  {point.date[:DATE]}  {tally.functions:>9,}  {scores}  "
        f"{tally.labels['Complex']:>7,}  {tally.labels['Critical']:>8,}  {tally.cognitive:>9,}"
    )


def _change(trend: Trend) -> list[str]:
    """A line on the whole time, where it has a beginning and an end with functions."""
    first, last = trend.points[0].tally, trend.points[-1].tally
    before, after = first.mean(), last.mean()
    if len(trend.points) < 2 or before is None or after is None:
        return []
    return [
        f"from first to last: mean score {before:.2f} → {after:.2f} ({after - before:+.2f}), "
        f"cognitive {first.cognitive:,} → {last.cognitive:,}"
    ]


def _churn(by: str) -> str:
    return "commits" if by == "commits" else "changed lines"


def _hotspot_name(function: Function | None, path: str, width: int, room: int) -> str:
    if function is None:
        return ending(path, max(NARROWEST_NAME, room))
    name = f"{ending(function.qualified, width):<{width}}"
    return f"{name}  {ending(place_of(function), max(NARROWEST_NAME, room - width - 2))}"
