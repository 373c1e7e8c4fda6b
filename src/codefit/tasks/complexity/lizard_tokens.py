"""JavaScript as lizard cuts it into tokens (lizard 1.24): text by patterns, with no grammar behind.

It differs from the language in ways that its figures depend on: `1.5` is three tokens, a regular expression is one
where certain signs stand before it and many elsewhere, `a?` is one where no space parts them, and the code inside a
template string is one.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

_REGEX = r"/(?![/*])(?:\\[^\r\n]|\[(?:\\[^\r\n]|[^\\\]\r\n])*\]|[^/\\[\r\n])+/[a-z]*"
_AFTER_SIGN = rf"(?:\A|(?<=[=,({{[?:!&|;]))\s*{_REGEX}"
_SIGNS = ("<<=", ">>=", "||", "&&", "===", "!==", "==", "!=", "<=", ">=", "->", "=>", "++", "--", "+=", "-=")
_MORE_SIGNS = ("^=", "&=", "|=", "...")
_TOKEN = re.compile(
    "|".join(
        (
            r"/\*.*?\*/",
            r"#\w+",
            r"\$\w+",
            r"\w+\?(?![?.])",
            r"\?\?",
            r"\?\.(?!\d)",
            _AFTER_SIGN,
            r"(?:\d+')+\d+",
            r"\w+",
            r'"(?:\\.|[^"\\])*"',
            r"'(?:\\.|[^'\\])*?'",
            r"//(?:\\\n|[^\n])*",
            r":=|::|\*\*",
            r"<(?=(?:[^<>?]*\?)+[^<>]*>)(?:[\w\s,.?]|(?:extends))+>",
            *map(re.escape, _SIGNS),
            r"[-+*/]",
            *map(re.escape, _MORE_SIGNS),
            r"\\\n",
            r"\n",
            r"[^\S\n]+",
            r".",
        )
    ),
    re.DOTALL | re.MULTILINE,
)
_QUOTED = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''
_TEMPLATE_OR_OTHER = re.compile(rf"/\*.*?\*/|//[^\r\n]*|{_QUOTED}|{_AFTER_SIGN}|`", re.DOTALL)
_IN_TEMPLATE = re.compile(r"\\.|`|\$\{", re.DOTALL)
_IN_SUBSTITUTION = re.compile(rf"/\*.*?\*/|//[^\r\n]*|{_QUOTED}|{_AFTER_SIGN}|[`{{}}]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """A token at the character `start`; `lines` is how many lines with code begin with it or within it."""

    text: str
    start: int
    lines: int


def lizard_tokens(code: str) -> Iterator[Token]:
    """The tokens without comments and white space."""
    is_first = True
    for start, text in _raw_tokens(code):
        if text.startswith(("/*", "//")):
            is_first = is_first or "\n" in text
        elif text == "\n":
            is_first = True
        elif not text.isspace():
            yield Token(text, start, text.count("\n") + is_first)
            is_first = False


def _raw_tokens(code: str) -> Iterator[tuple[int, str]]:
    place = 0
    while "`" in code:
        found = _TEMPLATE_OR_OTHER.search(code, place)
        start = found.start() if found is not None else len(code)
        while found is not None and found[0] != "`":
            found = _TEMPLATE_OR_OTHER.search(code, found.end())
            start = found.start() if found is not None else len(code)
        yield from _plain_tokens(code, place, start)
        if found is None:
            return
        place = yield from _template(code, start)
    yield from _plain_tokens(code, place, len(code))


def _plain_tokens(code: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    for found in _TOKEN.finditer(code, start, end):
        text = found[0]
        stripped = text.lstrip()
        if stripped.startswith("/") and not text.startswith("/"):  # a regular expression with the space before it
            yield from ((found.start(), "\n") for _ in range(text[: len(text) - len(stripped)].count("\n")))
            text = stripped
        yield found.end() - len(text), text


def _template(code: str, start: int) -> Generator[tuple[int, str], None, int]:
    """The tokens of the template string at `start`; gives the place behind it."""
    end, inside = _template_end(code, start)
    if inside is None:
        yield start, code[start:end]
        return end
    yield start, "`"
    place = start + 1
    for opened, closed in inside:
        if place < opened - 2:
            yield place, f"`{code[place : opened - 2]}`"
        yield from ((opened - 2, "${"), (opened, code[opened:closed]), (closed, "}"))
        place = closed + 1
    if place < end - 1:
        yield place, f"`{code[place : end - 1]}`"
    yield end - 1, "`"
    return end


def _template_end(code: str, start: int) -> tuple[int, list[tuple[int, int]] | None]:
    """Where a template string ends, and where its substitutions lie; None where it does not end."""
    braces = [0]  # for each template that is open, those of its substitution; none: its text
    inside: list[tuple[int, int]] = []
    opened, place = 0, start + 1
    while braces:
        found = (_IN_SUBSTITUTION if braces[-1] else _IN_TEMPLATE).search(code, place)
        if found is None:
            return len(code), None
        sign, place = found[0], found.end()
        if not braces[-1]:
            if sign == "`":
                braces.pop()
            elif sign == "${":
                opened = place if len(braces) == 1 else opened
                braces.append(1)
        elif sign == "`":
            braces.append(0)
        elif sign in "{}":
            braces[-1] += 1 if sign == "{" else -1
            if not braces[-1]:
                braces.pop()
                if len(braces) == 1:
                    inside.append((opened, found.start()))
    return place, inside
