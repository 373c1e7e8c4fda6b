"""The strings of a language near a broken one, best first: a parser's stacks walked along a Levenshtein automaton.

A partial repair is a parser's stack (`codefit.tasks.repairs.stacks`), a place in the broken string and the edits made
so far. What cannot be ended is never followed, so all that comes out is in the language (the intersection of Bar-Hillel
et al., 1961, made as far as it is needed).

Partial repairs wait in a heap by their score and the best that one more edit can add (A*, Hart et al., 1968). The
score of an edit far from the others is exact there; edits within the n-gram's order of another are bounded by what
the language model charged for the tokens between.

Compiled by numba; everything here is arrays and numbers, edits too (`codefit.tasks.repairs.packed`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from codefit.tasks.repairs.packed import (
    DELETE,
    INSERT,
    MAX_EDITS,
    NO_EDIT,
    PLACE_SHIFT,
    SUBSTITUTE,
    TERMINAL_BITS,
    write_repair,
)
from codefit.tasks.repairs.stacks import (
    NESTINGS,
    OPENS,
    TERMINALS,
    WORK,
    Ints,
    balances,
    can_end,
    can_stand,
    is_full,
    mixed,
    reach_of,
    start,
    step,
)

PATIENCE = 2_000_000  # steps that one question, whether a repair can be ended, may take beyond the work asked for
NEAR = 4  # places after an edit within which the language model still sees it

Floats = npt.NDArray[np.float32]


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
        key = mixed(key ^ np.uint64(buffer[j] + 1))
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
    agenda.stack[item] = start(parser, memory)
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
        last_place, last_kind = before >> PLACE_SHIFT, (before >> TERMINAL_BITS) & 3
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
        if is_full(memory) or agenda.counts[1] + 1 >= len(agenda.priority) or found.counts[0] >= len(found.score):
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
        reach = reach_of(parser, memory, tokens, agenda.stack[item], place)
        path[place], path_context[place], path_score[place] = (
            agenda.stack[item],
            agenda.context[item],
            agenda.emitted[item],
        )
        for j in range(place, min(reach, n)):
            token = tokens[j]
            path[j + 1] = step(parser, memory, path[j], token)
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
                j = edit >> PLACE_SHIFT
                if j <= near or j > reach:
                    continue
                kind, terminal = (edit >> TERMINAL_BITS) & 3, edit & 127
            # What cannot be is found out here, since most of it cannot and the call costs more than the answer.
            after = j if kind == INSERT else j + 1
            at = path[j]
            brackets, blocks = np.int32(0), np.int32(0)
            if kind != DELETE:
                if not can_stand(parser, memory, at, terminal):
                    continue
                opens = parser[OPENS] + NESTINGS * terminal
                brackets, blocks = parser[opens], parser[opens + 1]
            if needed[after] >= left or not balances(memory, open_, at, after, brackets, blocks, left - 1):
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
        stack = step(parser, memory, stack, terminal)
        if stack == 0:
            return
        emitted += weight * language.log_probability[context, terminal]
        context = language.after[context, terminal]
        emitted += snippet.insert[place, terminal] if kind == INSERT else snippet.substitute[place, terminal]
    else:
        emitted += snippet.delete[place]
    reach = reach_of(parser, memory, tokens, stack, after)
    is_whole = reach == n + 1
    if not is_whole and left == 1:
        return
    if not is_whole:
        answer = can_end(parser, memory, snippet, stack, after, left - 1, most_work + PATIENCE)
        if answer < 0:
            agenda.counts[2] += 1
        if answer != 1:
            return
    score = emitted + rest[after] + weight * _rejoin(language, tokens, contexts, context, after)
    edits[made] = (np.int64(place) << PLACE_SHIFT) | (kind << TERMINAL_BITS) | terminal
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
