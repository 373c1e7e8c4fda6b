"""PHP: rules one by one, beside lizard; figures that it does not tell; names; broken code."""

import textwrap

import pytest
from against_lizard import of_lizard

from codefit.source.metrics.measure import measure

# Statements of a function, and its cyclomatic and cognitive complexity, depth of nesting, and lizard's count.
STATEMENTS = {
    "nothing": ("x();", (1, 0, 0, 1)),
    "if": ("if ($a) x();", (2, 1, 1, 2)),
    "else": ("if ($a) { x(); } else { y(); }", (2, 2, 1, 2)),
    "elseif": ("if ($a) { x(); } elseif ($b) { y(); } else { z(); }", (3, 3, 1, 3)),
    "else if": ("if ($a) { x(); } else if ($b) { y(); } else { z(); }", (3, 3, 1, 3)),
    "deep in else if": ("if ($a) { x(); } else if ($b) { if ($c) y(); }", (4, 4, 2, 4)),
    "deep in elseif": ("if ($a) { x(); } elseif ($b) { if ($c) y(); }", (4, 4, 2, 4)),
    "if in else": ("if ($a) { x(); } else { if ($b) { y(); } }", (3, 4, 2, 3)),
    "if in if": ("if ($a) { if ($b) { if ($c) x(); } }", (4, 6, 3, 4)),
    "if with endif": ("if ($a): if ($b): x(); endif; elseif ($c): y(); else: z(); endif;", (4, 5, 2, 4)),
    "for": ("for ($i = 0; $i < 9; $i++) { if ($a) x(); }", (3, 3, 2, 3)),
    "foreach": ("foreach ($a as $b => $c) { if ($b) x(); }", (3, 3, 2, 3)),
    "foreach with endforeach": ("foreach ($a as $b): if ($b) x(); endforeach;", (3, 3, 2, 3)),
    "while": ("while ($a) { if ($b) break; }", (3, 3, 2, 3)),
    "while with endwhile": ("while ($a): x(); endwhile;", (2, 1, 1, 2)),
    "do": ("do { if ($a) x(); } while ($b);", (3, 3, 2, 3)),
    "switch": ("switch ($a) { case 1: case 2: if ($b) x(); break; default: y(); }", (4, 3, 2, 4)),
    "match": ("$x = match ($a) { 1, 2 => 3, 4 => $b ? 5 : 6, default => 7 };", (4, 3, 1, 3)),
    "catch": ("try { if ($a) x(); } catch (A | B $e) { if ($b) y(); } finally { z(); }", (4, 4, 2, 4)),
    "?:": ("$x = $a ? $b : $c;", (2, 1, 0, 2)),
    "?: in if": ("if ($a) { $x = $a ? $b : $c; }", (3, 3, 1, 3)),
    "?: in its branch": ("$x = $a ? ($b ? 1 : 2) : 3;", (3, 3, 0, 3)),
    "?: in its condition": ("$x = ($a ? $b : $c) ? 1 : 2;", (3, 2, 0, 3)),
    "?: in one piece": ("$x = $a ?: $b;", (2, 1, 0, 1)),
    "null": ("$x = $a ?? $b; $x ??= $c; $y = $a?->b();", (1, 0, 0, 1)),
    "and": ("$x = $a && $b && $c;", (3, 1, 0, 3)),
    "and, or": ("$x = $a && $b || $c && $d;", (4, 3, 0, 4)),
    "through parentheses": ("$x = $a && ($b && $c) || $d;", (4, 2, 0, 4)),
    "not": ("$x = $a && !($b && $c);", (3, 2, 0, 3)),
    "words": ("$x = ($a and $b or $c xor $d);", (3, 2, 0, 1)),
    "jumps": ("foreach ($a as $b) { while ($c) { continue 2; } break; }", (3, 4, 2, 3)),
    "goto": ("goto a; a: x();", (1, 1, 0, 1)),
    "closure": ("$x = function ($b) use ($c) { if ($b) { y(); } };", (2, 2, 1, 2)),
    "arrow function": ("$x = fn($b) => $b ? 1 : 2;", (2, 2, 0, 2)),
    "closure in closure": ("x(function () { return fn($a) => $a ? 1 : 2; });", (2, 3, 0, 2)),
    "type that may be null": ("$x = fn(?A $b): ?B => $b;", (1, 0, 0, 3)),
    "break out of two": ("while ($a) { while ($b) { break 2; } }", (3, 4, 2, 3)),
    "heredoc": ('$x = <<<A\n if {$b} && else\n A;', (1, 0, 0, 1)),
}  # fmt: skip
# Structures with a place for a statement or an expression one level deeper than the structure.
STRUCTURES = {
    "if": "if ($a) { x(%s); }",
    "elseif": "if ($a) { x(); } elseif ($b) { x(%s); }",
    "else if": "if ($a) { x(); } else if ($b) { x(%s); }",
    "for": "for (;;) { x(%s); }",
    "foreach": "foreach ($a as $b) { x(%s); }",
    "while": "while ($a) { x(%s); }",
    "do": "do { x(%s); } while ($a);",
    "switch": "switch ($a) { default: x(%s); }",
    "match": "x(match ($a) { default => %s });",
    "catch": "try { x(); } catch (A $e) { x(%s); }",
    "?:": "x($a ? (%s) : 1);",
    "?:, else": "x($a ? 1 : (%s));",
    "?: in one piece": "x($a ?: (%s));",
}


