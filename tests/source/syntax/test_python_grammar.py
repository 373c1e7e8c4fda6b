"""The grammar of Python: against Python's own parser, and the tables that come with codefit."""

from __future__ import annotations

import ast
import random
import sysconfig
import warnings
from pathlib import Path

import numpy as np
import pytest

from codefit.source.lexemes import lex
from codefit.source.rendering import Token, render
from codefit.source.syntax.lalr import make_tables
from codefit.source.syntax.python import python_grammar, python_tables
from codefit.source.syntax.substrings import follow_states
from codefit.source.syntax.terminals import DEDENT, INDENT, NEWLINE, TERMINALS, from_names
from codefit.tasks.repairs.snippets import snippets

# What is newer than the 90 terminals.
NEWER = tuple(getattr(ast, name) for name in ("NamedExpr", "Match", "TryStar", "TypeAlias") if hasattr(ast, name))
SOUND = [
    "x = 1",
    "x, *y = z",
    "a.b[c] += yield",
    "x: int = 3",
    "def f(a, /, b, *, c=1) -> None: pass",
    "lambda *a, b=1, **c: a",
    "[x for x in y if z for w in x]",
    "{**a, 'b': 1}",
    "{*a, b}",
    "f(*a, b, c=1, *d, **e)",
    "async def f():\n    async for x in y:\n        await z",
    "try:\n    pass\nexcept A as b:\n    pass\nelse:\n    pass\nfinally:\n    pass",
    "with a as b, c:\n    pass",
    "@a.b(c)\nclass D(E, metaclass=F):\n    pass",
    "from . import (a, b as c,)",
    "x[1:2, ::3]",
    "return",
    "del a, b[c]",
    "global a, b",
    "assert a, b",
    "'a' 'b'",
    "not a is not b not in c",
    "raise A from B",
    "x = y = yield",
    "for x, in y:\n    pass",
    "(yield)",
    "a if b else c",
    "x = *a, b",
    "[*a]",
    "print(*a)",
    "while a:\n    break\nelse:\n    pass",
]
BROKEN = [
    "x = ",
    "f() = 1",
    "1 = x",
    "x + y = z",
    "f(a=1, b)",
    "f(**a, *b)",
    "def f(a=1, b): pass",
    "def f(*): pass",
    "class A:",
    "if a\n    b",
    "a b",
    "for f() in x: pass",
    "x = (1, 2",
    "else: pass",
    "from a import",
    "import a.b as c.d",
    "a +=",
    "(a, b) += 1",
    "f(x for x in y, z)",
    "lambda a=1, b: a",
    "del f()",
    "with a as f(): pass",
    "async x",
    "not",
    "a not b",
    "[a, , b]",
    "{a: b, c}",
    "return return",
    "try:\n    pass",
    "x = = y",
    "yield = 1",
    "f(a.b=1)",
]


def accepts(source: str) -> bool:
    return python_tables()[0].accepts(lex(source).terminals)


@pytest.mark.parametrize("source", SOUND)
def test_what_python_reads_is_a_sentence(source: str) -> None:
    ast.parse(source)
    assert accepts(source)


@pytest.mark.parametrize("source", BROKEN)
def test_what_python_does_not_read_is_none(source: str) -> None:
    with pytest.raises(SyntaxError):
        ast.parse(source)
    assert not accepts(source)


def test_files_of_the_standard_library_are_sentences() -> None:
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-m]*.py"))
    sources = [(file, file.read_text(encoding="utf-8", errors="replace")) for file in files]
    sources = [
        (file, source) for file, source in sources if not any(isinstance(n, NEWER) for n in ast.walk(ast.parse(source)))
    ]
    assert len(sources) > 50
    assert [file.name for file, source in sources if not accepts(source)] == []


def test_broken_snippets_are_judged_as_by_pythons_parser() -> None:
    """Snippets with one token changed: the grammar agrees with `ast.parse` on nearly all; see docs for the rest."""
    rng, drawn = random.Random(0), np.random.default_rng(0)
    source = Path(ast.__file__).read_text(encoding="utf-8")
    agree = total = 0
    for snippet in list(snippets(lex(source).terminals, drawn, most=40))[:60]:
        for _ in range(10):
            tokens = list(snippet)
            tokens[rng.randrange(len(tokens))] = rng.randrange(len(TERMINALS))
            text = render(lex(""), [Token(t, None) for t in tokens])
            if lex(text).terminals != [*tokens] or any(
                t in (INDENT, DEDENT, NEWLINE) for t in set(tokens) ^ set(snippet)
            ):
                continue  # what was changed is layout that no text has
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                try:
                    ast.parse(text)
                    reads = True
                except SyntaxError:
                    reads = False
            total += 1
            agree += reads == python_tables()[0].accepts(tokens)
    assert total > 200
    assert agree / total > 0.98


def test_the_stored_tables_are_those_of_the_grammar() -> None:
    tables, follows = python_tables()
    made = make_tables(python_grammar())
    for name in ("action", "goto", "length", "left"):
        assert np.array_equal(getattr(tables, name), getattr(made, name))
    assert tables.accept == made.accept
    assert np.array_equal(follows, follow_states(made))


def test_a_sentence_of_the_data_is_one() -> None:
    assert python_tables()[0].accepts(from_names("for NAME in NAME : NEWLINE INDENT NAME ( NAME ) NEWLINE DEDENT"))
