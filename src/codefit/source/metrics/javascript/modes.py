"""What the parser does next, and what it goes on with when the current part is done."""

from __future__ import annotations

from codefit.source.metrics.javascript import tokens as k
from codefit.source.metrics.javascript.compiling import compiled
from codefit.source.metrics.javascript.memory import (
    AROUND,
    AT,
    BEGIN,
    CHAIN,
    COGNITIVE,
    CYCLOMATIC,
    DEEPEST,
    DEPTH,
    FIRST,
    FRAME,
    FRAME_ROW,
    FRAMES,
    HEAD,
    HOLDER,
    LEVEL,
    MARKS,
    OUTER,
    SAVED,
    SECOND,
    SLOT,
    TAIL,
    TOP,
    TYPE,
    WHAT,
)

# Steps. FAILED and DONE end the run; RESUME follows an expression, FINISH a statement.
(
    FAILED, DONE, STATEMENT, OPERAND, OPERATOR, RESUME, FINISH, PROPERTY, PROPERTY_NEXT, MEMBER, FIELD_NEXT,
    ELEMENT, ELEMENT_END, DECLARATOR, DECLARATOR_NEXT, CATCH_NEXT,
) = range(16)  # fmt: skip

# What the stack holds. First what an expression is part of,
(
    GROUP, ARGUMENTS, INDEX, ARRAY, OBJECT, KEY, PLACEHOLDER, THEN, ELSE, ARROW_BODY, DECLARATION, EXPRESSION,
    CONDITION, FOR_FIRST, FOR_TEST, FOR_STEP, FOR_EACH, CASE, DEFAULT, HERITAGE, FIELD, TARGET,
) = range(22)  # fmt: skip
# then lists of patterns, and what statements are part of: first those that hold many, then those that hold one.
(
    PARAMETER_LIST, ARRAY_PATTERN, OBJECT_PATTERN,
    PROGRAM, BLOCK, FUNCTION, STATIC_BLOCK, SWITCH, TRY, CATCH, FINALLY, CLASS,
    IF_BODY, ELSE_BODY, LOOP_BODY, DO_BODY, WITH_BODY,
) = range(22, 39)  # fmt: skip

# Where a function or class stands.
AS_DECLARATION, AS_EXPORT, AS_EXPRESSION, AS_ARROW, AS_PROPERTY, AS_MEMBER = range(6)


# By the names of this module, since numba compiles a function once more for each literal that it is called with.
NONE, SOME = 0, 1
SAVED_MARKS = SAVED + 1


@compiled
def is_name(kind):  # type: ignore[no-untyped-def]
    """Whether a token may name a variable. `let`, `await` and `yield` may in places that are left to the walk."""
    return kind == k.NAME or (k.SOFT <= kind < k.WORDS and kind != k.LET and kind != k.AWAIT and kind != k.YIELD)


@compiled
def top(m):  # type: ignore[no-untyped-def]
    """The slot on top of the stack."""
    return m[TOP] - SLOT


@compiled
def push(m, what, first, second):  # type: ignore[no-untyped-def]
    """Set the current expression aside for a part in it."""
    slot = m[TOP]
    m[slot + WHAT] = what
    m[slot + FIRST] = first
    m[slot + SECOND] = second
    m[slot + SAVED] = m[BEGIN]
    m[slot + SAVED_MARKS] = m[MARKS]
    m[slot + SAVED + 2] = m[CHAIN]
    m[slot + SAVED + 3] = m[TAIL]
    m[TOP] = slot + SLOT


@compiled
def pop(m):  # type: ignore[no-untyped-def]
    """Go back to the expression that was set aside; its slot can still be read."""
    slot = m[TOP] - SLOT
    m[BEGIN] = m[slot + SAVED]
    m[MARKS] = m[slot + SAVED_MARKS]
    m[CHAIN] = m[slot + SAVED + 2]
    m[TAIL] = m[slot + SAVED + 3]
    m[TOP] = slot
    return slot


@compiled
def begin(m, marks):  # type: ignore[no-untyped-def]
    """A new expression begins here."""
    m[BEGIN] = m[AT]
    m[MARKS] = marks
    m[CHAIN] = 0
    m[TAIL] = 0


@compiled
def add_structure(m):  # type: ignore[no-untyped-def]
    """Something that branches: one to each complexity, and its nesting to the cognitive one."""
    frame = m[FRAME]
    m[frame + CYCLOMATIC] += 1
    m[frame + COGNITIVE] += 1 + m[frame + LEVEL]


@compiled
def deepen(m):  # type: ignore[no-untyped-def]
    """A control structure begins."""
    frame = m[FRAME]
    m[frame + DEPTH] += 1
    m[frame + DEEPEST] = max(m[frame + DEEPEST], m[frame + DEPTH])


@compiled
def add_frame(m, kind, head):  # type: ignore[no-untyped-def]
    """A row for a function, class or code apart whose first token is `head`; nothing is added to it yet."""
    row = m[FRAMES]
    m[FRAMES] = row + FRAME_ROW
    for field in range(FRAME_ROW):
        m[row + field] = 0
    m[row + TYPE] = kind
    m[row + HEAD] = head
    m[row + OUTER] = m[FRAME]
    m[row + AROUND] = m[HOLDER]
    m[row + CYCLOMATIC] = 1
    return row
