"""What is counted of the tokens of each function, once it is known where functions are."""

from __future__ import annotations

from typing import Any

from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.compiling import compiled, entry
from codefit.source.metrics.javascript.ends import function_end
from codefit.source.metrics.javascript.memory import (
    AROUND,
    CHAINED,
    CLASS_TYPE,
    CLOSING,
    COGNITIVE,
    CYCLOMATIC,
    DEEPEST,
    FLAGS,
    FRAME_ROW,
    FUNCTION_TYPE,
    HEAD,
    LAST_LINE,
    LINE,
    MEMBER_NAME,
    MODULE_TYPE,
    NO_NAME,
    OPENING,
    OPENS,
    OUT_AROUND,
    OUT_CCN,
    OUT_COGNITIVE,
    OUT_CYCLOMATIC,
    OUT_END,
    OUT_END_LINE,
    OUT_KINDS_OF_OPERANDS,
    OUT_KINDS_OF_OPERATORS,
    OUT_LINE,
    OUT_LINES,
    OUT_NAME,
    OUT_NAME_START,
    OUT_NAME_STOP,
    OUT_NESTING,
    OUT_OPERANDS,
    OUT_OPERATORS,
    OUT_PARAMETERS,
    OUT_PART_START,
    OUT_PART_STOP,
    OUT_START,
    OUT_TOKENS,
    OUT_TYPE,
    OWN_FIRST,
    OWN_LAST,
    PARAMETERS,
    REACHES,
    REACHES_NOT,
    REGISTERS,
    ROW,
    START,
    STOP,
    STRING_NAME,
    TEXT,
    TEXT_NAME,
    TEXT_ROW,
    TEXT_WEIGHT,
    TYPE,
    VALUE_FIRST,
    VALUE_KIND,
    VALUE_LAST,
    VALUE_PART,
)
from codefit.source.metrics.javascript.stamp import STAMP

_SHIFT = len(k.PRELUDE)


@compiled
def _figures(m, row, out, number):  # type: ignore[no-untyped-def]
    out[number, OUT_CYCLOMATIC] = m[row + CYCLOMATIC]
    out[number, OUT_COGNITIVE] = m[row + COGNITIVE]
    out[number, OUT_NESTING] = m[row + DEEPEST]
    out[number, OUT_PARAMETERS] = m[row + PARAMETERS]
    out[number, OUT_CCN] = m[row + CYCLOMATIC] - m[row + CHAINED]


@compiled
def _own_name(t, m, row, out, number):  # type: ignore[no-untyped-def]
    first, last = m[row + OWN_FIRST], m[row + OWN_LAST]
    out[number, OUT_NAME] = NO_NAME
    if first:
        out[number, OUT_NAME] = STRING_NAME if t[first] == k.STRING else TEXT_NAME
        out[number, OUT_NAME_START] = t[first + START] - _SHIFT
        out[number, OUT_NAME_STOP] = t[last + STOP] - _SHIFT


@compiled
def _name(t, m, row, out, number):  # type: ignore[no-untyped-def]
    """The name of what a function is the value of, else its own."""
    kind = m[row + VALUE_KIND]
    if kind == NO_NAME:
        _own_name(t, m, row, out, number)
        return
    out[number, OUT_NAME] = kind
    out[number, OUT_NAME_START] = t[m[row + VALUE_FIRST] + START] - _SHIFT
    out[number, OUT_NAME_STOP] = t[m[row + VALUE_LAST] + STOP] - _SHIFT
    if kind == MEMBER_NAME:
        part = m[row + VALUE_PART]
        out[number, OUT_PART_START] = t[part + START] - _SHIFT
        out[number, OUT_PART_STOP] = t[part + STOP] - _SHIFT


@compiled
def _place(data, t, m, row, out, number):  # type: ignore[no-untyped-def]
    head, closing = m[row + HEAD], m[row + CLOSING]
    end, lines = t[closing + STOP], 0
    if m[row + REACHES] != REACHES_NOT:
        end, lines = function_end(data, end, m[row + REACHES])
    out[number, OUT_LINE] = t[head + LINE] + 1
    out[number, OUT_END_LINE] = t[closing + LAST_LINE] + 1 + lines
    out[number, OUT_START] = t[head + START] - _SHIFT
    out[number, OUT_END] = end - _SHIFT


@compiled
def _tokens(t, m, texts, seen, row, out, number):  # type: ignore[no-untyped-def]
    """What the tokens of a function say, without those of functions in it."""
    at, last = m[row + OPENING], m[row + CLOSING]
    lines, tokens, operators, operands, kinds_of_operators, kinds_of_operands = 0, 0, 0, 0, 0, 0
    first = at
    while at <= last:
        inner = t[at + FLAGS] >> OPENS
        if inner != 0 and inner != number:
            at = m[REGISTERS + inner * FRAME_ROW + CLOSING] + ROW
            continue
        kind = t[at]
        what = kind
        begins = at == first and m[row + TYPE] == FUNCTION_TYPE  # the line may be another function's, too
        if begins or t[at + LINE] > t[at - ROW + LAST_LINE]:
            lines += 1
        if kind < k.OPERATORS and kind != k.OPTIONAL:
            tokens += k.WEIGHTS[kind]
            if not (kind == k.RIGHT_PAREN or kind == k.RIGHT_BRACE or kind == k.RIGHT_BRACKET):
                operators += 1
                kinds_of_operators += seen[what] != number + 1
        else:
            lines += t[at + LAST_LINE] - t[at + LINE]
            tokens += texts[t[at + TEXT] * TEXT_ROW + TEXT_WEIGHT]
            operands += 1
            what = k.KINDS + t[at + TEXT]
            kinds_of_operands += seen[what] != number + 1
        seen[what] = number + 1
        at += ROW
    out[number, OUT_LINES] = lines
    out[number, OUT_TOKENS] = tokens
    out[number, OUT_KINDS_OF_OPERATORS] = kinds_of_operators
    out[number, OUT_KINDS_OF_OPERANDS] = kinds_of_operands
    out[number, OUT_OPERATORS] = operators
    out[number, OUT_OPERANDS] = operands


def _counter(stamp: int) -> Any:
    @entry
    def count(data, t, m, texts, seen, out):  # type: ignore[no-untyped-def]
        """Fill in `out`. `seen` has a zero for each kind of token and each text."""
        if stamp < 0:
            return
        for number in range(len(out)):
            row = REGISTERS + number * FRAME_ROW
            kind = m[row + TYPE]
            out[number, OUT_TYPE] = kind
            out[number, OUT_AROUND] = (m[row + AROUND] - REGISTERS) // FRAME_ROW
            if kind == CLASS_TYPE:
                _own_name(t, m, row, out, number)
            elif kind in (FUNCTION_TYPE, MODULE_TYPE):
                _figures(m, row, out, number)
                _tokens(t, m, texts, seen, row, out, number)
                if kind == FUNCTION_TYPE:
                    _name(t, m, row, out, number)
                    _place(data, t, m, row, out, number)

    return count


count = _counter(STAMP)
