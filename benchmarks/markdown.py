"""How the tables of README.md and docs/ are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Result = Mapping[str, Any]


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A table; without a first heading its other columns are numbers and stand to the right."""
    lines = [header, ["---", *("---:" for _ in header[1:])] if header[0] == "" else ["---" for _ in header], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def ratio_text(value: Result) -> str:
    """A ratio with its interval, where it has one."""
    if value["low"] is None:
        return f"{value['median']:.2f}"
    return f"{value['median']:.2f} ({value['low']:.2f}–{value['high']:.2f})"
