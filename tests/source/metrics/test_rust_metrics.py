"""Rust: rules one by one, names, and lizard on a file with something of everything."""

import pytest
from against_lizard import SAMPLES, differences, of_lizard, own

from codefit.source.metrics.measure import measure

# Statements of a function, and its cyclomatic complexity, cognitive complexity, depth of nesting, and lizard's count.
STATEMENTS = {
    "nothing": ("x();", (1, 0, 0, 1)),
    "if": ("if a { x() }", (2, 1, 1, 2)),
    "else": ("if a { x() } else { y() }", (2, 2, 1, 2)),
    "else if": ("if a { x() } else if b { y() } else { z() }", (3, 3, 1, 3)),
    "if in else": ("if a { x() } else { if b { y() }; }", (3, 4, 2, 3)),
    "if in if": ("if a { if b { if c { x() } } }", (4, 6, 3, 4)),
    "deep in else if": ("if a { x() } else if b { if c { y() } }", (4, 4, 2, 4)),
    "if as a value": ("let a = if b { 1 } else { 2 };", (2, 2, 1, 2)),
    "if let": ("if let Some(a) = b { if c { x() } }", (3, 3, 2, 3)),
    "chain": ("if let Some(a) = b && c && let Some(d) = e { x() }", (4, 2, 1, 4)),
    "chain that begins with an expression": ("if a && b && let Some(c) = d { x() }", (4, 2, 1, 4)),
    "chain after an or": ("if (a || b) && let Some(c) = d { x() }", (4, 3, 1, 4)),
    "let else": ("let Some(a) = b else { return };", (2, 1, 1, 2)),
    "let else in if": ("if a { let Some(b) = c else { if d { x() } return }; }", (4, 6, 3, 4)),
    "for": ("for a in b { if c { x() } }", (3, 3, 2, 3)),
    "while": ("while a { if b { x() } }", (3, 3, 2, 3)),
    "while let": ("while let Some(a) = b { if c { x() } }", (3, 3, 2, 3)),
    "loop": ("loop { if a { x() } }", (2, 3, 2, 2)),
    "loops in if": ("if a { for b in c { } while d { } loop { } }", (4, 7, 2, 4)),
    "match": ("match a { A => x(), B | C => y(), _ => z() }", (3, 1, 1, 3)),
    "match of nothing": ("match a { }", (1, 1, 1, 1)),
    "match in if": ("if a { match b { _ => x() } }", (2, 3, 2, 2)),
    "in an arm": ("match a { A => if b { x() }, _ => { while c { y() } } }", (4, 5, 2, 4)),
    "what a match looks at": ("match (if a { b } else { c }) { _ => x() }", (2, 4, 2, 2)),
    "match in an arm": ("match a { A => match b { C => x(), D => y() }, _ => z() }", (3, 3, 2, 3)),
    "guards": ("match a { A if b && c => x(), _ if d => y(), _ => z() }", (6, 2, 1, 6)),
    "question mark": ("a?; b()?.c()?;", (4, 0, 0, 4)),
    "and": ("let a = b && c && d;", (3, 1, 0, 3)),
    "and, or": ("let a = b && c || d && e;", (4, 3, 0, 4)),
    "through parentheses": ("let a = b && (c && d) || e;", (4, 2, 0, 4)),
    "not through not": ("let a = b && !(c && d);", (3, 2, 0, 3)),
    "labels": ("'a: loop { if b { break 'a } else { continue 'a } }", (2, 6, 2, 2)),
    "a block's label": ("'a: { break 'a }", (1, 1, 0, 1)),
    "jumps without a label": ("loop { if a { break } continue }", (2, 3, 2, 2)),
    "break with a value": ("loop { break a; }", (1, 1, 1, 1)),
    "closure": ("let a = |b| { if c { x() } };", (2, 2, 1, 2)),
    "closure in closure": ("a(|b| c(|d| if e { x() }));", (2, 3, 1, 2)),
    "closure without parameters": ("let a = || b; let c = | | d;", (1, 0, 0, 2)),
    "async and unsafe": ("async move { if a { x() } }; unsafe { if b { y() } }", (3, 2, 1, 3)),
    "reference to a reference": ("let a = &&b; let c: &&d = e; let f = |&&g| h;", (1, 0, 0, 4)),
    "macro": ("assert!(a && b, if c { d } else { e }); f!(g?, while h {})", (1, 0, 0, 5)),
    "match in a macro": ("a!(match b { C => d, E => f, _ => { if g {} } })", (1, 0, 0, 4)),
    "pattern in a macro": ("matches!(a, B | C if d)", (1, 0, 0, 2)),
    "impl of a trait": ("impl A for B {} impl C {}", (1, 0, 0, 2)),
    "recursion": ("m();", (1, 0, 0, 1)),
    "bits are no conditions": ("let a = b & c | d ^ e;", (1, 0, 0, 1)),
}


@pytest.mark.parametrize(("statements", "expected"), STATEMENTS.values(), ids=STATEMENTS)
def test_statements(statements, expected):
    code = f"fn m() {{ {statements} }}"
    [ours] = measure(code, "rust").functions
    assert (ours.cyclomatic, ours.cognitive, ours.nesting, ours.ccn) == expected
    [(_, figures, _)] = of_lizard(code, "rust")
    assert figures == own(ours)


