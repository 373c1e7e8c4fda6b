"""The parser: step after step until the file is read or something is not understood.

It keeps its own stack, so that no code is too deep for it, and builds no tree: what a token means for the figures is
added to its function when it is met.
"""

from __future__ import annotations

from typing import Any

from codefit.source.metrics.javascript import (
    blocks,
    brackets,
    classes,
    declarations,
    functions,
    loops,
    objects,
    operands,
    operators,
)
from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import patterns as p
from codefit.source.metrics.javascript import statements as s
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.compiling import compiled, entry
from codefit.source.metrics.javascript.memory import AT, LIMIT, ROW, TOP
from codefit.source.metrics.javascript.stamp import STAMP


@compiled
def _other_step(t, m, step):  # type: ignore[no-untyped-def]
    if step == o.PROPERTY:
        return objects.begin_property(t, m)
    if step == o.PROPERTY_NEXT:
        return objects.end_property(t, m)
    if step == o.MEMBER:
        return classes.member(t, m)
    if step == o.FIELD_NEXT:
        return classes.next_field(t, m)
    if step == o.ELEMENT:
        return p.element(t, m)
    if step == o.ELEMENT_END:
        return p.end_element(t, m)
    if step == o.DECLARATOR:
        return declarations.declarator(t, m)
    if step == o.DECLARATOR_NEXT:
        return declarations.next_declarator(t, m)
    return blocks.next_catch(t, m)


@compiled
def _resume(t, m):  # type: ignore[no-untyped-def]
    """An expression has ended: go on with what it is part of."""
    what = m[o.top(m)]
    if what == o.ARGUMENTS:
        return brackets.end_items(t, m, k.RIGHT_PAREN)
    if what == o.EXPRESSION:
        return s.end_statement(t, m)
    if what == o.GROUP:
        return brackets.end_group(t, m)
    if what == o.CONDITION:
        return loops.end_condition(t, m)
    if what == o.OBJECT:
        return objects.end_property(t, m)
    if what == o.INDEX:
        return brackets.end_index(t, m)
    if what == o.DECLARATION:
        return declarations.next_declarator(t, m)
    if what == o.ARRAY:
        return brackets.end_items(t, m, k.RIGHT_BRACKET)
    if what == o.THEN:
        return operators.end_then(t, m)
    if what == o.ELSE:
        return operators.end_else(m)
    if what == o.ARROW_BODY:
        return functions.end_arrow(m)
    return _resume_rarely(t, m, what)


@compiled
def _resume_rarely(t, m, what):  # type: ignore[no-untyped-def]
    if what == o.PLACEHOLDER:
        return brackets.end_placeholder(t, m)
    if what == o.KEY:
        return objects.end_key(t, m)
    if what == o.FOR_FIRST:
        return loops.end_first(t, m)
    if what == o.FOR_TEST:
        return loops.end_test(t, m)
    if what == o.FOR_STEP or what == o.FOR_EACH:
        return loops.end_head(t, m)
    if what == o.CASE:
        at = m[AT]
        o.pop(m)
        m[AT] = at + ROW
        return o.STATEMENT if t[at] == k.COLON else o.FAILED
    if what == o.DEFAULT:
        return p.end_default(t, m)
    if what == o.HERITAGE:
        return classes.end_heritage(t, m)
    if what == o.FIELD:
        return classes.end_field(t, m)
    return p.end_target(t, m) if what == o.TARGET else o.FAILED


def _parser(stamp: int) -> Any:
    @entry
    def parse(t, m):  # type: ignore[no-untyped-def]
        """Read all tokens. False where something is not understood, or lies too deep."""
        if stamp < 0:
            return False
        step = o.STATEMENT
        while step > o.DONE:
            if m[TOP] > m[LIMIT]:
                return False
            if step == o.OPERAND:
                step = operands.operand(t, m)
            elif step == o.OPERATOR:
                step = operators.operator(t, m)
            elif step == o.RESUME:
                step = o.OPERAND if operators.end_expression(t, m) else _resume(t, m)
            elif step == o.STATEMENT:
                step = s.statement(t, m)
            elif step == o.FINISH:
                step = s.finish(t, m)
            else:
                step = _other_step(t, m, step)
        return step == o.DONE

    return parse


parse = _parser(STAMP)
