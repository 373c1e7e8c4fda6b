"""Java: rules one by one, names, and lizard on a file with something of everything."""

import pytest
from against_lizard import SAMPLES, differences, of_lizard, own

from codefit.source.metrics.measure import measure

# Statements of a method, and its cyclomatic complexity, cognitive complexity, and depth of nesting.
STATEMENTS = {
    "nothing": ("x();", (1, 0, 0)),
    "if": ("if (a) x();", (2, 1, 1)),
    "else": ("if (a) x(); else y();", (2, 2, 1)),
    "else if": ("if (a) x(); else if (b) y(); else z();", (3, 3, 1)),
    "if in else": ("if (a) x(); else { if (b) y(); }", (3, 4, 2)),
    "if in if": ("if (a) { if (b) { if (c) x(); } }", (4, 6, 3)),
    "deep in else if": ("if (a) x(); else if (b) { if (c) y(); }", (4, 4, 2)),
    "for": ("for (int i = 0; i < n; i++) x();", (2, 1, 1)),
    "for each": ("for (var a : b) if (a) x();", (3, 3, 2)),
    "while": ("while (a) if (b) x();", (3, 3, 2)),
    "do": ("do { if (b) x(); } while (a);", (3, 3, 2)),
    "loops in if": ("if (a) { for (;;) x(); for (B b : c) y(); do z(); while (d); }", (5, 7, 2)),
    "all of a for lies deeper": ("for (int i = a ? b : c; d ? e : f; i += g ? h : j) x();", (5, 7, 1)),
    "the values of a for each": ("for (A a : b ? c : d) x();", (3, 3, 1)),
    "the condition of a do": ("do x(); while (a ? b : c);", (3, 3, 1)),
    "ternary": ("int y = a ? b : c;", (2, 1, 0)),
    "ternaries in a ternary": ("int y = (a ? b : c) ? d ? e : f : g ? h : i;", (5, 7, 0)),
    "ternary in a condition": ("while (a ? b : c) x();", (3, 3, 1)),
    "and": ("boolean y = a && b && c;", (3, 1, 0)),
    "and, or": ("boolean y = a && b || c && d;", (4, 3, 0)),
    "through parentheses": ("boolean y = a && (b && c) || d;", (4, 2, 0)),
    "not through not": ("boolean y = a && !(b && c);", (3, 2, 0)),
    "switch": ("switch (a) { case 1: case 2: x(); break; default: y(); }", (3, 1, 1)),
    "switch in if": ("if (a) switch (b) { case 1: if (c) x(); }", (4, 6, 3)),
    "what a switch looks at": ("switch (a ? b : c) { default: x(); }", (2, 3, 1)),
    "switch with arrows": ("switch (a) { case 1, 2 -> x(); case 3 -> { y(); } default -> z(); }", (3, 1, 1)),
    "switch as a value": ("int y = switch (a) { case 1: yield 2; default: yield 3; };", (2, 1, 1)),
    "patterns with guards": ("switch (a) { case A b when c && d -> x(); case null, default -> y(); }", (5, 2, 1)),
    "instanceof with a pattern": ("if (a instanceof B b && b.c()) x();", (3, 2, 1)),
    "try": ("try { x(); } finally { y(); }", (1, 0, 1)),
    "catch": ("try { x(); } catch (A | B e) { if (a) y(); } catch (C e) { z(); }", (4, 4, 2)),
    "catch in if": ("if (a) try { x(); } catch (B e) { y(); }", (3, 3, 2)),
    "try with resources": ("try (var a = b ? c : d) { if (e) x(); } catch (A e) { }", (4, 3, 2)),
    "labels": ("l: for (;;) { if (a) break l; else continue l; }", (3, 6, 2)),
    "jumps without a label": ("for (;;) { if (a) break; continue; }", (3, 3, 2)),
    "lambda": ("Runnable y = () -> { if (a) x(); };", (2, 2, 1)),
    "lambda with a value": ("f(a -> a ? b : c);", (2, 2, 0)),
    "lambda in lambda": ("f(a -> b -> { while (c) x(); });", (2, 3, 1)),
    "method reference": ("f(String::new);", (1, 0, 0)),
    "synchronized, assert, throw": ("synchronized (a) { assert b : c; throw d; }", (1, 0, 0)),
    "recursion": ("m();", (1, 0, 0)),
    "bits are no conditions": ("int y = a & b | c ^ d;", (1, 0, 0)),
    "initializers inside": ("new A() { int y = a ? b : c; { if (d) x(); } };", (3, 2, 1)),
}


@pytest.mark.parametrize(("statements", "expected"), STATEMENTS.values(), ids=STATEMENTS)
def test_statements(statements, expected):
    [own] = measure(f"class A {{ void m() {{ {statements} }} }}", "java").functions
    assert (own.cyclomatic, own.cognitive, own.nesting) == expected


