"""How much structure a file holds: the functions and types that the parser finds in it, beside its lines and bytes.

The reference run chose the files "richest in structure (functions + types)". What the parser finds is what counts: a
definition inside a macro or inside a stretch with syntax errors does not, nor does a declaration without a body.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from codefit.source.functions import units_of
from codefit.source.parsing import SECONDS

# The parser stops itself at its own limit, but for a few inputs that only the end of the process stops.
SECONDS_PER_DOCUMENT = 3 * SECONDS


@dataclass(frozen=True, slots=True)
class Richness:
    """What a file holds; `functions` counts methods too. Both are 0 where nobody asked for the structure."""

    functions: int
    types: int
    lines: int
    bytes: int

    @property
    def structure(self) -> int:
        """What files are ranked by."""
        return self.functions + self.types


def richness_of(text: str, language: str) -> Richness:
    """The richness of a file's text. Raises what `units_of` raises: a text too long, or one that parses too slowly."""
    kinds = [unit.kind for unit in units_of(text, language)]
    types = kinds.count("type")
    return Richness(len(kinds) - types, types, lines_of(text), bytes_of(text))


def lines_of(text: str) -> int:
    """The number of lines; a last line without a line break counts."""
    return text.count("\n") + (text != "" and not text.endswith("\n"))


def bytes_of(text: str) -> int:
    """The size in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def total_richness(parts: Iterable[Richness]) -> dict[str, Any]:
    """The sums, as they stand in a manifest."""
    total = Richness(0, 0, 0, 0)
    for part in parts:
        total = Richness(
            total.functions + part.functions,
            total.types + part.types,
            total.lines + part.lines,
            total.bytes + part.bytes,
        )
    return asdict(total)
