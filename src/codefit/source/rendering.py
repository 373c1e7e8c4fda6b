"""Edited lexemes as source again: what was not touched stays as it stands, with its spaces and comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codefit.source.lexemes import Lexed, column_of
from codefit.source.syntax.terminals import DEDENT, INDENT, NEWLINE, NUMBERS, TERMINALS

STEP = "    "  # of an indentation that was not there
_LAYOUT = (NEWLINE, INDENT, DEDENT)
_SPELLED = {
    "arrow": "->",
    "OR": "|",
    "not_in": "not in",
    "is_not": "is not",
    "NAME": "name",
    "NUMBER": "0",
    "STRING": '""',
}
_NO_SPACE_BEFORE = {NUMBERS[sign] for sign in (")", "]", "}", ",", ":", ";", ".")}
_NO_SPACE_AFTER = {NUMBERS[sign] for sign in ("(", "[", "{", ".", "~", "@")}
_CALLS = {NUMBERS[sign] for sign in ("NAME", ")", "]", "STRING")}
_DOTS = {NUMBERS["."], NUMBERS["..."]}
_OPENS = {NUMBERS[sign] for sign in ("(", "[")}


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the result: its terminal, and which lexeme of the source it is, None for a new one."""

    terminal: int
    lexeme: int | None


def render(lexed: Lexed, tokens: Sequence[Token], *, names: Mapping[int, str] | None = None) -> str:
    """The source of tokens, some of which are lexemes of `lexed`, in their order.

    New names, numbers and strings are written as name, 0 and ""; `names` (by place in `tokens`) gives others.
    """
    return _Renderer(lexed, tokens, names or {}).run()


class _Renderer:
    def __init__(self, lexed: Lexed, tokens: Sequence[Token], names: Mapping[int, str]) -> None:
        self.source, self.lexemes = lexed.source, lexed.lexemes
        self.tokens, self.names = tokens, names
        self.out: list[str] = []
        self.indents = [""]
        self.begins = True  # a line
        self.last: Token | None = None  # that was written, layout aside
        self.end = 0  # of what of the source is written or left out

    def run(self) -> str:
        for place, token in enumerate(self.tokens):
            if token.terminal == INDENT:
                self.indents.append(self._deeper(place))
            elif token.terminal == DEDENT:
                if len(self.indents) > 1:
                    self.indents.pop()
            elif token.terminal == NEWLINE:
                self._newline(token)
            else:
                self._word(place, token)
        self._rest()
        return "".join(self.out)

    def _indent_of(self, lexeme: int) -> str | None:
        """What stands before a lexeme on its line, None where that is not only space."""
        start = self.lexemes[lexeme].start
        first = max(self.source.rfind("\n", 0, start), self.source.rfind("\r", 0, start)) + 1
        before = self.source[first:start]
        return before if not before.strip(" \t\f") else None

    def _deeper(self, place: int) -> str:
        """The indentation after an INDENT: that of the line that follows, where it is deeper, else a step more."""
        for token in self.tokens[place + 1 :]:
            if token.terminal in _LAYOUT:
                continue
            own = None if token.lexeme is None else self._indent_of(token.lexeme)
            if own is not None and column_of(own) > column_of(self.indents[-1]):
                return own
            break
        return self.indents[-1] + STEP

    def _newline(self, token: Token) -> None:
        if token.lexeme is None:
            self.out.append("\n")
        else:
            lexeme = self.lexemes[token.lexeme]
            self._gap(lexeme.start, same_line=True)
            self.out.append(self.source[lexeme.start : lexeme.end] or "\n")
            self.end = lexeme.end
        self.begins = True

    def _word(self, place: int, token: Token) -> None:
        if token.lexeme is None:
            text = self.names.get(place) or _spelled(token.terminal)
            if self.begins:
                self.out.append(self.indents[-1])
            elif self._is_spaced(token):
                self.out.append(" ")
            self.out.append(text)
        else:
            lexeme = self.lexemes[token.lexeme]
            if self.begins:
                self._comments(lexeme.start)
                own = self._indent_of(token.lexeme)
                wanted = self.indents[-1]
                self.out.append(own if own is not None and column_of(own) == column_of(wanted) else wanted)
            elif self.last is not None and self.last.lexeme == token.lexeme - 1:
                self.out.append(self.source[self.end : lexeme.start])
            else:
                self._gap(lexeme.start, same_line=False)
                if self._is_spaced(token):
                    self.out.append(" ")
            self.out.append(self.source[lexeme.start : lexeme.end])
            self.end = lexeme.end
        self.begins = False
        self.last = token

    def _is_spaced(self, token: Token) -> bool:
        before = self.last.terminal if self.last else NEWLINE
        if self.out and self.out[-1].endswith((" ", "\t", "\n")):
            return False
        if before == NUMBERS["NUMBER"] and token.terminal in _DOTS:
            return True  # 0.real would be a number and a name
        if token.terminal in _NO_SPACE_BEFORE or before in _NO_SPACE_AFTER:
            return False
        return not (token.terminal in _OPENS and before in _CALLS)

    def _comments(self, start: int) -> None:
        """Whole lines of comments and nothing that stand before a line's first token."""
        skipped = self.source[self.end : start]
        lines = skipped.splitlines(keepends=True)
        whole = [
            line
            for line in lines
            if line.endswith(("\n", "\r")) and (not line.strip() or line.lstrip().startswith("#"))
        ]
        self.out.extend(whole)
        self.end = start

    def _gap(self, start: int, *, same_line: bool) -> None:
        """A comment that stands after what was written, where it ends with its line."""
        skipped = self.source[self.end : start]
        if same_line and "#" in skipped and "\n" not in skipped:
            self.out.append(skipped)
        self.end = max(self.end, start)

    def _rest(self) -> None:
        tail = self.source[self.end :]
        kept = tail.splitlines(keepends=True)
        self.out.extend(line for line in kept if not line.strip() or line.lstrip().startswith("#"))


def _spelled(terminal: int) -> str:
    name = TERMINALS[terminal]
    return _SPELLED.get(name, name)
