"""Expressions: an operand, what follows it, and where a part of an expression ends."""

from __future__ import annotations

from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.classes import begin_class
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.functions import begin_arrow, begin_function
from codefit.source.metrics.javascript.memory import (
    AT,
    BEGIN,
    CHAIN,
    CHAINED,
    COGNITIVE,
    CREATED,
    CYCLOMATIC,
    DOUBTFUL,
    ELEMENT,
    FIRST,
    FLAGS,
    FRAME,
    HIDDEN_LINE_BEFORE,
    INNER_SHIFT,
    IS_AND,
    IS_DIRTY,
    IS_HEAD,
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
    MATCH,
    MEMBER,
    MEMBER_NAME,
    NAME_FIRST,
    NAME_KIND,
    NAME_LAST,
    NAME_PART,
    NAMED_AT,
    PARENTHESIS,
    PATTERN,
    PLAIN,
    ROW,
    SEQUENCE,
    SINGLE,
    SLOT,
    STAYING,
    TAIL,
    TEXT,
    TEXT_NAME,
    WITHOUT_IN,
)

_ANY_LINE = LINE_BEFORE | HIDDEN_LINE_BEFORE
_MOST_AROUND = 100  # slots between an operand and its statement
_CHAIN = (1 << INNER_SHIFT) - 1  # without the one in parentheses


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
        m[CHAIN] &= _CHAIN
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
    m[CHAIN] &= _CHAIN
    return True


@compiled
def _other_operator(t, m, at, role):  # type: ignore[no-untyped-def]
    if role == k.INDEXES:
        return _index(m, at)
    if role == k.OPTIONALS:
        return _optional(t, m, at)
    if role == k.TEMPLATES:
        m[CHAIN] &= _CHAIN
        m[AT] = at + ROW
        return template(t, m)
    if role == k.UPDATES:
        if t[at + FLAGS] & LINE_BEFORE:
            return o.RESUME
        m[MARKS] |= IS_DIRTY
        m[CHAIN] &= _CHAIN
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
    m[CHAIN] &= _CHAIN
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
    if chain <= _CHAIN:
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
def end_group(t, m):  # type: ignore[no-untyped-def]
    """A closing parenthesis: what is in it may be part of the logical expression around it."""
    at, chain, marks = m[AT], m[CHAIN], m[MARKS]
    if t[at] != k.RIGHT_PAREN:
        return o.FAILED
    opening = m[o.pop(m) + FIRST]
    m[AT] = at + ROW
    m[TAIL] = opening | PARENTHESIS
    m[CHAIN] &= _CHAIN
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
    m[CHAIN] &= _CHAIN
    return o.OPERATOR


@compiled
def end_placeholder(t, m):  # type: ignore[no-untyped-def]
    """The brace that closes a substitution: the template goes on."""
    if t[m[AT]] != k.RIGHT_BRACE:
        return o.FAILED
    o.pop(m)
    m[AT] += ROW
    return template(t, m)


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
