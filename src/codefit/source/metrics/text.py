"""The text of a function as a scorer reads it."""

from __future__ import annotations

from codefit.source.metrics.figures import FunctionMetrics


def source_bytes(text: str) -> bytes:
    """A file's bytes as its functions' places count them: UTF-8 without byte order mark, lines end with a line feed."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")


def text_of(source: bytes, own: FunctionMetrics) -> str:
    """A function's text without the indentation of its first line."""
    line_start = source.rfind(b"\n", 0, own.start_byte) + 1
    before = source[line_start : own.start_byte].decode("utf-8", "replace")
    indent = before[: len(before) - len(before.lstrip())]
    text = source[own.start_byte : own.end_byte].decode("utf-8", "replace")
    return text.replace(f"\n{indent}", "\n") if indent else text
