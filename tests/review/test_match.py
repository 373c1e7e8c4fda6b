"""Functions of before found among those of now."""

from __future__ import annotations

from codefit.review.match import Unit, contents, match
from codefit.review.score import Reading, measured, score_text


def units(source: str, file: int = 0, path: str = "a.py", language: str = "python") -> list[Unit]:
    metrics = measured(source, language, Reading())
    rows = score_text(source, path, language, Reading()).functions
    made = contents(source.encode(), metrics.functions)
    return [Unit(row, file, each.exact, each.nameless) for row, each in zip(rows, made, strict=True)]


def pairs(before: list[Unit], now: list[Unit]) -> list[tuple[str | None, str | None]]:
    return [(old and old.function.qualified, new and new.function.qualified) for old, new in match(before, now)]


F = "def f(a):\n    return a + 1\n"
G = "def g(a):\n    for b in a:\n        print(b)\n"
H = "def h(a):\n    return [a]\n"


def test_by_name_within_a_file_then_by_content_anywhere() -> None:
    before = units(F + G, file=0) + units(H, file=1)
    now = units(F.replace("1", "2"), file=0) + units(G + "def new():\n    pass\n", file=2)
    assert pairs(before, now) == [("f", "f"), ("g", "g"), (None, "new"), ("h", None)]


def test_a_new_name_for_the_same_body() -> None:
    recursive = "def walk(a):\n    return walk(a[1:]) if a else 0\n"
    renamed = recursive.replace("walk", "stroll")
    assert pairs(units(recursive), units(renamed)) == [("walk", "stroll")]
    (old,), (new,) = units(recursive), units(renamed)
    assert old.nameless == new.nameless
    assert old.content != new.content


def test_of_the_same_name_the_same_content_goes_first() -> None:
    one, two = "function() { return 1 }", "function() { return 2 }"
    before = units(f"a({one});\nb({two});\n", language="javascript", path="a.js")
    now = units(f"z(function() {{ return 3 }});\na({one});\nb({two});\n", language="javascript", path="a.js")
    found = [(old and old.function.line, new and new.function.line) for old, new in match(before, now)]
    assert found == [(None, 1), (1, 2), (2, 3)]


def test_the_same_content_goes_before_another_name() -> None:
    before = units(G, file=0)
    now = units(G.replace("g", "other").replace("prinother", "print"), file=1) + units(G, file=2)
    assert pairs(before, now) == [(None, "other"), ("g", "g")]


def test_place_and_indentation_are_not_content() -> None:
    (plain,) = units(G)
    (method,) = units("class A:\n" + "".join(f"    {line}\n" for line in G.splitlines()))
    assert method.content == plain.content
    (other,) = units("def g(a):\n    for b in a:\n        c = 1\n    print(b)\n")
    (deeper,) = units("def g(a):\n    for b in a:\n        c = 1\n        print(b)\n")
    assert other.content != deeper.content  # in Python an indentation is a meaning


def test_what_is_inside_a_function_of_its_own_is_its_own_content() -> None:
    source = (
        "def outer(a):\n    def inner(b):\n        return {}\n    def second(c):\n        return 1\n    return inner\n"
    )
    before, now = units(source.format(1)), units(source.format(2))
    same = [old.content == new.content for old, new in zip(before, now, strict=True)]
    assert [unit.function.name for unit in before] == ["outer", "inner", "second"]
    assert same == [True, False, True]
