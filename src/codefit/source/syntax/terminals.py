"""The 90 terminals that a Python snippet is made of when it is repaired, and the character that each is written as.

They, their order and `chr(33 + i)` are those of the tidyparse data (Considine, "Syntax Repair as Language
Intersection"; the terminals by way of Seq2Parse, Sakkas et al., OOPSLA 2022), so that a snippet is a string without a
space, one character a token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codefit.errors import InputError

TERMINALS: tuple[str, ...] = (
    *("NEWLINE", "NAME", "=", "*", "**", "arrow", "+=", "-=", "*=", "@=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="),
    *("**=", "//=", "del", "pass", "break", "continue", "return", "yield", "raise", "from", "import", ".", "...", "as"),
    *("global", "nonlocal", "assert", "def", "class", "async", "await", "if", "elif", "else", "while", "for", "in"),
    *("finally", "except", "try", "with", "lambda", "INDENT", "DEDENT", ":", ";", ",", "(", ")", "[", "]", "{", "}"),
    *("or", "and", "not", "<", ">", "==", ">=", "<=", "<>", "!=", "not_in", "is", "is_not", "OR", "^", "&", "<<"),
    *(">>", "+", "-", "@", "/", "%", "//", "~", "NUMBER", "STRING", "None", "True", "False"),
)
FIRST_CHARACTER = 33
NUMBERS: dict[str, int] = {terminal: number for number, terminal in enumerate(TERMINALS)}
NEWLINE, NAME, INDENT, DEDENT = (NUMBERS[terminal] for terminal in ("NEWLINE", "NAME", "INDENT", "DEDENT"))


def to_characters(terminals: Iterable[int]) -> str:
    """Terminals by number as a string, one character each."""
    return "".join(chr(FIRST_CHARACTER + number) for number in terminals)


def from_characters(text: str, *, where: str | None = None) -> list[int]:
    """The inverse of `to_characters`; `InputError` for a character that stands for no terminal."""
    numbers = [ord(character) - FIRST_CHARACTER for character in text]
    for place, number in enumerate(numbers):
        if not 0 <= number < len(TERMINALS):
            raise InputError(f"character {place + 1}, {text[place]!r}, stands for no terminal", where=where)
    return numbers


def from_names(text: str, *, where: str | None = None) -> list[int]:
    """Terminals written out with spaces between, as in the tidyparse data; `InputError` for one that there is not."""
    try:
        return [NUMBERS[name] for name in text.split()]
    except KeyError as error:
        raise InputError(f"there is no terminal {error.args[0]!r}", where=where) from error


def to_names(terminals: Sequence[int]) -> str:
    """The inverse of `from_names`."""
    return " ".join(TERMINALS[number] for number in terminals)
