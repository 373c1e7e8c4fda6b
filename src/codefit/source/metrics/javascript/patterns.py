"""Patterns: parameters, what a declaration or an assignment takes apart, and default values in them."""

from __future__ import annotations

from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.functions import end_parameters
from codefit.source.metrics.javascript.memory import (
    AT,
    CYCLOMATIC,
    ELEMENT,
    FIRST,
    FRAME,
    IS_DIRTY,
    IS_TARGET,
    KIND_BITS,
    MARKS,
    MATCH,
    MEMBER,
    PARAMETERS,
    PATTERN,
    ROW,
    SECOND,
    TAIL,
)


@compiled
def begin_pattern(t, m, after, is_assignment):  # type: ignore[no-untyped-def]
    """A bracket that opens a pattern; `after` is what to do after it."""
    what = o.ARRAY_PATTERN if t[m[AT]] == k.LEFT_BRACKET else o.OBJECT_PATTERN
    o.push(m, what, after, is_assignment)
    m[AT] += ROW
    return o.ELEMENT


@compiled
def element(t, m):  # type: ignore[no-untyped-def]
    """A parameter or a part of a pattern, or its end."""
    slot = o.top(m)
    what = m[slot]
    at = m[AT]
    while what == o.ARRAY_PATTERN and t[at] == k.COMMA:
        at += ROW
    m[AT] = at
    if t[at] == _closing(what):
        return _close(t, m)
    if what == o.PARAMETER_LIST:
        m[m[FRAME] + PARAMETERS] += 1
    if t[at] == k.ELLIPSIS:
        m[AT] = at + ROW
        return _target(t, m)
    return _property(t, m, at) if what == o.OBJECT_PATTERN else _target(t, m)


@compiled
def _closing(what):  # type: ignore[no-untyped-def]
    if what == o.PARAMETER_LIST:
        return k.RIGHT_PAREN
    return k.RIGHT_BRACKET if what == o.ARRAY_PATTERN else k.RIGHT_BRACE


@compiled
def _close(t, m):  # type: ignore[no-untyped-def]
    m[AT] += ROW
    slot = o.pop(m)
    if m[slot] == o.PARAMETER_LIST:
        return end_parameters(t, m)
    if m[slot + FIRST] == o.OPERATOR:
        m[TAIL] = PATTERN
    return m[slot + FIRST]


@compiled
def _target(t, m):  # type: ignore[no-untyped-def]
    """What a value goes to: a name, a pattern, or in an assignment a member."""
    at = m[AT]
    kind = t[at]
    is_assignment = m[o.top(m) + SECOND]
    if kind == k.LEFT_BRACKET or kind == k.LEFT_BRACE:
        if is_assignment and not _ends_target(t[t[at + MATCH] + ROW]):
            return o.FAILED
        return begin_pattern(t, m, o.ELEMENT_END, is_assignment)
    if o.is_name(kind) and (not is_assignment or _ends_target(t[at + ROW])):
        t[at] = k.NAME
        m[AT] = at + ROW
        return o.ELEMENT_END
    if not is_assignment:
        return o.FAILED
    o.push(m, o.TARGET, o.NONE, o.NONE)
    o.begin(m, IS_TARGET)
    return o.OPERAND


@compiled
def _ends_target(kind):  # type: ignore[no-untyped-def]
    return kind in (k.COMMA, k.ASSIGN, k.RIGHT_BRACKET, k.RIGHT_BRACE)


@compiled
def _property(t, m, at):  # type: ignore[no-untyped-def]
    """A key with its target, or a name that is both."""
    kind = t[at]
    if kind == k.LEFT_BRACKET:
        o.push(m, o.KEY, o.ELEMENT, at)
        m[AT] = at + ROW
        o.begin(m, o.NONE)
        return o.OPERAND
    if kind < k.WORDS or kind == k.NAME or kind == k.VALUE:
        is_name = o.is_name(kind)
        t[at] = k.NAME
        if t[at + ROW] != k.COLON:
            m[AT] = at + ROW
            return o.ELEMENT_END if is_name else o.FAILED
    elif kind != k.STRING and kind != k.NUMBER:
        return o.FAILED
    m[AT] = at + 2 * ROW
    return _target(t, m) if t[at + ROW] == k.COLON else o.FAILED


@compiled
def end_pattern_key(t, m):  # type: ignore[no-untyped-def]
    """After a computed key of a pattern."""
    at = m[AT]
    m[AT] = at + ROW
    return _target(t, m) if t[at] == k.COLON else o.FAILED


@compiled
def end_element(t, m):  # type: ignore[no-untyped-def]
    """After a target: maybe its default value."""
    at = m[AT]
    if t[at] != k.ASSIGN:
        return next_element(t, m)
    head = at - ROW if t[at - ROW] == k.NAME else t[at - ROW + MATCH]
    if head < 0 or t[head - ROW] == k.ELLIPSIS:
        return o.FAILED  # what takes the rest has no default
    m[m[FRAME] + CYCLOMATIC] += 1
    o.push(m, o.DEFAULT, o.NONE, o.NONE)
    m[AT] = at + ROW
    o.begin(m, o.NONE)
    return o.OPERAND


@compiled
def next_element(t, m):  # type: ignore[no-untyped-def]
    """After a part of a pattern."""
    at = m[AT]
    if t[at] == k.COMMA:
        m[AT] = at + ROW
        return o.ELEMENT
    return _close(t, m) if t[at] == _closing(m[o.top(m)]) else o.FAILED


@compiled
def end_default(t, m):  # type: ignore[no-untyped-def]
    """After a default value."""
    o.pop(m)
    return next_element(t, m)


@compiled
def end_target(t, m):  # type: ignore[no-untyped-def]
    """After a target that was read as an expression."""
    tail = m[TAIL] & KIND_BITS
    if m[MARKS] & IS_DIRTY or (tail != MEMBER and tail != ELEMENT):
        return o.FAILED
    o.pop(m)
    return end_element(t, m)
