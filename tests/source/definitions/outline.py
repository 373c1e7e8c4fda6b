"""What the tests of languages compare: a file's units in short."""

from __future__ import annotations

from textwrap import dedent

from codefit.source.functions import Unit, first_paragraph, units_of

Line = tuple[str, str, str]


def outline(text: str, language: str) -> list[Line]:
    """Kind, qualified name and first paragraph of the doc of each unit."""
    return [(unit.kind, unit.qualified, first_paragraph(unit.doc)) for unit in units_of(dedent(text), language)]


def only(text: str, language: str) -> Unit:
    """The one unit that a text holds."""
    (unit,) = units_of(dedent(text), language)
    return unit
