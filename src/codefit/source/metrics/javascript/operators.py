"""What follows an operand, and where an expression ends."""

from __future__ import annotations

from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.brackets import item, template
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.memory import (
    AT,
    BEGIN,
    CHAIN,
    CHAINED,
    COGNITIVE,
    CREATED,
    CYCLOMATIC,
    FLAGS,
    FRAME,
    HIDDEN_LINE_BEFORE,
    INNER_SHIFT,
    IS_AND,
    IS_DIRTY,
    IS_NEW,
    IS_OTHER,
    IS_TARGET,
    IS_TIGHT,
    IS_VALUE,
    IS_WRAPPED,
    KIND_BITS,
    LAST_SHIFT,
    LEVEL,
    LINE_BEFORE,
    MARKS,
    MEMBER,
    MEMBER_NAME,
    NAME_FIRST,
    NAME_KIND,
    NAME_LAST,
    NAME_PART,
    NAMED_AT,
    OUTER_CHAIN,
    PATTERN,
    PLAIN,
    ROW,
    SEQUENCE,
    STAYING,
    TAIL,
    TEXT,
    TEXT_NAME,
    WITHOUT_IN,
)


@compiled
def operator(t, m):  # type: ignore[no-untyped-def]
    """An operand is read: what follows it?"""
    at = m[AT]
    while t[at] == k.DOT:
        at += ROW
        if not _property(t, m, at):
            return o.FAILED
        at += ROW
    m[AT] = at
    kind = t[at]
    role = k.ROLES[kind]
    if role == k.ENDS:
        return o.RESUME
    if role == k.CALLS:
        return _call(t, m)
    if role == k.ASSIGNS or role == k.ASSIGNS_LOGICAL:
        return _assignment(t, m, at, kind, role)
    if role == k.LOGICALS:
        return _logical(m, at, kind)
    if role == k.BINARIES or role == k.INS:
        if role == k.INS and m[MARKS] & WITHOUT_IN:
            return o.RESUME
        m[MARKS] = (m[MARKS] | IS_DIRTY | IS_TIGHT) & ~IS_NEW
        m[CHAIN] &= OUTER_CHAIN
        m[AT] = at + ROW
        return o.OPERAND
    return _other_operator(t, m, at, role)


@compiled
def _property(t, m, at):  # type: ignore[no-untyped-def]
    """The name after a point."""
    kind = t[at]
    if kind < k.WORDS or kind == k.VALUE:
        t[at] = k.NAME
    elif kind != k.NAME and kind != k.PRIVATE:
        return False
    m[TAIL] = at | MEMBER
    m[CHAIN] &= OUTER_CHAIN
    return True


@compiled
def _other_operator(t, m, at, role):  # type: ignore[no-untyped-def]
    if role == k.INDEXES:
        return _index(m, at)
    if role == k.OPTIONALS:
        return _optional(t, m, at)
    if role == k.TEMPLATES:
        m[CHAIN] &= OUTER_CHAIN
        m[AT] = at + ROW
        return template(t, m)
    if role == k.UPDATES:
        if t[at + FLAGS] & LINE_BEFORE:
            return o.RESUME
        m[MARKS] |= IS_DIRTY
        m[CHAIN] &= OUTER_CHAIN
        m[TAIL] = PLAIN
        m[AT] = at + ROW
        after = k.ROLES[t[at + ROW]]
        if t[at + FLAGS] & HIDDEN_LINE_BEFORE or k.MEMBERS <= after <= k.ASSIGNS_LOGICAL:
            return o.FAILED
        return o.OPERATOR
    _splice(m)
    o.add_structure(m)  # a conditional expression
    o.push(m, o.THEN, o.NONE, o.NONE)
    m[m[FRAME] + LEVEL] += 1
    m[AT] = at + ROW
    o.begin(m, o.NONE)
    return o.OPERAND


@compiled
def _index(m, at):  # type: ignore[no-untyped-def]
    o.push(m, o.INDEX, o.NONE, o.NONE)
    m[AT] = at + ROW
    o.begin(m, SEQUENCE)
    return o.OPERAND


@compiled
def _optional(t, m, at):  # type: ignore[no-untyped-def]
    frame = m[FRAME]
    m[frame + CYCLOMATIC] += 1
    m[frame + CHAINED] += 1
    at += ROW
    m[AT] = at
    if m[MARKS] & IS_NEW:
        return o.FAILED
    if t[at] == k.LEFT_PAREN:
        return o.FAILED if m[TAIL] & KIND_BITS == CREATED else _call(t, m)
    if t[at] == k.LEFT_BRACKET:
        return _index(m, at)
    if not _property(t, m, at):
        return o.FAILED
    m[AT] = at + ROW
    return o.OPERATOR


