"""Declarations of variables, and what modules import and export."""

from __future__ import annotations

from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.classes import begin_class
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.functions import begin_function
from codefit.source.metrics.javascript.memory import (
    AT,
    COMMENT_BEFORE,
    FIRST,
    FLAGS,
    HIDDEN_LINE_BEFORE,
    LINE_BEFORE,
    ROW,
    SECOND,
    SEQUENCE,
    WITHOUT_IN,
)
from codefit.source.metrics.javascript.objects import name_value
from codefit.source.metrics.javascript.patterns import begin_pattern
from codefit.source.metrics.javascript.semicolons import semicolon, semicolon_after_word

_ANY_LINE = LINE_BEFORE | HIDDEN_LINE_BEFORE
_HAS_VALUE = 2  # of what a declaration's slot holds, beside whether it is a head


@compiled
def begin_declaration(t, m, is_head):  # type: ignore[no-untyped-def]
    """`var`, `let` or `const`, in the head of a `for` or not."""
    at = m[AT] + ROW
    if t[at - ROW] == k.LET and t[at + FLAGS] & _ANY_LINE:
        return o.FAILED
    o.push(m, o.DECLARATION, is_head, at)
    m[AT] = at
    return o.DECLARATOR


@compiled
def declarator(t, m):  # type: ignore[no-untyped-def]
    """The name or the pattern of a variable."""
    at = m[AT]
    m[o.top(m) + SECOND] = at
    if o.is_name(t[at]):
        t[at] = k.NAME
        m[AT] = at + ROW
        return o.DECLARATOR_NEXT
    if t[at] == k.LEFT_BRACKET or t[at] == k.LEFT_BRACE:
        return begin_pattern(t, m, o.DECLARATOR_NEXT, o.NONE)
    return o.FAILED


@compiled
def next_declarator(t, m):  # type: ignore[no-untyped-def]
    """After a variable or its first value."""
    at = m[AT]
    slot = o.top(m)
    is_head, has_value = m[slot + FIRST] & 1, m[slot + FIRST] & _HAS_VALUE
    kind, flags = t[at], t[at + FLAGS]
    may_end = flags & HIDDEN_LINE_BEFORE and (kind == k.COMMA or kind == k.ASSIGN)
    if not has_value and (may_end or (is_head and flags & (COMMENT_BEFORE | _ANY_LINE))):
        return o.FAILED  # the grammar puts a semicolon before such comments and line ends
    m[AT] = at + ROW
    if kind == k.COMMA:
        m[slot + FIRST] = is_head
        return o.DECLARATOR
    if kind == k.ASSIGN:
        m[slot + FIRST] = is_head | _HAS_VALUE
        o.begin(m, name_value(t, m, m[slot + SECOND], at) | (WITHOUT_IN if is_head else 0))
        return o.OPERAND
    return _end_declaration(t, m, at, is_head, has_value)


@compiled
def _end_declaration(t, m, at, is_head, has_value):  # type: ignore[no-untyped-def]
    first = m[o.pop(m) + SECOND]
    m[AT] = at
    if not is_head:
        ends = semicolon(t, m) if has_value else semicolon_after_word(t, m)
        return o.FINISH if ends else o.FAILED
    m[o.top(m) + SECOND] = 1  # what the head begins with is no expression
    if t[at] == k.SEMICOLON:
        return o.RESUME  # the head of the `for` goes on
    is_alone = t[first - ROW] != k.COMMA and not has_value
    return o.RESUME if is_alone and (t[at] == k.OF or t[at] == k.IN) else o.FAILED


@compiled
def begin_expression_statement(m, marks):  # type: ignore[no-untyped-def]
    """An expression that is a statement, or ends one."""
    o.push(m, o.EXPRESSION, o.NONE, o.NONE)
    o.begin(m, marks)
    return o.OPERAND


