"""Lexing of sound and broken source: against tokenize on sound files, and that nothing raises."""

from __future__ import annotations

import io
import keyword
import sysconfig
import tokenize
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.errors import InputError
from codefit.source.lexemes import lex
from codefit.source.syntax.terminals import (
    DEDENT,
    INDENT,
    NUMBERS,
    TERMINALS,
    from_characters,
    from_names,
    to_characters,
    to_names,
)  # fmt: skip


def names(source: str) -> str:
    return to_names(lex(source).terminals)


def by_tokenize(source: str) -> list[str]:
    """The terminals of sound source as tokenize has them."""
    kinds = {getattr(tokenize, name): name for name in ("NUMBER", "STRING", "NEWLINE", "INDENT", "DEDENT")}
    found: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in kinds:
            found.append(kinds[token.type])
        elif token.type == tokenize.NAME:
            word = token.string
            if found and f"{found[-1]}_{word}" in ("not_in", "is_not"):
                found[-1] = f"{found[-1]}_{word}"
            else:
                found.append(word if word in NUMBERS and keyword.iskeyword(word) else "NAME")
        elif token.type == tokenize.OP:
            found.append({"->": "arrow", "|": "OR"}.get(token.string, token.string))
    return found


def test_sound_files_are_lexed_as_by_tokenize() -> None:
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("[n-z]*.py"))
    compared = 0
    for file in files:
        source = file.read_text(encoding="utf-8", errors="replace")
        expected = by_tokenize(source)
        if ":=" in expected:
            continue  # newer than the terminals
        assert names(source).split() == expected, file.name
        compared += len(expected)
    assert compared > 100_000


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", ""),
        ("x", "NAME NEWLINE"),
        ("if x:\n    y\nz\n", "if NAME : NEWLINE INDENT NAME NEWLINE DEDENT NAME NEWLINE"),
        ("  x\n", "INDENT NAME NEWLINE DEDENT"),
        ("if x:\n\ty\n        z", "if NAME : NEWLINE INDENT NAME NEWLINE NAME NEWLINE DEDENT"),  # a tab is 8 columns
        ("if x:\n    y\n  z", "if NAME : NEWLINE INDENT NAME NEWLINE DEDENT NAME NEWLINE"),  # fits no level
        ("f(\n  a,\n  b", "NAME ( NAME , NAME NEWLINE"),
        ("f)\nx", "NAME ) NEWLINE NAME NEWLINE"),
        ("x = 'abc\ny", "NAME = STRING NEWLINE NAME NEWLINE"),
        ("x = '''abc\ny", "NAME = STRING NEWLINE"),
        ("print 'a'", "NAME STRING NEWLINE"),
        ("!ls\n%time x\nx?", "NAME NEWLINE % NAME NAME NEWLINE NAME NEWLINE"),
        ("a\0b", "NAME NAME NEWLINE"),
        ("0777 + 0xFF + 1_0.5e-3j + 1L", "NUMBER NUMBER + NUMBER + NUMBER + NUMBER NAME NEWLINE"),
        ("a not  in b is\tnot c", "NAME not_in NAME is_not NAME NEWLINE"),
        ("a -> b | c <> d ... ", "NAME arrow NAME OR NAME <> NAME ... NEWLINE"),
        ("x \\\n y  # c\n# d\n\n\nz", "NAME NAME NEWLINE NAME NEWLINE"),
        ("rb'a' f\"b\" Rb'''c\nd'''", "STRING STRING STRING NEWLINE"),
        ("def arrow(OR): pass", "def NAME ( NAME ) : pass NEWLINE"),
        ("é = π", "NAME = NAME NEWLINE"),
        ("x\r\ny\rz", "NAME NEWLINE NAME NEWLINE NAME NEWLINE"),
    ],
)
def test_broken_and_odd_source(source: str, expected: str) -> None:
    assert names(source) == expected


def test_what_no_python_has_is_told_with_its_place() -> None:
    assert lex("a ? b\n'c").problems == [(2, "'?' is no character of Python"), (6, "the string does not end")]
    assert lex("if a:\n    b\n  c").problems == [(14, "the indentation fits no level above")]


@given(st.text(alphabet=st.sampled_from("ab1.0xe'\"#\\\n\r\t ()[]{}:=<>!@$?_é\0rfb"), max_size=60))
def test_any_text_is_lexed_and_lexemes_stand_in_order(source: str) -> None:
    lexed = lex(source)
    ends = [0]
    for lexeme in lexed.lexemes:
        assert ends[-1] <= lexeme.start <= lexeme.end <= len(source)
        ends.append(lexeme.end)
    assert lexed.terminals.count(INDENT) == lexed.terminals.count(DEDENT)


@given(st.lists(st.integers(0, len(TERMINALS) - 1)))
def test_characters_and_names_are_inverses(terminals: list[int]) -> None:
    assert from_characters(to_characters(terminals)) == terminals
    assert from_names(to_names(terminals)) == terminals


def test_unknown_characters_and_names_are_told() -> None:
    assert (to_characters([0, 1, 89]), len(TERMINALS)) == ('!"z', 90)
    with pytest.raises(InputError, match="line 3: character 2, '~'"):
        from_characters("!~", where="line 3")
    with pytest.raises(InputError, match="there is no terminal 'walrus'"):
        from_names("NAME walrus")
