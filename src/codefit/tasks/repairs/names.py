"""What the names of a broken snippet tell of its repair: keywords misspelt, and calls written as statements.

As tokens `retrun`, `Class` and `print` are names as any other. Where the source is known, an edit that turns a name
into the keyword it resembles, or that puts a bracket behind `print` or at the end of its line, is likelier: by how much
is learned (`codefit.train.names`) and added to the score of the edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from codefit.source.lexemes import Lexed
from codefit.source.syntax.terminals import NAME, NEWLINE, NUMBERS, TERMINALS
from codefit.tasks.repairs.packed import INSERT, NO_EDIT, PLACE_SHIFT, SUBSTITUTE, TERMINAL_BITS

# An edit to the keyword that a name is but for case, or means in another language; to one that it nearly is; a bracket
# behind a statement of Python 2 that is a call now; the bracket at the end of its line.
SAME, NEAR, OPEN, CLOSE = range(4)
CLUES = ("same", "near", "open", "close")
MEANS = {
    "function": "def", "func": "def", "fun": "def", "fn": "def", "define": "def", "sub": "def", "object": "class",
    "struct": "class", "catch": "except", "exception": "except", "elseif": "elif", "elsif": "elif", "foreach": "for",
    "loop": "for", "until": "while", "where": "if", "when": "if", "unless": "if", "throw": "raise", "include": "import",
    "using": "import", "require": "import", "null": "None", "nil": "None", "undefined": "None", "let": "global",
    "ensure": "finally", "begin": "try",
}  # fmt: skip
CALLS = {"print", "exec"}
SHORTEST = 3  # characters of a keyword that a name may nearly be: `i` is not nearly `if`
_KEYWORDS = {word: number for number, word in enumerate(TERMINALS) if word.isalpha() and word not in (
    "NEWLINE", "NAME", "INDENT", "DEDENT", "NUMBER", "STRING", "arrow", "OR",
)}  # fmt: skip
_BY_LOWER = {word.lower(): number for word, number in _KEYWORDS.items()}
Names = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Clues:
    """Keywords that names resemble, by place: (terminal, SAME or NEAR); the places of OPEN and CLOSE brackets."""

    keywords: dict[int, tuple[int, int]]
    open: frozenset[int]
    close: frozenset[int]

    def __bool__(self) -> bool:
        return bool(self.keywords or self.open)


def names_of(lexed: Lexed) -> list[str | None]:
    """The text of each token that is a name, None for the others."""
    return [lexed.source[lexeme.start : lexeme.end] if lexeme.terminal == NAME else None for lexeme in lexed.lexemes]


def clues_of(tokens: Sequence[int], names: Names) -> Clues:
    """What the names tell; there may be fewer names than tokens, since a last NEWLINE may have been added."""
    keywords: dict[int, tuple[int, int]] = {}
    opens, closes = set(), set()
    line_ends = [place for place, token in enumerate(tokens) if token == NEWLINE]
    for place, name in enumerate(names):
        if name is None:
            continue
        found = resembled(name)
        if found is not None:
            keywords[place] = found
        if name in CALLS:
            opens.add(place + 1)
            closes.add(next((end for end in line_ends if end > place), len(tokens)))
    return Clues(keywords, frozenset(opens), frozenset(closes))


@lru_cache(maxsize=4096)
def resembled(name: str) -> tuple[int, int] | None:
    """The keyword that a name stands for and how surely, None for most names."""
    lower = name.lower()
    if lower in _BY_LOWER:
        return _BY_LOWER[lower], SAME
    if lower in MEANS:
        return _KEYWORDS[MEANS[lower]], SAME
    near = [word for word in _KEYWORDS if len(word) >= SHORTEST and _one_apart(lower, word.lower())]
    return (_KEYWORDS[max(near, key=len)], NEAR) if near else None


def _one_apart(a: str, b: str) -> bool:
    """Whether one character more, fewer or other, or two that changed places, make `b` of `a`."""
    if abs(len(a) - len(b)) > 1:
        return False
    start = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[start:], b[start:]
    swapped = rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:]
    return rest_a[1:] == rest_b or rest_a == rest_b[1:] or rest_a[1:] == rest_b[1:] or swapped


def clue_counts(clues: Clues, packed: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """How often the edits of each candidate (n, MAX_EDITS) follow each clue, (n, len(CLUES))."""
    counts = np.zeros((len(packed), len(CLUES)), dtype=np.float32)
    for row, edits in enumerate(packed.tolist()):
        for edit in edits:
            clue = _clue(clues, edit) if edit != NO_EDIT else None
            if clue is not None:
                counts[row, clue] += 1
    return counts


def _clue(clues: Clues, edit: int) -> int | None:
    place, kind, terminal = edit >> PLACE_SHIFT, edit >> TERMINAL_BITS & 3, edit & 127
    if kind == SUBSTITUTE and place in clues.keywords:
        keyword, surely = clues.keywords[place]
        return surely if terminal == keyword else None
    if kind == INSERT and terminal == NUMBERS["("] and place in clues.open:
        return OPEN
    if kind == INSERT and terminal == NUMBERS[")"] and place in clues.close:
        return CLOSE
    return None


def add_clues(
    clues: Clues, weights: Sequence[float], insert: npt.NDArray[np.float32], substitute: npt.NDArray[np.float32]
) -> None:
    """Add the weights of what follows a clue to the scores of edits, (n + 1, terminals) and (n, terminals)."""
    for place, (keyword, surely) in clues.keywords.items():
        substitute[place, keyword] += weights[surely]
    insert[list(clues.open), NUMBERS["("]] += weights[OPEN]
    insert[list(clues.close), NUMBERS[")"]] += weights[CLOSE]
