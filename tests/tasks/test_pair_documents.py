"""Files put together from functions: in order, each under its description, in the comments of its language."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.records import Document, Pair
from codefit.source.functions import first_paragraph, units_of
from codefit.source.languages import LANGUAGES
from codefit.tasks.pair_documents import comment, documents_from_pairs


def pair(path: str | None, line: int | None, name: str, **more: object) -> Pair:
    code = f"def {name}(self):\n    return {name}.value"
    row = Pair(
        anchor=f"Get the {name}.",
        positive=code,
        source="o/r",
        language="python",
        path=path,
        license="MIT",
        line=line,
    )
    return msgspec.structs.replace(row, **more)


def test_functions_stand_in_the_order_of_their_lines_under_their_descriptions() -> None:
    rows = [pair("b.py", 30, "late"), pair("a.py", 5, "only"), pair("b.py", 3, "early")]
    assert list(documents_from_pairs(rows)) == [
        Document(
            path="b.py",
            text="# Get the early.\ndef early(self):\n    return early.value\n\n"
            "# Get the late.\ndef late(self):\n    return late.value\n",
            language="python",
            repo="o/r",
            license="MIT",
        ),
        Document(
            path="a.py",
            text="# Get the only.\ndef only(self):\n    return only.value\n",
            language="python",
            repo="o/r",
            license="MIT",
        ),
    ]


def test_a_function_inside_another_is_not_repeated() -> None:
    inner, outer = "def inner():\n        pass", "def outer():\n    def inner():\n        pass\n    return inner"
    rows = [pair("a.py", 11, "i", positive=inner), pair("a.py", 10, "o", positive=outer), pair("a.py", 14, "next")]
    (made,) = documents_from_pairs(rows)
    assert made.text.count("def inner") == 1
    assert "def next" in made.text


def test_sources_are_apart_and_rows_without_path_or_line_are_kept() -> None:
    rows = [
        pair(None, None, "first"),
        pair("a.py", 4, "second"),
        pair("a.py", 4, "third", source="o/other"),
        pair(None, None, "fourth"),
        pair("a.py", None, "fifth"),
    ]
    made = list(documents_from_pairs(rows))
    assert [(each.repo, each.path) for each in made] == [("o/r", "o/r"), ("o/r", "a.py"), ("o/other", "a.py")]
    assert made[0].text.index("first") < made[0].text.index("fourth")
    assert made[1].text.index("second") < made[1].text.index("fifth")
    assert sum(each.text.count("def ") for each in made) == 5


def test_licences_of_a_file_are_joined() -> None:
    rows = [
        pair("a.py", 1, "x"),
        pair("a.py", 9, "y", license="MIT OR Apache-2.0"),
        pair("a.py", 19, "z", license=None),
    ]
    assert next(documents_from_pairs(rows)).license == "MIT AND (MIT OR Apache-2.0)"
    assert next(documents_from_pairs([pair("a.py", 1, "x", license=None)])).license is None


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("python", "# One.\n#\n# Two."),
        ("ruby", "# One.\n#\n# Two."),
        ("rust", "/// One.\n///\n/// Two."),
        ("go", "// One.\n//\n// Two."),
        ("java", "/**\n * One.\n *\n * Two.\n */"),
        ("php", "/**\n * One.\n *\n * Two.\n */"),
        (None, "# One.\n#\n# Two."),
    ],
)
def test_the_comment_is_the_languages_own(language: str | None, expected: str) -> None:
    assert comment("One.\n\nTwo.", language) == expected


FUNCTIONS = {
    "python": "def f():\n    return 1",
    "javascript": "function f() { return 1; }",
    "typescript": "function f(): number { return 1; }",
    "rust": "fn f() -> u8 { 1 }",
    "go": "func f() int { return 1 }",
    "java": "int f() { return 1; }",
    "ruby": "def f\n  1\nend",
    "php": "function f() { return 1; }",
    "c": "int f(void) { return 1; }",
    "cpp": "int f() { return 1; }",
}


@given(st.sampled_from(sorted(LANGUAGES)), st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=60))
def test_no_description_breaks_out_of_its_comment(language: str, anchor: str) -> None:
    code = FUNCTIONS[language]
    body = f"class A {{ {code} }}" if language == "java" else code
    (made,) = documents_from_pairs(
        [Pair(anchor=f"{anchor}\n*/ {anchor}", positive=body, source="o", language=language)]
    )
    assert [unit.name for unit in units_of(made.text, language) if unit.kind != "type"] == ["f"]


def test_the_description_is_read_back_as_the_doc() -> None:
    for language in ("javascript", "typescript", "rust", "go", "ruby", "php", "c", "cpp"):
        (made,) = documents_from_pairs(
            [Pair(anchor="Returns one.", positive=FUNCTIONS[language], source="o", language=language)]
        )
        (unit,) = units_of(made.text, language)
        assert first_paragraph(unit.doc) == "Returns one.", language
