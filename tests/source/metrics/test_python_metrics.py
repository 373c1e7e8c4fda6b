"""Python: rules one by one, beside radon, complexipy and lizard; figures that no tool tells; names; broken code."""

import textwrap

import pytest
from python_tools import cognitive_of, cyclomatic_of, lizards_of

from codefit.source.metrics.measure import measure

# Statements of a function, and its cyclomatic and cognitive complexity, depth of nesting, and lizard's count.
STATEMENTS = {
    "nothing": ("x()", (1, 0, 0, 1)),
    "if": ("if a: x()", (2, 1, 1, 2)),
    "else": ("if a: x()\nelse: y()", (2, 2, 1, 2)),
    "elif": ("if a: x()\nelif b: y()\nelse: z()", (3, 3, 1, 3)),
    "if in else": ("if a: x()\nelse:\n  if b: y()", (3, 4, 2, 3)),
    "deep in elif": ("if a: x()\nelif b:\n  if c: y()", (4, 4, 2, 4)),
    "if in if": ("if a:\n  if b:\n    if c: x()", (4, 6, 3, 4)),
    "for": ("for a in b:\n  if a: x()", (3, 3, 2, 3)),
    "for, else": ("for a in b: x()\nelse:\n  if c: y()", (4, 2, 2, 3)),
    "while, else": ("while a:\n  if b: break\nelse: y()", (4, 3, 2, 3)),
    "try": ("try:\n  if a: x()\nfinally:\n  if b: y()", (3, 2, 2, 4)),
    "except": ("try: x()\nexcept A:\n  if a: y()\nexcept (B, C) as e: z()", (4, 4, 2, 4)),
    "except in if": ("if a:\n  try: x()\n  except A: y()", (3, 3, 2, 3)),
    "else of try": ("try: x()\nexcept A: y()\nelse:\n  if a: z()", (4, 2, 2, 3)),
    "with": ("with a as b, c:\n  if d: x()", (2, 1, 2, 2)),
    "match": ("match a:\n  case 1:\n    if b: x()\n  case [2, *c]: y()\n  case _: z()", (4, 3, 2, 5)),
    "match that takes a name": ("match a:\n  case B.C: x()\n  case d: y()", (2, 1, 1, 3)),
    "guard": ("match a:\n  case 1 if b: x()\n  case 2: y()", (3, 1, 1, 4)),
    "conditional expression": ("x = a if b else c", (2, 1, 0, 2)),
    "conditional expressions in one": ("x = a if b else (c if d else e)", (3, 3, 0, 3)),
    "conditional expression in its condition": ("x = a if (c if d else e) else b", (3, 2, 0, 3)),
    "conditional expression in if": ("if a:\n  return b if c else d", (3, 3, 1, 3)),
    "and": ("x = a and b and c", (3, 1, 0, 3)),
    "and, or": ("x = a and b or c and d", (4, 3, 0, 4)),
    "or between two ands": ("x = a or b and c or d", (4, 2, 0, 4)),
    "through parentheses": ("x = a and (b and c) or d", (4, 2, 0, 4)),
    "not": ("x = a and not (b and c)", (3, 2, 0, 3)),
    "several nots": ("x = not (a or b) and not (c or d)", (4, 3, 0, 4)),
    "remark in parentheses": ("x = a and (  # one\n  b and c)", (3, 1, 0, 3)),
    "comprehension": ("x = [a for b in c if d if e]", (4, 3, 0, 4)),
    "comprehension in comprehension": ("x = [[a for b in c] for d in e]", (3, 3, 0, 3)),
    "condition in comprehension": ("x = {a: b if c else d for e in f for g in h}", (4, 4, 0, 4)),
    "generator": ("x(a for b in c)", (2, 1, 0, 2)),
    "comprehension in loop": ("while a: x({b for b in c})", (3, 3, 1, 3)),
    "lambda": ("x(lambda a: b if a else c)", (2, 2, 0, 2)),
    "assert": ("assert a", (2, 0, 0, 1)),
    "conditions in assert": ("assert a and b, c if d else e", (2, 2, 0, 3)),
    "recursion": ("f()\nf()", (1, 1, 0, 1)),
    "no recursion": ("self.f()\ng(f)", (1, 0, 0, 1)),
    "async": ("async for a in b:\n  async with c:\n    await d", (2, 1, 2, 2)),
    "assignment expression": ("if (a := b) and c: x()", (3, 2, 1, 3)),
    "code not looked into": (
        "x(a=b or c)\nx[b or c]\n(b or c).x\n1 + (b or c)\n-(b if c else d)\nx(*(b or c))\nyield b or c\n(b or c)(d)",
        (9, 0, 0, 9),
    ),
    "more code not looked into": (
        "await (b or c)\nx(**(b or c))\n(y := b or c)\nlambda z=b or c: z\nx: (b or c) = 1\nreturn not x(b or c)",
        (7, 0, 0, 7),
    ),
    "dictionary in a dictionary": ("x = {'a': b or c, **(d or e)}", (3, 2, 0, 3)),
    "behind an operator": ("if a and any(b for b in c): x()", (4, 2, 1, 4)),
    "in a format": ("x(f'{a if b else c}')", (2, 0, 0, 2)),
    "function in function": ("def g():\n  if a: x()\nif b: y()", (2, 3, 1, 2)),
    "decorator": ("def g():\n  if a: x()\nreturn g", (1, 1, 0, 1)),
    "method in function": ("class A:\n  def g(self):\n    if a: x()\ny()", (1, 1, 0, 1)),
    "function in if": ("if a:\n  def g():\n    if b: x()", (2, 3, 1, 2)),
}
# Structures with a place for an expression one level deeper than the structure.
STRUCTURES = {
    "if": "if a: {}",
    "elif": "if a: x()\nelif b: {}",
    "for": "for a in b: {}",
    "while": "while a: {}",
    "except": "try: x()\nexcept A: {}",
    "match": "match a:\n  case 1: {}",
    "conditional expression": "x = ({}) if a else b",
    "conditional expression, else": "x = a if b else ({})",
    "list": "x = [({}) for a in b]",
    "set": "x = {{({}) for a in b}}",
    "dictionary": "x = {{a: ({}) for a in b}}",
    "generator": "x(({}) for a in b)",
}


