"""Where numbers, strings, regular expressions and escapes end: -1 where they are not what the grammar reads."""

from __future__ import annotations

from codefit.source.metrics.javascript.characters import HEXADECIMAL, IN_NAMES
from codefit.source.metrics.javascript.compiling import compiled

_LINE_FEED, _BACKSLASH, _SLASH, _STAR = b"\n\\/*"
_ZERO, _ONE, _SEVEN, _NINE, _UNDERSCORE, _DOT = ord("0"), ord("1"), ord("7"), ord("9"), ord("_"), ord(".")
_OPEN, _CLOSE, _OPEN_BRACE, _CLOSE_BRACE, _MARK = ord("["), ord("]"), ord("{"), ord("}"), ord("?")
_A, _B, _E, _N, _O, _U, _X, _Z, _CASE = (
    ord("a"),
    ord("b"),
    ord("e"),
    ord("n"),
    ord("o"),
    ord("u"),
    ord("x"),
    ord("z"),
    32,
)


@compiled
def separator(data, place):  # type: ignore[no-untyped-def]
    """Whether a byte begins a space or line end that is no ASCII: U+0085, 00A0, 1680, 180E, 2000-207F, 3000, FEFF."""
    first, second, third = data[place], data[place + 1], data[place + 2]
    if first == 0xC2:
        return second == 0x85 or second == 0xA0
    if first == 0xE1:
        return (second == 0x9A and third == 0x80) or (second == 0xA0 and third == 0x8E)
    if first == 0xE2:
        return second == 0x80 or second == 0x81
    return (first == 0xE3 and second == 0x80 and third == 0x80) or (first == 0xEF and second == 0xBB and third == 0xBF)


@compiled
def _digits(data, place, highest):  # type: ignore[no-untyped-def]
    """The end of digits with single underscores before and between them; the place itself where none is there."""
    end = place
    while True:
        if _ZERO <= data[place] <= highest:
            place += 1
            end = place
        elif data[place] == _UNDERSCORE and end == place and _ZERO <= data[place + 1] <= highest:
            place += 1
        else:
            return end


@compiled
def _hexadecimal(data, place):  # type: ignore[no-untyped-def]
    while HEXADECIMAL[data[place]] or (data[place] == _UNDERSCORE and HEXADECIMAL[data[place + 1]]):
        place += 1
    return place


@compiled
def number_end(data, place):  # type: ignore[no-untyped-def]
    """The end of a number that begins with a digit, or with a point before one."""
    first, letter = data[place], data[place + 1] | _CASE
    start = place
    if first == _ZERO and (letter in (_X, _B, _O)):
        place += 2
        begin = place
        if data[place] == _UNDERSCORE:
            return -1
        if letter == _X:
            place = _hexadecimal(data, place)
        else:
            place = _digits(data, place, _ONE if letter == _B else _SEVEN)
        if place == begin:
            return -1
    else:
        if first != _DOT:
            place = _digits(data, place, _NINE)
            if first == _ZERO and place > start + 1:
                return -1 if IN_NAMES[data[place]] or data[place] == _DOT else place  # octal as it once was
        is_whole = True
        if data[place] == _DOT:
            is_whole = False
            place += 1
            if data[place] == _UNDERSCORE:
                return -1
            place = _digits(data, place, _NINE)
        if data[place] | _CASE == _E:
            is_whole = False
            place += 1
            if data[place] == ord("+") or data[place] == ord("-"):
                place += 1
            begin = place
            place = _digits(data, place, _NINE)
            if place == begin or data[begin] == _UNDERSCORE:
                return -1
        if not is_whole:
            return -1 if IN_NAMES[data[place]] or data[place] == _BACKSLASH else place
    if data[place] == _N:
        place += 1
    return -1 if IN_NAMES[data[place]] or data[place] == _BACKSLASH else place


@compiled
def escape_end(data, place):  # type: ignore[no-untyped-def]
    """The end of an escape that begins with the backslash at a place."""
    letter = data[place + 1]
    if letter == 0 or (letter == _MARK and (data[place + 2] == _LINE_FEED or data[place + 2] == 0xE2)):
        return -1  # the grammar takes a question mark and a line end for one escape
    if letter == _X:
        return place + 4 if HEXADECIMAL[data[place + 2]] and HEXADECIMAL[data[place + 3]] else -1
    if letter == _U:
        return _unicode_end(data, place + 2)
    place += 2
    if _ZERO <= letter <= _SEVEN:
        end = place + 2
        while place < end and _ZERO <= data[place] <= _SEVEN:
            place += 1
    while data[place] & 0xC0 == 0x80:
        place += 1
    return place


@compiled
def _unicode_end(data, place):  # type: ignore[no-untyped-def]
    if data[place] == _OPEN_BRACE:
        end = place + 1
        while HEXADECIMAL[data[end]]:
            end += 1
        return end + 1 if end > place + 1 and data[end] == _CLOSE_BRACE else -1
    for at in range(place, place + 4):
        if not HEXADECIMAL[data[at]]:
            return -1
    return place + 4


@compiled
def string_end(data, place):  # type: ignore[no-untyped-def]
    """The end of a string in quotes, which may go on on the next line after a backslash."""
    quote = data[place]
    place += 1
    while True:
        letter = data[place]
        if letter == quote:
            return place + 1
        if letter == _BACKSLASH:
            place = escape_end(data, place)
            if place < 0:
                return -1
        elif letter == 0 or letter == _LINE_FEED:
            return -1
        else:
            place += 1


@compiled
def regex_end(data, place):  # type: ignore[no-untyped-def]
    """The end of a regular expression with its flags; the grammar takes `/ //` for a comment."""
    place += 1
    in_class = False
    while True:
        letter = data[place]
        if letter == 0 or letter == _LINE_FEED:
            return -1
        if letter == _BACKSLASH:
            place += 1
            if data[place] == 0 or data[place] == _LINE_FEED:
                return -1
        elif letter == _OPEN:
            in_class = True
        elif letter == _CLOSE:
            in_class = False
        elif letter == _SLASH and not in_class:
            place += 1
            break
        place += 1
    if data[place] == _SLASH or data[place] == _STAR:
        return -1
    while _A <= data[place] <= _Z:
        place += 1
    return -1 if IN_NAMES[data[place]] else place
