"""Brackets in expressions: groups, arguments, lists, indexes and templates."""

from __future__ import annotations

from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.memory import (
    AT,
    CHAIN,
    ELEMENT,
    FIRST,
    INNER_SHIFT,
    IS_TIGHT,
    IS_WRAPPED,
    MARKS,
    OUTER_CHAIN,
    PARENTHESIS,
    PLAIN,
    ROW,
    SEQUENCE,
    TAIL,
)


@compiled
def item(t, m):  # type: ignore[no-untyped-def]
    """An argument, or an item of a list: maybe none, maybe spread."""
    at = m[AT]
    is_list = m[o.top(m)] == o.ARRAY
    while is_list and t[at] == k.COMMA:
        at += ROW
    m[AT] = at
    if t[at] == (k.RIGHT_BRACKET if is_list else k.RIGHT_PAREN):
        return _end_of_items(m, at)
    if t[at] == k.ELLIPSIS:
        m[AT] = at + ROW
    o.begin(m, o.NONE)
    return o.OPERAND


@compiled
def _end_of_items(m, at):  # type: ignore[no-untyped-def]
    if m[o.pop(m)] == o.ARRAY:
        m[TAIL] = PLAIN
    m[AT] = at + ROW
    return o.OPERATOR


@compiled
def template(t, m):  # type: ignore[no-untyped-def]
    """The text of a template, up to its end or to a substitution."""
    at = m[AT]
    while t[at] == k.CHUNK or t[at] == k.ESCAPE:
        at += ROW
    m[AT] = at + ROW
    if t[at] == k.BACKTICK:
        m[TAIL] = PLAIN
        return o.OPERATOR
    o.push(m, o.PLACEHOLDER, o.NONE, o.NONE)
    o.begin(m, SEQUENCE)
    return o.OPERAND


@compiled
def end_group(t, m):  # type: ignore[no-untyped-def]
    """A closing parenthesis: what is in it may be part of the logical expression around it."""
    at, chain, marks = m[AT], m[CHAIN], m[MARKS]
    if t[at] != k.RIGHT_PAREN:
        return o.FAILED
    opening = m[o.pop(m) + FIRST]
    m[AT] = at + ROW
    m[TAIL] = opening | PARENTHESIS
    m[CHAIN] &= OUTER_CHAIN
    if not (marks & IS_WRAPPED or m[MARKS] & IS_TIGHT):
        m[CHAIN] |= chain << INNER_SHIFT
    return o.OPERATOR


@compiled
def end_items(t, m, closing):  # type: ignore[no-untyped-def]
    """An argument or item ends."""
    at = m[AT]
    if t[at] == k.COMMA:
        m[AT] = at + ROW
        return item(t, m)
    return _end_of_items(m, at) if t[at] == closing else o.FAILED


@compiled
def end_index(t, m):  # type: ignore[no-untyped-def]
    """A closing bracket after an index."""
    if t[m[AT]] != k.RIGHT_BRACKET:
        return o.FAILED
    o.pop(m)
    m[AT] += ROW
    m[TAIL] = ELEMENT
    m[CHAIN] &= OUTER_CHAIN
    return o.OPERATOR


@compiled
def end_placeholder(t, m):  # type: ignore[no-untyped-def]
    """The brace that closes a substitution: the template goes on."""
    if t[m[AT]] != k.RIGHT_BRACE:
        return o.FAILED
    o.pop(m)
    m[AT] += ROW
    return template(t, m)
