"""What stands in the braces of an object, and the keys of objects, classes and patterns."""

from __future__ import annotations

from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.functions import add_function, begin_parameters
from codefit.source.metrics.javascript.memory import (
    AT,
    CHAIN,
    FIRST,
    FLAGS,
    HIDDEN_LINE_BEFORE,
    IS_VALUE,
    LINE_BEFORE,
    MATCH,
    NAME_FIRST,
    NAME_KIND,
    NAME_LAST,
    NAMED_AT,
    OUTER_CHAIN,
    OWN_FIRST,
    OWN_LAST,
    PLAIN,
    ROW,
    SECOND,
    STRING_NAME,
    TAIL,
    TEXT_NAME,
)
from codefit.source.metrics.javascript.patterns import end_pattern_key

_ANY_LINE = LINE_BEFORE | HIDDEN_LINE_BEFORE


@compiled
def is_key(kind):  # type: ignore[no-untyped-def]
    """Whether a token is a key by itself."""
    return kind < k.WORDS or kind in (k.NAME, k.VALUE, k.STRING, k.NUMBER, k.PRIVATE)


@compiled
def is_modifier(t, at):  # type: ignore[no-untyped-def]
    """Whether a word such as `get` stands before a key, not for one."""
    after = t[at + ROW]
    return is_key(after) or after == k.LEFT_BRACKET or after == k.STAR


@compiled
def after_modifiers(t, at):  # type: ignore[no-untyped-def]
    """The key after `async`, `get`, `set` and the star of a generator; 0 where a line ends between."""
    kind = t[at]
    if kind == k.ASYNC or kind == k.GET or kind == k.SET:
        if t[at + ROW + FLAGS] & _ANY_LINE:
            return 0
        if is_modifier(t, at):
            at += ROW
            if t[at] == k.STAR and kind != k.ASYNC:
                return 0
    return at + ROW if t[at] == k.STAR else at


@compiled
def begin_method(t, m, head, at, place):  # type: ignore[no-untyped-def]
    """A method whose first token is `head` and whose key is at `at`."""
    row = add_function(m, head)
    m[row + OWN_FIRST] = at
    if t[at] == k.LEFT_BRACKET:
        m[row + OWN_LAST] = t[at + MATCH]
        return begin_key(m, at, place)
    m[row + OWN_LAST] = at
    if t[at] < k.WORDS or t[at] == k.VALUE:
        t[at] = k.NAME
    return begin_parameters(t, m, at + ROW, place)


@compiled
def begin_key(m, at, goal):  # type: ignore[no-untyped-def]
    """A computed key; `goal` tells what it is the key of."""
    o.push(m, o.KEY, goal, at)
    m[AT] = at + ROW
    o.begin(m, o.NONE)
    return o.OPERAND


@compiled
def end_key(t, m):  # type: ignore[no-untyped-def]
    """The bracket that closes a computed key."""
    at = m[AT]
    if t[at] != k.RIGHT_BRACKET:
        return o.FAILED
    slot = o.pop(m)
    goal = m[slot + FIRST]
    m[AT] = at + ROW
    if goal == o.AS_PROPERTY or goal == o.AS_MEMBER:
        return begin_parameters(t, m, at + ROW, goal)
    if goal == o.PROPERTY:
        return _pair(t, m, m[slot + SECOND], at + ROW)
    return end_pattern_key(t, m) if goal == o.ELEMENT else goal


@compiled
def begin_property(t, m):  # type: ignore[no-untyped-def]
    """A property of an object, or its end."""
    head = m[AT]
    if t[head] == k.RIGHT_BRACE:
        return end_property(t, m)
    if t[head] == k.ELLIPSIS:
        m[AT] = head + ROW
        o.begin(m, o.NONE)
        return o.OPERAND
    at = after_modifiers(t, head)
    if at == 0:
        return o.FAILED
    kind = t[at]
    if kind == k.LEFT_BRACKET:
        if t[t[at + MATCH] + ROW] == k.LEFT_PAREN:
            return begin_method(t, m, head, at, o.AS_PROPERTY)
        return begin_key(m, at, o.PROPERTY) if at == head else o.FAILED
    if kind == k.PRIVATE or not is_key(kind):
        return o.FAILED
    after = t[at + ROW]
    if after == k.LEFT_PAREN:
        return begin_method(t, m, head, at, o.AS_PROPERTY)
    if at != head:
        return o.FAILED
    m[AT] = at + ROW
    if after == k.COLON:
        if kind < k.WORDS or kind == k.VALUE:
            t[at] = k.NAME
        return _pair(t, m, at, at + ROW)
    if not o.is_name(kind):
        return o.FAILED
    t[at] = k.NAME
    return o.PROPERTY_NEXT


@compiled
def _pair(t, m, key, colon):  # type: ignore[no-untyped-def]
    """A value after its key."""
    if t[colon] != k.COLON:
        return o.FAILED
    m[AT] = colon + ROW
    o.begin(m, name_value(t, m, key, colon))
    return o.OPERAND


@compiled
def name_value(t, m, key, sign):  # type: ignore[no-untyped-def]
    """The value after `sign` has the name of a key: the mark of its expression."""
    value = IS_VALUE if m[NAMED_AT] < key else 0  # else a name in the key comes later
    m[NAMED_AT] = sign
    m[NAME_KIND] = STRING_NAME if t[key] == k.STRING else TEXT_NAME
    m[NAME_FIRST] = key
    m[NAME_LAST] = sign - ROW
    return value


@compiled
def end_property(t, m):  # type: ignore[no-untyped-def]
    """After a property: the next one, or the end of the object."""
    at = m[AT]
    m[AT] = at + ROW
    if t[at] == k.COMMA:
        return o.PROPERTY
    if t[at] != k.RIGHT_BRACE:
        return o.FAILED
    o.pop(m)
    m[TAIL] = PLAIN
    m[CHAIN] &= OUTER_CHAIN
    return o.OPERATOR
