"""Results go to stdout, everything else to stderr; with `--json` stdout is exactly one JSON object."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any


class Settings:
    """The two global flags, set once by `main` before a command runs."""

    json = False
    debug = False


def emit(result: Mapping[str, Any], human: Callable[[], str]) -> None:
    """Print a command's result: the mapping as JSON with `--json`, else what `human()` says."""
    if Settings.json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
        sys.stdout.flush()
    else:
        print(human())


def table(rows: list[list[str]], header: list[str]) -> str:
    """Columns aligned with spaces: the first to the left, the others to the right."""
    widths = [max(len(r[i]) for r in [header, *rows]) for i in range(len(header))]

    def line(cells: list[str]) -> str:
        rest = (c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))
        return "  ".join([cells[0].ljust(widths[0]), *rest]).rstrip()

    return "\n".join([line(header), line(["-" * w for w in widths]), *(line(r) for r in rows)])
