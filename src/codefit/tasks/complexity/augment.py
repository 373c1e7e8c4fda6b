"""JavaScript functions in the style of other repositories, to learn from, with labels computed anew.

What a scorer learns of one repository it has to apply to another, whose authors name, nest, indent and wrap otherwise.
None of that can be learned from the first, but all of it can be made of it: the label is computed from the new code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codefit.records import ScoredFunction
from codefit.tasks.complexity.functions import FunctionRow, score_row
from codefit.tasks.complexity.label import BY_LIZARD, is_method
from codefit.tasks.complexity.modern import modernized
from codefit.tasks.complexity.variants import VARIABLES, has_error, with_names

LONGEST = 3_000  # characters of a function that is put into another, or has one put in
CALLBACK, MODERN, FORM, WORDS, LAYOUT = 0.35, 0.7, 0.6, 0.7, 0.7  # shares of functions that are changed in each way

_MEMBERS = frozenset({"property_identifier", "private_property_identifier"})
_SYLLABLES = ["ba", "co", "di", "fe", "gu", "ha", "jo", "ki", "la", "me", "no", "pu", "ri", "sa", "te", "vu", "xo"]
_CALLS = ("items.forEach(", "this.on('change', ", "setTimeout(", "const result = values.map(", "promise.then(", "run(")
_NAME = "run"
_METHOD_HEAD = re.compile(r"\s*(?:(?:static|async)\s+)*[\w$#]+\s*\(")
_FUNCTION_HEAD = re.compile(r"\s*(?:async\s+)?function\s*[\w$]*\s*\(")
_PARAMETERS = re.compile(r"function\s*(\([^()]*\))\s*\{")
# A statement that is one call with plain arguments: what stands before them, they, and what stands behind.
_PLAIN_CALL = re.compile(r"((?:return |const \w+ = )?[\w$.]+\()([^()\[\]{}'\"/]+)(\);)$")
# Words of three letters and more that cannot be names (ECMA-262, 12.7.2), those of strict mode with them.
_RESERVED = """
    await break case catch class const continue debugger default delete else enum export extends false finally for
    function implements import instanceof interface let new null package private protected public return static super
    switch this throw true try typeof var void while with yield
"""
_WORD = re.compile(r"[A-Za-z][a-z]{2,}")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A function to write otherwise, one that may be put into it, and the seed of what is drawn."""

    row: ScoredFunction
    other: ScoredFunction
    seed: tuple[int, ...]


def words_of(rows: Sequence[ScoredFunction]) -> tuple[str, ...]:
    """The words that names are made of in these functions, lower case, sorted; reserved words are not among them."""
    found = {word.lower() for row in rows for word in _WORD.findall(row.code)}
    return tuple(sorted(found - set(_RESERVED.split())))


def in_another_style(drawn: Drawn, words: Sequence[str]) -> ScoredFunction | None:
    """The function with its style drawn anew and its own new label; None where it is too long, or not JavaScript."""
    row = drawn.row
    if row.language not in BY_LIZARD:
        return None
    rng = np.random.default_rng(drawn.seed)
    code = row.code
    if rng.random() < CALLBACK and max(len(code), len(drawn.other.code)) <= LONGEST:
        code = with_callback(code, drawn.other.code, row.language, rng) or code
    if rng.random() < MODERN:
        code = modernized(code, row.language, rng, lambda: _name(rng, words))
    if rng.random() < FORM:
        code = in_another_form(code, rng)
    if rng.random() < WORDS:
        code = in_other_words(code, row.language, rng, words) or code
    if rng.random() < LAYOUT:
        code = laid_out_at_random(code, rng)
    return score_row(FunctionRow(code=code, language=row.language, source=row.source, path=row.path))


def with_callback(code: str, other: str, language: str, rng: np.random.Generator) -> str | None:
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
    return None if has_error(whole, language) else whole


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
    return _as_arrow(code) or code


def _as_arrow(code: str) -> str | None:
    """A function expression as an arrow function; None where its parameters hold brackets."""
    found = _PARAMETERS.match(code)
    return f"{found[1]} => {{{code[found.end() :]}" if found is not None else None


def in_another_form(code: str, rng: np.random.Generator) -> str:
    """JavaScript with its head in a form that is drawn: a declaration, an expression, a method, async, an arrow.

    Code whose head is none of these stays as it is.
    """
    head = (_METHOD_HEAD if is_method(code) else _FUNCTION_HEAD).match(code)
    if head is None:
        return code
    rest = code[head.end() - 1 :]
    function = f"function{rest}"
    forms = [function, f"function {_NAME}{rest}", f"{_NAME}{rest}", f"async {_NAME}{rest}", f"static {_NAME}{rest}"]
    arrow = _as_arrow(function)
    if arrow is not None:
        forms += [arrow, f"const {_NAME} = {arrow}"]
    return forms[int(rng.integers(len(forms)))]


def in_other_words(code: str, language: str, rng: np.random.Generator, words: Sequence[str]) -> str | None:
    """The code with all names, of members too, made of other words: half of them of those given, half made up."""
    return with_names(code, language, VARIABLES | _MEMBERS, lambda _number: _name(rng, words), rng)


def _name(rng: np.random.Generator, words: Sequence[str]) -> str:
    """A name of one to three words."""

    def word() -> str:
        drawn = words[int(rng.integers(len(words)))] if words and rng.random() < 0.5 else ""
        return drawn or "".join(rng.choice(_SYLLABLES, rng.integers(1, 4)))

    first, *others = [word() for _ in range(int(rng.integers(1, 4)))]
    whole = first + "".join(other.capitalize() for other in others)
    return f"{whole}_" if rng.random() < 0.1 else whole


def laid_out_at_random(code: str, rng: np.random.Generator) -> str:
    """The code indented otherwise, blank lines gone, arguments of some calls on lines of their own.

    Code with a template of several lines stays as it is: blanks count there.
    """
    if any(line.count("`") % 2 for line in code.split("\n")):
        return code
    width = int(rng.choice([1, 2, 4, 8])) / 2  # of an indentation, as a multiple of what it was
    tabs = bool(rng.random() < 0.3)
    lines: list[str] = []
    for number, line in enumerate(code.split("\n")):
        stripped = line.lstrip(" \t")
        if not stripped and rng.random() < 0.5:
            continue
        columns = len(line) - len(stripped) if number else 0
        indent, inner = (_indent(columns + more, width, tabs=tabs) for more in (0, 2))
        call = _PLAIN_CALL.match(stripped) if rng.random() < 0.3 else None
        if call is None:
            lines.append(indent + stripped)
            continue
        lines.append(indent + call[1])
        lines += [f"{inner}{argument.strip()}," for argument in call[2].split(",")]
        lines.append(indent + call[3])
    return "\n".join(lines)


def _indent(columns: int, width: float, *, tabs: bool) -> str:
    """Blanks for so many columns of code that indents by two."""
    return "\t" * (columns // 2) if tabs else " " * round(columns * width)
