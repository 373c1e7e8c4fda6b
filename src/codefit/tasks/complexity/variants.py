"""Functions written otherwise: broken, renamed, laid out anew. How far scores move says how robust they are.

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
KEPT = frozenset({b"constructor", b"arguments", b"undefined", b"super"})
VARIABLES = frozenset({"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"})
_WIDTH = 4  # of the indentation that takes the place of another


def broken(code: str, language: str, rng: np.random.Generator) -> str | None:
    """The code less one bracket, quote, comma or semicolon, so that it does not parse; None where no try does that."""
    places = [found.start() for found in _FRAGILE.finditer(code)]
    if not places or has_error(code, language):
        return None
    for place in rng.choice(places, min(TRIES, len(places)), replace=False).tolist():
        changed = code[:place] + code[place + 1 :]
        if has_error(changed, language):
            return changed
    return None


def renamed(code: str, language: str, rng: np.random.Generator) -> str | None:
    """The code with every variable, parameter and function renamed, each name to one new name; None without names."""
    return with_names(code, language, VARIABLES, lambda number: f"name{number}", rng)


def with_names(
    code: str, language: str, kinds: frozenset[str], name: Callable[[int], str], rng: np.random.Generator
) -> str | None:
    """The code with each name of these kinds of node replaced by the one that a number drawn for it gives.

    None where there is no such name. Names that mean something to the language stay.
    """
    context = in_context(code, language)
    offset = context.index(code)
    parsed = parse_tree(context, LANGUAGES[language])
    start, end = len(context[:offset].encode()), len(context[: offset + len(code)].encode())
    places, rest = [], [parsed.tree.root_node]
    while rest:
        node = rest.pop()
        rest += node.children
        if node.type in kinds and not node.child_count and start <= node.start_byte and node.end_byte <= end:
            places.append((node.start_byte, node.end_byte))
    names = sorted({parsed.source[begin:stop] for begin, stop in places} - KEPT)
    if not names:
        return None
    numbers = rng.permutation(len(names)).tolist()
    new = {old: name(number).encode() for old, number in zip(names, numbers, strict=True)}
    pieces, last = [], start
    for begin, stop in sorted(places):
        pieces += [parsed.source[last:begin], new.get(parsed.source[begin:stop], parsed.source[begin:stop])]
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


def has_error(code: str, language: str) -> bool:
    """Whether the code does not parse."""
    return parse_tree(in_context(code, language), LANGUAGES[language]).tree.root_node.has_error


VARIANTS: Mapping[str, Variant] = MappingProxyType({"broken": broken, "renamed": renamed, "laid out anew": laid_out})
