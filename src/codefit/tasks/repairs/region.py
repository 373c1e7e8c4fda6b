"""Where in a file its first syntax error is: the few lines without which the rest can be read."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

from codefit.source.lexemes import lex
from codefit.source.syntax.python import python_tables

MOST_TOKENS = 120
MOST_LINES = 24  # of a region, before and after the place where the parser fails
FURTHER = 3  # lines that a window which leaves nothing broken may have more than one after which something is
_BODY = "pass"
_HEADER = "if True:"


@dataclass(frozen=True, slots=True)
class Region:
    """Lines from `start` to `end` (0-based, the end not among them), and how they are read by themselves.

    `text` are the lines without the `indent` of the first. Where what follows is indented deeper, the region ends with
    the head of a block and `opens` says so: the text is then followed by a body. `rest` is whether the file is sound
    but for the region, else what is wrong comes after it too.
    """

    start: int
    end: int
    indent: str
    text: str
    opens: bool
    rest: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """A syntax error as Python's own parser tells it: 1-based line, and what."""

    line: int
    what: str


def fault_of(source: str) -> Fault | None:
    """The first syntax error that Python's parser finds, None for sound code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(source)
        except SyntaxError as error:
            return Fault(error.lineno or 1, error.msg or "invalid syntax")
        except (ValueError, RecursionError, MemoryError) as error:  # a null byte; nested too deep
            return Fault(1, str(error) or type(error).__name__)
    return None


def find_region(source: str) -> Region | None:
    """The smallest region around the first error whose lines can be mended by themselves; None for sound code.

    Of windows that leave the rest sound the one with the fewest lines; where none does (more than one place is
    broken), one after which the first error comes later.
    """
    fault = fault_of(source)
    if fault is None:
        return None
    lines = source.splitlines(keepends=True)
    told = min(max(fault.line - 1, 0), len(lines) - 1)
    later: Region | None = None
    longest = MOST_LINES
    for start, end in _windows(lines, told, _parser_line(source, lines)):
        if end - start > longest:
            break
        for region in _readings(lines, start, end):
            if len(lex(region.text).lexemes) > MOST_TOKENS:
                continue
            after = fault_of(_without(lines, region))
            if after is None:
                return region
            if later is None and after.line > max(end + 1, fault.line):
                later = replace(region, rest=False)
                longest = end - start + FURTHER
    return later


def _parser_line(source: str, lines: list[str]) -> int:
    """The line of the first lexeme that the grammar's parser cannot read."""
    lexed = lex(source)
    place = python_tables()[0].first_error(lexed.terminals)
    if place is None or place >= len(lexed.lexemes):
        return len(lines) - 1
    return min(source.count("\n", 0, lexed.lexemes[place].start), len(lines) - 1)


def _windows(lines: list[str], told: int, parsed: int) -> Iterator[tuple[int, int]]:
    """Windows of lines about either place, shorter ones first; each begins and ends with code."""
    for length in range(1, MOST_LINES + 1):
        starts = {start for place in (told, parsed) for start in range(max(0, place - length + 1), place + 1)}
        for start in sorted(starts, reverse=True):
            end = start + length
            if end <= len(lines) and _is_code(lines[start]) and (length == 1 or _is_code(lines[end - 1])):
                yield start, end


def _is_code(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t\f"))]


def _readings(lines: list[str], start: int, end: int) -> Iterator[Region]:
    """The window as statements of their own, and as ones of which the last opens a block."""
    indent = _indent(lines[start])
    text = "".join(line.removeprefix(indent) if line.strip() else line for line in lines[start:end])
    yield Region(start, end, indent, text, False, True)
    following = next((line for line in lines[end:] if _is_code(line)), None)
    if following is not None and len(_indent(following)) > len(indent):
        yield Region(start, end, indent, text, True, True)


def _without(lines: list[str], region: Region) -> str:
    filler = _HEADER if region.opens else _BODY
    return "".join([*lines[: region.start], f"{region.indent}{filler}\n", *lines[region.end :]])


def with_region(source: str, region: Region, text: str) -> str:
    """The file with another text for the region."""
    lines = source.splitlines(keepends=True)
    ending = "\r\n" if lines[region.start].endswith("\r\n") else "\n"
    mended = [f"{region.indent}{line}" if line.strip() else line for line in text.splitlines(keepends=True)]
    if mended and region.end < len(lines) and not mended[-1].endswith(("\n", "\r")):
        mended[-1] += ending
    return "".join([*lines[: region.start], *mended, *lines[region.end :]])
