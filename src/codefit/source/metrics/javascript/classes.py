"""Classes and their members."""

from __future__ import annotations

from codefit.source.metrics.javascript import memory
from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.memory import (
    AT,
    CHAIN,
    COMMENT_BEFORE,
    FIRST,
    FLAGS,
    FRAME,
    HIDDEN_LINE_BEFORE,
    HOLDER,
    LINE_BEFORE,
    MATCH,
    OUTER,
    OUTER_CHAIN,
    OWN_FIRST,
    OWN_LAST,
    PLAIN,
    ROW,
    SECOND,
    TAIL,
)
from codefit.source.metrics.javascript.objects import (
    after_modifiers,
    begin_key,
    begin_method,
    is_key,
    is_modifier,
    name_value,
)
from codefit.source.metrics.javascript.semicolons import semicolon

_ANY_LINE = LINE_BEFORE | HIDDEN_LINE_BEFORE


@compiled
def begin_class(t, m, at, place):  # type: ignore[no-untyped-def]
    """The word `class` at `at`; its name goes before those in it."""
    o.push(m, o.CLASS, place, m[HOLDER])
    head = at
    at += ROW
    if o.is_name(t[at]):
        t[at] = k.NAME
        row = o.add_frame(m, memory.CLASS_TYPE, head)
        m[row + OWN_FIRST] = at
        m[row + OWN_LAST] = at
        m[HOLDER] = row
        at += ROW
    elif place != o.AS_EXPRESSION:
        return o.FAILED
    m[AT] = at + ROW
    if t[at] == k.EXTENDS:
        o.push(m, o.HERITAGE, o.NONE, o.NONE)
        o.begin(m, o.NONE)
        return o.OPERAND
    return o.MEMBER if t[at] == k.LEFT_BRACE else o.FAILED


@compiled
def end_heritage(t, m):  # type: ignore[no-untyped-def]
    """After the class that another extends."""
    o.pop(m)
    m[AT] += ROW
    return o.MEMBER if t[m[AT] - ROW] == k.LEFT_BRACE else o.FAILED


@compiled
def _end_class(m):  # type: ignore[no-untyped-def]
    slot = o.pop(m)
    m[HOLDER] = m[slot + SECOND]
    m[AT] += ROW
    m[TAIL] = PLAIN
    m[CHAIN] &= OUTER_CHAIN
    return o.OPERATOR if m[slot + FIRST] == o.AS_EXPRESSION else o.FINISH


@compiled
def member(t, m):  # type: ignore[no-untyped-def]
    """A member of a class, or its end."""
    head = m[AT]
    while t[head] == k.SEMICOLON:
        head += ROW
    m[AT] = head
    if t[head] == k.RIGHT_BRACE:
        return _end_class(m)
    at = head
    if t[at] == k.STATIC and t[at + ROW + FLAGS] & _ANY_LINE:
        return o.FAILED
    if t[at] == k.STATIC and (is_modifier(t, at) or t[at + ROW] == k.LEFT_BRACE):
        at += ROW
        if t[at] == k.LEFT_BRACE:
            return _static_block(m, head)
    key = after_modifiers(t, at)
    if key == 0:
        return o.FAILED
    is_computed = t[key] == k.LEFT_BRACKET
    if not is_computed and not is_key(t[key]):
        return o.FAILED
    last = t[key + MATCH] if is_computed else key
    flags = t[last + ROW + FLAGS]
    if flags & COMMENT_BEFORE and flags & _ANY_LINE and t[last + ROW] == k.LEFT_PAREN:
        return o.FAILED  # the grammar puts a semicolon before such a comment
    if t[last + ROW] == k.LEFT_PAREN:
        return begin_method(t, m, head, key, o.AS_MEMBER)
    if key != at:
        return o.FAILED
    if is_computed:
        if t[last + ROW] == k.ASSIGN:  # the walk takes the key for a part of the value
            m[FRAME] = o.add_frame(m, memory.APART_TYPE, key)
        return begin_key(m, key, o.FIELD_NEXT)
    if t[key] < k.WORDS or t[key] == k.VALUE:
        t[key] = k.NAME
    m[AT] = key + ROW
    return o.FIELD_NEXT


@compiled
def _static_block(m, head):  # type: ignore[no-untyped-def]
    m[FRAME] = o.add_frame(m, memory.APART_TYPE, head)
    o.push(m, o.STATIC_BLOCK, o.NONE, o.NONE)
    m[AT] = head + 2 * ROW
    return o.STATEMENT


@compiled
def end_static_block(m):  # type: ignore[no-untyped-def]
    """The brace that closes a static block."""
    o.pop(m)
    m[FRAME] = m[m[FRAME] + OUTER]
    m[AT] += ROW
    return o.MEMBER


@compiled
def next_field(t, m):  # type: ignore[no-untyped-def]
    """After the name of a field: maybe its first value, which is of no function around it."""
    at = m[AT]
    if t[at] == k.ASSIGN and t[at + FLAGS] & HIDDEN_LINE_BEFORE:
        return o.FAILED  # the grammar puts a semicolon before such a comment
    if t[at] != k.ASSIGN:
        return o.MEMBER if semicolon(t, m) else o.FAILED
    if t[at - ROW] != k.RIGHT_BRACKET:
        m[FRAME] = o.add_frame(m, memory.APART_TYPE, at + ROW)
    o.push(m, o.FIELD, o.NONE, o.NONE)
    m[AT] = at + ROW
    key = t[at - ROW + MATCH] if t[at - ROW] == k.RIGHT_BRACKET else at - ROW
    o.begin(m, name_value(t, m, key, at))
    return o.OPERAND


@compiled
def end_field(t, m):  # type: ignore[no-untyped-def]
    """After the first value of a field."""
    o.pop(m)
    m[FRAME] = m[m[FRAME] + OUTER]
    return o.MEMBER if semicolon(t, m) else o.FAILED
