"""Churn from changed lines: by hand, and held against `git log -L`, git's own way to follow a function."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from codefit.review.churn import Churn, FileChange, Hunk, Span, count_churn, read_log
from git_checkout import Checkout, branchy

LONG_AGO = "2000-01-01"


def churn_of(checkout: Checkout, spans: dict[str, list[tuple[int, int]]]) -> tuple[dict[str, Churn], int]:
    churns = {path: Churn(spans=[Span(*span) for span in each]) for path, each in spans.items()}
    commits = count_churn(checkout.top, churns, LONG_AGO, [""])
    return churns, commits


def test_commits_and_lines_of_a_file(checkout: Checkout) -> None:
    checkout.commit({"a.py": "1\n2\n3\n", "b.py": "x\n"})
    checkout.commit({"a.py": "1\ntwo\n3\n4\n"})
    checkout.commit({"b.py": "y\n"})
    checkout.commit({})
    churns, commits = churn_of(checkout, {"a.py": [], "b.py": []})
    assert commits == 4
    assert (churns["a.py"].commits, churns["a.py"].lines) == (2, 3 + 3)
    assert (churns["b.py"].commits, churns["b.py"].lines) == (2, 1 + 2)


def test_lines_that_are_changed_taken_out_and_added_in_a_function(checkout: Checkout) -> None:
    checkout.commit({"a.py": "a\nb\nc\nd\ne\nf\n"})
    checkout.commit({"a.py": "a\nB\nc\nd\nf\nnew\n"})  # b is another line, e is gone, the last is new
    churns, _ = churn_of(checkout, {"a.py": [(1, 3), (4, 5), (5, 6), (6, 6)]})
    made = [3, 2 + 0, 1, 0]  # the first commit makes what is there of it
    assert [span.lines for span in churns["a.py"].spans] == [made[0] + 2, 3 + 1, 1 + 1, 1]
    assert [span.commits for span in churns["a.py"].spans] == [2, 2, 2, 1]


def test_a_renamed_file_is_followed_and_a_name_used_again_is_not(checkout: Checkout) -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    checkout.commit({"first.py": text})
    checkout.commit({"first.py": text + "more\n"})
    checkout.git("mv", "first.py", "se cond.py")
    checkout.commit({})
    checkout.commit({"first.py": "another\n"})
    checkout.commit({"se cond.py": text + "most\n"})
    churns, _ = churn_of(checkout, {"se cond.py": [(1, 21)], "first.py": []})
    assert churns["se cond.py"].commits == 3  # made, made longer, changed; the new name alone changes no line
    assert churns["se cond.py"].spans[0].commits == 3
    assert churns["first.py"].commits == 1


@pytest.mark.parametrize("name", ["a b.py", "ü.py", 'quo"te.py', "tab\there.py", "new\nline.py", "back\\slash.py"])
def test_names_with_odd_signs(checkout: Checkout, name: str) -> None:
    checkout.commit({name: "1\n"})
    checkout.commit({name: "2\n"})
    churns, _ = churn_of(checkout, {name: [(1, 1)]})
    assert (churns[name].commits, churns[name].spans[0].commits) == (2, 2)


def test_lines_that_look_like_a_diff_are_lines(checkout: Checkout) -> None:
    checkout.commit({"a.py": "1\n", "b.py": "1\n"})
    checkout.commit(
        {"a.py": "++ b/b.py\n@@ -1 +1 @@\ndiff --git a/b.py b/b.py\n-- a/b.py"}
    )  # and no line feed at its end
    checkout.commit({"a.py": "++ b/b.py\n@@ -1 +1 @@\ndiff --git a/b.py b/b.py\n-- a/c.py"})
    churns, _ = churn_of(checkout, {"a.py": [], "b.py": []})
    assert (churns["a.py"].commits, churns["a.py"].lines) == (3, 1 + 5 + 2)
    assert (churns["b.py"].commits, churns["b.py"].lines) == (1, 1)


def test_a_merge_counts_as_one_change(checkout: Checkout) -> None:
    checkout.commit({"a.py": branchy("a", 1)})
    checkout.git("checkout", "-b", "side")
    for branches in range(2, 6):
        checkout.commit({"a.py": branchy("a", branches)})
    checkout.git("checkout", "main")
    checkout.commit({"b.py": "x\n"})
    checkout.git("merge", "--no-ff", "-m", "merged", "side")
    churns, commits = churn_of(checkout, {"a.py": [(1, 12)]})
    assert commits == 3
    assert (churns["a.py"].commits, churns["a.py"].spans[0].commits) == (2, 2)


def test_only_the_window_counts(checkout: Checkout) -> None:
    for month in range(1, 7):
        checkout.commit({"a.py": f"{month}\n"}, date=f"2024-0{month}-01T00:00:00+00:00")
    churns = {"a.py": Churn()}
    assert count_churn(checkout.top, churns, "2024-03-15", [""]) == 3
    assert churns["a.py"].commits == 3


def test_reading_a_log() -> None:
    log = (
        b"\1abc\n\ndiff --git a/x.py b/y.py\nsimilarity index 90%\nrename from x.py\nrename to y.py\n"
        b"--- a/x.py\n+++ b/y.py\n@@ -3 +3,2 @@ def f():\n-old\n+new\n+newer\n@@ -9,2 +10,0 @@\n-a\n-b\n"
        b"diff --git a/z.py b/z.py\nnew file mode 100644\n--- /dev/null\n+++ b/z.py\n@@ -0,0 +1 @@\n+z\n\\ No newline\n"
        b"\1def\n"
    )
    first, second = read_log(iter(log.splitlines(keepends=True)))
    assert first == [
        FileChange("x.py", "y.py", [Hunk(3, 1, 3, 2), Hunk(9, 2, 10, 0)]),
        FileChange(None, "z.py", [Hunk(0, 0, 1, 1)]),
    ]
    assert second == []


def edited(lines: list[str], chance: random.Random, version: int) -> list[str]:
    """The lines with some inserted, some changed and some taken out, none next to another."""
    result, place = [], 0
    for number, line in enumerate(lines):
        is_head = line.startswith("def ")
        what = chance.random() if number >= place and not is_head else 1.0
        if what < 0.05:
            result += [f"    inserted_{version}_{number}()\n", line]
        elif what < 0.08:
            result.append(f"    changed_{version}_{number}()\n")
        elif what < 0.1:
            pass
        else:
            result.append(line)
            continue
        place = number + 3
    return result


def spans_in(lines: list[str]) -> dict[str, tuple[int, int]]:
    starts = [number for number, line in enumerate(lines, start=1) if line.startswith("def ")]
    ends = [start - 1 for start in starts[1:]] + [len(lines)]
    return {lines[start - 1].split()[1].rstrip(":\n"): (start, end) for start, end in zip(starts, ends, strict=True)}


@pytest.mark.parametrize("seed", range(4))
def test_functions_change_in_the_commits_that_git_follows_their_lines_to(checkout: Checkout, seed: int) -> None:
    chance = random.Random(seed)
    lines = [f"def f{n}:\n" if not row else f"    step_{n}_{row}()\n" for n in range(6) for row in range(12)]
    checkout.commit({"a.py": "".join(lines)})
    for version in range(12):
        lines = edited(lines, chance, version)
        if version == 6:  # a whole function comes in between
            at = spans_in(lines)["f3"][0] - 1
            lines[at:at] = ["def late:\n", *(f"    late_{row}()\n" for row in range(8))]
        checkout.commit({"a.py": "".join(lines)})
    spans = spans_in(lines)
    churns, _ = churn_of(checkout, {"a.py": list(spans.values())})
    for (name, (first, last)), span in zip(spans.items(), churns["a.py"].spans, strict=True):
        log = checkout.git("log", "--format=commit:%H", "--first-parent", f"-L{first},{last}:a.py")
        followed = len(re.findall(r"^commit:", log, re.MULTILINE))
        assert span.commits == followed, f"{name} at {Path('a.py')}:{first}"
