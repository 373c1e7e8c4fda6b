"""Ruby: rules one by one, beside lizard; figures that it does not tell; names; broken code."""

import textwrap

import pytest
from against_lizard import of_lizard

from codefit.source.metrics.measure import measure

# Statements of a method, and its cyclomatic and cognitive complexity, depth of nesting, and lizard's count.
STATEMENTS = {
    "nothing": ("x", (1, 0, 0, 1)),
    "if": ("if a\n  x\nend", (2, 1, 1, 2)),
    "then": ("if a then x else y end", (2, 2, 1, 2)),
    "else": ("if a\n  x\nelse\n  y\nend", (2, 2, 1, 2)),
    "elsif": ("if a\n  x\nelsif b\n  y\nelsif c\n  z\nelse\n  w\nend", (4, 4, 1, 4)),
    "deep in elsif": ("if a\n  x\nelsif b\n  if c\n    y\n  end\nend", (4, 4, 2, 4)),
    "if in else": ("if a\n  x\nelse\n  y\n  if b\n    z\n  end\nend", (3, 4, 2, 3)),
    "if in if": ("if a\n  if b\n    if c\n      x\n    end\n  end\nend", (4, 6, 3, 4)),
    "unless": ("unless a\n  x\nelse\n  y if b\nend", (3, 4, 1, 2)),
    "modifiers": ("x if a\nx unless b", (3, 2, 0, 2)),
    "modifiers of loops": ("x while a\nbegin\n  y if c\nend while b", (4, 4, 0, 4)),
    "until as a modifier": ("x until a", (2, 1, 0, 2)),
    "pattern": ("a in [b]\nc => {d:}", (1, 0, 0, 1)),
    "modifier in if": ("if a\n  x if b\nend", (3, 3, 1, 3)),
    "while": ("while a do\n  x if b\nend", (3, 3, 1, 3)),
    "for": ("for a in b do\n  x if a\nend", (3, 3, 1, 3)),
    "rescue": ("begin\n  x if a\nrescue A, B => e\n  y if b\nrescue\n  z\nelse\n  v\nensure\n  w\nend", (5, 5, 1, 6)),
    "rescue of a method": ("x\nrescue A\n  y", (2, 1, 0, 2)),
    "modifier rescue": ("x = y rescue z", (2, 1, 0, 2)),
    "?:": ("x = a ? b : c", (2, 1, 0, 2)),
    "?: in its branch": ("x = a ? b : (c ? d : e)", (3, 3, 0, 3)),
    "?: in its condition": ("x = (a ? b : c) ? d : e", (3, 2, 0, 3)),
    "and": ("x = a && b && c", (3, 1, 0, 3)),
    "and, or": ("x = a && b || c && d", (4, 3, 0, 4)),
    "words": ("x and y or not z", (3, 2, 0, 3)),
    "through parentheses": ("x = a && (b && c) || d", (4, 2, 0, 4)),
    "not": ("x = a && !(b && c)", (3, 2, 0, 3)),
    "assignments": ("x ||= 1\ny &&= 2\nz += 3", (3, 0, 0, 3)),
    "safe navigation": ("x&.y", (1, 0, 0, 1)),
    "blocks": ("x.each do |a|\n  y if a\nend\nz { |b| b ? 1 : 2 }", (3, 2, 0, 3)),
    "lambdas": ("x = ->(a) { a ? 1 : 2 }\nlambda do |b|\n  y if b\nend", (3, 2, 0, 3)),
    "jumps": ("loop do\n  next if a\n  break b if c\nend", (3, 2, 0, 3)),
    "in a string": ('x = "a #{b ? c : d}"', (2, 1, 0, 2)),
}
# Where lizard loses the end of the method, or does not count at all.
MORE_STATEMENTS = {
    "until": ("until a\n  x if b\nend", (3, 3, 1)),
    "case": ("case a\nwhen 1, 2 then x\nwhen 3\n  y if b\nelse\n  z\nend", (4, 3, 1)),
    "case without a value": ("case\nwhen a then x\nend", (2, 1, 1)),
    "case in if": ("if a\n  case b\n  when 1 then x ? y : z\n  end\nend", (4, 6, 2)),
    "case, in": ("case a\nin [x, y] if b\n  z if c\nin {k: Integer => v} unless d\n  w\nelse\n  u\nend", (4, 3, 1)),
    "if as a value": ("x = if a\n  1\nelse\n  2\nend", (2, 2, 1)),
    "text": ("x = <<~A\n  if #{a ? 1 : 2} and end\nA\ny if b", (3, 2, 0)),
    "character": ("x = ?a", (1, 0, 0)),
    "command": ("x = `if #{a ? 1 : 2} and`", (2, 1, 0)),
    "regular expression": ("x if y =~ /a if b/", (2, 1, 0)),
}
# Structures with a place for an expression one level deeper than the structure.
STRUCTURES = {
    "if": "if a\n  %s\nend",
    "elsif": "if a\n  x\nelsif b\n  %s\nend",
    "unless": "unless a\n  %s\nend",
    "if as a modifier": "x(%s) if a",
    "unless as a modifier": "x(%s) unless a",
    "while": "while a\n  %s\nend",
    "while as a modifier": "x(%s) while a",
    "until": "until a\n  %s\nend",
    "until as a modifier": "x(%s) until a",
    "for": "for a in b\n  %s\nend",
    "case": "case a\nwhen 1\n  %s\nend",
    "case, else": "case a\nwhen 1\n  x\nelse\n  %s\nend",
    "case, in": "case a\nin 1\n  %s\nend",
    "rescue": "begin\n  x\nrescue\n  %s\nend",
    "rescue as a modifier": "x rescue (%s)",
    "?:": "x = a ? (%s) : b",
    "?:, else": "x = a ? b : (%s)",
}
BOTH = {**{name: (code, expected[:3]) for name, (code, expected) in STATEMENTS.items()}, **MORE_STATEMENTS}


