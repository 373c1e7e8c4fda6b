"""What lizard passes over in JavaScript because it may be TypeScript: annotations, aliases, interfaces, declarations.

Each function gives a reader its next mode, which takes token by token and says whether it is done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Mode = Callable[[str], bool]


class Lines(Protocol):
    """The file that is read."""

    at_line_start: bool


class Reader(Protocol):
    """What of a reader is used here; `last` is its last token, `code` the mode for statements and expressions."""

    mode: Mode
    last: str

    @property
    def file(self) -> Lines:
        """What it reads."""

    def code(self, token: str) -> bool:
        """Statements and expressions."""


def skip_generics(reader: Reader, *, then: Mode) -> Mode:
    """The inside of `<…>`; `then` is the mode behind it."""
    depth = 1

    def skip(token: str) -> bool:
        nonlocal depth
        depth += (token == "<") - (token == ">")
        if not depth:
            reader.mode = then
        return False

    return skip


def skip_braces(reader: Reader, *, depth: int) -> Mode:
    """To the end of `{…}`, of which so many are open."""

    def skip(token: str) -> bool:
        nonlocal depth
        if token == "{":
            depth += 1
        elif token == "}" and depth:
            depth -= 1
            if not depth:
                reader.mode = reader.code
                return True
        return False

    return skip


def skip_declared(reader: Reader) -> Mode:
    """A declaration without a body, to the end of its line."""

    def skip(token: str) -> bool:
        if token == ";" or reader.file.at_line_start:
            reader.mode = reader.code
            return True
        return False

    return skip


def read_alias(reader: Reader) -> Mode:
    """After `type`: an alias, or an expression with a variable that is called so."""

    def name(token: str) -> bool:
        if token[0].isalpha():
            reader.mode = equals
            return False
        reader.last = "type"
        reader.mode = reader.code
        reader.code(token)
        return True

    def equals(token: str) -> bool:
        if token == "<":
            reader.mode = skip_generics(reader, then=equals)
        elif token == "=":
            reader.mode = value
        elif token == ";":
            reader.mode = reader.code
            return True
        return False

    def value(token: str) -> bool:
        if token == "{":
            reader.mode = skip_braces(reader, depth=1)
        elif token == ";" or reader.file.at_line_start:
            reader.mode = reader.code
            if token != ";":
                reader.code(token)
            return True
        return False

    return name


class TypeReader:
    """Passes over what follows a colon until something that cannot be part of a type, which is `saved`."""

    def __init__(self) -> None:
        self.saved = ""
        self._kind = ""
        self._depth = 0

    def read(self, token: str) -> bool:
        """Take a token; whether the type ends with it."""
        if self._kind in ("{}", "<>", "()"):
            return self._bracket(token)
        if not self._kind and token == "{":
            self._kind = "{}"
            return self._bracket(token)
        self._kind = "simple"
        if token == "<":
            self._kind = "<>"
            return self._bracket(token)
        if token in "{=;)" or token == "=>":
            self.saved = token
            return True
        if token == "(":
            self._kind = "()"
            return self._bracket(token)
        return False

    def _bracket(self, token: str) -> bool:
        self._depth += (token == self._kind[0]) - (token == self._kind[1])
        return not self._depth
