"""Operands, and the operators before them."""

from __future__ import annotations

from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.brackets import item, template
from codefit.source.metrics.javascript.classes import begin_class
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.functions import begin_arrow, begin_function
from codefit.source.metrics.javascript.memory import (
    AT,
    BEGIN,
    DOUBTFUL,
    FLAGS,
    HIDDEN_LINE_BEFORE,
    IS_DIRTY,
    IS_HEAD,
    IS_NEW,
    IS_TARGET,
    IS_TIGHT,
    IS_WRAPPED,
    LINE_BEFORE,
    MARKS,
    MATCH,
    PLAIN,
    ROW,
    SEQUENCE,
    SINGLE,
    SLOT,
    STAYING,
    TAIL,
)

_ANY_LINE = LINE_BEFORE | HIDDEN_LINE_BEFORE
_MOST_AROUND = 100  # slots between an operand and its statement


@compiled
def operand(t, m):  # type: ignore[no-untyped-def]
    """An operand begins, or an operator before one."""
    at = m[AT]
    kind = t[at]
    if kind == k.NAME:
        return _name(t, m, at)
    if k.NAME < kind < k.CHUNK:
        if kind == k.PRIVATE:
            if t[at + ROW] != k.IN:
                return o.FAILED
            m[MARKS] |= IS_DIRTY
        m[TAIL] = PLAIN
        m[AT] = at + ROW
        return o.OPERATOR
    if k.UNARY[kind]:
        m[MARKS] |= IS_DIRTY | IS_TIGHT
        m[AT] = at + ROW
        return o.OPERAND
    return _word(t, m, at, kind) if kind < k.WORDS else _bracket(t, m, at, kind)


@compiled
def _name(t, m, at):  # type: ignore[no-untyped-def]
    if t[at + ROW] == k.ARROW:
        return begin_arrow(t, m, at, at)
    t[at] = k.NAME
    m[TAIL] = at | SINGLE
    m[AT] = at + ROW
    return o.OPERATOR


@compiled
def _bracket(t, m, at, kind):  # type: ignore[no-untyped-def]
    if kind == k.LEFT_PAREN:
        if t[t[at + MATCH] + ROW] == k.ARROW:
            return begin_arrow(t, m, at, at)
        o.push(m, o.GROUP, at, o.NONE)
        m[AT] = at + ROW
        o.begin(m, SEQUENCE)
        return o.OPERAND
    if kind == k.BACKTICK:
        m[AT] = at + ROW
        return template(t, m)
    if kind != k.LEFT_BRACKET and kind != k.LEFT_BRACE:
        return o.FAILED
    m[AT] = at + ROW
    after = t[t[at + MATCH] + ROW]
    is_left = after == k.ASSIGN or (m[MARKS] & IS_HEAD and (after == k.OF or after == k.IN))
    if is_left and at == m[BEGIN]:
        o.push(m, o.ARRAY_PATTERN if kind == k.LEFT_BRACKET else o.OBJECT_PATTERN, o.OPERATOR, o.SOME)
        return o.ELEMENT
    if kind == k.LEFT_BRACE:
        o.push(m, o.OBJECT, at, o.NONE)
        return o.PROPERTY
    o.push(m, o.ARRAY, at, o.NONE)
    return item(t, m)


@compiled
def _word(t, m, at, kind):  # type: ignore[no-untyped-def]
    """A word that is no name, or one only here."""
    after = t[at + ROW]
    if kind == k.FUNCTION:
        return begin_function(t, m, at, at, o.AS_EXPRESSION)
    if kind == k.CLASS:
        return begin_class(t, m, at, o.AS_EXPRESSION)
    if kind == k.NEW:
        return _new(t, m, at, after)
    if kind == k.ASYNC:
        return _async(t, m, at, after)
    if kind == k.AWAIT:
        return _await(t, m, at, after)
    if kind == k.YIELD:
        return _yield(t, m, at)
    if kind == k.IMPORT:
        return _import(t, m, at, after)
    return _name(t, m, at) if kind >= k.SOFT and kind != k.LET else o.FAILED


@compiled
def _new(t, m, at, after):  # type: ignore[no-untyped-def]
    if after == k.DOT:
        if t[at + 2 * ROW] != k.TARGET:
            return o.FAILED
        m[TAIL] = PLAIN
        m[AT] = at + 3 * ROW
        return o.OPERATOR
    can_be_called = after in (k.NAME, k.VALUE, k.LEFT_PAREN, k.FUNCTION, k.CLASS) or k.SOFT <= after < k.WORDS
    if not can_be_called or after == k.AWAIT or after == k.YIELD or after == k.ASYNC or m[MARKS] & IS_NEW:
        return o.FAILED
    m[MARKS] |= IS_NEW | IS_TIGHT
    m[AT] = at + ROW
    return o.OPERAND