def method(statements: str) -> str:
    """The code of a method with these statements."""
    return f"def f(a)\n{textwrap.indent(statements, '  ')}\nend\n"


@pytest.mark.parametrize(("statements", "expected"), BOTH.values(), ids=BOTH)
def test_statements(statements, expected):
    [own] = measure(method(statements), "ruby").functions
    assert (own.cyclomatic, own.cognitive, own.nesting) == expected
    assert own.complete


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_structures_nest(structure):
    [own] = measure(method(f"if a\n{structure % 'b ? c : d'}\nend"), "ruby").functions
    assert own.cognitive == 1 + 2 + 3 + ("elsif" in structure)


TOKENS = {
    "operators": "x = a ** 2 <=> 3 << 4 === 5 % 6 != 7 =~ b & !c | ~d",
    "assignments": "x **= 1\nx <<= 2\nx ||= 3\nx >>= 4\nx -= 5\nx *= 8\nx, *y = 9, 1",
    "numbers": "x = 1 + 1.5 + 1e5 + 1.5e-3 + 0xff + 1_000",
    "strings": "x 'a', \"b\", 'it\\'s', '', \"1.5\"",
    "interpolations": 'x "a #{b} c", "#{b}", "#{b}::#{c}", "a\\n#{b}\\t", "#{"#{d}"}"',
    "arrays of words": "x = [%w[a b], %i(c d), [1, 2]]",
    "symbols": 'x :a, :b?, :@c, b: 1, :c => 2, &:d\nx :+, :"a b"',
    "names": "A::B::C.new(::D, @a, @@b, $c, $!, E::F)\nx&.y!.z?",
    "blocks": "x { |a, b = 1| a }\ny do |c|\n  c\nend",
    "remarks": "x # one\n\n# two\ny; z",
    "lines that go on": "x = a \\\n  .b\nc \"d\" \\\n  'e'",
    "ranges": "x = a[1..2], b[1...], c[-1]",
}


@pytest.mark.parametrize(
    "statements", [*(code for code, _ in STATEMENTS.values()), *TOKENS.values()], ids=[*STATEMENTS, *TOKENS]
)
def test_lizard_counts_the_same(statements):
    code = method(statements)
    [own] = measure(code, "ruby").functions
    [(_, figures, line)] = of_lizard(code, "ruby")
    assert (own.ccn, own.parameters, own.tokens, own.lines) == figures
    assert own.line == line


@pytest.mark.parametrize(("statements", "expected"), STATEMENTS.values(), ids=STATEMENTS)
def test_lizards_count_is_what_the_table_says(statements, expected):
    assert measure(method(statements), "ruby").functions[0].ccn == expected[3]


