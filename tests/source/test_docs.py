import ast
import inspect
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.source.definitions.c import C
from codefit.source.definitions.java import JAVA
from codefit.source.definitions.ruby import RUBY
from codefit.source.definitions.rust import RUST
from codefit.source.docs import clean_comment, clean_docstring, first_paragraph

FIRST_PARAGRAPHS = {
    "lines are joined": ("One\n  two   three\n\nFour", "One two three"),
    "nothing": ("", ""),
    "blank lines first": ("\n\n One", "One"),
    "JSDoc tags": ("Adds.\n@param a one", "Adds."),
    "tags alone": ("@param a one\n@return two", ""),
    "YARD directive": ("Adds.\n@!visibility private", "Adds."),
    "Doxygen commands": ("Adds.\n\\param a one", "Adds."),
    "LaTeX is no command": ("The sum\n\\sum_i x_i of all", "The sum \\sum_i x_i of all"),
    "Sphinx fields": ("Adds.\n:param int a: one\n:returns: two", "Adds."),
    "roles are no fields": (":class:`Foo` is\n:ref:`here`", ":class:`Foo` is :ref:`here`"),
    "Google headings": ("Adds.\nArgs:\n    a: one", "Adds."),
    "a heading's word in a sentence": ("Returns: the sum\nof all", "Returns: the sum of all"),
    "doctests": ("Adds.\n>>> add(1, 2)\n3", "Adds."),
    "an address in the text": ("Mail to\nme@example.org", "Mail to me@example.org"),
}


@pytest.mark.parametrize("case", FIRST_PARAGRAPHS)
def test_first_paragraph(case):
    doc, expected = FIRST_PARAGRAPHS[case]
    assert first_paragraph(doc) == expected


@given(st.text())
def test_a_first_paragraph_is_one_line(doc):
    paragraph = first_paragraph(doc)
    assert paragraph == " ".join(paragraph.split())


MARKUP = {
    "link with a label": ("{@link Foo#bar(int, int) the bar}", "the bar"),
    "link without": ("{@link Foo#bar(int, int)}", "Foo#bar(int, int)"),
    "link with a bar": ("{@link Foo|the foo}", "the foo"),
    "code": ("{@code List<String>}", "List<String>"),
    "a tag without text": ("{@Foo}", "Foo"),
    "inherited": ("{@inheritDoc}", ""),
    "open": ("{@link Foo", "{@link Foo"),
    "paragraph": ("One.<p>Two.", "One.\n\nTwo."),
    "paragraphs on lines of their own": ("One.\n\n<p>\n\nTwo.", "One.\n\nTwo."),
    "list": ("One:<ul><li>a</li><li>b</li></ul>", "One:\n\n- a\n- b"),
    "unknown tags are no markup": ("a Map<K, V> and <T>", "a Map<K, V> and <T>"),
    "comparison": ("a < b and c > d", "a < b and c > d"),
    "in backticks": ("`<b>` is <b>bold</b>", "`<b>` is bold"),
    "entities": ("a &lt; b &amp;&nbsp;c", "a < b &\xa0c"),
    "Doxygen's fonts": ("\\p a is @c b", "a is b"),
    "an address": ("me@c com", "me@c com"),
}


@pytest.mark.parametrize("case", MARKUP)
def test_markup(case):
    text, expected = MARKUP[case]
    assert clean_comment([f"/** {text} */"], JAVA.comments) == expected


def test_blocks_lose_their_stars_and_nothing_else():
    comment = "/**\n     * One.\n     *\n     *   two\n     * **three**\n     */"
    assert clean_comment([comment], JAVA.comments) == "One.\n\n  two\n**three**"


def test_blocks_without_stars_keep_their_lists():
    assert clean_comment(["/*\n   One:\n   * a\n     b\n*/"], C.comments) == "One:\n* a\n  b"


def test_runs_of_lines():
    assert clean_comment(["/// One", "///", "///     two"], RUST.comments) == "One\n\n    two"
    assert clean_comment(["##", "# One", "#  two", "#"], RUBY.comments) == "One\n two"


@pytest.mark.parametrize("tag", ["@brief", "\\brief", "@description", "@summary"])
def test_what_announces_the_description(tag):
    assert clean_comment([f"/** {tag} Adds. */"], C.comments) == "Adds."
    assert clean_comment([f"/**\n * @private\n * {tag} Adds.\n */"], C.comments) == "Adds.\n\n@private"
    assert clean_comment([f"/**\n * Adds.\n * {tag} More.\n */"], C.comments) == "Adds.\n\nMore."


@given(st.text(alphabet=st.sampled_from("ab \n\t'\\\"{}x")))
def test_docstrings_are_cleaned_as_python_cleans_them(text):
    literal = repr(text)
    assert clean_docstring(literal) == inspect.cleandoc(ast.literal_eval(literal))


@pytest.mark.parametrize("literal", ["f'x'", "b'x'", "x", "'", "'\0'", "1", "'a' + 'b'", "(" * 500 + "'a'" + ")" * 500])
def test_what_is_no_string_is_no_docstring(literal):
    assert clean_docstring(literal) in ("", "a")


LONG = 300_000


@pytest.mark.parametrize(
    "text",
    [
        " " * LONG,
        "\n" * LONG + "x",
        "*" * LONG + "x",
        "{@" + "a" * LONG,
        "{@link " * (LONG // 7),
        "<p " * (LONG // 3),
        "<" * LONG,
        "`<a" * (LONG // 3),
        "&" * LONG,
        ":" + "a" * LONG,
        "@a\n" * (LONG // 3),
        "@brief " * (LONG // 7),
        "x\n" + " \n" * (LONG // 2) + "y",
        "\\c " * (LONG // 3),
        "--\n" * (LONG // 3),
    ],
    ids=lambda text: repr(text[:8]),
)
def test_no_text_takes_quadratic_time(text):
    """A quadratic step over so many characters takes from five seconds to hours."""
    started = time.monotonic()
    for comments in ([f"/**{text}*/"], [f"// {line}" for line in text.split("\n")]):
        first_paragraph(clean_comment(comments, C.comments))
    clean_docstring(repr(text))
    assert time.monotonic() - started < 3  # on an idle machine a tenth of it
