"""The same functions written otherwise: broken, renamed, laid out anew. How much scores change says how robust they are.

All are drawn from a generator that is given, so that the same seed gives the same variants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from codefit.source.languages import LANGUAGES
from codefit.source.parsing import parse_tree
from codefit.tasks.complexity.functions import in_context

Variant = Callable[[str, str, np.random.Generator], str | None]

TRIES = 12
_FRAGILE = re.compile(r"[(){}\[\]'\"`;,]")
_NAMES = frozenset({"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"})
_WIDTH = 4  # of the indentation that takes the place of another


def broken(code: str, language: str, rng: np.random.Generator) -> str | None:
    """The code less one bracket, quote, comma or semicolon, so that it does not parse; None where no try does that."""
    places = [found.start() for found in _FRAGILE.finditer(code)]
    if not places or _has_error(code, language):
        return None
    for place in rng.choice(places, min(TRIES, len(places)), replace=False).tolist():
        changed = code[:place] + code[place + 1 :]
        if _has_error(changed, language):
            return changed
    return None


def renamed(code: str, language: str, rng: np.random.Generator) -> str | None:
    """The code with every variable, parameter and function renamed, each name to one new name; None without names."""
    context = in_context(code, language)
    offset = context.index(code)
    parsed = parse_tree(context, LANGUAGES[language])
    start, end = len(context[:offset].encode()), len(context[: offset + len(code)].encode())
    places, rest = [], [parsed.tree.root_node]
    while rest:
        node = rest.pop()
        rest += node.children
        if node.type in _NAMES and not node.child_count and start <= node.start_byte and node.end_byte <= end:
            places.append((node.start_byte, node.end_byte))
    names = sorted({parsed.source[begin:stop] for begin, stop in places})
    if not names:
        return None
    numbers = rng.permutation(len(names)).tolist()
    new = {name: f"name{number}".encode() for name, number in zip(names, numbers, strict=True)}
    pieces, last = [], start
    for begin, stop in sorted(places):
        pieces += [parsed.source[last:begin], new[parsed.source[begin:stop]]]
        last = stop
    return b"".join([*pieces, parsed.source[last:end]]).decode("utf-8", "replace")


def laid_out(code: str, language: str, rng: np.random.Generator) -> str | None:
    """The code with another indentation, and blank lines where there were none; no line is joined or cut."""
    lines = code.split("\n")
    if len(lines) < 2 or language == "python" or "`" in code:  # blanks count there
        return None
    new = [lines[0]]
    for line in lines[1:]:
        stripped = line.lstrip(" \t")
        width = len(line) - len(stripped)
        if rng.random() < 0.1:
            new.append("")
        new.append(" " * (width * _WIDTH // 2) + stripped if stripped else line)
    return "\n".join(new)


VARIANTS: Mapping[str, Variant] = MappingProxyType({"broken": broken, "renamed": renamed, "laid out anew": laid_out})


def _has_error(code: str, language: str) -> bool:
    return parse_tree(in_context(code, language), LANGUAGES[language]).tree.root_node.has_error
