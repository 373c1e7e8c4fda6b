"""How deep code lies in brackets and in functions, and how many functions have ended, place by place, by a lexer alone.

For languages with braces, above all JavaScript: a brace behind `)` or `=>` opens a function, unless what the bracket
belongs to is `if` and its like, and an arrow without a brace reaches to the next comma, semicolon or closing bracket.
It needs no grammar and so reads broken code: a bracket that closes nothing is passed over, one that was left open ends
with what it lies in. Where there are no braces, as in Python, no function is found, and brackets are counted alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

_LEXEME = re.compile(
    r"""
    //[^\n]* | /\*.*?(?:\*/|\Z)                                             # comments
    | '(?:\\.|[^'\\\n])*'? | "(?:\\.|[^"\\\n])*"? | `(?:\\.|[^`\\])*`?      # strings, which may be left open
    | (?:(?<=[(,=:\[!&|?{};])|(?<=return))\s*/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*  # regular expressions
    | => | [\w$#]+ | [()\[\]{},;] | [^\s\w]
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSES = {")": "(", "]": "[", "}": "{"}
_ARROW = "=>"
_CONTROL = frozenset({"if", "for", "while", "switch", "catch", "with", "await", "synchronized"})
_NEAR = 4  # open brackets up to which one is looked for that a closing one may belong to


@dataclass(frozen=True, slots=True)
class Nesting:
    """From each of `starts` (changes,), characters, on: depth in brackets, depth in functions, functions ended."""

    starts: IntArray
    brackets: IntArray
    functions: IntArray
    ended: IntArray

    def at(self, places: npt.ArrayLike) -> IntArray:
        """The three figures at characters (n,), as (n, 3)."""
        change = np.searchsorted(self.starts, np.asarray(places, dtype=np.int64), side="right") - 1
        return np.stack([self.brackets[change], self.functions[change], self.ended[change]], axis=1)


@dataclass(slots=True)
class _Open:
    """A bracket, or an arrow whose value is no block, that is open; `word` is what stands before a bracket."""

    sign: str
    word: str
    function: bool


class _Reader:
    """Lexeme by lexeme, what is open and what changes where."""

    def __init__(self) -> None:
        self.open: list[_Open] = []
        self.changes: list[tuple[int, int, int, int]] = [(0, 0, 0, 0)]
        self.brackets = self.functions = self.ended = 0
        self.before = ""  # the lexeme before
        self.headed = ""  # what stands before the bracket that the lexeme before closed

    def read(self, lexeme: str, start: int, end: int) -> None:
        if self.before == _ARROW and lexeme != "{":
            self._begin(_Open(_ARROW, "", True), start)
        if lexeme in ("(", "[", "{"):
            headed = self.before == ")" and self.headed not in _CONTROL
            self._begin(_Open(lexeme, self.before, lexeme == "{" and (self.before == _ARROW or headed)), start)
        elif lexeme in _CLOSES or lexeme in (",", ";"):
            while self.open and self.open[-1].sign == _ARROW:
                self._end(start)
            if lexeme in _CLOSES:
                self._close(_CLOSES[lexeme], end)
        self.before = lexeme

    def _begin(self, opened: _Open, place: int) -> None:
        self.open.append(opened)
        self.brackets += opened.sign != _ARROW
        self.functions += opened.function
        self._note(place)

    def _close(self, sign: str, place: int) -> None:
        self.headed = ""
        if all(each.sign != sign for each in self.open[-_NEAR:]):
            return
        while self.open[-1].sign != sign:
            self._end(place)
        self.headed = self.open[-1].word
        self._end(place)

    def _end(self, place: int) -> None:
        closed = self.open.pop()
        self.brackets -= closed.sign != _ARROW
        self.functions -= closed.function
        self.ended += closed.function
        self._note(place)

    def _note(self, place: int) -> None:
        self.changes.append((place, self.brackets, self.functions, self.ended))


def nesting(code: str) -> Nesting:
    """The nesting of code; time and memory are those of its length."""
    reader = _Reader()
    for found in _LEXEME.finditer(code):
        lexeme = found.group()
        if not lexeme.startswith(("//", "/*")):
            reader.read(lexeme, found.start(), found.end())
    table = np.array(reader.changes, dtype=np.int64)
    return Nesting(table[:, 0], table[:, 1], table[:, 2], table[:, 3])
