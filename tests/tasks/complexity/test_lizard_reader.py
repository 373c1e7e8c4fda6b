"""Functions as lizard finds them: the figures of lizard itself, on real files, on snippets and on any run of tokens."""

from __future__ import annotations

import sys
from pathlib import Path

import lizard
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codefit.tasks.complexity.lizard_reader import lizard_functions

Figures = tuple[int, int, int]

SNIPPETS = (
    "function f(a, b = 1) { if (a && b || c) { return a ? b : c } }",
    "function f() { return g(function () { return x ?? y }, () => z) }",
    "function f() { const self = /** @type {X} */ (this); return self.a }",  # loses the tokens in brackets
    "function f(a) { if (a) { g(b[a]); } else { h(); } return 1 }",  # ends at the square bracket
    "function f(t) { return g(type[t], t) }",
    "function f(x) { switch (x) { case 1: return 2; default: return 3 } }",
    "function f() { try { g() } catch ({ a = 1 }) { h() } }",
    "const f = async (a, { b = 2 }) => { for await (const c of a) { d(c) } }",
    "const f = a => a.map(b => b + 1)\nconst g = x => x",
    "class A { static m() {} get x() { return 1 } async n(a) { await a } #p = () => 1; [k]() {} }",
    "x = { a: function () { b() }, c() { d() }, 'e': (f) => f, g: h(i) }",
    "function f() { return `a${b ? 1 : 2}c${`d${e}`}` }",
    "function f() { return /a\\/[/]b/g.test(x) / 2 / y }",
    "function f() { return 1.5e-3 + 0xff + .5 + x >>> 2 }",
    "const g = (function () { return 1 })()",
    "let y = ((a, b) => a + b)(1, 2)",
    "type A = { b: (c) => d }\ninterface B { c(): d }\nfunction f<T>(a: T, b?: string): A { return a }",
    "declare function f(a)\nfunction g() {}",
    "abstract class A { abstract m(): void; n() { return 1 } }",
    "for (const { a = 1 } of b) c(); [x = 1, y] = z",
    "function f() {\n  /* one\n  two */ return 1 // three\n}\n",
    "a\n`unclosed ${b",
    "}}}",
    "",
)
TOKENS = (
    *(
        "function",
        "if",
        "else",
        "for",
        "while",
        "catch",
        "try",
        "switch",
        "case",
        "default",
        "return",
        "await",
        "async",
    ),
    *("static", "get", "set", "new", "class", "const", "type", "interface", "declare", "abstract", "do", "final"),
    *(
        "a",
        "b",
        "$c",
        "#d",
        "e?",
        "1",
        "1.5",
        "'s'",
        '"t"',
        "`u`",
        "`v${w}x`",
        "/r/g",
        "/* c */",
        "// l\n",
        "/* m\nn */",
    ),
    *("(", ")", "[", "]", "{", "}", "<", ">", "<T>", "=>", "=", "==", "&&", "||", "??", "?", "?.", ":", ";", ",", "."),
    *("...", "*", "+", "/", ">>>", "\n", "\n", "\n"),
)


def by_lizard(code: str) -> list[Figures]:
    found = lizard.analyze_file.analyze_source_code("a.js", code).function_list
    return [(each.cyclomatic_complexity, each.token_count, each.nloc) for each in found]


def ours(code: str) -> list[Figures]:
    return [(each.ccn, each.tokens, each.lines) for each in lizard_functions(code)]


@pytest.mark.parametrize("code", SNIPPETS)
def test_a_snippet_has_lizards_figures(code: str) -> None:
    assert ours(code) == by_lizard(code)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=60))
@example(["function", "a", "(", ")", "{", "b", "=", "(", "1", ")", ";", "type", "[", "b", "]", ",", "}"])
def test_any_run_of_tokens_has_lizards_figures(tokens: list[str]) -> None:
    code = " ".join(tokens)
    assert ours(code) == by_lizard(code)


def test_files_of_installed_packages_have_lizards_figures() -> None:
    sources = sorted(
        file
        for folder in map(Path, sys.path)
        if folder.name == "site-packages"
        for file in folder.rglob("*.js")
        if file.stat().st_size < 60_000
    )[:60]
    read = 0
    for source in sources:
        code = source.read_text(encoding="utf-8", errors="replace")
        if "GENERATED CODE" not in code and "#lizard" not in code:
            assert ours(code) == by_lizard(code), source
            read += len(ours(code))
    assert read > 100


def test_of_nested_functions_the_inner_one_comes_first() -> None:
    inner, outer = lizard_functions("function f(a) {\n  return g(function () { return a && b })\n}")
    assert (inner.ccn, outer.ccn) == (2, 1)


def test_depth_beyond_the_stack_is_read_as_far_as_it_goes() -> None:
    assert lizard_functions("function f() { a }\n" + "{" * 100_000)[0].ccn == 1
