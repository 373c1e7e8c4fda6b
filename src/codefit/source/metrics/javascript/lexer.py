"""From bytes to tokens.

Whether a slash divides or begins a regular expression only the parser knows. The lexer guesses by the tokens before it,
and the parser meets every token: one guessed wrong cannot stand where it is, and the file is left to the walk.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from codefit.source.metrics.javascript import characters as c
from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.compiling import compiled, entry
from codefit.source.metrics.javascript.literals import escape_end, number_end, regex_end, separator, string_end
from codefit.source.metrics.javascript.memory import (
    BEFORE,
    COMMENT_BEFORE,
    FLAGS,
    GOES_ON_WORD,
    HIDDEN_LINE_BEFORE,
    KIND,
    LAST_LINE,
    LINE,
    LINE_BEFORE,
    LINE_NOW,
    MATCH,
    OPEN,
    PLACE,
    ROW,
    ROWS,
    START,
    STOP,
    TEXT,
    TEXT_HASH,
    TEXT_ROW,
    TEXT_START,
    TEXT_STOP,
    TEXT_WEIGHT,
    TEXTS,
)
from codefit.source.metrics.javascript.stamp import STAMP

BASE = ROW * k.PRELUDE_WORDS  # the rows of the prelude come first
_OFFSET, _PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)  # Fowler, Noll and Vo
_LINE_FEED, _SLASH, _STAR, _BACKSLASH, _BACKTICK, _DOLLAR = b"\n/*\\`$"
_HASH, _DOT, _SPACE, _TAB, _OPEN, _MORE = b"#. \t{>"
_I, _N = b"in"
_STANCEOF = np.frombuffer(b"stanceof", np.uint8)
_CASE = 32
_MAY_BE_ODD = np.zeros(256, np.uint8)  # what a template's text begins with where lizard may make several tokens of it
_MAY_BE_ODD[list(b"0123456789.<>*%/&|?" + bytes(range(128, 256)))] = 1


@compiled
def _literal(data, t, r, texts, slots, first, begins):  # type: ignore[no-untyped-def]
    place = r[PLACE]
    if begins == c.QUOTE:
        return _operand(data, t, r, texts, slots, k.STRING, string_end(data, place))
    if begins == c.DIGIT:
        return _operand(data, t, r, texts, slots, k.NUMBER, number_end(data, place))
    if first == _SLASH:
        if _divides(t, r):
            return _sign(data, t, r, texts, slots)
        return _operand(data, t, r, texts, slots, k.REGEX, regex_end(data, place))
    if first == _BACKTICK:
        _open(t, r, _put(t, r, k.BACKTICK, place, place + 1))
        return _template(data, t, r, texts, slots)
    if first == _HASH and c.BEGINS[data[place + 1]] == c.WORD:
        return _private(data, t, r, texts, slots)
    if first == _HASH and data[place + 1] == ord("!") and r[ROWS] == BASE and place == len(k.PRELUDE):
        while data[place] != _LINE_FEED and data[place] != 0:
            place += 1
        return _operand(data, t, r, texts, slots, k.HASHBANG, place)
    return False


@compiled
def _space(data, r):  # type: ignore[no-untyped-def]
    """Go past white space and comments. False at a comment that is none, or that holds an unusual line end."""
    place, line, before = r[PLACE], r[LINE_NOW], 0
    while True:
        letter = data[place]
        if letter in (_SPACE, _TAB) or letter == 11 or letter == 12:
            place += 1
        elif letter == _LINE_FEED:
            place += 1
            line += 1
            before |= LINE_BEFORE
        elif letter == _SLASH and data[place + 1] == _SLASH:
            before |= COMMENT_BEFORE
            while data[place] != _LINE_FEED and data[place] != 0:
                if data[place] == 0xE2 and _line_end(data, place):
                    return False
                place += 1
        elif letter == _SLASH and data[place + 1] == _STAR:
            before |= COMMENT_BEFORE
            place += 2
            while not (data[place] == _STAR and data[place + 1] == _SLASH):
                if data[place] == _LINE_FEED:
                    line += 1
                    before |= HIDDEN_LINE_BEFORE
                elif data[place] == 0 or (data[place] == 0xE2 and _line_end(data, place)):
                    return False
                place += 1
            place += 2
        else:
            break
    r[PLACE], r[LINE_NOW], r[BEFORE] = place, line, before
    return True


@compiled
def _line_end(data, place):  # type: ignore[no-untyped-def]
    """Whether U+2028 or U+2029 stands there."""
    return data[place + 1] == 0x80 and (data[place + 2] == 0xA8 or data[place + 2] == 0xA9)


@compiled
def _put(t, r, kind, start, stop):  # type: ignore[no-untyped-def]
    """Add a token of one line, and go past it."""
    row = r[ROWS]
    t[row + KIND] = kind
    t[row + START] = start
    t[row + STOP] = stop
    t[row + LINE] = r[LINE_NOW]
    t[row + LAST_LINE] = r[LINE_NOW]
    t[row + FLAGS] = r[BEFORE]
    t[row + TEXT] = -1
    t[row + MATCH] = -1
    r[ROWS] = row + ROW
    r[PLACE] = stop
    r[BEFORE] = 0
    return row


@compiled
def _open(t, r, row):  # type: ignore[no-untyped-def]
    """While a bracket is open, its match is the one around it."""
    t[row + MATCH] = r[OPEN]
    r[OPEN] = row


@compiled
def _close(t, r, row, kind):  # type: ignore[no-untyped-def]
    opening = r[OPEN]
    if opening < 0 or t[opening + KIND] != kind:
        return False
    r[OPEN] = t[opening + MATCH]
    t[opening + MATCH] = row
    t[row + MATCH] = opening
    return True


@compiled
def _number_of(data, r, texts, slots, start, stop, hashed, weight):  # type: ignore[no-untyped-def]
    """The number of a text, which is new where no text of the same bytes was met."""
    mask = len(slots) - 1
    short = np.int64(hashed >> np.uint64(33))
    slot = np.int64(hashed & np.uint64(0x7FFFFFFF)) & mask
    while True:
        number = slots[slot] - 1
        if number < 0:
            break
        text = number * TEXT_ROW
        if texts[text + TEXT_HASH] == short and texts[text + TEXT_STOP] - texts[text + TEXT_START] == stop - start:
            shift = texts[text + TEXT_START] - start
            at = start
            while at < stop and data[at] == data[at + shift]:
                at += 1
            if at == stop:
                return number
        slot = (slot + 1) & mask
    number = r[TEXTS]
    r[TEXTS] = number + 1
    slots[slot] = number + 1
    text = number * TEXT_ROW
    texts[text + TEXT_START] = start
    texts[text + TEXT_STOP] = stop
    texts[text + TEXT_HASH] = short
    texts[text + TEXT_WEIGHT] = weight
    return number


@compiled
def _word(data, t, r, texts, slots):  # type: ignore[no-untyped-def]
    start = r[PLACE]
    place, hashed, seen = start, _OFFSET, 0
    while True:
        letter = data[place]
        what = c.IN_NAMES[letter]
        if what == 0:
            break
        if what & c.IS_WIDE and separator(data, place):
            return False
        seen |= what
        hashed = (hashed ^ np.uint64(letter)) * _PRIME
        place += 1
    if letter == _BACKSLASH:
        return False
    weight = 0 if seen & c.IS_ODD or data[start] >= 128 else 1
    number = _number_of(data, r, texts, slots, start, place, hashed, weight)
    kind = k.NAME
    if number < k.UNDEFINED:
        kind = number if number < k.WORDS else k.VALUE
    row = _put(t, r, kind, start, place)
    t[row + TEXT] = number
    if data[start] == _I and data[start + 1] == _N and goes_on_after_in(data, start + 2):
        t[row + FLAGS] |= GOES_ON_WORD
    return True


@compiled
def goes_on_after_in(data, place):  # type: ignore[no-untyped-def]
    """Whether the grammar takes a word for `in` or `instanceof` where it looks for the end of a statement."""
    at = 0
    while at < 8 and data[place + at] == _STANCEOF[at]:
        at += 1
    if at != 0 and at != 8:
        return False
    letter = data[place + at] | _CASE
    return not ord("a") <= letter <= ord("z")


@compiled
def _private(data, t, r, texts, slots):  # type: ignore[no-untyped-def]
    place = r[PLACE] + 1
    while c.IN_NAMES[data[place]]:
        if c.IN_NAMES[data[place]] & c.IS_WIDE and separator(data, place):
            return False
        place += 1
    return data[place] != _BACKSLASH and _operand(data, t, r, texts, slots, k.PRIVATE, place)


@compiled
def _operand(data, t, r, texts, slots, kind, stop):  # type: ignore[no-untyped-def]
    """Add a token whose text counts; it may go over several lines."""
    start = r[PLACE]
    if stop < 0:
        return False
    hashed, lines, has_dollar, has_sign = _OFFSET, 0, False, False
    for place in range(start, stop):
        letter = data[place]
        hashed = (hashed ^ np.uint64(letter)) * _PRIME
        if letter == _LINE_FEED:
            lines += 1
        elif letter == _DOLLAR:
            has_dollar = True
        elif c.IN_NAMES[letter] != c.IN_NAME:
            has_sign = True
    weight = 1
    if kind == k.NUMBER:
        weight = 0 if has_sign else 1
    elif kind != k.STRING and kind != k.REGEX and kind != k.OPTIONAL and (has_dollar or _MAY_BE_ODD[data[start]]):
        weight = 0
    number = _number_of(data, r, texts, slots, start, stop, hashed, weight)
    row = _put(t, r, kind, start, stop)
    t[row + TEXT] = number
    r[LINE_NOW] += lines
    t[row + LAST_LINE] = r[LINE_NOW]
    return True


@compiled
def _sign(data, t, r, texts, slots):  # type: ignore[no-untyped-def]
    place = r[PLACE]
    if data[place] == _DOT and c.BEGINS[data[place + 1]] == c.DIGIT:
        return _operand(data, t, r, texts, slots, k.NUMBER, number_end(data, place))
    state, stop = 0, place
    while True:
        after = c.STEPS[state, c.SIGN_NUMBERS[data[stop]]]
        if after == 0:
            break
        state = after
        stop += 1
    kind = c.KIND_OF_STATE[state]
    if kind == k.OPTIONAL and c.BEGINS[data[stop]] == c.DIGIT:
        kind, stop = k.QUESTION, place + 1
    if kind == 0 or (kind == k.DECREMENT and data[stop] == _MORE):
        return False
    if kind == k.LESS and data[stop] == ord("!"):
        return False  # an HTML comment, as `-->` above
    if kind == k.OPTIONAL:
        return _operand(data, t, r, texts, slots, kind, stop)  # a named node in the tree
    row = _put(t, r, kind, place, stop)
    if kind == k.LEFT_PAREN or kind == k.LEFT_BRACE or kind == k.LEFT_BRACKET:
        _open(t, r, row)
    elif kind == k.RIGHT_PAREN:
        return _close(t, r, row, k.LEFT_PAREN)
    elif kind == k.RIGHT_BRACKET:
        return _close(t, r, row, k.LEFT_BRACKET)
    elif kind == k.RIGHT_BRACE:
        if r[OPEN] >= 0 and t[r[OPEN] + KIND] == k.SUBSTITUTION:
            return _close(t, r, row, k.SUBSTITUTION) and _template(data, t, r, texts, slots)
        return _close(t, r, row, k.LEFT_BRACE)
    return True


@compiled
def _template(data, t, r, texts, slots):  # type: ignore[no-untyped-def]
    """The text of a template up to its end or to a substitution."""
    while True:
        place = r[PLACE]
        letter = data[place]
        while not (letter in (_BACKTICK, _BACKSLASH) or (letter == _DOLLAR and data[place + 1] == _OPEN)):
            if letter == 0:
                return False
            place += 1
            letter = data[place]
        if place > r[PLACE] and not _operand(data, t, r, texts, slots, k.CHUNK, place):
            return False
        if letter == _BACKSLASH:
            if not _operand(data, t, r, texts, slots, k.ESCAPE, escape_end(data, place)):
                return False
        elif letter == _DOLLAR:
            _open(t, r, _put(t, r, k.SUBSTITUTION, place, place + 2))
            return True
        else:
            return _close(t, r, _put(t, r, k.BACKTICK, place, place + 1), k.BACKTICK)


@compiled
def _divides(t, r):  # type: ignore[no-untyped-def]
    """Whether a slash here divides, as far as the tokens before tell."""
    before = r[ROWS] - ROW
    if before < BASE:
        return False
    kind = t[before + KIND]
    if not k.ENDS_OPERAND[kind]:
        return kind < k.WORDS and before > BASE and k.ROLES[t[before - ROW + KIND]] in (k.MEMBERS, k.OPTIONALS)
    if kind == k.RIGHT_PAREN:
        opening = t[before + MATCH]
        word = t[opening - ROW + KIND]
        is_head = word == k.IF or word == k.WHILE or word == k.FOR or word == k.WITH
        return not is_head or t[opening - 2 * ROW + KIND] == k.DOT
    if kind == k.RIGHT_BRACE:
        return _closes_object(t[t[before + MATCH] - ROW + KIND])
    return True


@compiled
def _closes_object(kind):  # type: ignore[no-untyped-def]
    """Whether a brace after a token is an object's; all others hold statements or members."""
    if kind < k.SOFT:
        return not (kind == k.ELSE or kind == k.DO or kind == k.TRY or kind == k.FINALLY)
    return kind in (k.LEFT_PAREN, k.LEFT_BRACKET, k.COMMA, k.COLON, k.QUESTION) or k.AND <= kind < k.OPERATORS


def _lexer(stamp: int) -> Any:
    @entry
    def lex(data, t, r, texts, slots):  # type: ignore[no-untyped-def]
        """Read the bytes to their end, a zero. False where something is not understood."""
        if stamp < 0:
            return False
        while True:
            if not _space(data, r):
                return False
            first = data[r[PLACE]]
            begins = c.BEGINS[first]
            if begins == c.WORD:
                if not _word(data, t, r, texts, slots):
                    return False
            elif begins == c.SIGN and first != _SLASH:
                if not _sign(data, t, r, texts, slots):
                    return False
            elif first == 0:
                _put(t, r, k.END, r[PLACE], r[PLACE])
                return r[PLACE] >= len(data) - 4 and r[OPEN] < 0
            elif not _literal(data, t, r, texts, slots, first, begins):
                return False

    return lex


lex = _lexer(STAMP)