@pytest.mark.parametrize("statements", [code for code, _ in MORE_STATEMENTS.values()], ids=MORE_STATEMENTS)
def test_where_lizard_goes_astray(statements):
    code = method(f"{statements}\nx and y")
    [own] = measure(code, "ruby").functions
    assert [figures for _, figures, _ in of_lizard(code, "ruby")] != [
        (own.cyclomatic, own.parameters, own.tokens, own.lines)
    ]


def test_a_text_has_lines_but_is_one_token():
    [own] = measure(method("x = <<~A\n  b\n\n  c\nA\ny"), "ruby").functions
    assert own.lines == 8
    assert own.tokens == 13  # f ( a ) x = < < ~ A, the text, y end
    [own] = measure(method("x = `ls -a`"), "ruby").functions
    assert own.tokens == 8


def test_halstead_counts_operators_and_operands():
    [own] = measure('def f(a)\n  x = "b #{a}" + [a, :c][0]\nend\n', "ruby").functions
    halstead = own.halstead
    # ( = #{ + [ `,` [ and nothing for quotes, end, and brackets that close
    assert (halstead.operators, halstead.different_operators) == (7, 6)
    # f a x `b ` a a :c 0
    assert (halstead.operands, halstead.different_operands) == (8, 6)


PARAMETERS = {
    "": 0,
    "(a)": 1,
    " a, b = 1": 2,
    "(a, (b, c), *d, e:, f: 2, **g, &h)": 7,
    "(*, **, &)": 3,
    "(...)": 1,
}


@pytest.mark.parametrize(("parameters", "count"), PARAMETERS.items())
def test_parameters(parameters, count):
    assert [each.parameters for each in measure(f"def f{parameters}\nend\n", "ruby").functions] == [count]


def test_names_and_places():
    code = textwrap.dedent("""\
        module A
          class B::C < D
            attr_reader :none
            def self.e = 1
            private def f(x) = x + 1
            class << self
              def g; end
            end
            def ==(other) true end
            def h=(value)
              @h = value
              def i; end
            end
            define_method(:none) { |x| x }
            none = ->(x) { x }
          end
        end
        def j; end
    """)
    found = measure(code, "ruby").functions
    assert [(each.qualified, each.line, each.end_line) for each in found] == [
        ("A.B.C.e", 4, 4),
        ("A.B.C.f", 5, 5),
        ("A.B.C.g", 7, 7),
        ("A.B.C.==", 9, 9),
        ("A.B.C.h=", 10, 13),
        ("A.B.C.h=.i", 12, 12),
        ("j", 18, 18),
    ]
    assert all(each.complete for each in found)


def test_methods_inside_lie_deeper_and_count_for_themselves():
    outer, inner = measure("def f\n  x if a\n  def g\n    y if b && c\n  end\nend\n", "ruby").functions
    assert (outer.cyclomatic, outer.cognitive) == (2, 1 + 2 + 1)
    assert (inner.cyclomatic, inner.cognitive) == (3, 2)


def test_code_outside_of_methods_is_the_modules():
    measured = measure("x if a\nclass A\n  b ? c : d\n  def f\n    y if e\n  end\nend\n__END__\nif while\n", "ruby")
    assert (measured.module.cyclomatic, measured.module.cognitive) == (3, 2)
    assert [each.cyclomatic for each in measured.functions] == [2]


@pytest.mark.parametrize("statement", ["x = (1", "if )", "x = 1 +* / 2"])
def test_broken_code_is_measured_and_not_complete(statement):
    found = measure(f"def g\n  return 1 if a\nend\n\ndef f\n  {statement}\nend\n", "ruby").functions
    assert (found[0].name, found[0].cyclomatic, found[0].complete) == ("g", 2, True)
    assert not any(each.complete for each in found[1:])


def test_an_explanation_names_each_increment():
    code = "def f(a)\n  while a\n    if b || c\n      x\n    else\n      y\n    end\n  end\nend\n"
    [own] = measure(code, "ruby", explain=True).functions
    assert [(each.line, each.column, each.what, each.cyclomatic, each.cognitive) for each in own.increments] == [
        (2, 3, "while", 1, 1),
        (3, 5, "if", 1, 2),
        (3, 10, "||", 1, 1),
        (5, 5, "else", 0, 1),
    ]
