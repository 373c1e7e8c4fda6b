"""From the bytes of a JavaScript file to its metrics, in a small part of the time that the walk takes."""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

from codefit.source.definitions.javascript import dotted_path
from codefit.source.metrics.figures import FunctionMetrics, Halstead
from codefit.source.metrics.javascript.memory import FUNCTION_TYPE, NO_NAME, STRING_NAME, TEXT_NAME
from codefit.source.metrics.javascript.stamp import STAMP
from codefit.source.metrics.walk import ANONYMOUS, MAX_NAME, MODULE, FileMetrics


def available() -> bool:
    """Whether numba is installed, which compiles the scanner."""
    return importlib.util.find_spec("numba") is not None


def is_compiled() -> bool:
    """Whether the scanner as it stands was compiled here before: then loading it takes half a second, else twenty."""
    return _mark().exists()


def compile_once() -> None:
    """Load the scanner, and compile it where that was not done yet."""
    scan(b"a;")
    with contextlib.suppress(OSError):  # an installation that may not be written to keeps no mark
        _mark().touch()


def _mark() -> Path:
    return Path(importlib.util.cache_from_source(__file__)).parent / f"scanner-{STAMP:x}.compiled"


def scan(source: bytes) -> FileMetrics | None:
    """The metrics of a JavaScript file (UTF-8, lines end with a line feed), or None where the walk has to tell.

    It knows the plain language: no JSX, no types, no decorators, no syntax error, and nothing that
    tree-sitter-javascript reads in another way than the language says. What it tells is what the walk over the tree
    tells, without increments. The first call loads numba, which takes about half a second.
    """
    from codefit.source.metrics.javascript.engine import rows_of

    if b"\r" in source:
        return None
    rows = rows_of(source)
    return None if rows is None else _metrics(source, rows)


def _metrics(source: bytes, rows: list[list[int]]) -> FileMetrics:
    functions: list[FunctionMetrics] = []
    before = [""] * len(rows)  # what stands before the names in a row
    for number in range(1, len(rows)):
        kind, around, *name = rows[number][:7]
        path = _path(source, *name)
        prefix = before[around]
        if kind == FUNCTION_TYPE:
            path = path or (ANONYMOUS,)
            functions.append(_function(path[-1], prefix + ".".join(path), rows[number]))
            path = path[-1:] if path[-1] != ANONYMOUS else ()
        before[number] = f"{prefix}{'.'.join(path)}." if path else prefix
    module = rows[0]
    module[7:11] = 1, source.count(b"\n") + 1, 0, len(source) + 1
    return FileMetrics(functions, _function(MODULE, MODULE, module))


def _function(name: str, qualified: str, row: list[int]) -> FunctionMetrics:
    line, end_line, start, end, cyclomatic, cognitive, nesting, parameters, lines, tokens, ccn = row[7:18]
    return FunctionMetrics(
        name, qualified, line, end_line, start, end, cyclomatic, cognitive, nesting, parameters, lines, tokens, ccn,
        Halstead(*row[18:]),
    )  # fmt: skip


def _path(source: bytes, kind: int, start: int, stop: int, part_start: int, part_stop: int) -> tuple[str, ...]:
    """The parts of a name, as `path_of` of the language has them."""
    if kind == NO_NAME or stop - start > MAX_NAME:
        return ()
    text = source[start:stop].decode("utf-8", "replace")
    if kind == TEXT_NAME:
        return (text,)
    if kind == STRING_NAME:
        return (text[1:-1],) if len(text) > 2 else ()
    return dotted_path(text) or (source[part_start:part_stop].decode("utf-8", "replace"),)
