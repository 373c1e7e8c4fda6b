"""Blocks of statements: their closing braces, and `try` with its parts."""

from __future__ import annotations

from codefit.source.metrics.javascript import modes as o
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.classes import end_static_block
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.functions import end_body
from codefit.source.metrics.javascript.memory import AT, DEPTH, FRAME, LEVEL, ROW
from codefit.source.metrics.javascript.patterns import begin_pattern


@compiled
def close_block(t, m):  # type: ignore[no-untyped-def]
    """A brace that closes statements."""
    what = m[o.top(m)]
    if what == o.BLOCK:
        o.pop(m)
        m[AT] += ROW
        return o.FINISH
    if what == o.FUNCTION:
        return end_body(t, m)
    if what == o.SWITCH:
        o.pop(m)
        m[m[FRAME] + LEVEL] -= 1
        m[m[FRAME] + DEPTH] -= 1
        m[AT] += ROW
        return o.FINISH
    if what == o.TRY or what == o.CATCH or what == o.FINALLY:
        return _end_try(t, m, what)
    return end_static_block(m) if what == o.STATIC_BLOCK else o.FAILED


@compiled
def begin_try(t, m, at):  # type: ignore[no-untyped-def]
    """The word `try`."""
    o.deepen(m)
    o.push(m, o.TRY, o.NONE, o.NONE)
    m[AT] = at + 2 * ROW
    return o.STATEMENT if t[at + ROW] == k.LEFT_BRACE else o.FAILED


@compiled
def _end_try(t, m, what):  # type: ignore[no-untyped-def]
    """The brace that closes one of the parts."""
    at = m[AT] + ROW
    slot = o.top(m)
    m[AT] = at
    if what == o.TRY and t[at] == k.CATCH:
        o.add_structure(m)
        m[slot] = o.CATCH
        return _parameter(t, m, at + ROW)
    if what == o.CATCH:
        m[m[FRAME] + LEVEL] -= 1
    if what != o.FINALLY and t[at] == k.FINALLY:
        m[slot] = o.FINALLY
        m[AT] = at + 2 * ROW
        return o.STATEMENT if t[at + ROW] == k.LEFT_BRACE else o.FAILED
    if what == o.TRY:
        return o.FAILED
    o.pop(m)
    m[m[FRAME] + DEPTH] -= 1
    return o.FINISH


@compiled
def _parameter(t, m, at):  # type: ignore[no-untyped-def]
    m[AT] = at
    if t[at] != k.LEFT_PAREN:
        return _begin_catch(t, m)
    at += ROW
    m[AT] = at
    if o.is_name(t[at]):
        t[at] = k.NAME
        m[AT] = at + ROW
        return o.CATCH_NEXT
    is_pattern = t[at] == k.LEFT_BRACKET or t[at] == k.LEFT_BRACE
    return begin_pattern(t, m, o.CATCH_NEXT, o.NONE) if is_pattern else o.FAILED


@compiled
def next_catch(t, m):  # type: ignore[no-untyped-def]
    """After what an error is called."""
    at = m[AT]
    m[AT] = at + ROW
    return _begin_catch(t, m) if t[at] == k.RIGHT_PAREN else o.FAILED


@compiled
def _begin_catch(t, m):  # type: ignore[no-untyped-def]
    m[m[FRAME] + LEVEL] += 1
    m[AT] += ROW
    return o.STATEMENT if t[m[AT] - ROW] == k.LEFT_BRACE else o.FAILED
