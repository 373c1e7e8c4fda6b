"""The strings of a language near a broken one, best first: a parser's stacks walked along a Levenshtein automaton.

A partial repair is a parser's stack, a place in the broken string and the edits made so far. Stacks are interned, so
that repairs whose difference the parser forgot (a name or a number, once it is an expression) share what is known of
them: how far the rest can be read as it stands, and whether it can be ended with so many edits. What cannot be ended
is never followed, so all that comes out is in the language (the intersection of Bar-Hillel et al., 1961, made as far
as it is needed).

Partial repairs wait in a heap by their score and the best that one more edit can add (A*, Hart et al., 1968). The
score of an edit far from the others is exact there; edits within the n-gram's order of another are bounded by what
the language model charged for the tokens between.

Compiled by numba; everything here is arrays and numbers. Edits are packed in a number: place, kind, terminal.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

INSERT, SUBSTITUTE, DELETE = 0, 1, 2
MAX_EDITS = 3
TERMINAL_BITS, KIND_BITS = 7, 2
NO_EDIT = -1
NESTINGS = 2  # brackets, indented blocks
PATIENCE = 2_000_000  # steps that one question, whether a repair can be ended, may take beyond the work asked for
NEAR = 4  # places after an edit within which the language model still sees it

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


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


class Language(NamedTuple):
    """An n-gram model as an automaton: log probability (contexts, terminals + 1) and the context after each.

    `cheapest` (terminals + 1,) is the largest log probability that a terminal has in any context.
    """

    log_probability: Floats
    after: Ints
    cheapest: Floats


class Snippet(NamedTuple):
    """What is known of a broken string of n terminals before the search.

    `needed` (n + 1,) is how many edits what comes from a place on needs at least, `open` (n + 1, NESTINGS) how many
    brackets and blocks it opens less those it closes. `insert` (n + 1, terminals),
    `substitute` (n, terminals) and `delete` (n,) are the scores of edits, the language model's share aside.
    `order` are all edits by `gain`, best first: their score with the language model's share, each as if alone.
    `best` (n + 2,) is the largest gain of an edit from a place on, `likeliest` (n + 2,) the largest score of an edit
    near after it, with the best that the language model can say of what it writes and takes away.
    """

    tokens: Ints
    needed: Ints
    open: Ints
    insert: Floats
    substitute: Floats
    delete: Floats
    order: npt.NDArray[np.int64]
    gain: Floats
    best: Floats
    likeliest: Floats


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


class Agenda(NamedTuple):
    """Partial repairs that wait, as a heap of numbers into the arrays; see `new_agenda`."""

    heap: Ints
    priority: Floats
    stack: Ints
    place: Ints
    left: Ints  # edits that it may still make
    context: Ints
    emitted: Floats  # score of what is written so far
    score: Floats  # score with the rest as it stands
    cursor: Ints  # of the edits to try, how many are behind it
    edits: npt.NDArray[np.int64]  # (items, MAX_EDITS)
    counts: npt.NDArray[np.int64]  # in the heap, in the arrays, left out for lack of work


class Found(NamedTuple):
    """Whole repairs: their score and edits, and the hashes that tell them apart."""

    score: Floats
    edits: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]
    heap: Floats  # the best scores, the least first
    counts: npt.NDArray[np.int64]  # repairs, scores in the heap


def new_memory() -> Ints:
    """Nothing known yet. The system gives pages only where something is written."""
    return np.zeros(MEMORY, np.int32)


def new_agenda(size: int) -> Agenda:
    """Room for `size` partial repairs."""
    whole = [np.zeros(size, np.int32) for _ in range(5)]
    real = [np.zeros(size, np.float32) for _ in range(3)]
    return Agenda(
        np.zeros(size, np.int32), real[0], whole[0], whole[1], whole[2], whole[3], real[1], real[2], whole[4],
        np.empty((size, MAX_EDITS), np.int64), np.zeros(3, np.int64),
    )  # fmt: skip


def new_found(size: int, limit: int) -> Found:
    """Room for `size` repairs, a power of two, of which the best `limit` are wanted."""
    return Found(
        np.zeros(size, np.float32),
        np.empty((size, MAX_EDITS), np.int64),
        np.zeros(2 * size, np.uint64),
        np.zeros(limit, np.float32),
        np.zeros(2, np.int64),
    )


@njit(cache=True, inline="always")
def _mixed(key):  # type: ignore[no-untyped-def]
    """A hash of a number (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014)."""
    h = np.uint64(key)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@njit(cache=True)
def _intern(parser, memory, below, state):  # type: ignore[no-untyped-def]
    slot = np.int64(_mixed(np.int64(below) * 4096 + state)) & (STACK_SLOTS - 1)
    while True:
        stack = memory[_SLOT + slot]
        if stack == 0:
            break
        if memory[_STACK + 4 * stack + 1] == below and memory[_STACK + 4 * stack] == state:
            return stack
        slot = (slot + 1) & (STACK_SLOTS - 1)
    stack = memory[STACK_COUNT]
    if stack >= STACKS:
        return 0  # full; the search ends before this is read, see `_is_full`
    memory[STACK_COUNT] += 1
    at = _STACK + 4 * stack
    memory[at] = state
    memory[at + 1] = below
    for kind in range(NESTINGS):
        memory[at + 2 + kind] = memory[_STACK + 4 * below + 2 + kind] + parser[parser[HOLDS] + NESTINGS * state + kind]
    memory[_SLOT + slot] = stack
    return stack


@njit(cache=True)
def _start(parser, memory):  # type: ignore[no-untyped-def]
    """The stack that holds the first state alone. 0 is none, so that an empty hash table needs no filling."""
    if memory[STACK_COUNT] == 0:
        memory[STACK_COUNT] = 1
        _intern(parser, memory, 0, 0)
    return 1


@njit(cache=True)
def _step(parser, memory, stack, terminal):  # type: ignore[no-untyped-def]
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
def _can_stand(parser, memory, stack, terminal):  # type: ignore[no-untyped-def]
    """Whether the top of a stack knows of a terminal; where not, it cannot stand there."""
    return parser[parser[ACTION] + memory[_STACK + 4 * stack] * (parser[TERMINALS] + 1) + terminal] != 0


@njit(cache=True)
def _find(memory, start, size, stack, what):  # type: ignore[no-untyped-def]
    """Where in a hash table from `start` on a stack and a number stand, or the empty slot where they belong."""
    slot = np.int64(_mixed(np.int64(stack) << 32 | np.int64(what))) & (size - 1)
    while True:
        at = start + 3 * slot
        if memory[at] == 0 or (memory[at] == stack and memory[at + 1] == what):
            return at
        slot = (slot + 1) & (size - 1)


@njit(cache=True)
def _reach(parser, memory, tokens, stack, place):  # type: ignore[no-untyped-def]
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
            result = n + 1 if _step(parser, memory, at, parser[TERMINALS]) == -1 else n
            break
        after = _step(parser, memory, at, tokens[place])
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
        at = _step(parser, memory, at, tokens[place])
        place += 1


@njit(cache=True)
def _is_full(memory):  # type: ignore[no-untyped-def]
    return (
        memory[STACK_COUNT] > STACKS * 7 // 8
        or memory[REACH_COUNT] > REACHES * 5 // 8
        or memory[END_COUNT] > ENDS * 5 // 8
    )


@njit(cache=True)
def _balances(memory, open_, stack, place, brackets, blocks, edits):  # type: ignore[no-untyped-def]
    """Whether so many edits can close what a stack, what is added to it and the rest leave open.

    An edit changes what is open by at most two: an opening bracket becomes a closing one.
    """
    at = _STACK + 4 * stack + 2
    off = abs(memory[at] + brackets + open_[place, 0])
    return off + abs(memory[at + 1] + blocks + open_[place, 1]) <= 2 * edits


@njit(cache=True)
def _known_end(parser, memory, tokens, needed, open_, stack, place, edits):  # type: ignore[no-untyped-def]
    """What is known at once of whether a partial repair can be ended: 1 yes, 0 no, -1 it has to be tried."""
    if needed[place] > edits or not _balances(memory, open_, stack, place, 0, 0, edits):
        return 0
    if _reach(parser, memory, tokens, stack, place) == len(tokens) + 1:
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
def _can_end(parser, memory, snippet, stack, place, edits, most_work):  # type: ignore[no-untyped-def]
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
            reach = _reach(parser, memory, tokens, new_stack, new_place)
            path[depth, new_place] = new_stack
            for j in range(new_place, reach):
                path[depth, j + 1] = _step(parser, memory, path[depth, j], tokens[j])
            frames[depth, 0], frames[depth, 1], frames[depth, 2] = new_stack, new_place, new_edits
            frames[depth, 3], frames[depth, 4] = reach, 0
            new_edits = -1
        if memory[WORK] > most_work or _is_full(memory):
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
            if not _can_stand(parser, memory, after, terminal) or not _balances(
                memory, open_, after, then, parser[at], parser[at + 1], left
            ):
                continue
            after = _step(parser, memory, after, terminal)
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
    start = _start(parser, memory)
    for edits in range(MAX_EDITS + 1):
        answer = _can_end(parser, memory, snippet, start, 0, edits, most_work)
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


@njit(cache=True)
def alone_gains(language, tokens, contexts, insert, substitute, delete, weight):  # type: ignore[no-untyped-def]
    """What each edit adds to the score of the broken string as it stands, in the order insert, substitute, delete.

    `contexts` (n + 1,) are the language model's before each token. Shapes (n + 1, terminals), (n, terminals), (n,).
    """
    n, terminals = len(tokens), insert.shape[1]
    of_insert = np.empty_like(insert)
    of_substitute = np.empty_like(substitute)
    of_delete = np.empty_like(delete)
    for j in range(n + 1):
        for terminal in range(terminals):
            context = language.after[contexts[j], terminal]
            written = language.log_probability[contexts[j], terminal]
            of_insert[j, terminal] = insert[j, terminal] + weight * (
                written + _rejoin(language, tokens, contexts, context, j)
            )
            if j < n:
                own = language.log_probability[contexts[j], tokens[j]]
                of_substitute[j, terminal] = substitute[j, terminal] + weight * (
                    written - own + _rejoin(language, tokens, contexts, context, j + 1)
                )
        if j < n:
            own = language.log_probability[contexts[j], tokens[j]]
            of_delete[j] = delete[j] + weight * (_rejoin(language, tokens, contexts, contexts[j], j + 1) - own)
    return of_insert, of_substitute, of_delete


@njit(cache=True)
def _rejoin(language, tokens, contexts, context, place):  # type: ignore[no-untyped-def]
    """What the rest from a place on costs in another context than its own, less what it costs in its own."""
    end = language.log_probability.shape[1] - 1
    difference = np.float32(0)
    while context != contexts[place]:
        token = tokens[place] if place < len(tokens) else end
        difference += language.log_probability[context, token] - language.log_probability[contexts[place], token]
        if place == len(tokens):
            break
        context = language.after[context, token]
        place += 1
    return difference


@njit(cache=True)
def _push(agenda, item):  # type: ignore[no-untyped-def]
    at = agenda.counts[0]
    agenda.counts[0] += 1
    while at > 0:
        parent = (at - 1) // 2
        if agenda.priority[agenda.heap[parent]] >= agenda.priority[item]:
            break
        agenda.heap[at] = agenda.heap[parent]
        at = parent
    agenda.heap[at] = item


@njit(cache=True)
def _pop(agenda):  # type: ignore[no-untyped-def]
    first = agenda.heap[0]
    agenda.counts[0] -= 1
    count = agenda.counts[0]
    item = agenda.heap[count]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= count:
            break
        if child + 1 < count and agenda.priority[agenda.heap[child + 1]] > agenda.priority[agenda.heap[child]]:
            child += 1
        if agenda.priority[agenda.heap[child]] <= agenda.priority[item]:
            break
        agenda.heap[at] = agenda.heap[child]
        at = child
    agenda.heap[at] = item
    return first


@njit(cache=True)
def _keep_score(found, score):  # type: ignore[no-untyped-def]
    """Put a score among the best; the least of them is the first of the heap."""
    heap, count = found.heap, found.counts[1]
    if count < len(heap):
        at = count
        found.counts[1] += 1
        while at > 0 and heap[(at - 1) // 2] > score:
            heap[at] = heap[(at - 1) // 2]
            at = (at - 1) // 2
        heap[at] = score
    elif score > heap[0]:
        at = 0
        while True:
            child = 2 * at + 1
            if child >= count:
                break
            if child + 1 < count and heap[child + 1] < heap[child]:
                child += 1
            if heap[child] >= score:
                break
            heap[at] = heap[child]
            at = child
        heap[at] = score


@njit(cache=True)
def write_repair(tokens, edits, out):  # type: ignore[no-untyped-def]
    """Write the broken string with edits, in the order of their places, into `out`; how long it is."""
    at, length = 0, 0
    for edit in edits:
        if edit == NO_EDIT:
            break
        place = edit >> (TERMINAL_BITS + KIND_BITS)
        kind = (edit >> TERMINAL_BITS) & 3
        while at < place:
            out[length] = tokens[at]
            length += 1
            at += 1
        if kind != DELETE:
            out[length] = edit & 127
            length += 1
        if kind != INSERT:
            at += 1
    while at < len(tokens):
        out[length] = tokens[at]
        length += 1
        at += 1
    return length


@njit(cache=True)
def _keep(found, tokens, edits, count, score, buffer):  # type: ignore[no-untyped-def]
    """Keep a whole repair unless its string was found before."""
    number = found.counts[0]
    if number >= len(found.score):
        return
    found.edits[number, :] = NO_EDIT
    found.edits[number, :count] = edits[:count]
    length = write_repair(tokens, found.edits[number], buffer)
    key = np.uint64(14695981039346656037)
    for j in range(length):
        key = _mixed(key ^ np.uint64(buffer[j] + 1))
    key |= np.uint64(1)
    mask = len(found.hashes) - 1
    slot = np.int64(key >> np.uint64(20)) & mask
    while found.hashes[slot] != 0:
        if found.hashes[slot] == key:
            return
        slot = (slot + 1) & mask
    found.hashes[slot] = key
    found.score[number] = score
    found.counts[0] += 1
    _keep_score(found, score)


@njit(cache=True)
def begin(parser, memory, snippet, agenda, edits, context, score):  # type: ignore[no-untyped-def]
    """Put the broken string as it stands on the agenda, with so many edits to make."""
    item = agenda.counts[1]
    agenda.counts[1] += 1
    agenda.stack[item] = _start(parser, memory)
    agenda.place[item] = 0
    agenda.left[item] = edits
    agenda.context[item] = context
    agenda.emitted[item] = 0
    agenda.score[item] = score
    agenda.edits[item, :] = NO_EDIT
    agenda.cursor[item] = 0
    agenda.priority[item] = score + snippet.best[0]
    _push(agenda, item)


@njit(cache=True)
def _is_twin(tokens, before, place, kind, terminal):  # type: ignore[no-untyped-def]
    """Whether an edit after `before` gives what other edits give too, which are those that are kept."""
    n = len(tokens)
    if kind == INSERT and place < n and tokens[place] == terminal:
        return True  # insert it after its like
    if kind == SUBSTITUTE and tokens[place] == terminal:
        return True  # no edit
    last_place, last_kind = np.int64(-2), np.int64(INSERT)
    if before != NO_EDIT:
        last_place, last_kind = before >> (TERMINAL_BITS + KIND_BITS), (before >> TERMINAL_BITS) & 3
    if kind == DELETE and place > 0 and tokens[place - 1] == tokens[place] and last_place != place - 1:
        return True  # delete the first of a run
    if before == NO_EDIT:
        return False
    if last_kind == INSERT and last_place == place and kind != INSERT:
        return True  # a substitution, and after it the insertion
    return last_kind == DELETE and last_place + 1 == place and kind != DELETE


@njit(cache=True)
def search(parser, language, memory, snippet, contexts, agenda, found, weight, most_work):  # type: ignore[no-untyped-def]
    """Go on with the search until it is done (1), `most_work` steps are made (0) or there is no more room (-1)."""
    tokens = snippet.tokens
    n = len(tokens)
    path = np.empty(n + 2, np.int32)
    path_context = np.empty(n + 2, np.int32)
    path_score = np.empty(n + 2, np.float32)
    edits = np.empty(MAX_EDITS, np.int64)
    buffer = np.empty(n + MAX_EDITS + 1, np.int32)
    terminals = parser[TERMINALS]
    needed, open_ = snippet.needed, snippet.open
    # What the broken string costs from each place on.
    rest = np.zeros(n + 2, np.float32)
    rest[n] = weight * language.log_probability[contexts[n], terminals]
    for j in range(n - 1, -1, -1):
        rest[j] = rest[j + 1] + weight * language.log_probability[contexts[j], tokens[j]]
    while agenda.counts[0] > 0:
        if _is_full(memory) or agenda.counts[1] + 1 >= len(agenda.priority) or found.counts[0] >= len(found.score):
            return -1
        if memory[WORK] > most_work:
            return 0
        item = agenda.heap[0]
        if found.counts[1] == len(found.heap) and agenda.priority[item] <= found.heap[0]:
            return 1
        _pop(agenda)
        place, left = agenda.place[item], agenda.left[item]
        made = 0
        while made < MAX_EDITS and agenda.edits[item, made] != NO_EDIT:
            edits[made] = agenda.edits[item, made]
            made += 1
        before = edits[made - 1] if made else np.int64(NO_EDIT)
        reach = _reach(parser, memory, tokens, agenda.stack[item], place)
        path[place], path_context[place], path_score[place] = (
            agenda.stack[item],
            agenda.context[item],
            agenda.emitted[item],
        )
        for j in range(place, min(reach, n)):
            token = tokens[j]
            path[j + 1] = _step(parser, memory, path[j], token)
            path_score[j + 1] = path_score[j] + weight * language.log_probability[path_context[j], token]
            path_context[j + 1] = language.after[path_context[j], token]
        near = min(place + NEAR, reach, n) if made else place - 1
        near_edits = (near - place + 1) * (2 * terminals + 1)
        # Edits near the last one, all of them; then those farther on in the order of what they add, as far as they can
        # be among the best.
        more = max(snippet.best[place], np.float32(0)) * (left - 1)  # than one edit
        first = agenda.cursor[item]
        for option_number in range(first, near_edits + len(snippet.order)):
            if memory[WORK] > most_work:
                agenda.cursor[item] = option_number
                _push(agenda, item)
                return 0
            number = option_number
            if number < near_edits:
                j, option = place + number // (2 * terminals + 1), number % (2 * terminals + 1)
                kind = DELETE if option == 2 * terminals else option // terminals
                terminal = 0 if kind == DELETE else option % terminals
                if kind != INSERT and j == n:
                    continue
            else:
                number -= near_edits
                full = found.counts[1] == len(found.heap)
                if full and agenda.score[item] + snippet.gain[number] + more <= found.heap[0]:
                    break
                edit = snippet.order[number]
                j = edit >> (TERMINAL_BITS + KIND_BITS)
                if j <= near or j > reach:
                    continue
                kind, terminal = (edit >> TERMINAL_BITS) & 3, edit & 127
            # What cannot be is found out here, since most of it cannot and the call costs more than the answer.
            after = j if kind == INSERT else j + 1
            at = path[j]
            brackets, blocks = np.int32(0), np.int32(0)
            if kind != DELETE:
                if not _can_stand(parser, memory, at, terminal):
                    continue
                opens = parser[OPENS] + NESTINGS * terminal
                brackets, blocks = parser[opens], parser[opens + 1]
            if needed[after] >= left or not _balances(memory, open_, at, after, brackets, blocks, left - 1):
                continue
            _make(
                parser, language, memory, snippet, contexts, agenda, found, weight, most_work,
                rest, path, path_context, path_score, edits, made, before, left, j, kind, terminal, buffer,
            )  # fmt: skip
    return 1


@njit(cache=True)
def _make(  # type: ignore[no-untyped-def]
    parser, language, memory, snippet, contexts, agenda, found, weight, most_work,
    rest, path, path_context, path_score, edits, made, before, left, place, kind, terminal, buffer,
):  # fmt: skip
    """Make an edit of a partial repair: keep what is whole with it, and put on the agenda what can go on."""
    tokens = snippet.tokens
    n = len(tokens)
    if _is_twin(tokens, before, place, kind, terminal):
        return
    stack, context, emitted = path[place], path_context[place], path_score[place]
    after = place if kind == INSERT else place + 1
    if kind != DELETE:
        stack = _step(parser, memory, stack, terminal)
        if stack == 0:
            return
        emitted += weight * language.log_probability[context, terminal]
        context = language.after[context, terminal]
        emitted += snippet.insert[place, terminal] if kind == INSERT else snippet.substitute[place, terminal]
    else:
        emitted += snippet.delete[place]
    reach = _reach(parser, memory, tokens, stack, after)
    is_whole = reach == n + 1
    if not is_whole and left == 1:
        return
    if not is_whole:
        answer = _can_end(parser, memory, snippet, stack, after, left - 1, most_work + PATIENCE)
        if answer < 0:
            agenda.counts[2] += 1
        if answer != 1:
            return
    score = emitted + rest[after] + weight * _rejoin(language, tokens, contexts, context, after)
    edits[made] = (np.int64(place) << (TERMINAL_BITS + KIND_BITS)) | (kind << TERMINAL_BITS) | terminal
    if is_whole:
        _keep(found, tokens, edits, made + 1, score, buffer)
    if left == 1:
        return
    # What another edit may add: far from here its gain alone, near by what the tokens between cost beyond their best.
    saved = np.float32(0)
    at = context
    for j in range(after, min(after + NEAR, n) + 1):
        token = tokens[j] if j < n else parser[TERMINALS]
        saved += weight * (language.cheapest[token] - language.log_probability[at, token])
        at = language.after[at, token]
    priority = score + max(snippet.best[after], snippet.likeliest[after] + saved)
    if found.counts[1] == len(found.heap) and priority <= found.heap[0]:
        return
    item = agenda.counts[1]
    if item >= len(agenda.priority):
        return
    agenda.counts[1] += 1
    agenda.stack[item] = stack
    agenda.place[item] = after
    agenda.left[item] = left - 1
    agenda.context[item] = context
    agenda.emitted[item] = emitted
    agenda.score[item] = score
    agenda.cursor[item] = 0
    agenda.edits[item, :] = NO_EDIT
    agenda.edits[item, : made + 1] = edits[: made + 1]
    agenda.priority[item] = priority
    _push(agenda, item)