# Members of a class A: the name with its types, and the number of parameters.
MEMBERS = {
    "method": ("void m(int a, final String... b) {}", [("A.m", 2)]),
    "constructor": ("A(int a) { this(); }", [("A.A", 1)]),
    "generics": ("<T> Map<T, ? super T> m(Map<T, List<T>> a, int[] b) {}", [("A.m", 2)]),
    "annotations": ("@B(c = {1, 2}) void m(@D(e = 3, f = 4) int a) {}", [("A.m", 1)]),
    "receiver": ("void m(A this, int a) {}", [("A.m", 1)]),
    "no body": ("abstract void m(); native int n(); int x = 1;", []),
    "inner types": ("class B { void m() {} } enum C { D; void n() {} }", [("A.B.m", 0), ("A.C.n", 0)]),
    "body of an enum's constant": ("enum C { D { void n() {} } }", [("A.C.n", 0)]),
    "annotation": ("@interface B { int c() default 1; class D { void m() {} } }", [("A.B.D.m", 0)]),
    "comments": ("void m(/* a */ int b, // c\n int d) {}", [("A.m", 2)]),
    "interface": ("interface B { void l(); default void m() {} static void n() {} }", [("A.B.m", 0), ("A.B.n", 0)]),
    "record": ("record B(int a, int b) { B { x(); } void m() {} }", [("A.B.B", 0), ("A.B.m", 0)]),
    "anonymous class": ("void m() { new B<C>(1) { void n(int a) {} }; }", [("A.m", 0), ("A.m.n", 1)]),
    "local class": ("void m() { class B { void n() {} } }", [("A.m", 0), ("A.m.B.n", 0)]),
    "initializers": ("static { if (a) x(); } { y(); }", []),
}


@pytest.mark.parametrize(("members", "expected"), MEMBERS.values(), ids=MEMBERS)
def test_members(members, expected):
    functions = measure(f"class A {{ {members} }}", "java").functions
    assert [(each.qualified, each.parameters) for each in functions] == expected


def test_a_method_inside_is_a_function_of_its_own_and_cognitive_for_the_one_around_it():
    code = "class A { void m() { if (a) { new B() { void n() { if (b) x(); } }; } } }"
    outer, inner = measure(code, "java").functions
    assert (outer.cyclomatic, outer.cognitive, outer.nesting) == (2, 1 + 3, 1)
    assert (inner.cyclomatic, inner.cognitive, inner.nesting) == (2, 1, 1)
    assert outer.tokens + inner.tokens == 32


def test_what_stands_outside_of_methods():
    module = measure("class A { int x = a ? 1 : 2; static { if (a) y(); } void m() { while (b) z(); } }", "java").module
    assert (module.cyclomatic, module.cognitive) == (3, 2)


def test_operators_and_operands():
    [own] = measure('class A { int m(int a) { /* x */ return f(a[0] + a) > 1.5 ? "b" : x; // y\n} }', "java").functions
    counts = own.halstead
    assert (counts.different_operands, counts.operands) == (7, 9)  # m a f a 0 a 1.5 "b" x
    assert (counts.different_operators, counts.operators) == (10, 11)  # ( int { return ( [ + > ? : ;
    assert (own.tokens, own.lines) == (24, 2)


def test_incomplete():
    broken, sound = measure("class A { void m() { if (a { x(); } } void n() { y(); } }", "java").functions
    assert (broken.name, broken.complete, sound.name, sound.complete) == ("m", False, "n", True)


def test_equal_to_lizard():
    count, found = differences((SAMPLES / "Sample.java").read_text(), "java")
    assert count == 20
    # lizard takes the constant of an enum with a body for a method.
    assert set(found) == {"SMALL", "factor"}


# Where lizard is wrong, as the docstring of the rules says: what it counts, and what stands here.
MISTAKES = {
    "guard": ("int m(Object a) { return switch (a) { case B b when c -> 1; default -> 2; }; }", "ccn", 2, 2),
    "comparisons": ("boolean m(int a) { return a < b ? c > d : e; }", "ccn", 1, 2),
    "wildcard beside a generic type": ("void m() { Map<?, List<A>> x; }", "ccn", 2, 1),
    "receiver": ("void m(A this, int a) {}", "parameters", 2, 1),
}


@pytest.mark.parametrize(("member", "figure", "theirs", "here"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_of_lizard(member, figure, theirs, here):
    code = f"class A {{\n{member}\n}}"
    place = ("ccn", "parameters", "tokens", "lines").index(figure)
    [(_, figures, _)] = of_lizard(code, "java")
    [ours] = measure(code, "java").functions
    assert (figures[place], own(ours)[place]) == (theirs, here)
