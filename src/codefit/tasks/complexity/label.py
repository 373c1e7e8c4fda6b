"""The label of a function: the reference run's formula over the figures of its first function.

For JavaScript and TypeScript these are lizard's figures, as the reference run has them; where lizard finds no function
the label is 1.0, there and here. For other languages they are those of `codefit.source.metrics`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from codefit.source.metrics.figures import LOWEST, formula
from codefit.source.metrics.measure import measure
from codefit.tasks.complexity.lizard_reader import lizard_functions

BY_LIZARD = frozenset({"javascript", "typescript"})
# A method alone is no function for lizard; the reference run put the keyword before it.
METHOD_PREFIX = "function "
_METHOD = re.compile(
    r"\s*(?:(?:static|async|get|set)\s+(?=[\w$#\[*'\"]))*\*?\s*(?:[\w$#]+|\[[^\]]*\]|'[^']*'|\"[^\"]*\")\s*\([^;]*?\)\s*\{"
)
_NO_METHOD = re.compile(r"\s*(?:async\s+)?function\b|\s*async\s*\(|\s*(?:if|for|while|switch|catch|with)\b")


@dataclass(frozen=True, slots=True)
class Label:
    """A score from 1.0 to 10.0 and the figures that it is made of, all nought where no function was found."""

    score: float
    ccn: int = 0
    tokens: int = 0
    lines: int = 0

    def to_dict(self) -> dict[str, float]:
        """The figures as a row keeps them."""
        return {"label_ccn": self.ccn, "label_tokens": self.tokens, "label_lines": self.lines}


def label_of_code(code: str, language: str) -> Label:
    """The label of a function's code; `InputError` and `CodefitError` as `measure` raises them."""
    if language in BY_LIZARD:
        found = lizard_functions(METHOD_PREFIX + code if is_method(code) else code)
        if not found:
            return Label(LOWEST)
        first = found[0]
        return Label(formula(first.ccn, first.tokens, first.lines), first.ccn, first.tokens, first.lines)
    functions = measure(code, language).functions
    if not functions:
        return Label(LOWEST)
    own = functions[0]
    return Label(own.score, own.ccn, own.tokens, own.lines)


def is_method(code: str) -> bool:
    """Whether JavaScript is a method as it stands in a class, without the class."""
    return _NO_METHOD.match(code) is None and _METHOD.match(code) is not None
