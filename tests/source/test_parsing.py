import contextlib
import inspect
import time

import pytest

from codefit.errors import CodefitError, InputError
from codefit.source import parsing
from codefit.source.functions import units_of
from codefit.source.languages import LANGUAGES

SECONDS = 0.3
PATIENCE = 6.0  # seconds: what a machine under load may take for work that is to be stopped after SECONDS

# What keeps each parser busy for much longer than SECONDS when repeated.
SLOW = {
    "python": "fn f(){",
    "javascript": "def f;",
    "typescript": "def f;",
    "rust": "def f;",
    "go": "fn f(){",
    "java": "a--",
    "ruby": "// x\n",
    "php": "def f;",
    "c": "@a ",
    "cpp": "@a ",
}
# What grows deep trees, wide trees, or long tokens when repeated.
SHAPES = ["(", "{", "a.", "not ", ";", "'", "/*", "\x00", "@a ", "end ", "fn f(){", "class A{"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_limit_holds(language):
    source = ("<?php " if language == "php" else "") + SLOW[language] * (400_000 // len(SLOW[language]))
    started = time.monotonic()
    with pytest.raises(CodefitError, match=r"^not parsed within 0\.3 s$"):
        units_of(source, language, seconds=SECONDS)
    assert time.monotonic() - started < PATIENCE


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_repeated_shape_is_read_or_refused_in_time(language):
    start = "<?php " if language == "php" else ""
    for shape in SHAPES:
        started = time.monotonic()
        with contextlib.suppress(CodefitError):
            units_of(start + shape * (20_000 // len(shape)), language, seconds=SECONDS)
        assert time.monotonic() - started < PATIENCE, shape


def test_a_tree_deeper_than_a_query_can_count():
    depth = 70_000
    started = time.monotonic()
    units_of("fn a(){" * depth + "}" * depth, "rust", seconds=PATIENCE)
    assert time.monotonic() - started < 2 * PATIENCE


@pytest.mark.parametrize(
    ("source", "language"),
    [("not " * 100_000, "python"), ("class A {" + ";" * 200_000 + "}", "java")],
    ids=["where the root is an error", "inside a class"],
)
def test_a_long_run_of_tokens_is_searched_in_time(source, language):
    """One search over the whole takes minutes."""
    started = time.monotonic()
    units_of(source, language, seconds=PATIENCE)
    assert time.monotonic() - started < 2 * PATIENCE


def test_searching_by_windows_changes_nothing(monkeypatch):
    texts = [(inspect.getsource(inspect), "python"), ("class A { /** F. */ void f() { g(); } }\n" * 300, "java")]
    whole = [units_of(*each) for each in texts]
    assert all(len(text) > parsing.WINDOW_BYTES for text, _ in texts)
    monkeypatch.setattr(parsing, "WINDOW_BYTES", 100)
    assert [units_of(*each) for each in texts] == whole


def test_a_file_that_is_too_large_costs_nothing():
    text = "x" * 200_000_000
    started = time.monotonic()
    with pytest.raises(InputError, match="200,000,000 characters of source are above the limit of 1,000,000"):
        units_of(text, "python")
    assert time.monotonic() - started < 0.1


def test_a_large_sound_file_is_read_in_time():
    source = "".join(f"def f{index}(a, b):\n    return a + b * {index}\n\n\n" for index in range(15_000))
    assert len(source) > 0.6 * parsing.MAX_CHARACTERS
    assert len(units_of(source, "python")) == 15_000
