"""What a string may have inside: in which states a parser may be after a token, whatever lies below on its stack.

A parser whose stack is forgotten below its top is a finite automaton that reads every part of every sentence, and some
strings besides. A part that it cannot read is in no sentence. (The regular approximation of Bates and Lavie,
"Recognizing substrings of LR(k) languages in linear time", TOPLAS 16(3), 1994.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codefit.source.syntax.lalr import Tables

WORD = 64


def follow_states(tables: Tables) -> npt.NDArray[np.uint64]:
    """For a terminal and a state the states after it, as bits: (terminals, states, words of 64)."""
    states, terminals = len(tables.action), tables.action.shape[1] - 1
    before = _predecessors(tables)
    after = {
        (state, production): _after_production(tables, before, state, production)
        for state in range(states)
        for production in sorted({-int(a) - 1 for a in tables.action[state] if a < 0})
    }
    words = -(-states // WORD)
    result = np.zeros((terminals, states, words), dtype=np.uint64)
    for terminal in range(terminals):
        column = tables.action[:, terminal]
        found = [1 << int(a) - 1 if a > 0 else 0 for a in column]
        sources = [s for s in range(states) if column[s] < 0]
        changed = True
        while changed:
            changed = False
            for state in sources:
                joined = found[state]
                for target in after[state, -int(column[state]) - 1]:
                    joined |= found[target]
                changed |= joined != found[state]
                found[state] = joined
        data = b"".join(bits.to_bytes(words * WORD // 8, "little") for bits in found)
        result[terminal] = np.frombuffer(data, dtype="<u8").reshape(states, words)
    return result


def _predecessors(tables: Tables) -> list[set[int]]:
    before: list[set[int]] = [set() for _ in tables.action]
    for state, (actions, gotos) in enumerate(zip(tables.action, tables.goto, strict=True)):
        for target in [*(actions[actions > 0] - 1), *gotos[gotos >= 0]]:
            if target != tables.accept - 1:
                before[int(target)].add(state)
    return before


def _after_production(tables: Tables, before: list[set[int]], state: int, production: int) -> list[int]:
    """The states in which a production that ends in `state` may leave the parser, whatever lies below."""
    below = {state}
    for _ in range(int(tables.length[production])):
        below = set().union(*(before[s] for s in below))
    left = tables.left[production]
    return sorted({int(tables.goto[s, left]) for s in below} - {-1})
