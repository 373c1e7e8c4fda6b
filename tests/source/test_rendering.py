"""Edited lexemes as source: what comes out is lexed as the tokens that went in, and what was untouched is untouched."""

from __future__ import annotations

import ast
import json.decoder
from pathlib import Path

import numpy as np
import pytest

from codefit.source.lexemes import lex
from codefit.source.rendering import Token, render
from codefit.source.syntax.python import python_tables
from codefit.source.syntax.terminals import NUMBERS, TERMINALS, from_names

FILES = [Path(module.__file__ or "") for module in (ast, json.decoder)]
SOURCE = '''\
# A comment first.
def f(a,  b=1):   # keeps its spaces

    """Says what."""
    if a:   # why
        return {  "x": [1,
                        2],  # two
        }
\t# odd comment
    return b
'''


def kept(source: str) -> list[Token]:
    return [Token(lexeme.terminal, place) for place, lexeme in enumerate(lex(source).lexemes)]


def edited(source: str, place: int, kind: str, terminal: str = "") -> str:
    tokens: list[Token] = kept(source)
    new = [Token(NUMBERS[terminal], None)] if terminal else []
    tokens[place : place + (kind != "insert")] = new
    return render(lex(source), tokens)


def place_of(source: str, text: str, number: int = 0) -> int:
    found = [k for k, lexeme in enumerate(lex(source).lexemes) if source[lexeme.start : lexeme.end] == text]
    return found[number]


@pytest.mark.parametrize("source", [SOURCE, *(file.read_text(encoding="utf-8") for file in FILES)])
def test_without_an_edit_the_source_stays(source: str) -> None:
    assert render(lex(source), kept(source)) == source


@pytest.mark.parametrize(
    ("source", "at", "kind", "terminal", "expected"),
    [
        ("def f(a)\n    return a\n", "\n", "insert", ":", "def f(a):\n    return a\n"),
        ("x = f(a, (b)\ny\n", "y", "insert", ")", "x = f(a, (b)) y\n"),
        ("if x = 1:\n    y\n", "=", "substitute", "==", "if x == 1:\n    y\n"),
        ("a = [1,, 2]  # c\n", ",", "delete", "", "a = [1, 2]  # c\n"),
        ("print 'a'\n", "'a'", "insert", "(", "print('a'\n"),
        ("x y\n", "y", "insert", "NEWLINE", "x\ny\n"),
        ("a = b  # c\nd\n", "\n", "delete", "", "a = b d\n"),
    ],
)
def test_an_edit_changes_its_place_alone(source: str, at: str, kind: str, terminal: str, expected: str) -> None:
    assert edited(source, place_of(source, at), kind, terminal) == expected


def test_a_block_that_moves_is_indented_anew() -> None:
    source = "if a:\nb\nc\n"
    tokens = kept(source)
    tokens[4:4] = [Token(NUMBERS["INDENT"], None)]
    tokens[7:7] = [Token(NUMBERS["DEDENT"], None)]
    assert render(lex(source), tokens) == "if a:\n    b\nc\n"
    deep = "    a\n    b\n"
    whole = [token for token in kept(deep) if TERMINALS[token.terminal] not in ("INDENT", "DEDENT")]
    assert render(lex(deep), whole) == "a\nb\n"


def test_what_comes_out_is_lexed_as_what_went_in() -> None:
    """Random edits of real code, as far as they are sentences: others may have no text (a deeper line after none)."""
    rng = np.random.default_rng(0)
    tables, _ = python_tables()
    seen = 0
    for file in FILES:
        source = file.read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            lexed = lex(f"{ast.get_source_segment(source, node)}\n")
            for _ in range(60):
                tokens = [Token(lexeme.terminal, place) for place, lexeme in enumerate(lexed.lexemes)]
                for _ in range(int(rng.integers(1, 4))):
                    place = int(rng.integers(len(tokens) + 1))
                    new = [Token(int(rng.integers(len(TERMINALS))), None)] if rng.random() < 0.7 else []
                    tokens[place : place + int(rng.integers(0, 2))] = new
                terminals = [token.terminal for token in tokens]
                if terminals and tables.accepts(terminals):
                    seen += 1
                    text = render(lexed, tokens)
                    again = lex(text).terminals
                    assert _plain(again) == _plain(terminals), text
    assert seen > 300


def _plain(terminals: list[int]) -> list[int]:
    """Without empty lines, which have no text of their own."""
    newline = NUMBERS["NEWLINE"]
    layout = (newline, NUMBERS["INDENT"], NUMBERS["DEDENT"])
    return [
        t for place, t in enumerate(terminals) if t != newline or (place > 0 and terminals[place - 1] not in layout)
    ]


def test_new_words_have_a_spelling() -> None:
    tokens = from_names("NAME = NAME ( STRING , NUMBER ) if NAME is_not None else lambda : NAME . NAME OR NAME NEWLINE")
    assert render(lex(""), [Token(t, None) for t in tokens]) == (
        'name = name("", 0) if name is not None else lambda: name.name | name\n'
    )
