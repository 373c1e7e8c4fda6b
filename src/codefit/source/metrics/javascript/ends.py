"""Where a function ends when a comment stands after its closing brace.

The grammar lets a block end with a semicolon that it puts itself. Where it finds one only after a comment, the comment
is part of the block, and of the function. Its scanner (tree-sitter-javascript 0.25, `scan_automatic_semicolon`) decides
by the text that follows, and so is that done here.
"""

from __future__ import annotations

from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.lexer import goes_on_after_in
from codefit.source.metrics.javascript.memory import REACHES_AS_EXPORT

_LINE_FEED, _SLASH, _STAR, _CLOSE, _COMMA, _EQUAL, _DOT, _PLUS, _MINUS, _NOT, _I, _N = b"\n/*},=.+-!in"
_REJECTED, _UNCLEAR, _ACCEPTED = range(3)


@compiled
def _is_space(letter):  # type: ignore[no-untyped-def]
    return letter == ord(" ") or 9 <= letter <= 13


@compiled
def _skip(data, place, goes_past):  # type: ignore[no-untyped-def]
    """Past white space and comments, only the first block comment where `goes_past` is false."""
    has_line = False
    while True:
        while _is_space(data[place]):
            place += 1
        if data[place] != _SLASH:
            return place, _ACCEPTED
        place += 1
        if data[place] == _SLASH:
            while data[place] != 0 and data[place] != _LINE_FEED:
                place += 1
        elif data[place] == _STAR:
            place += 1
            while not (data[place] == _STAR and data[place + 1] == _SLASH):
                has_line |= data[place] == _LINE_FEED
                place += 1
            place += 2
            if data[place] != _SLASH and not goes_past:
                return place, _ACCEPTED if has_line else _UNCLEAR
        else:
            return place, _REJECTED


@compiled
def _puts_semicolon(data, place, comment_is_enough):  # type: ignore[no-untyped-def]
    while True:
        if data[place] == 0:
            return True
        if data[place] == _SLASH:
            place, result = _skip(data, place, False)
            if result == _REJECTED:
                return False
            if result == _ACCEPTED and comment_is_enough and data[place] != _COMMA and data[place] != _EQUAL:
                return True
        if data[place] == _CLOSE:
            return True
        if data[place] == _LINE_FEED:
            break
        if not _is_space(data[place]):
            return False
        place += 1
    place, result = _skip(data, place + 1, True)
    return result != _REJECTED and _may_begin(data, place)


@compiled
def _may_begin(data, place):  # type: ignore[no-untyped-def]
    """Whether a statement may begin there, as the grammar sees it."""
    letter, after = data[place], data[place + 1]
    for other in b"`,:;*%><=[(?^|&/":
        if letter == other:
            return False
    if letter == _DOT:
        return ord("0") <= after <= ord("9")
    if letter in (_PLUS, _MINUS):
        return after == letter
    if letter == _NOT:
        return after != _EQUAL
    return letter != _I or after != _N or not goes_on_after_in(data, place + 2)


@compiled
def function_end(data, place, rule):  # type: ignore[no-untyped-def]
    """The end of a function whose brace closes before `place`, and how many lines further that is."""
    end, lines = place, 0
    while not _puts_semicolon(data, end, rule == REACHES_AS_EXPORT):
        while _is_space(data[end]):
            lines += data[end] == _LINE_FEED
            end += 1
        if data[end] != _SLASH or (data[end + 1] != _SLASH and data[end + 1] != _STAR):
            return place, 0
        is_line = data[end + 1] == _SLASH
        end += 2
        while data[end] != 0 and not _closes(data, end, is_line):
            lines += data[end] == _LINE_FEED
            end += 1
        end += 0 if is_line else 2
    return end, lines


@compiled
def _closes(data, place, is_line):  # type: ignore[no-untyped-def]
    if is_line:
        return data[place] == _LINE_FEED
    return data[place] == _STAR and data[place + 1] == _SLASH