@compiled
def _call(t, m):  # type: ignore[no-untyped-def]
    at = m[AT] + ROW
    m[AT] = at
    m[CHAIN] &= OUTER_CHAIN
    m[TAIL] = PLAIN
    if m[MARKS] & IS_NEW:
        m[MARKS] &= ~IS_NEW
        m[TAIL] = CREATED
    if t[at] == k.RIGHT_PAREN:
        m[AT] = at + ROW
        return o.OPERATOR
    o.push(m, o.ARGUMENTS, o.NONE, o.NONE)
    return item(t, m)


@compiled
def _assignment(t, m, at, kind, role):  # type: ignore[no-untyped-def]
    marks, tail = m[MARKS], m[TAIL] & KIND_BITS
    if marks & IS_TARGET and kind == k.ASSIGN:
        return o.RESUME
    if marks & (IS_DIRTY | IS_NEW | IS_TARGET) or tail in (PLAIN, CREATED):
        return o.FAILED
    if kind != k.ASSIGN and (tail == PATTERN or t[at - ROW + TEXT] == k.UNDEFINED):
        return o.FAILED
    if role == k.ASSIGNS_LOGICAL:
        m[m[FRAME] + CYCLOMATIC] += 1
    value = 0
    if kind == k.ASSIGN:
        value = IS_VALUE if m[NAMED_AT] < m[BEGIN] else 0  # else a name in it comes later
        m[NAMED_AT] = at
        m[NAME_KIND] = MEMBER_NAME if tail == MEMBER else TEXT_NAME
        m[NAME_FIRST] = m[BEGIN]
        m[NAME_LAST] = at - ROW
        m[NAME_PART] = m[TAIL] & ~KIND_BITS
    m[AT] = at + ROW
    o.begin(m, (marks & STAYING) | IS_WRAPPED | value)
    return o.OPERAND


@compiled
def _splice(m):  # type: ignore[no-untyped-def]
    """The chain in parentheses that is the current operand goes on with the one around it."""
    chain = m[CHAIN]
    if chain <= OUTER_CHAIN:
        return
    first, last = chain & 3, (chain >> LAST_SHIFT) & 3
    inner = chain >> INNER_SHIFT
    if last == IS_AND and inner & 3 == IS_AND:
        m[m[FRAME] + COGNITIVE] -= 1
    m[CHAIN] = (first if first else inner & 3) | (inner >> LAST_SHIFT) << LAST_SHIFT


@compiled
def _logical(m, at, kind):  # type: ignore[no-untyped-def]
    _splice(m)
    frame = m[FRAME]
    this = IS_AND if kind == k.AND else IS_OTHER
    first, last = m[CHAIN] & 3, m[CHAIN] >> LAST_SHIFT
    m[frame + CYCLOMATIC] += 1
    if this == IS_AND and last != IS_AND:
        m[frame + COGNITIVE] += 1
    m[CHAIN] = (first if first else this) | this << LAST_SHIFT
    m[MARKS] = (m[MARKS] | IS_DIRTY) & ~(IS_TIGHT | IS_NEW)
    m[AT] = at + ROW
    return o.OPERAND


@compiled
def end_expression(t, m):  # type: ignore[no-untyped-def]
    """An expression ends: True where a comma goes on with it."""
    _splice(m)
    if t[m[AT]] == k.COMMA and m[MARKS] & SEQUENCE:
        m[AT] += ROW
        o.begin(m, (m[MARKS] & STAYING) | IS_WRAPPED)
        return True
    return False


@compiled
def end_then(t, m):  # type: ignore[no-untyped-def]
    """The colon of a conditional expression."""
    if t[m[AT]] != k.COLON:
        return o.FAILED
    m[o.top(m)] = o.ELSE
    m[AT] += ROW
    marks = m[o.top(m) + o.SAVED_MARKS]
    o.begin(m, marks & WITHOUT_IN)
    return o.OPERAND


@compiled
def end_else(m):  # type: ignore[no-untyped-def]
    """The end of a conditional expression, and of what it is all of."""
    o.pop(m)
    m[m[FRAME] + LEVEL] -= 1
    m[MARKS] |= IS_WRAPPED
    m[TAIL] = PLAIN
    m[CHAIN] = 0
    return o.RESUME
