import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codefit.errors import InputError
from codefit.source.functions import MAX_DEPTH, units_of
from codefit.source.languages import LANGUAGES

SOUND = {
    "python": "def sound():\n    return 1\n",
    "javascript": "function sound() { return 1; }\n",
    "typescript": "function sound(): number { return 1; }\n",
    "rust": "fn sound() -> u8 { 1 }\n",
    "go": "func sound() int { return 1 }\n",
    "java": "class A { int sound() { return 1; } }\n",
    "ruby": "def sound\n  1\nend\n",
    "php": "<?php function sound() { return 1; } ?>\n",
    "c": "int sound(void) { return 1; }\n",
    "cpp": "int sound() { return 1; }\n",
}
GARBAGE = ["}}}", ") ) )", "\x00\x01", "日本語 日本", "\ufffd\ufffd"]
GARBAGE_BEFORE = ["@@@ ???", "= = ="]  # after a definition they would make an expression of it

# What definitions are made of in some language, so that arbitrary texts come near to code.
PIECES = [
    *(
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        " ",
        "    ",
        "\t",
        "\x00",
        "\ufeff",
        "é",
        "漢",
        "\u2028",
        "\x0c",
        "\ud800",
        '"',
        "'",
        "`",
    ),
    *("(", ")", "{", "}", "[", "]", "<", ">", ";", ":", ",", ".", "=", "=>", "->", "&", "*", "#", "@", "$", "\\", "?"),
    *(
        "/** Doc. */",
        "/* x",
        "*/",
        "// x\n",
        "/// x\n",
        "# x\n",
        '"""doc"""',
        "=begin\n",
        "\n=end\n",
        "<<A\n",
        'r#"',
        "'''",
    ),
    *(
        "def f",
        "def f(): pass",
        "class A",
        "function f",
        "fn f() {}",
        "func f() {}",
        "int f() {}",
        "end\n",
        "<?php ",
        "?>",
    ),
    *('#[doc = "x"]\n', "@dec\n", "@Dec() ", "export ", "const f = ", "impl A {", "struct S {", "template <class T> "),
    *(
        "async ",
        "public ",
        "static ",
        "type T = ",
        "interface I {",
        "namespace N {",
        "module M\n",
        "operator ",
        "A::f() {}",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
LANGUAGE_NAMES = st.sampled_from(sorted(LANGUAGES))


@settings(max_examples=400, deadline=None)
@given(text=TEXTS | st.text(max_size=80), language=LANGUAGE_NAMES)
@example(text="", language="python")
@example(text="\ud800def f(): pass", language="python")
def test_any_text_gives_units_that_lie_in_it(text, language):
    read = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = read.encode("utf-8", "replace").decode().split("\n")
    for unit in units_of(text, language):
        assert 1 <= unit.start_line <= unit.end_line <= len(lines)
        assert unit.kind in ("function", "method", "type")
        assert unit.name
        assert unit.qualified.endswith(unit.name)
        assert unit.code.endswith(unit.definition)
        own_lines = lines[unit.start_line - 1 : unit.end_line]
        if language != "python":  # where a `...` may stand for the docstring
            for line in unit.code.split("\n"):
                assert any(line.strip() in own for own in own_lines)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("garbage", GARBAGE + GARBAGE_BEFORE, ids=ascii)
def test_a_sound_unit_is_found_below_garbage(language, garbage):
    assert "sound" in [unit.name for unit in units_of(f"{garbage}\n\n{SOUND[language]}", language)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("garbage", GARBAGE, ids=ascii)
def test_a_sound_unit_is_found_above_garbage(language, garbage):
    assert "sound" in [unit.name for unit in units_of(f"{SOUND[language]}\n\n{garbage}\n", language)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_unit_with_an_error_is_left_out(language):
    sound = SOUND[language]
    broken = sound.replace("sound", "broken").replace("return 1", "return 1 +* / 2").replace("  1\n", "  (1\n")
    broken = broken.replace("{ 1 }", "{ 1 +* / }")
    names = [unit.name for unit in units_of(f"{sound}\n{broken}\n{sound.replace('sound', 'second')}", language)]
    assert "sound" in names
    assert "broken" not in names


def test_how_lines_end_changes_nothing():
    source = "/** One.\n *  Two. */\nfunction f() {\n  return 1;\n}\n"
    expected = units_of(source, "javascript")
    assert units_of(source.replace("\n", "\r\n"), "javascript") == expected
    assert units_of(source.replace("\n", "\r"), "javascript") == expected
    assert units_of("\ufeff" + source, "javascript") == expected


def test_text_that_is_not_ascii():
    source = "/** Größe. */\nconst größe = () => '漢字'; /* é */ function ñ() { return '😀'; }\n"
    first, second = units_of(source, "javascript")
    assert (first.name, first.doc, first.code) == ("größe", "Größe.", "const größe = () => '漢字';")
    assert (second.name, second.code) == ("ñ", "function ñ() { return '😀'; }")


def test_a_file_on_one_line_costs_what_it_holds():
    source = "function f(a){return a+1}" * 3_000
    units = units_of(source, "javascript")
    assert len(units) == 3_000
    assert "".join(unit.code for unit in units) == source
    assert all(unit.start_line == unit.end_line == 1 for unit in units)


def test_units_nested_deeper_than_people_write_are_left_out():
    depth = 3_000
    source = "function f(){" * depth + "}" * depth
    units = units_of(source, "javascript")
    assert len(units) == MAX_DEPTH
    assert units[-1].qualified == ".".join(["f"] * MAX_DEPTH)


def test_names_that_are_expressions_are_no_names():
    source = "int f(void) { return 1; }\nint (*g)(" + "int, " * 100 + "int) { return 1; }\nint " + "h" * 400 + "() {}"
    assert [unit.name for unit in units_of(source, "c")][:1] == ["f"]
    assert all(len(unit.qualified) <= 300 for unit in units_of(source, "c"))


def test_a_language_that_is_not_read():
    with pytest.raises(InputError, match=r"'cobol' is not a language that codefit reads; one of python, "):
        units_of("x", "cobol")
