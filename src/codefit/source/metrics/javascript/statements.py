"""Statements: how they begin, and what is done where one ends."""

from __future__ import annotations

from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.blocks import begin_try, close_block
from codefit.source.metrics.javascript.classes import begin_class
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.declarations import (
    begin_declaration,
    begin_expression_statement,
    export,
    import_,
)
from codefit.source.metrics.javascript.functions import begin_function
from codefit.source.metrics.javascript.loops import begin_condition, begin_for
from codefit.source.metrics.javascript.memory import (
    AT,
    COGNITIVE,
    CYCLOMATIC,
    DEPTH,
    DOUBTFUL,
    FIRST,
    FLAGS,
    FRAME,
    HIDDEN_LINE_BEFORE,
    LEVEL,
    LINE_BEFORE,
    MATCH,
    ROW,
    SECOND,
    SEQUENCE,
    TEXT,
)
from codefit.source.metrics.javascript.semicolons import semicolon, semicolon_after_word

_ANY_LINE = LINE_BEFORE | HIDDEN_LINE_BEFORE


@compiled
def statement(t, m):  # type: ignore[no-untyped-def]
    """A statement begins, or the block around it ends."""
    at = m[AT]
    kind = t[at]
    slot = o.top(m)
    if m[slot] == o.SWITCH and m[slot + SECOND] == 0 and kind not in (k.CASE, k.DEFAULT, k.RIGHT_BRACE):
        return o.FAILED
    if o.is_name(kind) and t[at + ROW] == k.COLON and t[at + TEXT] != k.UNDEFINED:
        return _label(t, m, at, slot)
    if t[at + ROW] == k.LEFT_PAREN and t[at - ROW] == k.LEFT_BRACE and _may_open_object(m, slot):
        m[DOUBTFUL] = max(m[DOUBTFUL], t[at + ROW + MATCH])  # `{ f(`: a call in a block, or a method in an object
    if kind < k.WORDS:
        return _word(t, m, at, kind)
    if kind == k.LEFT_BRACE:
        if _may_be_object(t, at):
            return o.FAILED
        o.push(m, o.BLOCK, o.NONE, o.NONE)
        m[AT] = at + ROW
        return o.STATEMENT
    if kind == k.RIGHT_BRACE:
        return close_block(t, m)
    if kind == k.SEMICOLON:
        m[AT] = at + ROW
        return o.FINISH
    if kind == k.END:
        return o.DONE if m[slot] == o.PROGRAM else o.FAILED
    return begin_expression_statement(m, SEQUENCE)


@compiled
def _may_open_object(m, slot):  # type: ignore[no-untyped-def]
    """Whether an object could begin where the block around does."""
    return m[slot] == o.BLOCK or (m[slot] == o.FUNCTION and m[slot + FIRST] == o.AS_ARROW)


@compiled
def _may_be_object(t, at):  # type: ignore[no-untyped-def]
    """`{ a() {`: the grammar takes it for an object even where a line ends before the second brace."""
    name = t[at + ROW]
    if name not in (k.NAME, k.STRING, k.NUMBER) and not k.SOFT <= name < k.WORDS:
        return False
    return t[at + 2 * ROW] == k.LEFT_PAREN and t[t[at + 2 * ROW + MATCH] + ROW] == k.LEFT_BRACE


@compiled
def _label(t, m, at, slot):  # type: ignore[no-untyped-def]
    """The grammar takes `{ a: b }` for an object: not sure unless a statement follows that cannot be in one."""
    is_first = t[at - ROW] == k.LEFT_BRACE and _may_open_object(m, slot)
    after = t[at + 2 * ROW]
    is_sure = after in (k.FOR, k.WHILE, k.DO, k.SWITCH, k.IF, k.TRY)
    if not is_sure and (is_first or after in (k.RIGHT_BRACE, k.END, k.CASE, k.DEFAULT)):
        return o.FAILED
    t[at] = k.NAME
    m[AT] = at + 2 * ROW
    return o.STATEMENT


@compiled
def _word(t, m, at, kind):  # type: ignore[no-untyped-def]
    after = t[at + ROW]
    if kind == k.IF:
        return _if(t, m, at)
    if kind == k.RETURN or kind == k.THROW:
        return _return(t, m, at, kind)
    if kind == k.VAR or kind == k.CONST:
        return begin_declaration(t, m, o.NONE)
    if kind == k.LET:
        is_declaration = o.is_name(after) or after == k.LEFT_BRACKET or after == k.LEFT_BRACE
        return begin_declaration(t, m, o.NONE) if is_declaration else o.FAILED
    if kind == k.FUNCTION:
        return begin_function(t, m, at, at, o.AS_DECLARATION)
    if kind == k.ASYNC and after == k.FUNCTION and not t[at + ROW + FLAGS] & _ANY_LINE:
        return begin_function(t, m, at, at + ROW, o.AS_DECLARATION)
    if kind == k.CLASS:
        return begin_class(t, m, at, o.AS_DECLARATION)
    if kind == k.FOR:
        return begin_for(t, m, at)
    if kind == k.WHILE:
        o.add_structure(m)
        o.deepen(m)
        return begin_condition(t, m, o.LOOP_BODY)
    if kind == k.BREAK or kind == k.CONTINUE or kind == k.DEBUGGER:
        return _jump(t, m, at, kind)
    return _other_word(t, m, at, kind)


