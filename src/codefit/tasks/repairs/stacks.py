"""A parser's stacks, and what is known of them: how far the rest can be read, whether it can be ended.

Stacks are interned, so that partial repairs whose difference the parser forgot (a name or a number, once it is an
expression) share what is known: how far the rest of the broken string can be read as it stands, and whether it can be
ended with so many edits. What cannot be ended is never followed, so all that the search finds is in the language.

Compiled by numba; everything here is arrays and numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from codefit.tasks.repairs.packed import MAX_EDITS

NESTINGS = 2  # brackets, indented blocks

Ints = npt.NDArray[np.int32]


# A grammar's tables as one array of numbers, since numba counts references to every array that a call is given, which
# would take most of the time of a step. The head says where each part begins; see `parser_of` for the parts.
ACTION, GOTO, LENGTH, LEFT, SURE, OPENS, HOLDS, PAIR, SETTLED, TERMINALS, NONTERMINALS, HEAD = range(12)


def parser_of(
    action: npt.NDArray[np.int16],
    goto: npt.NDArray[np.int16],
    length: npt.NDArray[np.int8],
    left: npt.NDArray[np.int16],
    sure: npt.NDArray[np.int16],
    opens: npt.NDArray[np.int8],
    holds: npt.NDArray[np.int8],
    pair: npt.NDArray[np.int32],
    settled: npt.NDArray[np.int16],
) -> Ints:
    """A parser for the search, of `codefit.source.syntax.lalr.Tables` and what follows from them.

    `sure` (states,) is the production that a state applies whatever comes, -1 for none. `opens` (terminals + 1,
    NESTINGS) is 1 for what opens brackets or an indented block, -1 for what closes them; `holds` (states, NESTINGS) the
    same of the terminal that leads to a state. `pair` (states, nonterminals) numbers what may be gone on with, and
    `settled` (pairs, terminals + 1) is the state once all productions of one symbol, which a terminal asks for, are
    applied: an expression has some fifteen levels, one inside the other.
    """
    parts = (action, goto, length, left, sure, opens, holds, pair, settled)
    starts = HEAD + np.concatenate([[0], np.cumsum([part.size for part in parts])])[:-1]
    head = np.concatenate([starts, [action.shape[1] - 1, goto.shape[1]]])
    return np.concatenate([head, *(part.ravel() for part in parts)]).astype(np.int32)


# Stacks and what is known of them, in one array too. A stack is its top state, the stack below, and how many brackets
# and blocks are open in it; then come hash tables: of stacks; by stack and place, how far the rest can be read; by
# stack, place and edits, whether it can be ended (two more than the answer, 0 for an empty slot).
STACKS, STACK_SLOTS, REACHES, ENDS = 1 << 20, 1 << 21, 1 << 21, 1 << 18
STACK_COUNT, REACH_COUNT, END_COUNT, WORK = range(4)  # counters at the beginning
_STACK = 4
_SLOT = _STACK + 4 * STACKS
_REACH = _SLOT + STACK_SLOTS
_END = _REACH + 3 * REACHES
MEMORY = _END + 3 * ENDS


def new_memory() -> Ints:
    """Nothing known yet. The system gives pages only where something is written."""
    return np.zeros(MEMORY, np.int32)


@njit(cache=True, inline="always")
def mixed(key):  # type: ignore[no-untyped-def]
    """A hash of a number (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014)."""
    h = np.uint64(key)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@njit(cache=True)
def _intern(parser, memory, below, state):  # type: ignore[no-untyped-def]
    slot = np.int64(mixed(np.int64(below) * 4096 + state)) & (STACK_SLOTS - 1)
    while True:
        stack = memory[_SLOT + slot]
        if stack == 0:
            break
        if memory[_STACK + 4 * stack + 1] == below and memory[_STACK + 4 * stack] == state:
            return stack
        slot = (slot + 1) & (STACK_SLOTS - 1)
    stack = memory[STACK_COUNT]
    if stack >= STACKS:
        return 0  # full; the search ends before this is read, see `is_full`
    memory[STACK_COUNT] += 1
    at = _STACK + 4 * stack
    memory[at] = state
    memory[at + 1] = below
    for kind in range(NESTINGS):
        memory[at + 2 + kind] = memory[_STACK + 4 * below + 2 + kind] + parser[parser[HOLDS] + NESTINGS * state + kind]
    memory[_SLOT + slot] = stack
    return stack


@njit(cache=True)
def start(parser, memory):  # type: ignore[no-untyped-def]
    """The stack that holds the first state alone. 0 is none, so that an empty hash table needs no filling."""
    if memory[STACK_COUNT] == 0:
        memory[STACK_COUNT] = 1
        _intern(parser, memory, 0, 0)
    return 1


@njit(cache=True)
def step(parser, memory, stack, terminal):  # type: ignore[no-untyped-def]
    """The stack after a terminal, 0 where it cannot stand there, -1 where the input may end."""
    memory[WORK] += 1
    terminals, nonterminals = parser[TERMINALS], parser[NONTERMINALS]
    state, below, own = memory[_STACK + 4 * stack], memory[_STACK + 4 * stack + 1], stack
    while True:
        action = parser[parser[ACTION] + state * (terminals + 1) + terminal]
        if action == 0:
            return 0
        if action > 0:
            if terminal == terminals:
                return -1
            below = own if own != 0 else _intern(parser, memory, below, state)
            state = action - 1
            # What is applied whatever comes is applied at once: then a comparison is one stack, not one a sign.
            while parser[parser[SURE] + state] >= 0:
                production = parser[parser[SURE] + state]
                for _ in range(parser[parser[LENGTH] + production] - 1):
                    below = memory[_STACK + 4 * below + 1]
                left = parser[parser[LEFT] + production]
                state = parser[parser[GOTO] + memory[_STACK + 4 * below] * nonterminals + left]
            return _intern(parser, memory, below, state)
        production = -action - 1
        for _ in range(parser[parser[LENGTH] + production] - 1):
            below = memory[_STACK + 4 * below + 1]
        left = parser[parser[LEFT] + production]
        pair = parser[parser[PAIR] + memory[_STACK + 4 * below] * nonterminals + left]
        state = parser[parser[SETTLED] + pair * (terminals + 1) + terminal]
        own = 0


@njit(cache=True)
def can_stand(parser, memory, stack, terminal):  # type: ignore[no-untyped-def]
    """Whether the top of a stack knows of a terminal; where not, it cannot stand there."""
    return parser[parser[ACTION] + memory[_STACK + 4 * stack] * (parser[TERMINALS] + 1) + terminal] != 0


@njit(cache=True)
def _find(memory, start, size, stack, what):  # type: ignore[no-untyped-def]
    """Where in a hash table from `start` on a stack and a number stand, or the empty slot where they belong."""
    slot = np.int64(mixed(np.int64(stack) << 32 | np.int64(what))) & (size - 1)
    while True:
        at = start + 3 * slot
        if memory[at] == 0 or (memory[at] == stack and memory[at + 1] == what):
            return at
        slot = (slot + 1) & (size - 1)


@njit(cache=True)
def reach_of(parser, memory, tokens, stack, place):  # type: ignore[no-untyped-def]
    """The place of the first token that cannot be read as it stands, n where the end cannot, n + 1 for a sentence."""
    n = len(tokens)
    first, at = place, stack
    result = -1
    while True:
        slot = _find(memory, _REACH, REACHES, at, place)
        if memory[slot] != 0:
            result = memory[slot + 2]
            break
        if place == n:
            result = n + 1 if step(parser, memory, at, parser[TERMINALS]) == -1 else n
            break
        after = step(parser, memory, at, tokens[place])
        if after == 0:
            result = place
            break
        at = after
        place += 1
    last = place
    at, place = stack, first
    while True:
        slot = _find(memory, _REACH, REACHES, at, place)
        if memory[slot] == 0:
            memory[slot], memory[slot + 1], memory[slot + 2] = at, place, result
            memory[REACH_COUNT] += 1
        if place == last:
            return result
        at = step(parser, memory, at, tokens[place])
        place += 1


@njit(cache=True)
def is_full(memory):  # type: ignore[no-untyped-def]
    return (
        memory[STACK_COUNT] > STACKS * 7 // 8
        or memory[REACH_COUNT] > REACHES * 5 // 8
        or memory[END_COUNT] > ENDS * 5 // 8
    )


@njit(cache=True)
def balances(memory, open_, stack, place, brackets, blocks, edits):  # type: ignore[no-untyped-def]
    """Whether so many edits can close what a stack, what is added to it and the rest leave open.

    An edit changes what is open by at most two: an opening bracket becomes a closing one.
    """
    at = _STACK + 4 * stack + 2
    off = abs(memory[at] + brackets + open_[place, 0])
    return off + abs(memory[at + 1] + blocks + open_[place, 1]) <= 2 * edits


@njit(cache=True)
def _known_end(parser, memory, tokens, needed, open_, stack, place, edits):  # type: ignore[no-untyped-def]
    """What is known at once of whether a partial repair can be ended: 1 yes, 0 no, -1 it has to be tried."""
    if needed[place] > edits or not balances(memory, open_, stack, place, 0, 0, edits):
        return 0
    if reach_of(parser, memory, tokens, stack, place) == len(tokens) + 1:
        return 1
    if edits == 0:
        return 0
    slot = _find(memory, _END, ENDS, stack, place * 4 + edits)
    return memory[slot + 2] - 2 if memory[slot] != 0 else -1


@njit(cache=True)
def _remember_end(memory, stack, place, edits, answer):  # type: ignore[no-untyped-def]
    slot = _find(memory, _END, ENDS, stack, place * 4 + edits)
    if memory[slot] == 0:
        memory[END_COUNT] += 1
    memory[slot], memory[slot + 1], memory[slot + 2] = stack, place * 4 + edits, answer + 2


@njit(cache=True)
def can_end(parser, memory, snippet, stack, place, edits, most_work):  # type: ignore[no-untyped-def]
    """Whether a partial repair can be ended with so many edits: 1 yes, 0 no, -1 not known for lack of work.

    Depth first over the next edit, from where the string fails backwards, since an error is mostly near. A frame is a
    partial repair whose edits are being tried: option 0 deletes, then each terminal is put in place of a token and
    before it. (Not by recursion: numba cannot keep compiled functions that call themselves.)
    """
    answer = _known_end(parser, memory, snippet.tokens, snippet.needed, snippet.open, stack, place, edits)
    if answer >= 0:
        return answer
    tokens, needed, open_ = snippet.tokens, snippet.needed, snippet.open
    n = len(tokens)
    terminals = parser[TERMINALS]
    path = np.empty((MAX_EDITS + 1, n + 1), np.int32)
    frames = np.empty((MAX_EDITS + 1, 5), np.int64)  # stack, place, edits, where it is tried, option
    depth = -1
    new_stack, new_place, new_edits = stack, place, edits
    while True:
        if new_edits >= 0:  # begin a frame
            depth += 1
            reach = reach_of(parser, memory, tokens, new_stack, new_place)
            path[depth, new_place] = new_stack
            for j in range(new_place, reach):
                path[depth, j + 1] = step(parser, memory, path[depth, j], tokens[j])
            frames[depth, 0], frames[depth, 1], frames[depth, 2] = new_stack, new_place, new_edits
            frames[depth, 3], frames[depth, 4] = reach, 0
            new_edits = -1
        if memory[WORK] > most_work or is_full(memory):
            return -1
        j, option, left = frames[depth, 3], frames[depth, 4], frames[depth, 2] - 1
        if j < frames[depth, 1]:  # all was tried
            _remember_end(memory, frames[depth, 0], frames[depth, 1], frames[depth, 2], 0)
            depth -= 1
            if depth < 0:
                return 0
            continue
        may_take = j < n and needed[j + 1] <= left
        may_insert = needed[j] <= left
        if option > 2 * terminals or not (may_take or may_insert):
            frames[depth, 3], frames[depth, 4] = j - 1, 0
            continue
        frames[depth, 4] = option + 1
        after = path[depth, j]
        then = j if option > 0 and option % 2 == 0 else j + 1
        if (then == j + 1 and not may_take) or (then == j and not may_insert):
            continue
        if option > 0:
            terminal = (option - 1) // 2
            at = parser[OPENS] + NESTINGS * terminal
            if not can_stand(parser, memory, after, terminal) or not balances(
                memory, open_, after, then, parser[at], parser[at + 1], left
            ):
                continue
            after = step(parser, memory, after, terminal)
            if after == 0:
                frames[depth, 4] = 2 * terminal + 3  # nor before the token
                continue
        answer = _known_end(parser, memory, tokens, needed, open_, after, then, left)
        if answer == 1:
            for k in range(depth + 1):
                _remember_end(memory, frames[k, 0], frames[k, 1], frames[k, 2], 1)
            return 1
        if answer == -1:
            new_stack, new_place, new_edits = after, then, left


@njit(cache=True)
def least_edits(parser, memory, snippet, most_work):  # type: ignore[no-untyped-def]
    """The smallest number of edits up to MAX_EDITS that gives a sentence, MAX_EDITS + 1 for more, -1 for not known."""
    first = start(parser, memory)
    for edits in range(MAX_EDITS + 1):
        answer = can_end(parser, memory, snippet, first, 0, edits, most_work)
        if answer != 0:
            return edits if answer == 1 else -1
    return MAX_EDITS + 1


@njit(cache=True)
def needed_edits(follows, tokens):  # type: ignore[no-untyped-def]
    """How many edits what comes from each place on needs at least: the parts of it that no sentence holds.

    `follows` (terminals, states, words) are bits: the states in which a parser may be after reading a terminal in a
    state, whatever lies below it. Parts without a token in common need an edit each.
    """
    n = len(tokens)
    words = follows.shape[2]
    needed = np.zeros(n + 1, np.int32)
    now = np.zeros(words, np.uint64)
    then = np.zeros(words, np.uint64)
    ends = n  # what comes before is not yet part of a counted one
    for start in range(n - 1, -1, -1):
        now[:] = ~np.uint64(0)
        dead = -1
        for j in range(start, ends):
            then[:] = 0
            for state in range(follows.shape[1]):
                if now[state >> 6] >> np.uint64(state & 63) & np.uint64(1):
                    for word in range(words):
                        then[word] |= follows[tokens[j], state, word]
            now[:] = then
            if not now.any():
                dead = j
                break
        needed[start] = needed[start + 1]
        if dead >= 0:
            needed[start] += 1
            ends = start
    return needed
