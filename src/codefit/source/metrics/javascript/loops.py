"""Conditions in parentheses, and the heads of `for`."""

from __future__ import annotations

from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.declarations import begin_declaration
from codefit.source.metrics.javascript.memory import (
    AT,
    DEPTH,
    ELEMENT,
    FIRST,
    FRAME,
    IS_DIRTY,
    IS_HEAD,
    IS_WRAPPED,
    KIND_BITS,
    LEVEL,
    MARKS,
    MEMBER,
    PATTERN,
    ROW,
    SECOND,
    SEQUENCE,
    SINGLE,
    TAIL,
    WITHOUT_IN,
)
from codefit.source.metrics.javascript.semicolons import semicolon_after_word


@compiled
def begin_condition(t, m, goal):  # type: ignore[no-untyped-def]
    """The parenthesis after the current word; `goal` is what follows it."""
    at = m[AT] + ROW
    if t[at] != k.LEFT_PAREN:
        return o.FAILED
    o.push(m, o.CONDITION, goal, o.NONE)
    m[AT] = at + ROW
    o.begin(m, SEQUENCE)
    return o.OPERAND


@compiled
def end_condition(t, m):  # type: ignore[no-untyped-def]
    """The parenthesis that closes a condition."""
    at = m[AT]
    if t[at] != k.RIGHT_PAREN:
        return o.FAILED
    goal = m[o.pop(m) + FIRST]
    frame = m[FRAME]
    m[AT] = at + ROW
    if goal == o.DO_BODY:
        o.pop(m)
        m[frame + DEPTH] -= 1
        if t[at + ROW] != k.SEMICOLON:
            return o.FINISH
        return o.FINISH if semicolon_after_word(t, m) else o.FAILED
    if goal != o.WITH_BODY:
        m[frame + LEVEL] += 1
    if goal == o.IF_BODY:
        return o.STATEMENT
    o.push(m, goal, o.NONE, o.NONE)
    if goal == o.SWITCH:
        m[AT] = at + 2 * ROW
        return o.STATEMENT if t[at + ROW] == k.LEFT_BRACE else o.FAILED
    return o.STATEMENT


@compiled
def begin_for(t, m, at):  # type: ignore[no-untyped-def]
    """The word `for`."""
    o.add_structure(m)
    o.deepen(m)
    at += ROW
    is_async = t[at] == k.AWAIT
    if is_async:
        at += ROW
    if t[at] != k.LEFT_PAREN:
        return o.FAILED
    at += ROW
    kind, after = t[at], t[at + ROW]
    m[AT] = at
    o.push(m, o.FOR_FIRST, o.SOME if is_async else o.NONE, o.NONE)
    if kind == k.VAR or kind == k.CONST or kind == k.LET:
        return begin_declaration(t, m, o.SOME)
    if kind == k.SEMICOLON:
        return _test(t, m)
    if kind == k.USING or kind == k.AWAIT or (kind == k.ASYNC and after == k.OF):
        return o.FAILED
    o.begin(m, SEQUENCE | WITHOUT_IN | IS_HEAD)
    return o.OPERAND


@compiled
def _test(t, m):  # type: ignore[no-untyped-def]
    """The first semicolon in the head."""
    slot = o.top(m)
    if m[slot + FIRST]:
        return o.FAILED  # `for await` has none
    m[slot] = o.FOR_TEST
    m[AT] += ROW
    if t[m[AT]] == k.SEMICOLON:
        return _step(t, m)
    o.begin(m, SEQUENCE)
    return o.OPERAND


@compiled
def _step(t, m):  # type: ignore[no-untyped-def]
    """The second semicolon in the head."""
    m[o.top(m)] = o.FOR_STEP
    m[AT] += ROW
    if t[m[AT]] == k.RIGHT_PAREN:
        return end_head(t, m)
    o.begin(m, SEQUENCE)
    return o.OPERAND


@compiled
def end_first(t, m):  # type: ignore[no-untyped-def]
    """After the first part of the head: a semicolon, `of` or `in`."""
    kind = t[m[AT]]
    slot = o.top(m)
    if kind == k.SEMICOLON:
        return _test(t, m)
    if kind != k.OF and (kind != k.IN or m[slot + FIRST]):
        return o.FAILED
    tail = m[TAIL] & KIND_BITS
    if not m[slot + SECOND]:
        can_be_left = tail in (SINGLE, MEMBER, ELEMENT, PATTERN)
        if m[MARKS] & (IS_DIRTY | IS_WRAPPED) or not can_be_left:
            return o.FAILED
    m[slot] = o.FOR_EACH
    m[AT] += ROW
    o.begin(m, SEQUENCE)
    return o.OPERAND


@compiled
def end_test(t, m):  # type: ignore[no-untyped-def]
    """After the second part of the head."""
    return _step(t, m) if t[m[AT]] == k.SEMICOLON else o.FAILED


@compiled
def end_head(t, m):  # type: ignore[no-untyped-def]
    """The parenthesis that closes the head."""
    if t[m[AT]] != k.RIGHT_PAREN:
        return o.FAILED
    m[o.top(m)] = o.LOOP_BODY
    m[m[FRAME] + LEVEL] += 1
    m[AT] += ROW
    return o.STATEMENT
