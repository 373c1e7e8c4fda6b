"""What holds for the metrics of any text, in each language: broken, mutated, deep, long."""

import random
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codefit.errors import CodefitError, InputError
from codefit.source.languages import LANGUAGES
from codefit.source.metrics.figures import HIGHEST, LABELS, LOWEST
from codefit.source.metrics.measure import measure
from codefit.source.metrics.rules import RULES

ERRORS = (InputError, CodefitError)  # that `measure` is documented to raise
SAMPLES = Path(__file__).parent / "samples"
CODE = {
    "javascript": """
class A extends B {
  #x = a ?? b;
  static { if (a) b(); }
  async *f(a, { b = 1, ...c } = {}, [d] = []) {
    for await (const e of a) { if (e && (b || !c)) continue; else if (d?.g) { break; } else h(); }
    outer: while (a) { do { switch (b) { case 1: case `x${c ? 1 : 2}`: break outer; default: } } while (c); }
    try { x ||= await y; } catch { return /[/"]+/g.test(z) ? 1.5 : function g() {}; } finally { }
    return <div>{open && <Menu onClick={() => (a ? b : c)} />}</div>;
  }
}
const k = (a) => ({ m() { with (a) b; } });
""",
    "typescript": """
namespace N {
  export abstract class A<T extends B = C> implements D {
    private readonly x: number = a ? 1 : 2;
    constructor(public y?: string, z = 1) { super(); }
    @dec() async f(this: A, a: T | null, ...b: U[]): Promise<void> {
      if (a!.c && b?.[0]) { for (const d in <any>a) { e(d as F); } } else throw new G(`${a}`);
    }
    abstract g(): void;
  }
  function h(a: string): a is string;
  const k = <T,>(a: T): T => a satisfies unknown ? a : null!;
}
""",
    "php": """<?php
namespace A;
abstract class B extends C {
    #[D(1)] public static function f(?int $a, E ...$b): ?F {
        foreach ($b as $c => [$d, $e]): if ($c && !$d): break 2; elseif ($e || $a): x(); else: y(); endif; endforeach;
        $g = match (true) { 1, 2 => $a ?: 3, default => fn($h) => $h ? 1 : 2 };
        try { switch ($g) { case 1.5: goto end; default: } } catch (I | J $k) { do { } while ($a and $b); } finally { }
        $l = "a {$b->c} $d" . <<<X
          text $e
        X . new class { function m() { return function () use (&$a) { yield from $b; }; } };
        end: return $l?->n ?? (int) $o;
    }
    abstract function none();
} ?>
<b><?= $x ? 1 : 2 ?></b>
""",
    "ruby": """
module A
  class B::C < D
    def f(a, b = 1, *c, d:, e: 2, **g, &h)
      if a && (b || !c) then x elsif d; y else z end
      until a do next unless b end
      case a
      when 1, 2 then "x #{b ? :c : d} y"
      else %w[a b].each { |i| i ||= j }
      end
      case b
      in [x, {k: Integer => v}] if x then ->(l) { l while m }
      end
      x <<~X, y rescue z
        text #{a and b}
      X
    rescue E, F => e
      retry
    ensure
      /re#{e}/ =~ g&.h
    end
    def self.k = 1
    class << self; def ==(o) true end; end
  end
end
""",
    "python": '''
@dec(a)
class A(B):
    x: int = [a for b in c if d if e]
    async def f(self, a, /, b=1, *c: D, e, **g) -> "H":
        r"""Doc."""
        async with a as b, c: pass
        for i in a:
            while b and not (c or d): continue
            else: x = lambda y, *z: y if z else f"{a!r:>{b}} {'c' if d else e}"
        try: assert a and b, c
        except* (D, E) as e: raise F from e
        except: del a[1:2, ::3]
        else: yield (await a)
        finally: global g
        match a, b:
            case [1, {"x": y, **z}] if y: return (c := 1.5e-3) \\
                + f(a)
            case G(h=1) | None: pass
            case _:
                def k[T](a: T): return k
                class L:
                    def m(self): "doc"
''',
}
FILES = {"java": "Sample.java", "go": "sample.go", "rust": "sample.rs", "c": "sample.c", "cpp": "sample.cpp"}
# What decides in some language, so that arbitrary texts come near to code.
PIECES = [
    *("\n", "\r\n", "\r", " ", "\t", "\x00", "\ufeff", "é", "漢", "\u2028", "\x0c", "\ud800", '"', "'", "`", '"""'),
    *(
        "\\\n",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "<",
        ">",
        ";",
        ":",
        ",",
        ".",
        "=",
        "=>",
        "->",
        "&",
        "*",
        "#",
        "@",
        "$",
        "?",
    ),
    *(
        "::",
        " && ",
        " || ",
        " and ",
        " or ",
        " not ",
        "!",
        " ?? ",
        "?.",
        " ||= ",
        "1.5",
        "...",
        "/x/",
        "/*",
        "*/",
        "// x\n",
    ),
    *("if a ", "else ", "elif b:", "elsif b\n", "for a in b ", "for (;;) ", "while (a) ", "switch (a) {", "case 1: "),
    *("do ", "match a {", "try {", "except A: ", "catch (e) ", "rescue ", "ensure\n", "finally ", "unless a ", "end\n"),
    *(
        "goto a; ",
        "def f(a):\n    ",
        "def f\n",
        "function f(a) {",
        "fn f(a) {",
        "func f() {",
        "int f(int a) {",
        "class A ",
    ),
    *(
        "lambda a: ",
        "<?php ",
        "?>",
        "f'{",
        "#{",
        "${",
        "<<~A\n",
        "<<<A\n",
        "A\n",
        "return ",
        "#define A(b) ",
        "template <",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=80)


def code_of(language: str) -> str:
    return (SAMPLES / FILES[language]).read_text("utf-8") if language in FILES else CODE[language]


def mutated(code: str, seed: int) -> str:
    """Pieces of the code left out, doubled, moved and mixed with others."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(code) + 1)
        end = min(len(code), start + chance.choice([0, 1, 3, 10, 40]))
        other = chance.randrange(len(code) + 1)
        piece = chance.choice([*PIECES, "", code[start:end] * 2, code[other : other + 20]])
        code = code[:start] + piece + code[end:]
    return code


def assert_sane(text: str, language: str) -> None:
    explained = measure(text, language, explain=True)
    rows = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    assert [each.start_byte for each in explained.functions] == sorted(each.start_byte for each in explained.functions)
    for own in [explained.module, *explained.functions]:
        assert sum(each.cognitive for each in own.increments) == own.cognitive
        assert sum(each.cyclomatic for each in own.increments) == own.cyclomatic - 1
        assert all(0 <= each.nesting <= each.cognitive for each in own.increments)
        assert all(own.line <= each.line <= own.end_line for each in own.increments)
        assert own.cyclomatic >= 1
        assert own.ccn >= 1
        assert min(own.cognitive, own.nesting, own.parameters, own.tokens, own.lines) >= 0
        assert 1 <= own.line <= own.end_line <= rows
        assert own.lines <= own.end_line - own.line + 1
        assert 0 <= own.halstead.different_operators <= own.halstead.operators
        assert 0 <= own.halstead.different_operands <= own.halstead.operands
        assert 0 <= own.maintainability <= 100
        assert LOWEST <= own.score <= HIGHEST
        assert own.label in {*(label for _, label in LABELS), "Critical"}
        assert own.name
        assert own.qualified.endswith(own.name)
    plain = measure(text, language)
    assert plain.functions == [replace(each, increments=()) for each in explained.functions]


@pytest.mark.parametrize("language", RULES)
def test_every_language_is_measured(language):
    assert set(RULES) == set(LANGUAGES)
    found = measure(code_of(language), language)
    assert found.functions
    assert all(each.complete for each in found.functions)
    assert found.module.complete
    assert_sane(code_of(language), language)


@pytest.mark.parametrize("language", RULES)
@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_any_text_is_measured(language, text):
    with suppress(*ERRORS):
        assert_sane(text, language)


@pytest.mark.parametrize("language", RULES)
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_mutated_code_is_measured(language, seed):
    with suppress(*ERRORS):
        assert_sane(mutated(code_of(language), seed), language)


@pytest.mark.parametrize("language", RULES)
def test_how_lines_end_changes_nothing(language):
    code = code_of(language)
    expected = measure(code, language, explain=True)
    assert measure(code.replace("\n", "\r\n"), language, explain=True) == expected
    assert measure("\ufeff" + code.replace("\n", "\r"), language, explain=True) == expected


@pytest.mark.parametrize("language", RULES)
def test_a_function_is_measured_alike_wherever_it_stands(language):
    """Below another copy of the file only places differ."""
    code = code_of(language)
    first = measure(code, language).functions
    both = measure(f"{code}\n{code}", language).functions
    assert len(both) == 2 * len(first)
    for own, copy in zip(first, both[len(first) :], strict=True):
        places = {key: getattr(own, key) for key in ("line", "end_line", "start_byte", "end_byte")}
        assert replace(copy, **places) == own


@pytest.mark.parametrize("language", RULES)
def test_deep_code_takes_the_time_of_its_nodes(language):
    deep = {"python": "x = " + "(" * 20_000 + "a and b" + ")" * 20_000, "ruby": "x = " + "[" * 20_000 + "]" * 20_000}
    code = deep.get(language, f"int f() {{ {'{' * 20_000} a && b; {'}' * 20_000} }}")
    started = time.monotonic()
    with suppress(*ERRORS):
        assert_sane(f"<?php {code}" if language == "php" else code, language)
    assert time.monotonic() - started < 20
