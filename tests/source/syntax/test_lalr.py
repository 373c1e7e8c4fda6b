"""Parsing tables: against pyformlang's own membership test, and what they refuse."""

from __future__ import annotations

import itertools

import pytest
from pyformlang.cfg import CFG

from codefit.errors import InputError
from codefit.source.syntax.lalr import make_tables, read_grammar
from codefit.source.syntax.substrings import WORD, follow_states

TERMINALS = {"a": 0, "b": 1, "(": 2, ")": 3}
# A list, brackets, operators with precedence: each recurs in another way.
GRAMMARS = {
    "list": "start: item | start item\nitem: a | ( start )",
    "right": "start: a | a start | b",
    "levels": "start: sum\nsum: product | sum a product\nproduct: unit | product b unit\nunit: ( sum ) | ( )",
    "pairs": "start: ( start ) | ( ) | a start b | a b",
}


def tables_of(name: str):  # type: ignore[no-untyped-def]
    return make_tables(read_grammar(GRAMMARS[name], TERMINALS))


def oracle_of(name: str) -> CFG:
    lines = []
    for line in GRAMMARS[name].splitlines():
        left, right = line.split(":")
        words = [w if w in TERMINALS or w == "|" else w.capitalize() for w in right.split()]
        lines.append(f"{left.capitalize()} -> {' '.join(words)}")
    return CFG.from_text("\n".join(lines), start_symbol="Start")


@pytest.mark.parametrize("name", GRAMMARS)
def test_every_string_up_to_six_tokens_is_judged_as_by_pyformlang(name: str) -> None:
    tables, oracle = tables_of(name), oracle_of(name)
    judged = {True: 0, False: 0}
    for length in range(1, 7):
        for string in itertools.product(TERMINALS, repeat=length):
            expected = oracle.contains(list(string))
            assert tables.accepts([TERMINALS[t] for t in string]) is expected, string
            judged[expected] += 1
    assert min(judged.values()) > 3


def test_the_first_error_is_where_no_sentence_goes_on() -> None:
    tables = tables_of("levels")
    assert tables.first_error([2, 3]) is None
    assert tables.first_error([2, 0, 3]) == 1  # no sentence begins with "( a"
    assert tables.first_error([2, 3, 0]) == 3  # the end cannot stand there
    assert tables.first_error([]) == 0


@pytest.mark.parametrize("name", GRAMMARS)
def test_no_part_of_a_sentence_is_refused(name: str) -> None:
    tables, oracle = tables_of(name), oracle_of(name)
    follows = follow_states(tables)
    states = range(len(tables.action))

    def reads(part: tuple[int, ...]) -> bool:
        now = set(states)
        for token in part:
            now = {t for s in now for t in states if follows[token, s, t // WORD] >> t % WORD & 1}
        return bool(now)

    strings = itertools.chain.from_iterable(itertools.product(TERMINALS, repeat=k) for k in range(1, 7))
    sentences = [tuple(TERMINALS[t] for t in string) for string in strings if oracle.contains(list(string))]
    parts = {s[i:j] for s in sentences for i in range(len(s)) for j in range(i + 1, len(s) + 1)}
    assert all(reads(part) for part in parts)
    if name == "levels":
        assert not reads((0, 0))  # two operators side by side


def test_what_one_token_cannot_decide_is_refused() -> None:
    with pytest.raises(InputError, match="does not decide"):
        make_tables(read_grammar("start: start a start | b", TERMINALS))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start a", "begins with a name and a colon"),
        ("start: a | | b", "an alternative is empty"),
        ("start: a c", "'c' is neither"),
        ("a: b", "is the left side of a line and a terminal"),
        ("# nothing", "has no productions"),
    ],
)
def test_a_grammar_of_another_form_is_told(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_grammar(text, TERMINALS)
