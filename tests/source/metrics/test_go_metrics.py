"""Go: rules one by one, names, and lizard on a file with something of everything."""

import pytest
from against_lizard import SAMPLES, differences, of_lizard, own

from codefit.source.metrics.measure import measure

# Statements of a function, and its cyclomatic complexity, cognitive complexity, and depth of nesting.
STATEMENTS = {
    "nothing": ("x()", (1, 0, 0)),
    "if": ("if a { x() }", (2, 1, 1)),
    "if with a statement": ("if a := b(); a != nil { x() }", (2, 1, 1)),
    "else": ("if a { x() } else { y() }", (2, 2, 1)),
    "else if": ("if a { x() } else if b := c(); b { y() } else { z() }", (3, 3, 1)),
    "if in else": ("if a { x() } else { if b { y() } }", (3, 4, 2)),
    "if in if": ("if a { if b { if c { x() } } }", (4, 6, 3)),
    "deep in else if": ("if a { x() } else if b { if c { y() } }", (4, 4, 2)),
    "for": ("for i := 0; i < n; i++ { x() }", (2, 1, 1)),
    "for with a condition": ("for a && b { if c { x() } }", (4, 4, 2)),
    "for ever": ("for { if a { x() } }", (3, 3, 2)),
    "range": ("for _, a := range b { if a { x() } }", (3, 3, 2)),
    "for in if": ("if a { for { x() } }", (3, 3, 2)),
    "and": ("a := b && c && d", (3, 1, 0)),
    "and, or": ("a := b && c || d && e", (4, 3, 0)),
    "through parentheses": ("a := b && (c && d) || e", (4, 2, 0)),
    "not through not": ("a := b && !(c && d)", (3, 2, 0)),
    "switch": ("switch a { case 1, 2: x(); fallthrough; case 3: default: y() }", (3, 1, 1)),
    "switch on nothing": ("switch { case a && b: x() }", (3, 2, 1)),
    "in a case": ("switch a { case 1: if b { x() } }", (3, 3, 2)),
    "in a default": ("switch a { default: if b { x() } }", (2, 3, 2)),
    "switch in if": ("if a { switch b { } }", (2, 3, 2)),
    "switch on a type": ("switch a := b.(type) { case int, string: if a { x() }; case nil: default: y() }", (4, 3, 2)),
    "switch on a type in if": ("if a { switch b.(type) { } }", (2, 3, 2)),
    "select": ("select { case a := <-b: if a { x() }; case c <- 1: default: y() }", (4, 3, 2)),
    "select in if": ("if a { select { } }", (2, 3, 2)),
    "labels": ("l: for { if a { break l } else { continue l } }", (3, 6, 2)),
    "jumps without a label": ("for { if a { break }; continue }", (3, 3, 2)),
    "goto": ("if a { goto l }; l: x()", (2, 2, 1)),
    "function literal": ("a := func() { if b { x() } }", (2, 2, 1)),
    "deferred": ("defer func() { if a := recover(); a != nil { x() } }()", (2, 2, 1)),
    "literal in literal": ("a(func() { b(func() { for { x() } }) })", (2, 3, 1)),
    "recursion": ("m(); m()", (1, 1, 0)),
    "a method of the same name": ("a.m()", (1, 0, 0)),
    "bits are no conditions": ("a := b & c | d &^ e", (1, 0, 0)),
}


@pytest.mark.parametrize(("statements", "expected"), STATEMENTS.values(), ids=STATEMENTS)
def test_statements(statements, expected):
    [own] = measure(f"func m() {{ {statements} }}", "go").functions
    assert (own.cyclomatic, own.cognitive, own.nesting) == expected


