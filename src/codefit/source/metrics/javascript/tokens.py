"""The kinds of tokens of JavaScript, and what the scanner asks of each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codefit.source.metrics.rules.javascript import JAVASCRIPT

# Words. The first are reserved; the next are keywords in their places and names elsewhere.
(
    BREAK, CASE, CATCH, CLASS, CONST, CONTINUE, DEBUGGER, DEFAULT, DELETE, DO, ELSE, EXPORT, EXTENDS, FINALLY, FOR,
    FUNCTION, IF, IMPORT, IN, INSTANCEOF, NEW, RETURN, SWITCH, THROW, TRY, TYPEOF, VAR, VOID, WHILE, WITH,
    AS, ASYNC, AWAIT, FROM, GET, LET, META, OF, SET, STATIC, TARGET, USING, YIELD,
) = range(43)  # fmt: skip
SOFT, WORDS = AS, 43
# Punctuators. The order makes ranges: operators with two sides, then those that assign.
(
    LEFT_BRACE, RIGHT_BRACE, LEFT_PAREN, RIGHT_PAREN, LEFT_BRACKET, RIGHT_BRACKET, BACKTICK, SUBSTITUTION,
    SEMICOLON, COMMA, COLON, QUESTION, DOT, OPTIONAL, ELLIPSIS, ARROW, AT, NOT, TILDE, INCREMENT, DECREMENT,
    PLUS, MINUS, STAR, SLASH, PERCENT, POWER, LESS, MORE, LESS_EQUAL, MORE_EQUAL, EQUAL, UNEQUAL, SAME, DIFFERENT,
    SHIFT_LEFT, SHIFT_RIGHT, SHIFT_ZERO, BIT_AND, BIT_OR, BIT_XOR, AND, OR, COALESCE,
    ASSIGN, ASSIGN_PLUS, ASSIGN_MINUS, ASSIGN_STAR, ASSIGN_SLASH, ASSIGN_PERCENT, ASSIGN_POWER, ASSIGN_LEFT,
    ASSIGN_RIGHT, ASSIGN_ZERO, ASSIGN_BIT_AND, ASSIGN_BIT_OR, ASSIGN_BIT_XOR, ASSIGN_AND, ASSIGN_OR, ASSIGN_COALESCE,
) = range(WORDS, WORDS + 60)  # fmt: skip
# Operands. VALUE is a word such as `this`; CHUNK and ESCAPE are the text of a template.
OPERATORS = WORDS + 60
NAME, VALUE, PRIVATE, NUMBER, STRING, REGEX, CHUNK, ESCAPE, HASHBANG, END = range(OPERATORS, OPERATORS + 10)
KINDS = OPERATORS + 10

_KEYWORDS = """break case catch class const continue debugger default delete do else export extends finally for
function if import in instanceof new return switch throw try typeof var void while with
as async await from get let meta of set static target using yield"""
_VALUES = "this super true false null"
_NAMES = "undefined"  # the grammar has a rule of its own for it
_PUNCTUATORS = """{ } ( ) [ ] ` ${ ; , : ? . ?. ... => @ ! ~ ++ --
+ - * / % ** < > <= >= == != === !== << >> >>> & | ^ && || ??
= += -= *= /= %= **= <<= >>= >>>= &= |= ^= &&= ||= ??="""

TEXTS = [*_KEYWORDS.split(), *_PUNCTUATORS.split()]  # of operators, by kind
# Lexed before every file, so that the number of a word's text tells its kind.
PRELUDE = " ".join([*_KEYWORDS.split(), *_VALUES.split(), _NAMES]).encode() + b"\n"
UNDEFINED = WORDS + len(_VALUES.split())  # the number of its text
PRELUDE_WORDS = UNDEFINED + 1

# What may follow an operand, by kind of token.
(
    ENDS, MEMBERS, OPTIONALS, CALLS, INDEXES, TEMPLATES, UPDATES, ASSIGNS, ASSIGNS_LOGICAL, BINARIES, LOGICALS,
    TERNARIES, INS,
) = range(13)  # fmt: skip


def _table(*groups: tuple[int, range | tuple[int, ...]]) -> npt.NDArray[np.uint8]:
    table = np.zeros(KINDS, np.uint8)
    for value, kinds in groups:
        table[list(kinds)] = value
    return table


ROLES = _table(
    (MEMBERS, (DOT,)),
    (OPTIONALS, (OPTIONAL,)),
    (CALLS, (LEFT_PAREN,)),
    (INDEXES, (LEFT_BRACKET,)),
    (TEMPLATES, (BACKTICK,)),
    (UPDATES, (INCREMENT, DECREMENT)),
    (ASSIGNS, range(ASSIGN, ASSIGN_AND)),
    (ASSIGNS_LOGICAL, range(ASSIGN_AND, OPERATORS)),
    (BINARIES, (*range(PLUS, AND), INSTANCEOF)),
    (LOGICALS, (AND, OR, COALESCE)),
    (TERNARIES, (QUESTION,)),
    (INS, (IN,)),
)
# Operators before an operand that bind tighter than any logical one.
UNARY = _table((1, (NOT, TILDE, PLUS, MINUS, INCREMENT, DECREMENT, TYPEOF, VOID, DELETE)))
# After a line feed the grammar puts no semicolon before these.
GOES_ON = _table(
    (
        1,
        (
            *range(LEFT_PAREN, LEFT_PAREN + 1),
            *(LEFT_BRACKET, BACKTICK, SEMICOLON, COMMA, COLON, QUESTION, DOT, OPTIONAL, ELLIPSIS, ARROW, PLUS, MINUS),
            *range(STAR, AND + 3),
            *range(ASSIGN, OPERATORS),
            *(IN, INSTANCEOF, REGEX),
        ),
    )
)
# A slash after these divides.
ENDS_OPERAND = _table(
    (1, (RIGHT_PAREN, RIGHT_BRACKET, RIGHT_BRACE, BACKTICK, INCREMENT, DECREMENT, *range(SOFT, WORDS))),
    (1, (NAME, VALUE, PRIVATE, NUMBER, STRING, REGEX)),
    (0, (YIELD, AWAIT, OF)),
)
WEIGHTS = np.array([JAVASCRIPT.weight_of(text) for text in TEXTS], np.int32)  # how many tokens lizard makes of one
