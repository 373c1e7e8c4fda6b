"""Python source, sound or broken, as lexical tokens, and tokens that were edited as source again.

Unlike `tokenize`, which from Python 3.12 on raises on what is not Python, this goes on after anything: a string that
never ends ends with its line, an indentation that fits no level opens none, a character that is none of Python's is
told and left out. What it gives on sound code are the tokens of Python's reference, section 2, as the 90 terminals
have them: "not in" and "is not" are one token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from codefit.source.syntax.terminals import DEDENT, INDENT, NEWLINE, NUMBERS, TERMINALS

TAB = 8  # columns to which a tab moves on, as in the reference, section 2.1.8
STRING, NUMBER, NAME = NUMBERS["STRING"], NUMBERS["NUMBER"], NUMBERS["NAME"]
_SPELLED = {"->": "arrow", "|": "OR"}
_WORDS = {
    word: number
    for word, number in NUMBERS.items()
    if (word.isalpha() and word.islower()) or word in ("None", "True", "False")
}
_WORDS.pop("arrow")
_OPERATORS = {
    **{sign: number for sign, number in NUMBERS.items() if not sign[0].isalpha()},
    **{sign: NUMBERS[name] for sign, name in _SPELLED.items()},
}
_OPENING, _CLOSING = {NUMBERS[sign] for sign in "([{"}, {NUMBERS[sign] for sign in ")]}"}
_PREFIX = r"(?:[rR][bBfF]?|[bBfF][rR]?|[uU])?"
_DIGITS = r"[0-9](?:_?[0-9])*"
_SCAN = re.compile(
    rf"""
      (?P<space>[ \t\f]+|\\\r?\n|\ufeff)
    | (?P<comment>\#[^\n\r]*)
    | (?P<line>\r?\n|\r)
    | (?P<long>{_PREFIX}(?:\"\"\"[^\\"]*(?:(?:\\.|\"(?!\"\"))[^\\"]*)*(?P<long_end>\"\"\")?
        |'''[^\\']*(?:(?:\\.|'(?!''))[^\\']*)*(?P<long_end2>''')?))
    | (?P<string>{_PREFIX}(?:"[^\n\r\\"]*(?:\\(?:\r\n|.)[^\n\r\\"]*)*(?P<end>")?
        |'[^\n\r\\']*(?:\\(?:\r\n|.)[^\n\r\\']*)*(?P<end2>')?))
    | (?P<number>(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+
        |{_DIGITS}[jJ]|(?:{_DIGITS}\.(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][-+]?{_DIGITS})?[jJ]?|{_DIGITS}[eE][-+]?{_DIGITS}[jJ]?
        |0(?:_?0)*|[1-9](?:_?[0-9])*))
    | (?P<word>[^\W\d]\w*)
    | (?P<operator>{"|".join(re.escape(sign) for sign in sorted(_OPERATORS, key=len, reverse=True))})
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A token: its terminal by number, and where it stands in the source, in characters.

    NEWLINE, INDENT and DEDENT stand where they are seen; those two have no characters of their own.
    """

    terminal: int
    start: int
    end: int


@dataclass(slots=True)
class Lexed:
    """The lexemes of a source, and what was met on the way that no Python has: (place, what)."""

    source: str
    lexemes: list[Lexeme] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    @property
    def terminals(self) -> list[int]:
        """The tokens by number."""
        return [lexeme.terminal for lexeme in self.lexemes]


def column_of(indent: str) -> int:
    """The column in which a line begins after its indentation."""
    column = 0
    for character in indent:
        column = (column // TAB + 1) * TAB if character == "\t" else 0 if character == "\f" else column + 1
    return column


def lex(source: str) -> Lexed:
    """The lexemes of a source; never raises."""
    return _Lexer(source).run()


class _Lexer:
    def __init__(self, source: str) -> None:
        self.lexed = Lexed(source)
        self.indents = [0]
        self.depth = 0  # of open brackets, within which lines do not end
        self.begins = True  # a line, as far as its indentation is not measured yet

    def run(self) -> Lexed:
        source = self.lexed.source
        for match in _SCAN.finditer(source):
            kind, start, end = match.lastgroup or "", match.start(), match.end()
            if kind in ("long_end", "long_end2"):
                kind = "long"
            elif kind in ("end", "end2"):
                kind = "string"
            if kind in ("space", "comment"):
                continue
            if kind == "line":
                self._end_line(start, end)
                continue
            if self.begins and not self.depth:
                self._indent(start)
            self.begins = False
            self._token(kind, match, start, end)
        self._end_line(len(source), len(source), last=True)
        for _ in self.indents[1:]:
            self._add(DEDENT, len(source), len(source))
        return self.lexed

    def _add(self, terminal: int, start: int, end: int) -> None:
        self.lexed.lexemes.append(Lexeme(terminal, start, end))

    def _end_line(self, start: int, end: int, *, last: bool = False) -> None:
        if self.begins or (self.depth and not last):
            return
        self._add(NEWLINE, start, end)
        self.begins = True

    def _indent(self, start: int) -> None:
        source = self.lexed.source
        first = max(source.rfind("\n", 0, start), source.rfind("\r", 0, start)) + 1
        column = column_of(source[first:start])
        if column > self.indents[-1]:
            self.indents.append(column)
            self._add(INDENT, start, start)
            return
        while column < self.indents[-1] and len(self.indents) > 1:
            self.indents.pop()
            self._add(DEDENT, start, start)
        if column != self.indents[-1]:
            self.lexed.problems.append((start, "the indentation fits no level above"))
            self.indents[-1] = column

    def _token(self, kind: str, match: re.Match[str], start: int, end: int) -> None:
        if kind in ("string", "long"):
            ends = ("end", "end2") if kind == "string" else ("long_end", "long_end2")
            if not any(match[name] for name in ends):
                self.lexed.problems.append((start, "the string does not end"))
            self._add(STRING, start, end)
        elif kind == "number":
            self._add(NUMBER, start, end)
        elif kind == "word":
            self._word(match.group(), start, end)
        elif kind == "operator":
            terminal = _OPERATORS[match.group()]
            self.depth = max(0, self.depth + (terminal in _OPENING) - (terminal in _CLOSING))
            self._add(terminal, start, end)
        else:
            self.lexed.problems.append((start, f"{match.group()!r} is no character of Python"))

    def _word(self, word: str, start: int, end: int) -> None:
        lexemes = self.lexed.lexemes
        before = TERMINALS[lexemes[-1].terminal] if lexemes else ""
        if (before, word) in (("not", "in"), ("is", "not")):
            lexemes[-1] = Lexeme(NUMBERS[f"{before}_{word}"], lexemes[-1].start, end)
        else:
            self._add(_WORDS.get(word, NAME), start, end)
