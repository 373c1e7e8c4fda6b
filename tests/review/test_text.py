"""What people read: within the width of a terminal, colours only where asked for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.corpus.manifest import Receipt
from codefit.review.explain import explanation_text, step_text
from codefit.review.limits import Limits, breaches
from codefit.review.rows import LABEL_NAMES, Function, Review, Step
from codefit.review.text import Look, breaches_text, coloured, functions_table, left_out_lines, summary_text
from codefit.source.metrics.figures import label_of

ESCAPE = re.compile(r"\033\[\d+m")
STEPS = (
    Step(4, 5, "if", 1, 1, 0, "if a and b:"),
    Step(4, 10, "and", 1, 1, 0, "if a and b:"),
    Step(5, 9, "for", 1, 2, 1, "for b in a: " + "x" * 200),
    Step(6, 9, "case", 1, 0, 0, "case 1:"),
)


def function(path: str = "src/a.py", name: str = "f", score: float = 4.2, line: int = 7, **own: object) -> Function:
    metrics = {"cognitive": 3, "cyclomatic": 4, "lines": 12, "nesting": 1, "parameters": 1}
    fields = {"qualified": name, "end_line": 9, "complete": True, **own}
    return Function(
        path=path,
        line=line,
        name=name,
        language="python",
        score=score,
        label=label_of(score),
        metrics=metrics,
        **fields,
    )  # type: ignore[arg-type]


names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=120)


@given(
    st.lists(st.tuples(names, names, st.integers(1, 10**6)), min_size=1, max_size=5), st.sampled_from([80, 100, 200])
)
def test_tables_fit_however_long_names_and_paths_are(rows: list[tuple[str, str, int]], width: int) -> None:
    functions = [function(path, name, line=line) for path, name, line in rows]
    look = Look(width)
    lines = functions_table(functions, look).splitlines()
    assert len(lines) == len(rows) + 1
    assert all(len(line) <= width for line in lines)
    assert all(line.endswith(f":{each.line}") for line, each in zip(lines[1:], functions, strict=True))
    explained = explanation_text(function(name=rows[0][1], increments=STEPS), look)
    assert all(len(line) <= width for line in explained.splitlines())


def test_what_fits_is_not_cut() -> None:
    table = functions_table([function("src/codefit/review/a.py", "Class.method")], Look(80))
    assert table.splitlines()[1] == "  4.2  Moderate      3     4     12  Class.method  src/codefit/review/a.py:7"


def test_colours_do_not_move_columns() -> None:
    functions = [function(score=score) for score in (2.0, 5.0, 8.0, 9.0)]
    plain, colours = functions_table(functions, Look()), functions_table(functions, Look(paint=coloured))
    assert "\033" not in plain
    assert ESCAPE.sub("", colours) == plain
    assert len(set(ESCAPE.findall(colours))) == 2 + len(LABEL_NAMES)


def test_limits_are_told_in_a_line_or_in_two() -> None:
    short, long = function(score=9.0), function("src/" + "deep/" * 10 + "a.py", score=9.0)
    found = breaches([short, long], Limits(8.5, 2))
    said = "score 9 (limit 8.5), cognitive 3 (limit 2)"
    assert breaches_text([short, long], found, Look()).splitlines() == [
        f"src/a.py:7: f: {said}",
        f"{long.path}:7: f",
        f"    {said}",
    ]


def test_why_files_were_left_out_is_told_with_some_of_them() -> None:
    receipt = Receipt()
    for number in range(7):
        receipt.drop("minified", f"static/{'deep/' * 20}bundle{number}.js")
    for number in range(8):
        receipt.drop(f"reason {number}", "x.py")
    lines = left_out_lines(receipt, Look())
    assert lines[0].startswith("left out, minified: …")
    assert lines[0].endswith("bundle1.js and 5 more")
    assert lines[-1] == "left out for 3 other reasons: --json has all"
    assert all(len(line) <= 80 for line in lines)


def test_the_summary_counts() -> None:
    review = Review([function(score=2.0), function(score=9.0)], files=1, lines=1234, seconds=0.25, broken=["a.py"])
    assert summary_text(review, Look()).splitlines() == [
        "2 functions in 1 file, 1,234 lines, 0.2 s",
        "1 Simple, 0 Moderate, 0 Complex, 1 Critical",
        "syntax errors, figures of what can be read: a.py",
    ]


def test_an_explanation_shows_each_increment_beside_its_line() -> None:
    text = explanation_text(function(increments=STEPS), Look()).splitlines()
    assert text[0] == "src/a.py:7  f"
    assert text[1] == "score 4.2 Moderate: cognitive 3, cyclomatic 4, nesting 1, 1 parameter, 12 lines"
    assert re.fullmatch(r" {5}4  \+1 if +if a and b:", text[2])
    assert text[3] == "        +1 and"
    assert re.fullmatch(r" {5}5  \+2 \(incl\. 1 for nesting\) for +for b in a: x+…", text[4])
    assert re.fullmatch(r" {5}6  \+1 cyclomatic alone: case +case 1:", text[5])
    assert explanation_text(function(increments=()), Look()).splitlines()[2].strip() == "nothing adds to its complexity"


@pytest.mark.parametrize(
    ("step", "said"),
    [(STEPS[0], "+1 if"), (STEPS[2], "+2 (incl. 1 for nesting) for"), (STEPS[3], "+1 cyclomatic alone: case")],
)
def test_increments_in_words(step: Step, said: str) -> None:
    assert step_text(step) == said
