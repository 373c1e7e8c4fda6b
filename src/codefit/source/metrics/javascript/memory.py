"""Where the scanner keeps what: everything is numbers in two arrays, one of tokens and one of the parser's memory.

Compiled functions take the two arrays and little else; see `compiling`.
"""

from __future__ import annotations

# A token is a row of the first array: its kind, bytes from start to end, lines, flags, the number of its text, and for
# a bracket the row of the one that belongs to it. A reference to a token is where its row begins.
KIND, START, STOP, LINE, LAST_LINE, FLAGS, TEXT, MATCH = range(8)
ROW = 8
# Flags of a token. The bits above `OPENS` number the function whose tokens begin here.
LINE_BEFORE = 1  # a line feed before it
COMMENT_BEFORE = 2
HIDDEN_LINE_BEFORE = 4  # a line feed in a comment before it
GOES_ON_WORD = 8  # a name like `in_x`, before which the grammar puts no semicolon
OPENS = 8

# The second array: registers, then a row for each function, then the stack.
(
    AT,  # the current token
    TOP,  # the next free row of the stack
    FRAME,  # the row of the function, or of the code apart, that figures are added to
    HOLDER,  # the row of the function or class that names are put before
    FRAMES,  # the next free row
    LIMIT,  # where the stack ends
    DOUBTFUL,  # up to this token the grammar follows two readings, see `statements`
    ENDED,  # the function that ended last
    NAMED_AT,  # the last `=` or `:` that gave a value a name
    NAME_KIND,  # of the name that the next value gets, its first and last token, and of a member the property
    NAME_FIRST,
    NAME_LAST,
    NAME_PART,
    BEGIN,  # where the current expression begins
    MARKS,  # what is known of it and allowed in it
    CHAIN,  # its run of logical operators
    TAIL,  # its last operand: a token, and in the low bits what kind of operand
) = range(17)
REGISTERS = 24

# A row of the stack: what goes on after the current part, two numbers of its own, and the four registers from `BEGIN`.
SLOT = 8
WHAT, FIRST, SECOND, SAVED = 0, 1, 2, 3

# A row for each function, class and code apart. What the walk calls a frame.
(
    TYPE, HEAD, OPENING, CLOSING, OUTER, AROUND, CYCLOMATIC, COGNITIVE, LEVEL, DEPTH, DEEPEST, PARAMETERS, CHAINED,
    OWN_FIRST, OWN_LAST, VALUE_KIND, VALUE_FIRST, VALUE_LAST, VALUE_PART, REACHES,
) = range(20)  # fmt: skip
FRAME_ROW = 20
MODULE_TYPE, FUNCTION_TYPE, CLASS_TYPE, APART_TYPE = range(4)

# Whether a comment after a function's closing brace may belong to it (see `ends`): not, or by which rule.
REACHES_NOT, REACHES_AS_OTHERS, REACHES_AS_EXPORT = range(3)

# Kinds of names.
NO_NAME, TEXT_NAME, STRING_NAME, MEMBER_NAME = range(4)

# Marks of an expression.
SEQUENCE = 1  # a comma goes on with it
WITHOUT_IN = 2  # `in` ends it: it is in the head of a `for`
IS_TARGET = 4  # of a pattern: `=` ends it
IS_WRAPPED = 8  # it is more than one logical expression
IS_DIRTY = 16  # an operator came: no arrow, no assignment any more
IS_TIGHT = 32  # the current operand belongs to an operator that is not logical
IS_VALUE = 64  # a function that it begins with and that is all of it gets the name in the registers
IS_NEW = 128  # after `new`, before its arguments
IS_HEAD = 256  # it may be the left side of `of` or `in`
STAYING = SEQUENCE | WITHOUT_IN  # what holds after a comma or an assignment too

# Kinds of operands, in the low bits of `TAIL`.
PLAIN, SINGLE, MEMBER, ELEMENT, PARENTHESIS, PATTERN, CREATED = range(7)
KIND_BITS = 7

# A chain of logical operators: its first and its last one (none, `&&` or another) in two bits each, then the same of
# the chain in parentheses that is its current operand.
IS_AND, IS_OTHER = 1, 2
LAST_SHIFT, INNER_SHIFT = 2, 4
OUTER_CHAIN = (1 << INNER_SHIFT) - 1  # of a chain, without the one in parentheses

# Registers of the lexer: the place, its line, the flags of the next token, the innermost open bracket, where the next
# row of a token goes, and how many texts there are.
PLACE, LINE_NOW, BEFORE, OPEN, ROWS, TEXTS = range(6)
# A text: its bytes in the file, a hash, and how many tokens lizard makes of it (0: its rule has to tell).
TEXT_START, TEXT_STOP, TEXT_HASH, TEXT_WEIGHT = range(4)
TEXT_ROW = 4

# A row of the answer for each frame: its type, the row of the frame around it, the kind of its name, the bytes of the
# name and of its last part, then what `FunctionMetrics` has.
(
    OUT_TYPE, OUT_AROUND, OUT_NAME, OUT_NAME_START, OUT_NAME_STOP, OUT_PART_START, OUT_PART_STOP,
    OUT_LINE, OUT_END_LINE, OUT_START, OUT_END, OUT_CYCLOMATIC, OUT_COGNITIVE, OUT_NESTING, OUT_PARAMETERS,
    OUT_LINES, OUT_TOKENS, OUT_CCN, OUT_KINDS_OF_OPERATORS, OUT_KINDS_OF_OPERANDS, OUT_OPERATORS, OUT_OPERANDS,
) = range(22)  # fmt: skip
OUT_FIELDS = 22
