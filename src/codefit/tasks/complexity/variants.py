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
from codefit.tasks.complexity.label import is_method

Variant = Callable[[str, str, np.random.Generator], str | None]

TRIES = 12
_FRAGILE = re.compile(r"[(){}\[\]'\"`;,]")
_NAMES = frozenset({"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"})
_CALLS = ("items.forEach(", "this.on('change', ", "setTimeout(", "const result = values.map(", "promise.then(", "run(")
_METHOD_HEAD = re.compile(r"\s*(?:(?:static|async)\s+)*[\w$#]+\s*\(")
_PARAMETERS = re.compile(r"function\s*(\([^()]*\))\s*\{")
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


def with_callback(code: str, other: str, rng: np.random.Generator) -> str | None:
    """JavaScript with another function as an argument of a call in its body; None where there is no place for one.

    Of nested functions lizard finishes the inner one first, so that the label speaks of it: what a real repository has
    few of can be made of its functions.
    """
    lines = code.split("\n")
    places = [number for number, line in enumerate(lines[:-1]) if line.rstrip().endswith((";", "{"))]
    callback = _as_callback(other, arrow=bool(rng.random() < 0.5))
    if not places or callback is None:
        return None
    place = int(rng.choice(places))
    indent = len(lines[place]) - len(lines[place].lstrip()) + 2 * lines[place].rstrip().endswith("{")
    call = _CALLS[int(rng.integers(len(_CALLS)))]
    inserted = f"{call}{callback});".replace("\n", "\n" + " " * indent)
    whole = "\n".join([*lines[: place + 1], " " * indent + inserted, *lines[place + 1 :]])
    return None if _has_error(whole, "javascript") else whole


def _as_callback(code: str, *, arrow: bool) -> str | None:
    """A function or method as an expression."""
    if is_method(code):
        head = _METHOD_HEAD.match(code)
        code = f"function{code[head.end() - 1 :]}" if head is not None else ""
    elif code.startswith("function "):
        code = f"function{code[code.index('(') :]}" if "(" in code else ""
    if not code.startswith(("function(", "function (")):
        return code if "=>" in code.split("\n")[0] else None
    if not arrow:
        return code
    found = _PARAMETERS.match(code)
    return f"{found[1]} => {{{code[found.end() :]}" if found is not None else code


VARIANTS: Mapping[str, Variant] = MappingProxyType({"broken": broken, "renamed": renamed, "laid out anew": laid_out})


def _has_error(code: str, language: str) -> bool:
    return parse_tree(in_context(code, language), LANGUAGES[language]).tree.root_node.has_error
