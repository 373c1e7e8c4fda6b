"""How many tokens lizard (1.24) makes of what a grammar takes for one.

It cuts text by a pattern with no grammar behind: `>>=` is one token, `>>` and `*=` are two. Its languages add patterns
of their own, which come first.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_SIGNS = (
    *("<<=", ">>=", "===", "!==", "...", "||", "&&", "==", "!=", "<=", ">=", "->", "=>", "++", "--", "+=", "-="),
    *("^=", "&=", "|=", ":=", "::", "**"),
)
_COMMON = (r"\w+", r'"(?:\\.|[^"\\])*"', r"'(?:\\.|[^'\\])*?'", *map(re.escape, _SIGNS), r"\S")


def weigher(*patterns: str) -> Callable[[str], int]:
    """Tells the number of tokens in a text by `patterns` and what all languages share."""
    tokens = re.compile("|".join((*patterns, *_COMMON)), re.DOTALL)
    return lambda text: len(tokens.findall(text))
