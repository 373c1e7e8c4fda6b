"""Where a file may be cut, and how cut lines become pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codefit.source.cuts import Cut, cut_levels, cut_text

PYTHON = '''\
"""About the module."""
import os
LIMIT = 1
# Why it is there,
# and for whom.
@decorated
def outer():
    """Doc."""
    def nested():
        pass

    return nested


class Box:
    SIZE = 1

    # About the size.
    @property
    def size(self):
        return self.SIZE
    def empty(self):
        pass
'''

RUST = """\
use std::fmt;
const LIMIT: i32 = 1;
/// A point.
#[derive(Debug)]
pub struct Point {
    x: i32,
}

/// Its methods.
#[allow(dead_code)]
impl Point {
    const ZERO: i32 = 0;

    /// Makes one.
    #[inline]
    pub fn new() -> Point {
        Point { x: 1 }
    }

    pub fn x(&self) -> i32 {
        let y = 1;

        self.x + y
    }
}
"""

JAVASCRIPT = """\
const limit = 1; /* of the
file */
/**
 * Adds.

   @param x the one
 */
export function add(x) {
  return x + limit;
}

class Box {
  /* Runs. */
  run() { return 1; }

  // Stops,
  // at once.
  stop() {
    return 2;
  }
}
"""

GO = """\
package box

type Box struct{}