# Functions, with the number of their parameters.
DECLARATIONS = {
    "function": ("func m(a, b int, c ...string) (d, e error) {}", [("m", 3)]),
    "types alone": ("func m(int, string) {}", [("m", 2)]),
    "function types": ("func m(a func(int, int) (b, c int), d map[int]interface{ M() }) {}", [("m", 2)]),
    "generics": ("func m[K comparable, V any](a map[K]V) {}", [("m", 1)]),
    "method": ("func (a *B) m(c int) {}", [("B.m", 1)]),
    "receiver without a name": ("func (B) m() {}", [("B.m", 0)]),
    "generic receiver": ("func (a *B[T]) m() {}", [("B.m", 0)]),
    "comments": ("func m(a /* x */, b int, // y\nc int) {}", [("m", 3)]),
    "no body": ("func m(a int) int\ntype A interface { n() }", []),
    "literal of a variable": ("var a = func() { if b { x() } }", []),
}


@pytest.mark.parametrize(("declarations", "expected"), DECLARATIONS.values(), ids=DECLARATIONS)
def test_declarations(declarations, expected):
    functions = measure(f"package p\n{declarations}\n", "go").functions
    assert [(each.qualified, each.parameters) for each in functions] == expected


def test_a_method_is_not_recursive_by_its_name_alone():
    [own] = measure("func (a B) close() { close(a.c) }", "go").functions
    assert own.cognitive == 0


def test_what_stands_outside_of_functions():
    module = measure("package p\nvar a = func() { if b { x() } }\nfunc m() { for { y() } }\n", "go").module
    assert (module.cyclomatic, module.cognitive, module.complete) == (2, 2, True)


def test_operators_and_operands():
    [own] = measure('func m(a int) (b int) { /* x */ return f(a[0]+a, "b", `c\nd`) // y\n}', "go").functions
    counts = own.halstead
    assert (counts.different_operands, counts.operands) == (8, 11)  # m a int b int f a 0 a "b" `c d`
    assert (counts.different_operators, counts.operators) == (7, 10)  # func ( ( { return ( [ + , ,
    assert (own.tokens, own.lines) == (26, 3)


def test_incomplete():
    broken, sound = measure("func m() { if a { x( } }\nfunc n() { y() }\n", "go").functions
    assert (broken.name, broken.complete, sound.name, sound.complete) == ("m", False, "n", True)


def test_equal_to_lizard():
    count, found = differences((SAMPLES / "sample.go").read_text(), "go")
    assert (count, found) == (13, {})


def test_literals_belong_to_the_function_around_them():
    code = (
        "func m(a int) {\n\tx(func() {\n\t\tif a > 1 {\n\t\t\ty()\n\t\t}\n\t})\n\tz(func(b int) int { return b })\n}\n"
    )
    [ours] = measure(code, "go").functions
    (_, around, _), *literals = of_lizard(code, "go")
    # lizard counts the first token and line of a literal for the function around it too.
    ccn, parameters, tokens, lines = around
    for _, figures, _ in literals:
        ccn, tokens, lines = ccn + figures[0] - 1, tokens + figures[2] - 1, lines + figures[3] - 1
    assert len(literals) == 2
    assert own(ours) == (ccn, parameters, tokens, lines)


# Where lizard is wrong, as the docstring of the rules says: what it counts, and what stands here.
MISTAKES = {
    "type of a parameter": ("func m(a func(int, int)) {}", "parameters", 2, 1),
    "type that ends with a brace": ("func m(a interface{}) {}", "parameters", 0, 1),
    "result with braces": ("func m() map[int]struct{} {\nif a {\nx()\n}\nreturn nil\n}", "ccn", 1, 2),
    "no body": ("func l()\nfunc m() { if a { x() } }", "lines", 2, 1),
}


@pytest.mark.parametrize(("code", "figure", "theirs", "here"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_of_lizard(code, figure, theirs, here):
    place = ("ccn", "parameters", "tokens", "lines").index(figure)
    [(_, figures, _)] = of_lizard(code, "go")
    [ours] = measure(code, "go").functions
    assert (figures[place], own(ours)[place]) == (theirs, here)
