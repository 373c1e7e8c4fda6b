"""What is wrong below the tokens: quotes that never close, typographic quotes and spaces, characters of no Python.

No edit of tokens mends these, since a broken string is a STRING as a whole one is; so they are mended first.
"""

from __future__ import annotations

from dataclasses import dataclass

from codefit.source.lexemes import Lexed, lex
from codefit.source.syntax.terminals import NUMBERS

STRAIGHT = {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "\u00a0": " ", "\u2003": " ", "\u3000": " "}
MOST_MENDED = 200  # characters: what has more is no text
_STRING = NUMBERS["STRING"]
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class MendedText:
    """A text whose characters are Python's, and what was done: (line, what), 0-based lines of the text."""

    text: str
    told: list[tuple[int, str]]


def mend_characters(text: str) -> MendedText:
    """The text with its typographic quotes straight, its strings closed and without what no Python has.

    A string that does not end with its line is closed there, before the brackets that the line still has to close
    (`print('a)` is `print('a')`). One of three quotes stays open: where it should end nothing says.
    """
    told: list[tuple[int, str]] = []
    while (mended := _closed(_straightened(text, told), told)) != text:
        text = mended  # again: a quote that is straight now may begin a string where there was a comment
        if len(told) > MOST_MENDED:
            break
    return MendedText(text, sorted(told))


def _straightened(text: str, told: list[tuple[int, str]]) -> str:
    """Typographic characters outside of strings and comments written as Python has them, others taken out."""
    out = []
    at = 0
    line = 0
    strays = {place for place, what in lex(text).problems if what.endswith("no character of Python")}
    for place in sorted(strays):
        line += text.count("\n", at, place)
        out.append(text[at:place])
        character = text[place]
        new = STRAIGHT.get(character, "")
        out.append(new)
        told.append((line, f"{character!r} becomes {new!r}" if new else f"delete {character!r}"))
        at = place + 1
    out.append(text[at:])
    return "".join(out)


def _closed(text: str, told: list[tuple[int, str]]) -> str:
    lexed = lex(text)
    open_strings = {place for place, what in lexed.problems if what == "the string does not end"}
    for lexeme in reversed(lexed.lexemes):
        if lexeme.terminal != _STRING or lexeme.start not in open_strings:
            continue
        written = text[lexeme.start : lexeme.end]
        quote = next(character for character in written if character in "'\"")
        if written.lstrip("rRbBuUfF").startswith(quote * 3):
            continue
        end = lexeme.end - _of_the_line(lexed, lexeme.start, written)
        text = f"{text[:end]}{quote}{text[end:]}"
        told.append((text.count("\n", 0, lexeme.start), f"insert {quote}"))
    return text


def _of_the_line(lexed: Lexed, start: int, written: str) -> int:
    """How many of the string's last characters close what the line opened before it, a colon after them too."""
    line = lexed.source[lexed.source.rfind("\n", 0, start) + 1 : start]
    is_open = sum(line.count(sign) for sign in _OPENING) - sum(line.count(sign) for sign in _CLOSING)
    rest = written.rstrip()
    taken = len(written) - len(rest)
    if rest.endswith(":"):
        rest, taken = rest[:-1], taken + 1
    colon = taken
    while is_open > 0 and rest and rest[-1] in _CLOSING:
        rest, taken, is_open = rest[:-1], taken + 1, is_open - 1
    return taken if taken > colon else 0
