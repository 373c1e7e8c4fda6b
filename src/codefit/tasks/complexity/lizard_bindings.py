"""Defaults in patterns (`{a = 1, b: [c = 2]}`) as lizard tells them from code, token by token."""

from __future__ import annotations

from dataclasses import dataclass, field

_CLOSES = {"(": ")", "[": "]", "{": "}", "${": "}"}


@dataclass(slots=True)
class _Level:
    closing: str
    in_default: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What a token was: the pattern's last, inside a default or a computed key, the first or the last of a default,
    a comma between parameters."""

    ended: bool = False
    in_code: bool = False
    begins_default: bool = False
    ends_default: bool = False
    separates: bool = False


@dataclass(slots=True)
class Pattern:
    """A pattern that is open until `closing`; `defaults` are counted as they come."""

    closing: str
    defaults: int = 0
    before: str = ""
    levels: list[_Level] = field(default_factory=list)
    brackets: list[str] = field(default_factory=list)  # of code inside

    def __post_init__(self) -> None:
        self.levels.append(_Level(self.closing))

    @property
    def in_code(self) -> bool:
        """Whether the next token is code: part of a default or of a computed key."""
        return self.levels[-1].in_default or bool(self.brackets)

    @property
    def is_new(self) -> bool:
        """Whether nothing was read yet."""
        return not self.before

    def read(self, token: str) -> Seen:
        """Take the next token."""
        if not self.levels:
            return Seen(ended=True)
        level, in_code, defaults = self.levels[-1], self.in_code, self.defaults
        ends_default = in_code and not self.brackets and token in (",", level.closing)
        separates = token == "," and len(self.levels) == 1 and not self.brackets
        self._move(level, token)
        if not self.levels:
            return Seen(True, in_code, False, ends_default, separates)
        self.before = token
        return Seen(False, in_code, self.defaults != defaults, ends_default, separates)

    def _move(self, level: _Level, token: str) -> None:
        if self.brackets:
            if token in _CLOSES:
                self.brackets.append(_CLOSES[token])
            elif token == self.brackets[-1]:
                self.brackets.pop()
        elif token == level.closing:
            self.levels.pop()
        elif token == ",":
            level.in_default = False
        elif level.in_default or token == "(" or self._is_computed_key(level, token):
            if token in _CLOSES:
                self.brackets.append(_CLOSES[token])
        elif token in "[{":
            self.levels.append(_Level(_CLOSES[token]))
        elif token == "=":
            self.defaults += 1
            level.in_default = True

    def _is_computed_key(self, level: _Level, token: str) -> bool:
        return token == "[" and level.closing == "}" and self.before in ("", "{", ",")
