"""Parsing tables of a context-free grammar, with one token of lookahead (LALR(1)).

Lookaheads are found by the relations of DeRemer and Pennello ("Efficient Computation of LALR(1) Look-Ahead Sets",
TOPLAS 4(4), 1982), which are simple here since no production is empty. A grammar with a conflict is refused, so that
a parser's state is one stack and not a set of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError


@dataclass(frozen=True, slots=True)
class Production:
    """`left` can be written as the symbols of `right`."""

    left: str
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grammar:
    """Productions over terminals by number; the left side of the first is where every sentence begins."""

    productions: tuple[Production, ...]
    terminals: Mapping[str, int]

    @property
    def start(self) -> str:
        """The symbol of a whole sentence."""
        return self.productions[0].left


@dataclass(frozen=True, slots=True)
class Tables:
    """What a parser does.

    `action` (states, terminals + 1) is 0 for an error, s + 1 to go on to state s with the token, -(p + 1) to apply
    production p, and `accept` at the end of the input, which is the last column. `goto` (states, nonterminals) is the
    state after a production, -1 where it cannot come. `length` and `left` (productions,) are how many symbols a
    production takes off the stack and the nonterminal that it puts there. State 0 is the first.
    """

    action: npt.NDArray[np.int16]
    goto: npt.NDArray[np.int16]
    length: npt.NDArray[np.int8]
    left: npt.NDArray[np.int16]
    accept: int

    def accepts(self, tokens: Sequence[int]) -> bool:
        """Whether the tokens are a sentence of the grammar."""
        return self.first_error(tokens) is None

    def first_error(self, tokens: Sequence[int]) -> int | None:
        """The place of the first token that cannot stand there, `len(tokens)` where the end cannot, None for none."""
        stack = [0]
        end = self.action.shape[1] - 1
        for place, token in enumerate([*tokens, end]):
            while (step := int(self.action[stack[-1], token])) < 0:
                production = -step - 1
                del stack[len(stack) - int(self.length[production]) :]
                stack.append(int(self.goto[stack[-1], self.left[production]]))
            if step == 0:
                return place
            stack.append(step - 1)
        return None


def read_grammar(text: str, terminals: Mapping[str, int], *, where: str | None = None) -> Grammar:
    """A grammar of lines `name: symbols | symbols`; # begins a comment line. A name that is no left side is a terminal.

    `|` separates where it stands alone, so that terminals such as `|=` may hold it. Raises `InputError` for a line of
    another form and for a symbol that is neither a left side nor a terminal.
    """
    productions: list[Production] = []
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, words) for number, words in lines if words and not words[0].startswith("#")]
    lefts = {words[0][:-1] for _, words in lines}
    if both := sorted(lefts & terminals.keys()):
        raise InputError(f"{both[0]!r} is the left side of a line and a terminal", where=where)
    for number, words in lines:
        place = f"{where or 'grammar'}:{number}"
        if not words[0].endswith(":") or len(words[0]) < 2:
            raise InputError("a line of a grammar begins with a name and a colon", where=place)
        right: list[str] = []
        for word in [*words[1:], "|"]:
            if word != "|":
                if word not in lefts and word not in terminals:
                    raise InputError(f"{word!r} is neither the left side of a line nor a terminal", where=place)
                right.append(word)
            elif right:
                productions.append(Production(words[0][:-1], tuple(right)))
                right = []
            else:
                raise InputError("an alternative is empty", where=place)
    if not productions:
        raise InputError("the grammar has no productions", where=where)
    return Grammar(tuple(productions), terminals)


def make_tables(grammar: Grammar) -> Tables:
    """The tables; `InputError` where one token of lookahead does not decide."""
    return _Builder(grammar).tables()


_Item = tuple[int, int]  # production, place in its right side


class _Builder:
    def __init__(self, grammar: Grammar) -> None:
        self.start = len(grammar.productions)
        self.productions = [*grammar.productions, Production("", (grammar.start,))]  # of the whole input
        lefts = dict.fromkeys(production.left for production in grammar.productions)
        self.nonterminals = {name: number for number, name in enumerate(lefts)}
        self.terminals = grammar.terminals
        self.end = len(grammar.terminals)
        self.by_left: dict[str, list[int]] = {}
        for number, production in enumerate(grammar.productions):
            self.by_left.setdefault(production.left, []).append(number)
        self.states: list[frozenset[_Item]] = []
        self.moves: list[dict[str, int]] = []
        self._make_states()

    def _closure(self, kernel: frozenset[_Item]) -> set[_Item]:
        found, waiting = set(kernel), list(kernel)
        while waiting:
            production, place = waiting.pop()
            right = self.productions[production].right
            for number in self.by_left.get(right[place], ()) if place < len(right) else ():
                if (number, 0) not in found:
                    found.add((number, 0))
                    waiting.append((number, 0))
        return found

    def _make_states(self) -> None:
        first = frozenset([(self.start, 0)])
        numbers = {first: 0}
        self.states.append(first)
        for kernel in self.states:  # grows while it is gone through
            after: dict[str, set[_Item]] = {}
            for production, place in sorted(self._closure(kernel)):
                right = self.productions[production].right
                if place < len(right):
                    after.setdefault(right[place], set()).add((production, place + 1))
            moves = {}
            for symbol, items in after.items():
                target = frozenset(items)
                if target not in numbers:
                    numbers[target] = len(self.states)
                    self.states.append(target)
                moves[symbol] = numbers[target]
            self.moves.append(moves)

    def _follow(self) -> dict[tuple[int, str], int]:
        """For a state and a nonterminal that it goes on with, what may come after it, as bits."""
        transitions = [(s, name) for s, moves in enumerate(self.moves) for name in moves if name in self.nonterminals]
        follow = {}
        for state, name in transitions:
            bits = 0
            for symbol in self.moves[self.moves[state][name]]:
                if symbol in self.terminals:
                    bits |= 1 << self.terminals[symbol]
            follow[state, name] = bits
        follow[0, self.productions[self.start].right[0]] |= 1 << self.end
        # What may come after a left side may come after its last symbol, where that is a nonterminal.
        includes: dict[tuple[int, str], list[tuple[int, str]]] = {}
        for state, name in transitions:
            for number in self.by_left[name]:
                right, at = self.productions[number].right, state
                for symbol in right[:-1]:
                    at = self.moves[at][symbol]
                if right[-1] in self.nonterminals:
                    includes.setdefault((state, name), []).append((at, right[-1]))
        waiting = list(transitions)
        while waiting:
            source = waiting.pop()
            for target in includes.get(source, ()):
                joined = follow[target] | follow[source]
                if joined != follow[target]:
                    follow[target] = joined
                    waiting.append(target)
        return follow

    def tables(self) -> Tables:
        action = np.zeros((len(self.states), self.end + 1), dtype=np.int16)
        goto = np.full((len(self.states), len(self.nonterminals)), -1, dtype=np.int16)
        accept = len(self.states) + 1
        for state, moves in enumerate(self.moves):
            for symbol, target in moves.items():
                if symbol in self.nonterminals:
                    goto[state, self.nonterminals[symbol]] = target
                else:
                    action[state, self.terminals[symbol]] = target + 1
        action[self.moves[0][self.productions[self.start].right[0]], self.end] = accept
        for (state, name), bits in self._follow().items():
            for number in self.by_left[name]:
                at = state
                for symbol in self.productions[number].right:
                    at = self.moves[at][symbol]
                self._reduce(action, at, number, bits)
        return Tables(
            action=action,
            goto=goto,
            length=np.array([len(production.right) for production in self.productions[:-1]], dtype=np.int8),
            left=np.array([self.nonterminals[production.left] for production in self.productions[:-1]], dtype=np.int16),
            accept=accept,
        )

    def _reduce(self, action: npt.NDArray[np.int16], state: int, number: int, bits: int) -> None:
        for terminal in range(self.end + 1):
            if not bits >> terminal & 1:
                continue
            before = int(action[state, terminal])
            if before not in (0, -(number + 1)):
                production = self.productions[number]
                other = "going on" if before > 0 else str(self.productions[-before - 1])
                raise InputError(
                    f"one token of lookahead does not decide: before terminal {terminal}, {production} or {other}",
                    where="grammar",
                )
            action[state, terminal] = -(number + 1)
