"""Where a statement ends, with a semicolon or without."""

from __future__ import annotations

from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.memory import (
    AT,
    COMMENT_BEFORE,
    FLAGS,
    GOES_ON_WORD,
    HIDDEN_LINE_BEFORE,
    LINE_BEFORE,
    ROW,
)


@compiled
def goes_on(t, at):  # type: ignore[no-untyped-def]
    """Whether the grammar puts no semicolon before a token, whatever the line feed before it."""
    return k.GOES_ON[t[at]] != 0 or t[at + FLAGS] & GOES_ON_WORD != 0


@compiled
def semicolon(t, m):  # type: ignore[no-untyped-def]
    """Go past a semicolon, or tell whether the grammar puts one here."""
    at = m[AT]
    kind = t[at]
    if kind == k.SEMICOLON:
        m[AT] = at + ROW
        return True
    if kind == k.RIGHT_BRACE or kind == k.END:
        return True
    return t[at + FLAGS] & LINE_BEFORE != 0 and not goes_on(t, at)


@compiled
def semicolon_after_word(t, m):  # type: ignore[no-untyped-def]
    """The same where no operator may follow: there the grammar puts a semicolon before a comment, even before one."""
    flags = t[m[AT] + FLAGS]
    if t[m[AT]] == k.SEMICOLON and flags & COMMENT_BEFORE and flags & (LINE_BEFORE | HIDDEN_LINE_BEFORE):
        return False
    return semicolon(t, m)