// Size of it.
func (b *Box) Size() int {
\treturn 1
}
"""


def above_lines(text: str, language: str | None) -> dict[str, str]:
    """The lines that are better than any, with their level."""
    levels = cut_levels(text, language)
    lines = text.split("\n")
    assert len(levels) == len(lines)
    return {line.strip(): level.name for line, level in zip(lines, levels, strict=True) if level}


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_python(ending: str) -> None:
    assert above_lines(PYTHON.replace("\n", ending), "python") == {
        "# Why it is there,": "OUTER",
        "def nested():": "INNER",
        "return nested": "PARAGRAPH",
        "class Box:": "OUTER",
        "# About the size.": "INNER",
        "def empty(self):": "INNER",
    }


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_rust(ending: str) -> None:
    assert above_lines(RUST.replace("\n", ending), "rust") == {
        "/// A point.": "OUTER",
        "/// Its methods.": "OUTER",
        "/// Makes one.": "INNER",
        "pub fn x(&self) -> i32 {": "INNER",
        "self.x + y": "PARAGRAPH",
    }


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_javascript(ending: str) -> None:
    assert above_lines(JAVASCRIPT.replace("\n", ending), "javascript") == {
        "/**": "OUTER",
        "@param x the one": "PARAGRAPH",
        "class Box {": "OUTER",
        "/* Runs. */": "INNER",
        "// Stops,": "INNER",
    }


def test_a_method_that_stands_by_itself_is_an_outer_definition() -> None:
    assert above_lines(GO, "go") == {"type Box struct{}": "OUTER", "// Size of it.": "OUTER"}


def test_a_comment_behind_code_does_not_pull_the_code_in() -> None:
    text = "const a = 1; /* one\n two */\nfunction f() {}\n"
    assert above_lines(text, "javascript") == {"function f() {}": "OUTER"}


def test_heads_after_the_first_one_are_found_too() -> None:
    module = "mod {name} {{\n    fn f{name}() {{}}\n\n    fn g{name}() {{}}\n}}\n"
    found = above_lines("\n".join(module.format(name=name) for name in "abc"), "rust")
    assert [line for line, level in found.items() if level == "OUTER"] == ["mod a {", "mod b {", "mod c {"]
    assert sum(level == "INNER" for level in found.values()) == 6


def test_branches_are_no_heads() -> None:
    text = "import sys\n\nif sys.argv:\n    def f():\n        pass\nelse:\n    def f():\n        return 1\n"
    levels = cut_levels(text, "python")
    lines = text.split("\n")
    assert levels[lines.index("if sys.argv:")] == Cut.OUTER
    assert levels[lines.index("else:")] == Cut.LINE


@pytest.mark.parametrize("language", [None, "cobol"])
def test_an_unknown_language_has_paragraphs_and_lines(language: str | None) -> None:
    assert cut_levels("a\nb\n\n \nc\n\n", language) == [0, 0, 0, 0, Cut.PARAGRAPH, 0, 0]


def test_lone_carriage_returns_which_shift_the_parsers_lines_leave_paragraphs() -> None:
    assert cut_levels("a = 1\r\rb = 2\n\ndef f():\n    pass\n", "python") == [0, 0, Cut.PARAGRAPH, 0, 0]


def test_a_file_too_long_to_parse_has_paragraphs() -> None:
    text = "def f():\n    pass\n\n" * 60_000
    levels = cut_levels(text, "python")
    assert set(levels) == {Cut.LINE, Cut.PARAGRAPH}
    assert len(levels) == 180_001


@pytest.mark.parametrize("language", [None, "python", "rust"])
def test_short_texts(language: str | None) -> None:
    assert cut_levels("", language) == [Cut.LINE]
    assert cut_levels("\n", language) == [Cut.LINE, Cut.LINE]
    assert cut_levels("x", language) == [Cut.LINE]


def test_a_file_without_a_line_feed_at_its_end() -> None:
    assert cut_levels("x = 1\ndef f(): pass", "python") == [Cut.LINE, Cut.OUTER]
    assert cut_levels("def f(): pass", "python") == [Cut.OUTER]


@settings(deadline=None)
@given(st.text(alphabet="ab #/*{}():\n\r\t\"'def\u00e9\ud800"), st.sampled_from(["python", "rust", "javascript", None]))
def test_any_text_has_a_level_a_line(text: str, language: str | None) -> None:
    assert len(cut_levels(text, language)) == text.count("\n") + 1


line_lists = st.lists(st.tuples(st.integers(1, 30), st.sampled_from(list(Cut))), min_size=1, max_size=60)


@settings(deadline=None)
@given(line_lists, st.integers(1, 60))
def test_pieces_hold_every_line_once_and_end_at_the_best_place(lines: list[tuple[int, Cut]], most: int) -> None:
    sizes, levels = [size for size, _ in lines], [level for _, level in lines]
    pieces = cut_text(sizes, levels, most)
    assert [number for start, end in pieces for number in range(start, end)] == list(range(len(sizes)))
    for start, end in pieces:
        assert end - start == 1 or sum(sizes[start:end]) <= most
        if end == len(sizes):
            continue
        places = [place for place in range(start + 1, len(sizes)) if sum(sizes[start:place]) <= most]
        places = places or [start + 1]
        second_half = [place for place in places if 2 * sum(sizes[start:place]) >= most] or places[-1:]
        best = max(levels[place] for place in second_half)
        assert end == [place for place in second_half if levels[place] == best][-1]


def test_the_last_of_the_best_places_is_taken() -> None:
    levels = [Cut.LINE, Cut.OUTER, Cut.LINE, Cut.INNER, Cut.INNER, Cut.PARAGRAPH, Cut.LINE, Cut.LINE]
    assert cut_text([1] * 8, levels, 6) == [(0, 4), (4, 8)]  # the outer one is in the first half
    assert cut_text([1] * 8, levels, 3) == [(0, 3), (3, 5), (5, 8)]
    assert cut_text([1, 8, 8], [Cut.LINE, Cut.OUTER, Cut.LINE], 10) == [(0, 2), (2, 3)]
    assert cut_text([1] * 8, [Cut.LINE] * 8, 3) == [(0, 3), (3, 6), (6, 8)]


def test_a_line_longer_than_a_piece_stands_alone() -> None:
    assert cut_text([2, 50, 2, 2], [Cut.LINE] * 4, 10) == [(0, 1), (1, 2), (2, 4)]
    assert cut_text([50], [Cut.LINE], 10) == [(0, 1)]
