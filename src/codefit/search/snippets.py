"""The few lines of a function that matter for a question: its first, and those with the question's words."""

from __future__ import annotations

from dataclasses import dataclass

from codefit.models.lexical import stems
from codefit.search.functions import Function

MAX_LINES = 6  # that a result takes on a screen: ten results are then read without scrolling far
MAX_WIDTH = 160  # characters of a line shown: the rest of a longer one is generated code or data
SCANNED = 2000  # lines of a function that are looked through


@dataclass(frozen=True, slots=True)
class Snippet:
    """Lines of a file, not all following each other, and their 1-based numbers."""

    numbers: tuple[int, ...]
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


def snippet_of(function: Function, query: str) -> Snippet:
    """At most `MAX_LINES` lines of a function in their order, without the indentation that all share.

    The first line is the definition's own (after decorators). The others are those with most of the question's words,
    each word counted for the line that has it first; where too few have any, the lines that follow the first.
    """
    lines = function.lines[:SCANNED]
    full = [row for row, line in enumerate(lines) if line.strip()]
    if not full:
        return Snippet((function.start_line,), ("",))
    head = _definition_row(function, lines, full)
    chosen = {head, *_rows_with_words(lines, full, head, query)}
    for row in full:
        if len(chosen) >= MAX_LINES:
            break
        if row > head and any(kept + 1 == row or not _between(lines, kept, row) for kept in chosen):
            chosen.add(row)
    rows = sorted(chosen)
    indent = min(len(lines[row]) - len(lines[row].lstrip()) for row in rows)
    return Snippet(
        tuple(function.start_line + row for row in rows),
        tuple(lines[row][indent : indent + MAX_WIDTH].rstrip() for row in rows),
    )


def _definition_row(function: Function, lines: tuple[str, ...], full: list[int]) -> int:
    """The row where the code without decorators begins."""
    first = function.code.partition("\n")[0].strip()
    return next((row for row in full if first and first in lines[row]), full[0])


def _rows_with_words(lines: tuple[str, ...], full: list[int], head: int, query: str) -> list[int]:
    wanted = set(stems(query)) - set(stems(lines[head]))
    found: list[int] = []
    left = {row: wanted & set(stems(lines[row])) for row in full if row != head}
    while len(found) < MAX_LINES - 1:
        row = max(left, key=lambda each: (len(left[each]), -each), default=None)
        if row is None or not left[row]:
            break
        found.append(row)
        said = left.pop(row)
        left = {each: words - said for each, words in left.items()}
    return found


def _between(lines: tuple[str, ...], first: int, last: int) -> bool:
    """Whether a line that is not blank lies between two rows (or they are out of order)."""
    return first >= last or any(line.strip() for line in lines[first + 1 : last])
