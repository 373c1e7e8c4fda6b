"""Where a file may be cut: before a definition rather than inside one, before a paragraph rather than inside it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from codefit.errors import CodefitError
from codefit.source.functions import units_of
from codefit.source.languages import LANGUAGES

# How the line of a comment, or of an attribute that the grammar does not count in, begins in any of the languages.
LINE_COMMENTS = ("//", "#")


class Cut(IntEnum):
    """How good it is to begin a piece with a line; higher is better."""

    LINE = 0
    PARAGRAPH = 1  # after a blank line
    INNER = 2  # a definition inside another: a method, a nested function
    OUTER = 3  # a definition that stands in no other


def cut_levels(text: str, language: str | None) -> list[Cut]:
    """For each line of `text` (split at line feeds) how good it is to cut before it.

    A definition begins with the comments and attributes that stand right above it. An indented one is inside something,
    if only an `impl` or a module, whose own head is as good a place as an outer definition. A file that cannot be
    parsed in time, or whose language is not known, has paragraphs and lines alone.
    """
    lines = text.split("\n")
    levels = [Cut.LINE] * len(lines)
    for number in range(1, len(lines)):
        if lines[number].strip() and not lines[number - 1].strip():
            levels[number] = Cut.PARAGRAPH
    outer_end = 0  # of what is known so far to stand in nothing else
    seen = 0  # the end of the definition before
    for start, end in _definitions(text, language):
        line = start - 1  # units count lines from 1
        level = Cut.INNER if start <= outer_end or lines[line][:1].isspace() else Cut.OUTER
        head = _head_above(lines, line, seen) if level == Cut.INNER and start > outer_end else None
        if head is not None:
            levels[head] = Cut.OUTER
        first = _with_comments(lines, line)
        levels[first] = max(levels[first], level)
        if level == Cut.OUTER:
            outer_end = max(outer_end, end)
        seen = max(seen, end)
    return levels


def _definitions(text: str, language: str | None) -> list[tuple[int, int]]:
    """First and last line of each definition, counted from 1, an outer one before those inside it."""
    if language not in LANGUAGES or "\r" in text.replace("\r\n", ""):  # a lone carriage return shifts the lines
        return []
    try:
        return [(unit.start_line, unit.end_line) for unit in units_of(text, str(language))]
    except CodefitError:  # too long, or not parsed in time: still text that can be cut at its lines
        return []


def _with_comments(lines: Sequence[str], line: int) -> int:
    """The first line of the comments right above `line`; `line` where there are none."""
    first = line
    while first > 0:
        above = lines[first - 1].strip()
        if above.startswith(LINE_COMMENTS):
            first -= 1
        elif above.endswith("*/"):
            opening = first - 1
            while opening > 0 and "/*" not in lines[opening]:
                opening -= 1
            if not lines[opening].strip().startswith("/*"):  # a comment that stands behind code
                break
            first = opening
        else:
            break
    return first


def _head_above(lines: Sequence[str], line: int, after: int) -> int | None:
    """The paragraph with the nearest line that is not indented, above `line` and not before the line `after`.

    It is what an indented definition stands in: an `impl`, a module, a namespace.
    """
    head = line - 1
    while head >= after and (not lines[head].strip() or lines[head][0].isspace()):
        head -= 1
    while head > after and lines[head - 1].strip():
        head -= 1
    is_first = head == 0 or (head >= after and not lines[head - 1].strip())
    return head if head >= after and is_first else None


def cut_text(sizes: Sequence[int], levels: Sequence[int], most: int) -> list[tuple[int, int]]:
    """Cut lines into pieces of at most `most` tokens; `sizes` are the tokens of each line, `levels` their `Cut`.

    Returns the first line of each piece and the one after its last. A piece ends where its next line fits no more; of
    the places in its second half the best level is taken, and of those the last. A line longer than `most` makes a
    piece of its own, which the caller must cut.
    """
    pieces = []
    start = 0
    while start < len(sizes):
        end, tokens = start, 0
        half = start + 1  # the first place that leaves no less than half a piece
        while end < len(sizes) and (tokens + sizes[end] <= most or end == start):
            tokens += sizes[end]
            end += 1
            if 2 * tokens < most:
                half = end + 1
        if end < len(sizes):
            places = range(min(half, end), end + 1)
            end = max(places, key=lambda place: (levels[place], place))
        pieces.append((start, end))
        start = end
    return pieces
