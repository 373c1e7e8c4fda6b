"""The compiled scanner of JavaScript: what it tells is what the walk tells, construct by construct."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from javascript_programs import program

from codefit.source.metrics.javascript import available, compile_once, is_compiled, scan
from codefit.source.metrics.measure import measure

pytestmark = pytest.mark.skipif(not available(), reason="numba is not installed")
INSTALLED = sorted(
    file for file in Path(sysconfig.get_paths()["purelib"]).rglob("*.js") if 0 < file.stat().st_size < 200_000
)
LINES = r"""
var a = 1, b, [c, , d = 1, ...e] = f, {g, h: i, 'j': k, 2: l, [m]: n = o, ...p} = q
let a; const b = 1
function f(a, b = 1, {c, d: [e] = [], ...g} = {}, ...h) { 'use strict'; return }
async function f() { for await (const a of b) await c; await (d); await (0, e.f)(g); await (h).i(); return await j }
function* f() { yield; yield a; yield* b; const c = yield; return yield }
const f = function () {}, g = function h() {}, i = () => {}, j = a => b, k = async a => b, l = async (a) => ({a})
f = function () {}; a.b = () => c; A.prototype.b = function () {}; module.exports.c = class { d() {} }
a['b'] = function () {}; (a).b = function () {}; f().b = function () {}; this.d = a => a; a = b = () => {}
f = function () {}.bind(this); f = function () {} ? a : b; f = (function () {}); f = function () {}, g
const {a = function () {}} = b; const c = [function () {}]; const d = e || function () {}
[a = function () {}] = b; [a.b, c[d], ...e] = [f, g]; ({a, b = 1, c: d.e, ...f} = g); [[a = 1] = b] = c
f[x = function () {}] = function () {}; ({[x = y]: function () {}})
x = {a: function () {}, b() {}, 'c': () => {}, 4() {}, [d]() {}, [e]: function () {}, get f() {}, set f(g) {}}
x = {async a() {}, *b() {}, async *c() {}, get: 1, set, async, static: 2, get() {}, async() {}, ...p, if: 3, '': f}
x = {a, b: {c: {d() { return function e() {} }}}}
class A {} class B extends A { constructor() { super(); super.a } } x = class D {}; y = class extends (a, b) {}
class A { a; b = 1; static c = () => d ? 1 : 2; #e = f && g; ['h'] = function () {}; 'i' = () => {}; static }
class A { [j ? k : l] = m ? n : o; [p ? q : r]; [s ? t : u]() {} }
class A { get a() {} set a(b) {} static async *c() {} static { if (a) b } ; #d() { return #d in this } async e() {} }
class A { get; set; async; static get = 1; static static() {} get() {} async() {} static async() {} 'b'() {} *c() {} }
if (a) b; else if (c) d; else e
if (a) { if (b) c } else { if (d) e }
if (a) if (b) c; else d; else e
for (var i = 0, n = 1; i < n; i++) a; for (;;) { break } for (a in b) c; for (const [a, b] of c) d; for (let {a} in b) c
for ([a.b, c] of d) e; for (a.b of c) d; for (let i = (a in b); ;) break; for (a = 1, b; ; ) c
while (a) do b; while (c) do { d } while (e)
a: for (;;) { b: while (c) { continue a; break b } }
switch (a) { case 1: case b: c; break; default: d } switch (e) { }
try { a } catch { b } finally { c } try { d } catch ({e = 1, f: [g]}) { h } try { i } finally { j }
with (a) b
a && b || c && d; a && (b && c); a && (b || c) && d; (a && b) == c && d; a && !(b && c); ((a && b)) && c
a && (b, c) && d; a && (b ? c : d) && e; a && (b = c && d); a && f(b && c); (a && b) || (c && d); (a ?? b) ?? c
a && (/* c */ b || c) && d; (a && b) + c && d; new (a && b) && c; (a && b).c && d; `${a && b}` && c
a ? b : c ? d : e; a ? b ? c : d : e; (a ? b : c) ? d : e; a ? (b, c) : d => e; x = a ? b = c : d = e
a ??= b; a &&= c; a ||= d; a **= 2; a >>>= 1; a <<= 2; a %= 3; a = b >>> c >> d << e
a?.b; a?.[b]; a?.(b); a?.b.c?.d(e)?.[f]; a ? .5 : 1; a?.#b
new A; new A(); new A.B(c).d; new (a())(); new class {}; new function () { this.a = 1 }; new.target; new A()?.b
import.meta.url; import('a').then(b); import * as c from 'd'; import {e, f as g, default as h} from 'i'
import a, {b} from 'c'; import d, * as e from 'f'; import 'g'; import {} from 'h'
export {a, b as c, d as default, e as 'f'}; export * from 'g'; export * as h from 'i'; export {j} from 'k'
export const a = 1; export let b; export function f() {} export async function g() {} export class C {}
export default function () {}
export default function f() {}
export default class A { b() {} }
export default async () => {}
export default {a() {}}
`a`; ``; `a${b}c${`d${e}`}f`; a`b`; a.b`c${d}`; `$`; `$${a}`; `\n\u{1f600}\x41 ${a} \``; `1.5$x ${a} >>`; `>>`; `2 b`
/a/g; a / b / c; a = /[/]/.test(b); (a) / b; [/a/, /b\/c/]; if (a) /b/.test(c); a++ / 2; x = {} / 1; typeof /a/
'c\"d'; 'e\u0041\x41\0'; '$'; "$a"; $a.$b; $; a$b; _; é; π = 1; x.ñ; 变量 = () => {}
0; 1_000; 0x1f; 0b11n; 0o17; 1.; .5; 1.5e-3; 1e10; 10n; 017; 1..a; 1.5.b
async = 1; get = 2; set = 3; of = 4; from = 5; as = 6; static = 7; target = 8; meta = 9; async(a); async.b; get.c(of)
(a, b) => {}; () => {}; async () => {}; (a) => ({}); (a = 1, {b} = {}, [c], ...d) => a; async (a) => { await a }
f(a => b, function () {}, ...c, d => { e }); (function () {})(); (() => {})(); !function () {}(); +a++ - -b; void 0
a, b; (a, b); [a, b,]; [, a]; [,]; f(a,); ({a,}); ({}); []; delete a.b; a = b => c in d; 'a' in b; a instanceof b
{ a } { b, c } { [a] } { 'b' } { (c) } {}
function f() { a: b; { } } debugger; ;
""".strip().split("\n")
SEVERAL_LINES = [
    "'a\\\nb'; `a\n${b}\n`",
    "a\nb\na\n++b\na\n(b)\na // c\n.b\na /* c */\nb\nx = a\n[b]\nlet async; async",
    "a && (b || c // d\n) && e",
    "x = function () {} // end of x\ny",
    "function f() {} /* end\nof f */",
    "function f() {} /* a */ // b\ng()",
    "export function f() {} /* end */",
    "f(function () {} // end\n); f(function () {} // end\n, a); [() => {} /* a */ // b\n]",
    "class A { b() {} // end\n c = () => {} // end\n d() {} }",
    "x = a => b => {} // end\ny",
    "#!/usr/bin/env node\na",
    "a /* c */ /* d */ // e\n/* f */ b",
    "function f(a,\n  b) { c }\nfunction g() { d; } h(function () { i },\n  j)",
]
LEFT_TO_WALK = [
    *r"""
<a/> | a <!-- b | let a: number | type A = B | @a class B {} | using(a) | let | a b | function f( | { a: b }
if (a) { b: c } | () => { a: b } | var await | \u0061 | '\x4' | `\u` | for (async of a); | new X()?.() | ${a}
import a from 'b' with {type: 'json'} | f({a, b: await (c)}) | `a | 'a | /a | a = /b | 1_ | 0x | 1a | #a | a.1 | (a
a) | [a) | a => b => | if (a) | x = class { | for (;; | switch (a) { b } | try {} | function () {} | await (a).
new | new. | a. | a?. | f(... | case | x => | async x | import | export
""".strip()
    .replace("\n", " | ")
    .split(" | "),
    *["", " // nothing\n", "{ a()\n{ } }", "x = () => {}\n(a)", "a /* c\n*/ b", "return /* c\n*/ a", "a\r\nb"],
    *["class A { static get\nb() {} }", "async\nfunction f() {}", "export\nconst a = 1", "var a /*\n*/ = 1"],
    "a\u00a0b",
]
# What is repeated, what is in the middle, and what closes it.
DEEP = [
    *[("{", "", "}"), ("if (a) {", "", "}"), ("for (;;) {", "", "}"), ("switch (a) { case 1:", "", "}")],
    *[("try {", "", "} finally {}"), ("if (a) b; else ", ";", ""), ("do ", ";", " while (b);"), ("with (a) ", ";", "")],
    *[("l: ", ";", ""), ("new ", "a", "()"), ("await ", "a", ""), ("a => ", "b", ""), ("a ? b : ", "c", "")],
    *[("x = function () {", "", "}"), ("a = ", "b", ""), ("a && ", "b", ""), ("a.", "b", ""), ("!", "a", "")],
    *[("(", "a", ")"), ("f(", "a", ")"), ("x = [", "a", "]"), ("x = {a: ", "1", "}"), ("`${", "a", "}`")],
    *[("x = class { a = ", "1", "}"), ("var {a: ", "b", "} = c"), ("a(b => {", "", "})")],
]
TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|'[^'\n]*'|`[^`]*`|[\w$]+|=>|\?\.|&&|\|\||\s+|.", re.DOTALL)
OTHER_TOKENS = [
    *r"""
( ) [ ] { } ; , : ? ?. . => = && || ?? ! + ++ / * ... ` ${ a 1 'q' /r/g function class async await yield new return
if else for while do let const var of in get set static this import export default case catch
""".strip().split(),
    *["\n", " // c\n", " /* c\n */ ", "() => {}", "function () {}", "await (a)", "`t${a}`", "{ a: b }"],
]


def is_told(code: str) -> bool:
    """Whether the scanner tells the metrics. It fails where they are not those of the walk."""
    found = scan(code.encode("utf-8", "replace"))
    if found is not None:
        known = measure(code, "javascript", seconds=60)
        assert found.functions == known.functions
        assert found.module == known.module
    return found is not None


@pytest.mark.parametrize("code", [*LINES, *SEVERAL_LINES])
def test_what_is_told_of_each_construct_is_what_the_walk_tells(code: str) -> None:
    assert is_told(code)
    assert is_told(f"x = async function* () {{\n{code}\n}}") or code.startswith("#!")


@pytest.mark.parametrize("code", LEFT_TO_WALK)
def test_what_is_not_plain_or_is_read_in_two_ways_is_left_to_the_walk(code: str) -> None:
    assert scan(code.encode()) is None


@pytest.mark.parametrize(("before", "inner", "after"), DEEP)
def test_no_depth_is_too_much(before: str, inner: str, after: str) -> None:
    assert scan((before * 20 + inner + after * 20).encode()) is not None or before in ("l: ", "var {a: ", "new ")
    is_told(before * 1_000 + inner + after * 1_000)
    scan((before * 100_000 + inner + after * 100_000).encode())


def test_files_of_installed_packages() -> None:
    told = [is_told(file.read_text("utf-8", "replace").replace("\r\n", "\n")) for file in INSTALLED]
    assert len(told) > 10
    assert sum(told) > len(told) / 2


@given(st.integers(0, 1 << 32), st.sampled_from([5, 20, 60]))
@settings(max_examples=1_000, deadline=None)
def test_random_programs(seed: int, size: int) -> None:
    is_told(program(Random(seed), size))


@given(st.integers(0, 1 << 32))
@settings(max_examples=1_000, deadline=None)
def test_broken_pieces_of_real_files(seed: int) -> None:
    random = Random(seed)
    tokens = TOKEN.findall(random.choice([*LINES, *SEVERAL_LINES]) + "\n" + random.choice(LINES))
    for _ in range(random.choice([1, 1, 2, 4])):
        place = random.randrange(len(tokens))
        tokens[place : place + random.randrange(3)] = random.choice([[], [random.choice(OTHER_TOKENS)]])
    is_told("".join(tokens))


def test_measuring_by_the_scanner_tells_what_the_walk_tells() -> None:
    plain = "class A { m(a) { return a ? b : c } }\r\nconst f = (x) => x && y\r\n"
    markup = "const f = (a) => <p>{a && b}</p>"
    for code in (plain, markup, "function (", ""):
        assert measure(code, "javascript", compiled=True) == measure(code, "javascript")
    explained = measure(plain, "javascript", compiled=True, explain=True)
    assert sum(len(own.increments) for own in explained.functions) == 2


def test_that_it_is_compiled_is_remembered_until_its_source_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_once()
    assert is_compiled()
    monkeypatch.setattr("codefit.source.metrics.javascript.scanner.STAMP", 1)
    assert not is_compiled()