# Items, with the number of parameters of their functions.
ITEMS = {
    "function": ("pub(crate) async unsafe fn m(a: u8, (b, c): (u8, u8)) -> u8 { }", [("m", 2)]),
    "self": ("impl A { fn m(&mut self, a: u8) { } }", [("A.m", 2)]),
    "attributes": ("fn m(#[a] b: u8, /* c */ d: u8) { }", [("m", 2)]),
    "generics": ("const fn m<'a, A: B<C>, const D: usize>(e: HashMap<A, Vec<A>>) { }", [("m", 1)]),
    "impl of a trait": ("impl<T> fmt::Display for &'a ns::A<T> where T: B { fn m() { } }", [("A.m", 0)]),
    "trait": ("trait A { fn l(&self); fn m(&self) { } }", [("A.m", 1)]),
    "modules": ("mod a { mod b { fn m() { } } }", [("a.b.m", 0)]),
    "declarations": ('extern "C" { fn m(a: i32, ...); }', []),
    "function inside": ("fn m() { fn n(a: u8) { } }", [("m", 0), ("m.n", 1)]),
    "macro": ("macro_rules! a { () => { fn m() { } } }", []),
}


@pytest.mark.parametrize(("items", "expected"), ITEMS.values(), ids=ITEMS)
def test_items(items, expected):
    functions = measure(items, "rust").functions
    assert [(each.qualified, each.parameters) for each in functions] == expected


def test_what_lizard_counts_in_a_head():
    code = "fn m<A: ?Sized, B>(a: &&A) -> u8 where B: for<'a> Fn(&'a A), C: Box<dyn for<'b> D>, for<'c> E: F { 1 }"
    [ours] = measure(code, "rust").functions
    assert (ours.cyclomatic, ours.cognitive) == (1, 0)
    assert of_lizard(code, "rust")[0][1][0] == ours.ccn == 7


def test_a_function_inside_is_a_function_of_its_own_and_cognitive_for_the_one_around_it():
    outer, inner = measure("fn m() { if a { fn n() { if b { x() } } } }", "rust").functions
    assert (outer.cyclomatic, outer.cognitive, outer.nesting) == (2, 1 + 3, 1)
    assert (inner.cyclomatic, inner.cognitive, inner.nesting) == (2, 1, 1)


def test_what_stands_outside_of_functions():
    module = measure("const A: u8 = if B { 1 } else { 2 };\nfn m() { loop { } }\n", "rust").module
    assert (module.cyclomatic, module.cognitive, module.complete) == (2, 2, True)


def test_operators_and_operands():
    code = 'pub fn m(a: u8) -> u8 { #![k]\n /* b\n */ #[c(d)]\n f(\'e\', "g", b"h", r"i", 1.5, [a..=a]) // j\n }'
    [ours] = measure(code, "rust").functions
    counts = ours.halstead
    assert (counts.different_operands, counts.operands) == (
        11,
        14,
    )  # m a u8 u8 #![k] #[c(d)] f 'e' "g" b"h" r"i" 1.5 a a
    assert (counts.different_operators, counts.operators) == (8, 13)  # fn ( : -> { ( , , , , , [ ..=
    assert (ours.tokens, ours.lines) == (38, 4)


def test_tokens_and_lines_as_lizard_counts_them():
    code = (
        'fn m() {\n    let a = &NAMES[..=1];\n    **b += --c;\n    #[d(e, f)] // g\n    x::<\'static>(1.5, b"h");\n}\n'
    )
    [(_, figures, _)] = of_lizard(code, "rust")
    assert own(measure(code, "rust").functions[0]) == figures


def test_incomplete():
    broken, sound = measure("fn m() { if a { x( } }\nfn n() { y() }\n", "rust").functions
    assert (broken.name, broken.complete, sound.name, sound.complete) == ("m", False, "n", True)


def test_equal_to_lizard():
    count, found = differences((SAMPLES / "sample.rs").read_text(), "rust")
    # lizard gives a trait's function without a body that of the next, and counts the first token and line of a
    # function inside for the one around it too.
    assert (count, set(found)) == (17, {"visit", "visit_all", "outer"})


# Where lizard is wrong, as the docstring of the rules says: what it counts, and what stands here.
MISTAKES = {
    "characters": ("fn m() { if a == 'b' && c == 'd' { x() } }", "ccn", 2, 3),
    "rest of a line": ("fn m() {\n#[a] if b { x() }\n}", "ccn", 1, 2),
    "raw string": ('fn m() {\nf(r#"a"#) && b\n}', "ccn", 1, 2),
    "brace of a pattern": ("fn m() { if let A { .. } = b { x() } else { y() } }", "ccn", 3, 2),
    "type of a parameter": ("fn m(a: (u8, u8), b: impl Fn(u8, u8)) { }", "parameters", 4, 2),
    "no body": ("trait A { fn l(&self); }\nfn m() { if a { x() } }", "lines", 2, 1),
}


@pytest.mark.parametrize(("code", "figure", "theirs", "here"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_of_lizard(code, figure, theirs, here):
    place = ("ccn", "parameters", "tokens", "lines").index(figure)
    [(_, figures, _)] = of_lizard(code, "rust")
    [ours] = measure(code, "rust").functions
    assert (figures[place], own(ours)[place]) == (theirs, here)
