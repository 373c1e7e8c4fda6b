"""What is mended below the tokens: quotes, spaces, characters of no Python; sound text stays as it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.source.lexemes import lex
from codefit.tasks.repairs.characters import mend_characters


@pytest.mark.parametrize(
    ("text", "mended", "told"),
    [
        ("x = 1\x00\n", "x = 1\n", ["delete '\\x00'"]),
        ("a = $b\n", "a = b\n", ["delete '$'"]),
        ("x = ‘hi’\n", "x = 'hi'\n", ["'‘' becomes \"'\"", "'’' becomes \"'\""]),
        ("f(a,\u00a0b)\n", "f(a, b)\n", ["'\\xa0' becomes ' '"]),
        ("print('a)\n", "print('a')\n", ["insert '"]),
        ('if f("a):\n    x\n', 'if f("a"):\n    x\n', ['insert "']),
        ("d = {'a: 1}\n", "d = {'a: 1'}\n", ["insert '"]),
        ("x = 'abc\ny = 2\n", "x = 'abc'\ny = 2\n", ["insert '"]),
        ("x = ':\n", "x = ':'\n", ["insert '"]),
        ('x = """abc\n', 'x = """abc\n', []),
        ("x = 'it’s'  # a ‘note’\n", "x = 'it’s'  # a ‘note’\n", []),
    ],
)
def test_characters_are_mended(text: str, mended: str, told: list[str]) -> None:
    found = mend_characters(text)
    assert found.text == mended
    assert [what for _, what in found.told] == told


def test_each_is_told_with_its_line() -> None:
    found = mend_characters("a = 1\nb = 'x\nc = $d\n")
    assert found.text == "a = 1\nb = 'x'\nc = d\n"
    assert found.told == [(1, "insert '"), (2, "delete '$'")]


def test_sound_code_stays() -> None:
    for module in (ast, pytest):
        source = Path(module.__file__).read_text(encoding="utf-8")
        assert mend_characters(source).text == source


@given(st.text("ab '\"()[]:\n\\$‘’x=1#", max_size=40))
def test_whatever_is_given_no_stray_and_no_open_line_is_left(text: str) -> None:
    mended = mend_characters(text).text
    problems = [what for place, what in lex(mended).problems if "'''" not in mended and '"""' not in mended]
    assert not [what for what in problems if what.endswith("no character of Python")]