@compiled
def _async(t, m, at, after):  # type: ignore[no-untyped-def]
    is_function = after == k.FUNCTION
    is_list = after == k.LEFT_PAREN and t[t[at + ROW + MATCH] + ROW] == k.ARROW
    is_single = (after == k.NAME or k.SOFT <= after < k.WORDS) and t[at + 2 * ROW] == k.ARROW
    if not (is_function or is_list or is_single):
        if after == k.LEFT_PAREN:
            m[DOUBTFUL] = max(m[DOUBTFUL], t[at + ROW + MATCH])  # `async (` may begin a function
        return _name(t, m, at)
    if t[at + ROW + FLAGS] & _ANY_LINE or m[MARKS] & IS_NEW:
        return o.FAILED
    if is_function:
        return begin_function(t, m, at, at + ROW, o.AS_EXPRESSION)
    return begin_arrow(t, m, at, at + ROW)


@compiled
def _await(t, m, at, after):  # type: ignore[no-untyped-def]
    """Before brackets the grammar takes `await` for an operator or for the name of a function, by what follows."""
    if t[at + ROW + FLAGS] & _ANY_LINE or m[MARKS] & IS_NEW:
        return o.FAILED
    if after == k.LEFT_PAREN or after == k.LEFT_BRACKET or after == k.BACKTICK:
        follows = t[at + ROW + MATCH] + ROW
        role = k.ROLES[t[follows]]
        if t[follows] == k.END or t[at + 2 * ROW] == k.PRIVATE or at < m[DOUBTFUL] or _is_doubtful(m):
            return o.FAILED
        if after == k.LEFT_PAREN and _ends_in_call(t, follows):
            return _name(t, m, at)  # `await (x)()`
        if k.MEMBERS <= role <= k.UPDATES:
            return o.FAILED
    elif k.ROLES[after] != k.ENDS or after == k.REGEX or after == k.ARROW:
        return o.FAILED
    m[MARKS] |= IS_DIRTY | IS_TIGHT
    m[AT] = at + ROW
    return o.OPERAND


@compiled
def _is_doubtful(m):  # type: ignore[no-untyped-def]
    """Whether the grammar may follow two readings here, of an object or a list and of a pattern."""
    slot = o.top(m)
    for _ in range(_MOST_AROUND):
        what = m[slot]
        if what >= o.PROGRAM:
            return False
        if what == o.OBJECT or what == o.ARRAY or what >= o.PARAMETER_LIST:
            return True
        slot -= SLOT
    return True


@compiled
def _ends_in_call(t, at):  # type: ignore[no-untyped-def]
    """Whether what follows an operand ends with a call."""
    is_call = False
    while True:
        role = k.ROLES[t[at]]
        if role == k.CALLS or role == k.INDEXES:
            at = t[at + MATCH] + ROW
        elif role == k.MEMBERS:
            at += 2 * ROW
        else:
            return is_call and role != k.OPTIONALS and role != k.TEMPLATES
        is_call = role == k.CALLS


@compiled
def _yield(t, m, at):  # type: ignore[no-untyped-def]
    if at != m[BEGIN] or m[MARKS] & IS_TARGET:
        return o.FAILED
    at += ROW
    m[AT] = at
    ends = t[at] in (k.SEMICOLON, k.COMMA, k.COLON, k.RIGHT_PAREN, k.RIGHT_BRACKET, k.RIGHT_BRACE, k.END)
    if ends:
        m[TAIL] = PLAIN
        m[MARKS] |= IS_WRAPPED
        return o.RESUME
    if t[at + FLAGS] & _ANY_LINE:
        return o.FAILED
    if t[at] == k.STAR:
        m[AT] = at + ROW
    o.begin(m, (m[MARKS] & STAYING) | IS_WRAPPED)
    return o.OPERAND


@compiled
def _import(t, m, at, after):  # type: ignore[no-untyped-def]
    if m[MARKS] & IS_NEW:
        return o.FAILED
    m[TAIL] = PLAIN
    if after == k.LEFT_PAREN:
        m[AT] = at + ROW
        return o.OPERATOR
    if after != k.DOT or t[at + 2 * ROW] != k.META:
        return o.FAILED
    m[AT] = at + 3 * ROW
    return o.OPERATOR
