"""Where a file may be cut: before a definition rather than inside one, before a paragraph rather than inside it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from codefit.errors import CodefitError, InputError
from codefit.source.functions import units_of
from codefit.source.languages import LANGUAGES


class Cut(IntEnum):
    """How good it is to begin a piece with a line; higher is better."""

    LINE = 0
    PARAGRAPH = 1  # after a blank line
    INNER = 2  # a definition inside another: a method, a nested function
    OUTER = 3  # a definition that stands in no other


def cut_levels(text: str, language: str | None) -> list[Cut]:
    """For each line of `text` (split at line feeds) how good it is to cut before it.

    A definition begins with the comments and attributes that stand right above it. A file that cannot be parsed in
    time, or whose language is not known, has paragraphs and lines alone.
    """
    lines = text.split("\n")
    levels = [Cut.LINE] * len(lines)
    for number in range(1, len(lines)):
        if lines[number].strip() and not lines[number - 1].strip():
            levels[number] = Cut.PARAGRAPH
    outer_end = 0
    ends: set[int] = set()
    for start, end in _definitions(text, language):
        level = Cut.OUTER if start > outer_end else Cut.INNER
        outer_end = max(outer_end, end)
        first = start - 1  # lines of units are numbered from 1
        while first > 0 and lines[first - 1].strip() and first not in ends and not _opens(lines[first - 1]):
            first -= 1
        ends.add(end)
        if first < len(levels):
            levels[first] = max(levels[first], level)
    return levels


def _definitions(text: str, language: str | None) -> list[tuple[int, int]]:
    if language not in LANGUAGES:
        return []
    try:
        return [(unit.start_line, unit.end_line) for unit in units_of(text, str(language))]
    except (CodefitError, InputError):  # too long, or not parsed in time: still text that can be cut at its lines
        return []


def _opens(line: str) -> bool:
    """Whether a line is the head of what the next line is the first part of, as `impl Foo {`."""
    return line.rstrip().endswith(("{", "(", "[", ":"))


def cut_text(sizes: Sequence[int], levels: Sequence[Cut], most: int) -> list[tuple[int, int]]:
    """Cut lines into pieces of at most `most` tokens; `sizes` are the tokens of each line.

    Returns the first line of each piece and the one after its last. A piece ends where its next line fits no more; of
    the places in its second half the best level is taken, and of those the last. A line longer than `most` makes a
    piece of its own, which whoever uses it must cut.
    """
    pieces = []
    start = 0
    while start < len(sizes):
        end, tokens = start, 0
        half = start
        while end < len(sizes) and (tokens + sizes[end] <= most or end == start):
            tokens += sizes[end]
            end += 1
            if 2 * tokens <= most:
                half = end
        if end < len(sizes):
            places = range(max(half, start + 1), end + 1)
            end = max(places, key=lambda place: (levels[place], place), default=end)
        pieces.append((start, end))
        start = end
    return pieces
