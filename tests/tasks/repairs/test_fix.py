"""Mending a file: the region that is broken, what is told, and that the rest of the file stays."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from codefit.models.repair import RepairModel
from codefit.tasks.repairs.fix import fix_source
from codefit.tasks.repairs.region import fault_of, find_region, with_region
from small_repairs import plain_edits, small_language

LONG = Path(ast.__file__).read_text(encoding="utf-8")


def rank(tokens, names):  # type: ignore[no-untyped-def]
    return RepairModel(small_language(), plain_edits()).repairs(tokens, names=names, seconds=30)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("x = 1\ny = (2\nz = 3\n", (1, 2)),
        ("def f(a)\n    return a\n\nprint(f(1))\n", (0, 1)),
        ("class A:\n    def f(self):\n        if self x:\n            y()\n        return 1\n", (2, 3)),
        ("x = 1\nfor in y:\n    z\n", (1, 2)),
    ],
)
def test_the_region_is_the_lines_that_are_broken(source: str, lines: tuple[int, int]) -> None:
    region = find_region(source)
    assert region is not None
    assert (region.start, region.end) == lines
    assert region.rest
    assert with_region(source, region, region.text) == source


def test_one_line_of_a_long_file_is_mended_and_the_rest_stays() -> None:
    lines = LONG.splitlines(keepends=True)
    at = next(k for k, line in enumerate(lines) if k > 600 and line.strip().startswith("def ") and line.endswith(":\n"))
    lines[at] = lines[at].replace(":\n", "\n")
    found = fix_source("".join(lines), rank, most=5)
    assert found.line is not None
    assert found.repairs
    assert LONG in [each.source for each in found.repairs]
    for each in found.repairs:
        ast.parse(each.source)
        changed = [
            k for k, (a, b) in enumerate(zip(lines, each.source.splitlines(keepends=True), strict=False)) if a != b
        ]
        assert min(changed) >= at - 2
    assert sum(each.probability for each in found.repairs) <= 1 + 1e-6


@pytest.mark.parametrize(
    "source",
    [
        "x = (1\n",
        "a, , b\n",
        "if x:\ny\n",
        "  x = 1\n y = 2\n",
        "'abc\n",
        "a\0b\n",
        "!ls\nx\n",
        "print 'a'\n",
        "\tif a:\n        b\n",
    ],
)
def test_whatever_is_broken_nothing_raises_and_what_is_shown_is_sound(source: str) -> None:
    found = fix_source(source, rank)
    assert found.fault is not None
    for each in found.repairs:
        assert fault_of(each.source) is None
        assert each.edits


def test_a_sound_file_says_so() -> None:
    found = fix_source("x = 1\n", rank)
    assert (found.fault, found.repairs) == (None, [])


def test_what_comes_after_the_first_error_is_told() -> None:
    found = fix_source("x = (1\ny = 2\n\n\ndef f(:\n    pass\n", rank)
    assert found.more_faults


def test_what_is_beyond_three_edits_is_said() -> None:
    found = fix_source("a b c d e f g h i j k l m n o p\n", rank)
    assert found.beyond
    assert not found.repairs