@compiled
def export(t, m):  # type: ignore[no-untyped-def]
    """The word `export`, which is a name where a line ends after it."""
    at = m[AT] + ROW
    kind = t[at]
    if t[at + FLAGS] & _ANY_LINE:
        return o.FAILED
    m[AT] = at
    if kind == k.DEFAULT:
        return _export_default(t, m, at + ROW)
    if kind == k.VAR or kind == k.CONST or kind == k.LET:
        return begin_declaration(t, m, o.NONE)
    if kind == k.FUNCTION:
        return begin_function(t, m, at, at, o.AS_EXPORT)
    if kind == k.ASYNC and t[at + ROW] == k.FUNCTION and not t[at + ROW + FLAGS] & _ANY_LINE:
        return begin_function(t, m, at, at + ROW, o.AS_EXPORT)
    if kind == k.CLASS:
        return begin_class(t, m, at, o.AS_DECLARATION)
    if kind == k.STAR:
        at += ROW
        if t[at] == k.AS:
            if not _module_name(t, at + ROW):
                return o.FAILED
            at += 2 * ROW
        return _source(t, m, at)
    if kind != k.LEFT_BRACE:
        return o.FAILED
    at = _specifiers(t, at, False)
    if at == 0:
        return o.FAILED
    if t[at] == k.FROM:
        return _source(t, m, at)
    m[AT] = at
    return o.FINISH if semicolon_after_word(t, m) else o.FAILED


@compiled
def _export_default(t, m, at):  # type: ignore[no-untyped-def]
    m[AT] = at
    word = at
    if t[at] == k.ASYNC and t[at + ROW] == k.FUNCTION and not t[at + ROW + FLAGS] & _ANY_LINE:
        word = at + ROW
    if t[word] == k.FUNCTION:
        after = word + ROW if t[word + ROW] != k.STAR else word + 2 * ROW
        if t[after] != k.LEFT_PAREN:
            return begin_function(t, m, at, word, o.AS_DECLARATION)
    elif t[word] == k.CLASS and o.is_name(t[word + ROW]):
        return begin_class(t, m, word, o.AS_DECLARATION)
    return begin_expression_statement(m, o.NONE)


@compiled
def _module_name(t, at):  # type: ignore[no-untyped-def]
    """Whether a name of what a module exports is at `at`."""
    if o.is_name(t[at]):
        t[at] = k.NAME
        return True
    return t[at] == k.STRING or t[at] == k.DEFAULT


@compiled
def _specifiers(t, at, is_import):  # type: ignore[no-untyped-def]
    """The place after a list in braces; 0 where it is not understood."""
    at += ROW
    while t[at] != k.RIGHT_BRACE:
        if t[at] == k.AS or not _module_name(t, at):
            return 0
        at += ROW
        if t[at] == k.AS:
            at += ROW
            if t[at] == k.AS or not _module_name(t, at):
                return 0
            at += ROW
        if is_import and t[at - ROW] != k.NAME:
            return 0
        if t[at] == k.COMMA:
            at += ROW
        elif t[at] != k.RIGHT_BRACE:
            return 0
    return at + ROW


@compiled
def _source(t, m, at):  # type: ignore[no-untyped-def]
    """`from "…"`."""
    if t[at] != k.FROM or t[at + FLAGS] & _ANY_LINE or t[at + ROW] != k.STRING:
        return o.FAILED
    m[AT] = at + 2 * ROW
    return o.FINISH if semicolon_after_word(t, m) else o.FAILED


@compiled
def import_(t, m):  # type: ignore[no-untyped-def]
    """The word `import`."""
    at = m[AT] + ROW
    if t[at] == k.LEFT_PAREN or t[at] == k.DOT:
        return begin_expression_statement(m, SEQUENCE)
    if t[at] == k.STRING:
        m[AT] = at + ROW
        return o.FINISH if semicolon_after_word(t, m) else o.FAILED
    if t[at] == k.NAME:
        at += ROW
        if t[at] == k.FROM:
            return _source(t, m, at)
        if t[at] != k.COMMA:
            return o.FAILED
        at += ROW
    if t[at] == k.STAR:
        if t[at + ROW] != k.AS or not o.is_name(t[at + 2 * ROW]):
            return o.FAILED
        t[at + 2 * ROW] = k.NAME
        return _source(t, m, at + 3 * ROW)
    at = _specifiers(t, at, True) if t[at] == k.LEFT_BRACE else 0
    return _source(t, m, at) if at else o.FAILED