def function(statements: str, head: str = "async def f(a, b):") -> str:
    """The code of a function with these statements."""
    return f"{head}\n{textwrap.indent(statements, '    ')}\n"


@pytest.mark.parametrize(("statements", "expected"), STATEMENTS.values(), ids=STATEMENTS)
def test_statements(statements, expected):
    own = measure(function(statements), "python").functions[0]
    assert (own.cyclomatic, own.cognitive, own.nesting, own.ccn) == expected


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_structures_nest(structure):
    code = function("if a:\n" + textwrap.indent(structure.format("b if c else d"), "    "))
    [own] = measure(code, "python").functions
    assert own.cognitive == 1 + 2 + 3 + ("elif" in structure) == cognitive_of(code)[1, "f"]


@pytest.mark.parametrize(
    ("head", "complexity"), [("def f(a=b or c):", 0), ("@a(b or c)\ndef f():", 0), ("def f(a: b or c) -> (d or e):", 0)]
)
def test_heads_are_not_looked_into(head, complexity):
    code = f"def g():\n{textwrap.indent(function('return 1', head), '    ')}"
    assert measure(code, "python").functions[0].cognitive == complexity == cognitive_of(code)[1, "g"]


@pytest.mark.parametrize("statements", [code for code, _ in STATEMENTS.values()], ids=STATEMENTS)
def test_the_tools_say_the_same(statements):
    code = function(statements)
    own = measure(code, "python").functions[0]
    assert own.cyclomatic == cyclomatic_of(code)[1, "f"]
    assert own.cognitive == cognitive_of(code)[1, "f"]
    assert (own.ccn, own.parameters, own.tokens, own.lines) == lizards_of(code)[1, "f"][0]


# Where a tool is not followed, as the rules' docstring says: statements, what is told, and the tool's figure.
DIFFERENCES = {
    "radon: except*": ("try: x()\nexcept* A: y()", cyclomatic_of, "cyclomatic", 2, 1),
    "radon: code of a class": ("class A:\n  if b: x()", cyclomatic_of, "cyclomatic", 2, 1),
    "radon: case x if y": (
        "match a:\n  case b if c: x()\n  case d if e: y()\n  case 1: z()",
        cyclomatic_of,
        "cyclomatic",
        4,
        3,
    ),
    "complexipy: recursion in a lambda": ("x(lambda: f())", cognitive_of, "cognitive", 1, 0),
    "complexipy: what except names": ("try: x()\nexcept A or B: y()", cognitive_of, "cognitive", 2, 1),
    "complexipy: code of a class": ("class A:\n  if b: x()", cognitive_of, "cognitive", 1, 0),
}