@compiled
def _other_word(t, m, at, kind):  # type: ignore[no-untyped-def]
    if kind == k.CASE or kind == k.DEFAULT:
        return _case(t, m, at, kind)
    if kind == k.TRY:
        return begin_try(t, m, at)
    if kind == k.DO:
        o.add_structure(m)
        o.deepen(m)
        m[m[FRAME] + LEVEL] += 1
        o.push(m, o.DO_BODY, o.NONE, o.NONE)
        m[AT] = at + ROW
        return o.STATEMENT
    if kind == k.SWITCH:
        frame = m[FRAME]
        m[frame + COGNITIVE] += 1 + m[frame + LEVEL]
        o.deepen(m)
        return begin_condition(t, m, o.SWITCH)
    if kind == k.WITH:
        o.deepen(m)
        return begin_condition(t, m, o.WITH_BODY)
    if kind == k.IMPORT:
        return import_(t, m)
    if kind == k.EXPORT:
        return export(t, m)
    return begin_expression_statement(m, SEQUENCE) if kind != k.USING else o.FAILED


@compiled
def _if(t, m, at):  # type: ignore[no-untyped-def]
    o.add_structure(m)
    o.deepen(m)
    o.push(m, o.IF_BODY, o.NONE, o.NONE)
    return begin_condition(t, m, o.IF_BODY)


@compiled
def _case(t, m, at, kind):  # type: ignore[no-untyped-def]
    slot = o.top(m)
    if m[slot] != o.SWITCH:
        return o.FAILED
    m[slot + SECOND] = 1
    m[AT] = at + ROW
    if kind == k.CASE:
        m[m[FRAME] + CYCLOMATIC] += 1
        o.push(m, o.CASE, o.NONE, o.NONE)
        o.begin(m, SEQUENCE)
        return o.OPERAND
    m[AT] = at + 2 * ROW
    return o.STATEMENT if t[at + ROW] == k.COLON else o.FAILED


@compiled
def _return(t, m, at, kind):  # type: ignore[no-untyped-def]
    after = at + ROW
    m[AT] = after
    is_empty = t[after] == k.SEMICOLON or t[after] == k.RIGHT_BRACE or t[after] == k.END
    if is_empty or t[after + FLAGS] & _ANY_LINE:
        if kind == k.THROW or not semicolon_after_word(t, m):
            return o.FAILED
        return o.FINISH
    return begin_expression_statement(m, SEQUENCE)


@compiled
def _jump(t, m, at, kind):  # type: ignore[no-untyped-def]
    """`break` or `continue`, maybe to a label, or `debugger`."""
    after = at + ROW
    m[AT] = after
    is_label = t[after] == k.NAME and kind != k.DEBUGGER and not t[after + FLAGS] & LINE_BEFORE
    if is_label:
        if t[after + FLAGS] & HIDDEN_LINE_BEFORE:
            return o.FAILED
        m[m[FRAME] + COGNITIVE] += 1
        m[AT] = after + ROW
    return o.FINISH if semicolon_after_word(t, m) else o.FAILED


@compiled
def finish(t, m):  # type: ignore[no-untyped-def]
    """A statement has ended: so have those whose last part it is."""
    while True:
        slot = o.top(m)
        what = m[slot]
        if what < o.IF_BODY:
            return o.STATEMENT
        frame = m[FRAME]
        if what != o.WITH_BODY:
            m[frame + LEVEL] -= 1
        if what == o.IF_BODY and t[m[AT]] == k.ELSE:
            return _else(t, m, slot)
        if what == o.DO_BODY:
            return begin_condition(t, m, o.DO_BODY) if t[m[AT]] == k.WHILE else o.FAILED
        m[frame + DEPTH] -= 1
        o.pop(m)


@compiled
def _else(t, m, slot):  # type: ignore[no-untyped-def]
    frame = m[FRAME]
    m[AT] += ROW
    m[frame + COGNITIVE] += 1
    if t[m[AT]] == k.IF:  # no deeper than the `if` before
        m[frame + CYCLOMATIC] += 1
        return begin_condition(t, m, o.IF_BODY)
    m[slot] = o.ELSE_BODY
    m[frame + LEVEL] += 1
    return o.STATEMENT


@compiled
def end_statement(t, m):  # type: ignore[no-untyped-def]
    """After an expression that is a statement or ends one."""
    o.pop(m)
    return o.FINISH if semicolon(t, m) else o.FAILED
