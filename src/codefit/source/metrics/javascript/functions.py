"""Functions: where they begin, what they are called, their parameters, and where they end."""

from __future__ import annotations

from codefit.source.metrics.javascript import memory
from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.memory import (
    AROUND,
    AT,
    BEGIN,
    CHAIN,
    CLOSING,
    COMMENT_BEFORE,
    ENDED,
    FIRST,
    FLAGS,
    FRAME,
    FRAME_ROW,
    HIDDEN_LINE_BEFORE,
    HOLDER,
    IS_TARGET,
    IS_VALUE,
    LINE_BEFORE,
    MARKS,
    NAME_FIRST,
    NAME_KIND,
    NAME_LAST,
    NAME_PART,
    NO_NAME,
    OPENING,
    OPENS,
    OUTER,
    OUTER_CHAIN,
    OWN_FIRST,
    OWN_LAST,
    PARAMETERS,
    PLAIN,
    REACHES,
    REACHES_AS_EXPORT,
    REACHES_AS_OTHERS,
    REGISTERS,
    ROW,
    TAIL,
    TEXT,
    VALUE_FIRST,
    VALUE_KIND,
    VALUE_LAST,
    VALUE_PART,
    WITHOUT_IN,
)

_ANY_LINE = LINE_BEFORE | HIDDEN_LINE_BEFORE


@compiled
def add_function(m, head):  # type: ignore[no-untyped-def]
    """A function whose first token is `head`: from here on figures and names are its own."""
    row = o.add_frame(m, memory.FUNCTION_TYPE, head)
    m[FRAME] = row
    m[HOLDER] = row
    return row


@compiled
def _name_by_value(m, row):  # type: ignore[no-untyped-def]
    m[row + VALUE_KIND] = m[NAME_KIND]
    m[row + VALUE_FIRST] = m[NAME_FIRST]
    m[row + VALUE_LAST] = m[NAME_LAST]
    m[row + VALUE_PART] = m[NAME_PART]


@compiled
def begin_function(t, m, head, at, place):  # type: ignore[no-untyped-def]
    """The word `function` at `at`, maybe after `async`."""
    row = add_function(m, head)
    if place == o.AS_EXPRESSION and head == m[BEGIN] and m[MARKS] & IS_VALUE:
        _name_by_value(m, row)
    at += ROW
    if t[at] == k.STAR:
        at += ROW
    if o.is_name(t[at]):
        t[at] = k.NAME
        m[row + OWN_FIRST] = at
        m[row + OWN_LAST] = at
        at += ROW
    elif place != o.AS_EXPRESSION:
        return o.FAILED
    return begin_parameters(t, m, at, place)


@compiled
def _open_function(t, m, at, place):  # type: ignore[no-untyped-def]
    """The tokens of the function begin."""
    row = m[FRAME]
    m[row + OPENING] = at
    t[at + FLAGS] |= ((row - REGISTERS) // FRAME_ROW) << OPENS
    o.push(m, o.FUNCTION, place, o.NONE)


@compiled
def begin_parameters(t, m, at, place):  # type: ignore[no-untyped-def]
    """The list of parameters at `at`."""
    if t[at] != k.LEFT_PAREN:
        return o.FAILED
    _open_function(t, m, at, place)
    o.push(m, o.PARAMETER_LIST, o.NONE, o.NONE)
    m[AT] = at + ROW
    return o.ELEMENT


@compiled
def end_parameters(t, m):  # type: ignore[no-untyped-def]
    """After the parameters: the body."""
    at = m[AT]
    if m[o.top(m) + FIRST] == o.AS_ARROW:
        return _arrow_body(t, m, at)
    m[AT] = at + ROW
    return o.STATEMENT if t[at] == k.LEFT_BRACE else o.FAILED


@compiled
def begin_arrow(t, m, head, at):  # type: ignore[no-untyped-def]
    """The parameters of an arrow function at `at`, maybe after `async`."""
    if head != m[BEGIN] or m[MARKS] & IS_TARGET or m[o.top(m)] == o.HERITAGE:
        return o.FAILED
    row = add_function(m, head)
    if m[MARKS] & IS_VALUE:
        _name_by_value(m, row)
    if t[at] == k.LEFT_PAREN:
        return begin_parameters(t, m, at, o.AS_ARROW)
    if not o.is_name(t[at]) or t[at + TEXT] == k.UNDEFINED:
        return o.FAILED
    t[at] = k.NAME
    m[row + PARAMETERS] = 1
    _open_function(t, m, at, o.AS_ARROW)
    return _arrow_body(t, m, at + ROW)


@compiled
def _arrow_body(t, m, at):  # type: ignore[no-untyped-def]
    if t[at] != k.ARROW or t[at + FLAGS] & _ANY_LINE:
        return o.FAILED
    m[AT] = at + ROW
    if t[at + ROW] == k.LEFT_BRACE:
        m[AT] = at + 2 * ROW
        return o.STATEMENT
    slot = o.top(m)
    m[slot] = o.ARROW_BODY
    o.begin(m, m[slot + o.SAVED_MARKS] & WITHOUT_IN)
    return o.OPERAND


@compiled
def _end_function(m, closing):  # type: ignore[no-untyped-def]
    row = m[FRAME]
    m[row + CLOSING] = closing
    m[FRAME] = m[row + OUTER]
    m[HOLDER] = m[row + AROUND]
    m[ENDED] = row
    return row


@compiled
def end_body(t, m):  # type: ignore[no-untyped-def]
    """The brace that closes a function."""
    at = m[AT]
    row = _end_function(m, at)
    place = m[o.pop(m) + FIRST]
    after = at + ROW
    m[AT] = after
    if place == o.AS_PROPERTY:
        return o.PROPERTY_NEXT
    if place == o.AS_MEMBER:
        return o.MEMBER
    if t[after + FLAGS] & COMMENT_BEFORE:
        m[row + REACHES] = REACHES_AS_EXPORT if place == o.AS_EXPORT else REACHES_AS_OTHERS
    if place == o.AS_DECLARATION or place == o.AS_EXPORT:
        return o.FINISH
    m[TAIL] = PLAIN
    m[CHAIN] &= OUTER_CHAIN
    role = k.ROLES[t[after]]
    is_update = role == k.UPDATES and t[after + FLAGS] & LINE_BEFORE
    is_all = role == k.ENDS or is_update or (role == k.INS and m[MARKS] & WITHOUT_IN)
    if not is_all:
        m[row + VALUE_KIND] = NO_NAME  # what is named is a larger expression
    if place == o.AS_ARROW:
        return o.RESUME if is_all else o.FAILED
    return o.OPERATOR


@compiled
def end_arrow(m):  # type: ignore[no-untyped-def]
    """The expression that is an arrow function's body ends."""
    inner = m[ENDED]
    closing = m[AT] - ROW
    row = _end_function(m, closing)
    if m[inner + CLOSING] == closing:
        m[row + REACHES] = m[inner + REACHES]
    o.pop(m)
    m[TAIL] = PLAIN
    m[CHAIN] &= OUTER_CHAIN
    return o.RESUME