@pytest.mark.parametrize(("statements", "tool", "figure", "here", "there"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_differences_that_are_written_down(statements, tool, figure, here, there):
    code = function(statements)
    assert getattr(measure(code, "python").functions[0], figure) == here
    assert tool(code)[1, "f"] == there


TOKENS = {
    "operators": "x = a**2 // b << 3 | ~c @ d != e <= f is not g not in h",
    "assignments": "x **= 1; x //= 2; x |= 3; x >>= 4; x -= 5; x /= 6; x %= 7; x *= 8; x @= 9; x &= 1; x <<= 2",
    "numbers": "x = 1 + 1.5 + .5 + 1e5 + 1.5e-3 + 0xff + 1_000 + 2j + 1.",
    "strings": "x = 'a' \"b\" r'c' b\"d\" rb'e' u'f' '' '1.5' ':>'",
    "formats": "x = f'a{b}c' f'{a}' f'' rf\"{a!r:>10}{b:.2f}\" f'{a}: b' f\"can't {a}\" f'{a[\"b\"]}'",
    "braces in formats": "x = f'{{a}}{b}' f'{a:{b}}'",
    "slices": "x[::2], x[1::], x[:], x[1:2, ::3], x[a : : b]",
    "lines that go on": "x = a + \\\n    b\nassert c, \\\n    'd'\nif a and \\\n        b: x()",
    "text": 'x = """a\nb\n"""\ny()',
    "functions": "def g(a):\n    return a\nx(lambda: 1)",
    "matrix": "x = [\n  [1, 2],  # one\n\n  [3, 4],\n]",
}


@pytest.mark.parametrize("statements", TOKENS.values(), ids=TOKENS)
def test_tokens_and_lines_are_lizards(statements):
    code = function(statements)
    own = measure(code, "python").functions[0]
    assert (own.tokens, own.lines) == lizards_of(code)[1, "f"][0][2:]


def test_a_remark_has_no_lines_but_a_token():
    code = 'def f():\n    """One.\n\n    Two.\n    """\n    # three\n\n    return 1  # four\n'
    [own] = measure(code, "python").functions
    assert (own.lines, own.tokens) == (2, 7)
    assert (own.ccn, own.parameters, own.tokens, own.lines) == lizards_of(code)[1, "f"][0]
    [short] = measure('def f():\n    "One."\n    """Two."""\n', "python").functions
    assert short.lines == 2


def test_halstead_counts_operators_and_operands():
    [own] = measure("def f(a, b):\n    return f'{a} {b}' + g(a)[1]\n", "python").functions
    halstead = own.halstead
    # (, `,` and : of the head, return, f', twice {, +, ( and [; brackets that close and quotes are none of their own
    assert (halstead.operators, halstead.different_operators) == (10, 8)
    # f a b | a ' ' b | g a 1
    assert (halstead.operands, halstead.different_operands) == (9, 6)


PARAMETERS = {
    "": 0,
    "a": 1,
    "self, a: int = 1, *args: str, b=(1, 2), c, **kwargs": 6,
    "a, /, b, *, c": 3,
    "a=lambda x, y: x, b={'c': 1}": 2,
}


@pytest.mark.parametrize(("parameters", "count"), PARAMETERS.items())
def test_parameters(parameters, count):
    code = f"def f({parameters}):\n    pass\n"
    assert measure(code, "python").functions[0].parameters == count == lizards_of(code)[1, "f"][0][1]


def test_names_and_places():
    code = textwrap.dedent("""\
        @dec
        class A:
            @property
            def f(self):
                def g():
                    pass
                # behind
                return g
            # no part of it

            class B:
                async def h(self): ...

        def f[T](a: T) -> T: ...
        x = lambda: 1
    """)
    found = measure(code, "python").functions
    assert [(each.qualified, each.name, each.line, each.end_line) for each in found] == [
        ("A.f", "f", 4, 8),
        ("A.f.g", "g", 5, 6),
        ("A.B.h", "h", 12, 12),
        ("f", "f", 14, 14),
    ]
    assert all(each.complete for each in found)


def test_code_outside_of_functions_is_the_modules():
    measured = measure("if a:\n    x = [b for b in c]\ndef f():\n    if d: y()\n", "python")
    assert (measured.module.cyclomatic, measured.module.cognitive, measured.module.nesting) == (3, 3, 1)
    assert [each.cyclomatic for each in measured.functions] == [2]


def test_stubs_are_functions():
    code = "from typing import overload\n@overload\ndef f(a: int) -> int: ...\n@overload\ndef f(a: str) -> str: ...\n"
    assert [(each.cyclomatic, each.complete) for each in measure(code, "python").functions] == [(1, True)] * 2


@pytest.mark.parametrize("statement", ["print 'a'", "print >>a, b", "exec 'a'", "x = (1", "if a\n      b()"])
def test_broken_code_is_measured_and_not_complete(statement):
    sound = "def g():\n    if a: return 1\n"
    found = measure(f"{sound}\ndef f(a):\n    if b: x()\n    {statement}\n", "python").functions
    assert (found[0].name, found[0].cyclomatic, found[0].complete) == ("g", 2, True)
    assert not any(each.complete for each in found[1:])


def test_an_explanation_names_each_increment():
    code = "def f(a):\n    for b in a:\n        if b and c:\n            d()\n        else:\n            e()\n"
    [own] = measure(code, "python", explain=True).functions
    assert [(each.line, each.column, each.what, each.cyclomatic, each.cognitive) for each in own.increments] == [
        (2, 5, "for", 1, 1),
        (3, 9, "if", 1, 2),
        (3, 14, "and", 1, 1),
        (5, 9, "else", 0, 1),
    ]