def function(statements: str) -> str:
    """The code of a function with these statements."""
    return f"<?php\nfunction f($a) {{\n{textwrap.indent(statements, '    ')}\n}}\n"


@pytest.mark.parametrize(("statements", "expected"), STATEMENTS.values(), ids=STATEMENTS)
def test_statements(statements, expected):
    [own] = measure(function(statements), "php").functions
    assert (own.cyclomatic, own.cognitive, own.nesting, own.ccn) == expected
    assert own.complete


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_structures_nest(structure):
    [own] = measure(function("if ($a) { " + structure % "$b ? $c : $d" + " }"), "php").functions
    assert own.cognitive == 1 + 2 + 3 + ("else" in structure)


TOKENS = {
    "operators": "$x = $a ** 2 <=> 3 << 4 === 5 . 6 <> 7 % 8 != 9 ?? !@$b->c::D[0] ?: &$e;",
    "assignments": "$x **= 1; $x .= 2; $x ??= 3; $x >>= 4; $x -= 5; $x /= 6; $x %= 7; $x *= 8; $x |= 9; $x++;",
    "numbers": "$x = 1 + 1.5 + .5 + 1e5 + 1.5e-3 + 0xff + 1_000;",
    "strings": "$x = 'a' . \"b\" . \"c $d {$e->f} ${g}\" . 'it\\'s' . '';",
    "names": "new \\A\\B(namespace\\c(...$d), A::class, $$e, static::$f, (int) $g);",
    "generators": "yield $a => $b; yield from $c;",
    "remarks": "x(); // one\n/* two\n three */\n\ny();",
    "arrays": "$x = [\n  'a' => 1,\n  ...$b,\n];",
    "text": "$x = <<<A\nb $c\n\nA;\ny();",
    "closures": "x(function (A $b, ...$c): int { return $b; }, static fn() => 1);",
}


@pytest.mark.parametrize(
    "statements", [*(code for code, _ in STATEMENTS.values()), *TOKENS.values()], ids=[*STATEMENTS, *TOKENS]
)
def test_lizard_counts_the_same(statements):
    code = function(statements)
    [own] = measure(code, "php").functions
    [(_, (ccn, _, tokens, lines), line)] = of_lizard(code, "php")
    assert (own.ccn, own.tokens, own.lines, own.line) == (ccn, tokens, lines, line)


