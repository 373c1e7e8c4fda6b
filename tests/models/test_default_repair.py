"""The repair model in the package: there, small, of the committed recipe, and of use."""

from __future__ import annotations

import pytest

from codefit.models.repair import DEFAULT, default_repair_model, read_repair_info
from codefit.recipe import load_recipe
from codefit.source.syntax.terminals import from_names
from codefit.tasks.repairs.candidates import closed
from codefit.tasks.repairs.fix import Fix, fix_source

LARGEST = 12_000_000  # bytes of the folder


def fixed(source: str) -> Fix:
    model = default_repair_model()
    return fix_source(source, lambda tokens, names: model.repairs(tokens, names=names, seconds=30))


def test_it_is_small_and_of_the_recipe_that_is_here() -> None:
    assert sum(path.stat().st_size for path in DEFAULT.iterdir()) <= LARGEST
    stated, here = read_repair_info(DEFAULT).recipe, load_recipe("repair-ranking-cpu").model_dump(mode="json")
    told = ("name", "description", "variants")  # a sweep in the same folder changes these alone
    assert {key: value for key, value in stated.items() if key not in told} == {
        key: value for key, value in here.items() if key not in told
    }


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("def f(a)\n    return a\n", "def f(a):\n    return a\n"),
        ("x = [1, 2\ny = 3\nprint(x)\n", "x = [1, 2]\ny = 3\nprint(x)\n"),
        ('d = {"a": 1, "b" 2}\n', 'd = {"a": 1, "b": 2}\n'),
        ("if x = 1:\n    pass\n", "if x == 1:\n    pass\n"),
        ('print "hello %s" % name\n', 'print("hello %s" % name)\n'),
        ("x = ((1 + 2) * 3))\n", "x = ((1 + 2) * 3)\n"),
        ("class A\n    def b(self):\n        pass\n", "class A:\n    def b(self):\n        pass\n"),
        ("def f(a):\n    retrun a\n", "def f(a):\n    return a\n"),
        ("Class A(object):\n    pass\n", "class A(object):\n    pass\n"),
        ("form os import path\n", "from os import path\n"),
        ("x = 'abc\ny = 2\n", "x = 'abc'\ny = 2\n"),
        ("print(“hello”)\n", 'print("hello")\n'),
    ],
)
def test_it_mends_what_people_break(broken: str, mended: str) -> None:
    assert fixed(broken).repairs[0].source == mended


def test_it_orders_given_repairs_as_it_finds_them() -> None:
    broken = from_names("NAME = ( NAME + NUMBER NEWLINE")
    model = default_repair_model()
    found = model.repairs(broken, limit=50, seconds=30)
    scores = model.rank(broken, found.strings)
    assert scores[0] == scores.max()
    assert found.strings[0] == closed(from_names("NAME = ( NAME + NUMBER ) NEWLINE"))


@pytest.mark.parametrize(
    "broken",
    [
        "if x:\n\ty = 1\n        z = 2\n",  # tabs and spaces
        "try:\n    x = f()\nexcept ValueError, error:\n    print error\n",  # Python 2
        "for i in range(3)\n    x[i = (1\n",
        "\x00\n",
        "%matplotlib inline\nx = 1\n",
        "a b c d e f g h i j k\n",
        '"""never closed\n',
        "\\",
        "x = 1 +\n" * 40,
    ],
)
def test_what_is_hard_is_mended_or_it_is_said_why_not(broken: str) -> None:
    found = fixed(broken)
    assert found.fault is not None
    assert found.repairs or found.beyond or found.magic or found.region is None or found.more_faults
    for each in found.repairs:
        assert 0 < each.probability <= 1
        assert each.source != broken
