"""A trend, held against checking out each commit and measuring its files."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from codefit.errors import CodefitError, InputError
from codefit.review.files import Choice, find_files
from codefit.review.git import since_time
from codefit.review.history import evenly, read_trend
from codefit.review.rows import Review
from codefit.review.scope import Scope
from codefit.review.score import Reading, score_files
from git_checkout import Checkout, branchy


def grown(checkout: Checkout) -> list[str]:
    """Four commits, a month apart."""
    history: list[dict[str, str | None]] = [
        {"src/a.py": branchy("a", 1) + branchy("b", 5), "notes/a.txt": "x", "vendor/v.py": branchy("v", 9)},
        {"src/c.py": branchy("c", 20), "src/copy.py": branchy("a", 1) + branchy("b", 5)},
        {"src/a.py": branchy("a", 3), "src/data.py": "x = 'é'\n"},
        {"src/c.py": None, "notes/a.txt": "y"},
    ]
    commits = [
        checkout.commit(files, date=f"2024-0{month}-01T00:00:00+00:00") for month, files in enumerate(history, start=1)
    ]
    (checkout.top / "src" / "link.py").symlink_to("a.py")
    return commits


def trend_of(checkout: Checkout, *paths: str, since: str | None = None, points: int = 20) -> list[dict[str, object]]:
    scope = Scope([str(checkout.top / path) for path in paths or ("",)], Choice())
    return [point.to_dict() for point in read_trend("", scope, Reading(), since=since, points=points).points]


def test_each_point_is_what_a_checkout_of_it_measures(checkout: Checkout, tmp_path: Path) -> None:
    commits = grown(checkout)
    points = trend_of(checkout)
    assert [point["commit"] for point in points] == commits
    assert [str(point["date"])[:10] for point in points] == ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"]
    for number, point in enumerate(points):
        copy = tmp_path / f"copy{number}"
        checkout.git("worktree", "add", "--detach", str(copy), str(point["commit"]))
        review = Review()
        score_files(find_files([str(copy)], Choice(), review.receipt), Reading(), review=review)
        scores = sorted(each.score for each in review.functions)
        assert point["files"] == review.files
        assert point["lines"] == review.lines
        assert point["functions"] == len(scores)
        assert point["labels"] == review.to_dict([])["labels"]
        assert point["cognitive"] == sum(each.metrics["cognitive"] for each in review.functions)
        nine_tenths = next(score for score in scores if sum(s <= score for s in scores) >= 0.9 * len(scores))
        assert point["score"] == {
            "mean": round(statistics.mean(scores), 3),
            "median": statistics.median_low(scores),
            "p90": nine_tenths,
        }


def test_each_content_is_measured_once(checkout: Checkout) -> None:
    grown(checkout)
    scope = Scope([str(checkout.top)], Choice())
    trend = read_trend("", scope, Reading())
    assert trend.commits == 4
    assert trend.contents == 4  # of 8 files at four commits
    assert len({point["functions"] for point in trend.to_dict()["points"]}) == 4


def test_the_window_and_the_path_choose_commits(checkout: Checkout) -> None:
    commits = grown(checkout)
    assert [point["commit"] for point in trend_of(checkout, points=2)] == [commits[0], commits[3]]
    assert [point["commit"] for point in trend_of(checkout, since="2024-02-15")] == commits[2:]
    of_file = trend_of(checkout, "src/a.py")
    assert [point["commit"] for point in of_file] == [commits[0], commits[2]]
    assert [point["functions"] for point in of_file] == [2, 1]
    with pytest.raises(InputError, match=r"no commit since 2024-06-01 touches it.*an earlier --since"):
        trend_of(checkout, since="2024-06-01")
    (checkout.top / "loose").mkdir()
    (checkout.top / "loose" / "x.py").write_text("x = 1\n")
    with pytest.raises(InputError, match="no commit touches it; name a path that is committed"):
        trend_of(checkout, "loose")
    with pytest.raises(InputError, match="no source file is committed there; name a path that is committed"):
        trend_of(checkout, "notes")


def test_merges_are_followed_along_the_first_parent(checkout: Checkout) -> None:
    first = checkout.commit({"a.py": branchy("a", 1)})
    checkout.git("checkout", "-b", "side")
    checkout.commit({"b.py": branchy("b", 1)})
    checkout.commit({"b.py": branchy("b", 2)})
    checkout.git("checkout", "main")
    checkout.git("merge", "--no-ff", "-m", "merged", "side")
    merge = checkout.git("rev-parse", "HEAD").strip()
    assert [(point["commit"], point["functions"]) for point in trend_of(checkout)] == [(first, 1), (merge, 2)]


def test_a_shallow_clone_is_refused(checkout: Checkout, tmp_path: Path) -> None:
    grown(checkout)
    checkout.git("clone", "--depth", "1", f"file://{checkout.top}", str(tmp_path / "shallow"))
    with pytest.raises(InputError, match="a shallow clone does not hold the history; run git fetch --unshallow"):
        read_trend("", Scope([str(tmp_path / "shallow")], Choice()), Reading())


def test_a_damaged_repository_is_an_error(checkout: Checkout) -> None:
    first, *_ = grown(checkout)
    sha = checkout.git("rev-parse", f"{first}:src/a.py").strip()
    (checkout.top / ".git" / "objects" / sha[:2] / sha[2:]).unlink()
    with pytest.raises(CodefitError, match=f"git does not give the content {sha}; run git fsck"):
        trend_of(checkout)


def test_even_choices_keep_both_ends() -> None:
    assert evenly(range(10), 4) == [0, 3, 6, 9]
    assert evenly(range(3), 5) == [0, 1, 2]
    assert evenly(range(3), 1) == [2]
    for most in range(2, 12):
        chosen = evenly(range(1000), most)
        assert (len(chosen), chosen[0], chosen[-1]) == (most, 0, 999)


def test_times() -> None:
    assert since_time("2025-06-30") == "2025-06-30T00:00:00+00:00"
    assert since_time("1 year") < since_time("6 months ago") < since_time("90 days") < since_time("1.week.ago")
    for wrong in ("yesterday-ish", "", "5", "999999999999 years"):
        with pytest.raises(InputError):
            since_time(wrong)