@pytest.mark.parametrize(
    ("statement", "ccn"),
    [
        ("$x->match($a);", 2),
        ("return '<?php if ?>';", 0),
        ("$x = `ls {$a} if`;", 2),
        ("# if\nx();", 1),
        ("x(<<<'A'\nif ?: b\nA);", 2),
    ],
)
def test_where_lizard_goes_astray(statement, ccn):
    code = function(statement)
    [own] = measure(code, "php").functions
    [(_, figures, _)] = of_lizard(code, "php") or [("", (0, 0, 0, 0), 0)]
    assert (own.ccn, own.tokens) != (figures[0], figures[2])
    assert (own.ccn, figures[0]) == (1, ccn)


def test_halstead_counts_operators_and_operands():
    [own] = measure('<?php function f(int $a): int { return g("b $a") + $a[1]; }', "php").functions
    halstead = own.halstead
    # ( int : int { return ( + [ ; of which two are ( and int; brackets that close are none of their own
    assert (halstead.operators, halstead.different_operators) == (10, 8)
    # $a g "b $a" $a 1
    assert (halstead.operands, halstead.different_operands) == (5, 4)


PARAMETERS = {"": 0, "$a": 1, "int $a, ?B &$b = null, ...$c": 3, "private int $a = 1, #[A(1, 2)] readonly B $b,": 2}


@pytest.mark.parametrize(("parameters", "count"), PARAMETERS.items())
def test_parameters(parameters, count):
    code = f"<?php class A {{ function __construct({parameters}) {{}} }}"
    assert [each.parameters for each in measure(code, "php").functions] == [count]


def test_names_and_places():
    code = textwrap.dedent("""\
        <?php
        namespace A\\B;
        interface I { public function none(): void; }
        abstract class C extends D {
            abstract function none();
            #[E]
            public static function f() {
                function g() {}
                return new class { function h() { return 1; } };
            }
        }
        trait T { function i() {} }
        enum S: int { case A = 1; function j() {} }
        $k = function () { return function () {}; };
        $l->m(static function ($a) {}, fn($b) => 1);
    """)
    found = measure(code, "php").functions
    assert [(each.qualified, each.line, each.end_line) for each in found] == [
        ("C.f", 6, 10),
        ("C.f.g", 8, 8),
        ("C.f.h", 9, 9),
        ("T.i", 12, 12),
        ("S.j", 13, 13),
        ("$k", 14, 14),
        ("(anonymous)", 15, 15),
    ]
    assert all(each.complete for each in found)


def test_functions_inside_lie_deeper_and_count_for_themselves():
    code = "<?php function f($a) { if ($a) { function g($b) { if ($b && $c) x(); } } }"
    outer, inner = measure(code, "php").functions
    assert (outer.cyclomatic, outer.cognitive, outer.nesting) == (2, 1 + 3 + 1, 1)
    assert (inner.cyclomatic, inner.cognitive, inner.nesting) == (3, 2, 1)


def test_code_outside_of_functions_is_the_modules():
    measured = measure("<p><?php if ($a): ?><b>\n<?php foreach ($c as $d) { x(); } endif; ?>\n</p>", "php")
    assert not measured.functions
    assert (measured.module.cyclomatic, measured.module.cognitive, measured.module.nesting) == (3, 3, 2)


@pytest.mark.parametrize("statement", ["$x = (1;", "if ($a { x(); }", "else { x(); }"])
def test_broken_code_is_measured_and_not_complete(statement):
    code = f"<?php\nfunction g($a) {{ if ($a) return 1; }}\nfunction f() {{ {statement} }}\n"
    found = measure(code, "php").functions
    assert (found[0].name, found[0].cyclomatic, found[0].complete) == ("g", 2, True)
    assert not any(each.complete for each in found[1:])


def test_an_explanation_names_each_increment():
    code = "<?php\nfunction f($a) {\n  foreach ($a as $b) {\n    if ($b ?: $c) { x(); } else { y(); }\n  }\n}\n"
    [own] = measure(code, "php", explain=True).functions
    assert [(each.line, each.column, each.what, each.cyclomatic, each.cognitive) for each in own.increments] == [
        (3, 3, "foreach", 1, 1),
        (4, 5, "if", 1, 2),
        (4, 9, "?:", 1, 2),
        (4, 28, "else", 0, 1),
    ]
