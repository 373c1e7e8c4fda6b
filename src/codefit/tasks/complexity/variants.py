"""Functions written otherwise: broken, renamed, laid out anew. How far scores move says how robust they are.

All are drawn from a generator that is given, so that the same seed gives the same variants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from codefit.tasks.complexity.rewriting import code_tree

Variant = Callable[[str, str, np.random.Generator], str | None]

TRIES = 12
_FRAGILE = re.compile(r"[(){}\[\]'\"`;,]")
_KEPT = frozenset({b"constructor", b"arguments", b"undefined", b"super"})
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
    tree = code_tree(code, language)
    places = [
        (node.start_byte, node.end_byte)
        for node in tree.nodes()
        if node.type in kinds and not node.child_count and tree.start <= node.start_byte and node.end_byte <= tree.end
    ]
    names = sorted({tree.source[begin:stop] for begin, stop in places} - _KEPT)
    if not names:
        return None
    numbers = rng.permutation(len(names)).tolist()
    new = {old: name(number).encode() for old, number in zip(names, numbers, strict=True)}
    named = ((begin, stop, new.get(tree.source[begin:stop])) for begin, stop in places)
    return tree.rewritten((begin, stop, other) for begin, stop, other in named if other is not None)


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
    return code_tree(code, language).root.has_error


VARIANTS: Mapping[str, Variant] = MappingProxyType({"broken": broken, "renamed": renamed, "laid out anew": laid_out})
