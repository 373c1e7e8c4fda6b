import pytest
from outline import outline

from codefit.source.functions import units_of

CASES = {
    "function": ("/** Adds. */\nfunction add(int $a, ?int ...$b): int { return 1; }", [("function", "add", "Adds.")]),
    "class": (
        """\
        namespace App\\Models;

        use Other\\Thing;

        /**
         * A user.
         */
        final class User extends Model implements JsonSerializable
        {
            use HasName;

            /** Makes one. */
            public function __construct(private readonly string $name) {}

            /**
             * The name.
             *
             * @return string
             */
            #[Pure]
            public static function &name(): string { return ''; }

            /** To be done. */
            abstract protected function later();
        }
        """,
        [
            ("type", "User", "A user."),
            ("method", "User.__construct", "Makes one."),
            ("method", "User.name", "The name."),
        ],
    ),
    "interface, trait, enum": (
        """\
        /** Shape. */
        interface Shape { /** Area. */ public function area(): float; }
        /** Named. */
        trait Named { /** Names. */ function name() {} }
        /** Suits. */
        enum Suit: string { case Hearts = 'H'; /** Label. */ public function label(): string { return ''; } }
        """,
        [
            ("type", "Shape", "Shape."),
            ("type", "Named", "Named."),
            ("method", "Named.name", "Names."),
            ("type", "Suit", "Suits."),
            ("method", "Suit.label", "Label."),
        ],
    ),
    "markup": (
        "/**\n * Returns {@see User::$name} <br> or <code>null</code>.\n * @see x\n */\nfunction name() {}",
        [("function", "name", "Returns User::$name or null.")],
    ),
    "other comments are no doc": ("// Not.\nfunction a() {}\n# Nor.\nfunction b() {}\n/* Nor. */\nfunction c() {}", 3),
    "a conditional function": (
        "if (!function_exists('add')) {\n    /** Adds. */\n    function add() {}\n}",
        [("function", "add", "Adds.")],
    ),
    "closures are none": ("$f = function () { return 1; };\n$g = fn ($x) => $x;", []),
    "heredocs": ("$a = <<<TEXT\nfunction no() {}\nTEXT;\n/** B. */\nfunction b() {}", [("function", "b", "B.")]),
}


@pytest.mark.parametrize("case", CASES)
def test_php(case):
    source, expected = CASES[case]
    found = outline("<?php\n" + source, "php")
    if isinstance(expected, int):
        assert [doc for _, _, doc in found] == [""] * expected
    else:
        assert found == expected


def test_functions_between_html():
    source = "<html>\n<?php\n/** Shows. */\nfunction show() { ?>\n  <b>x</b>\n<?php } ?>\n</html>\n"
    assert outline(source, "php") == [("function", "show", "Shows.")]


def test_attributes_are_part_of_the_definition():
    (unit,) = units_of("<?php\n\n\n\n/** Runs. */\n#[Route('/x')]\nfunction run()\n{\n    go();\n}\n", "php")
    assert unit.definition == "#[Route('/x')]\nfunction run()\n{\n    go();\n}"
    assert (unit.start_line, unit.end_line) == (6, 10)
