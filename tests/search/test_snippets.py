"""The lines that a result shows: real lines of the file with their numbers, the head first, the question's words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codefit.search.functions import Function
from codefit.search.snippets import MAX_LINES, MAX_WIDTH, snippet_of

LONG = [
    "    @cached",
    "    def load(self, path):",
    "        data = {}",
    "",
    *(f"        data[{n}] = {n}" for n in range(20)),
    "        checksum = crc32(data)",
    *(f"        data[{n}] = {n}" for n in range(20)),
    "        raise TimeoutError(path)",
    "        return data",
]


def function(lines: list[str], start: int = 10, code: str | None = None) -> Function:
    text = "\n".join(lines) if code is None else code
    return Function("a.py", "f", "function", "python", start, start + len(lines) - 1, text, "", tuple(lines))


def test_the_head_and_the_questions_words_are_shown() -> None:
    snippet = snippet_of(function(LONG, code="def load(self, path):\n    ..."), "verify checksums and raise on timeout")
    shown = dict(zip(snippet.numbers, snippet.lines, strict=True))
    assert min(shown) == 11
    assert shown[11] == "def load(self, path):"
    assert shown[10 + LONG.index("        checksum = crc32(data)")] == "    checksum = crc32(data)"
    assert shown[10 + LONG.index("        raise TimeoutError(path)")] == "    raise TimeoutError(path)"
    assert len(shown) == MAX_LINES
    # What is left is filled with the lines that follow.
    assert shown[12] == "    data = {}"


def test_a_short_function_is_shown_whole() -> None:
    lines = ["def f(x):", "    y = x + 1", "    return y"]
    snippet = snippet_of(function(lines), "anything")
    assert snippet.numbers == (10, 11, 12)
    assert snippet.text == "\n".join(lines)


def test_long_lines_are_cut_and_blank_functions_survive() -> None:
    assert len(snippet_of(function(["x = '" + "a" * 9999]), "a").lines[0]) == MAX_WIDTH
    assert snippet_of(function(["", ""]), "a").numbers == (10,)


@given(st.lists(st.text("ab \t_(", max_size=12), min_size=1, max_size=40), st.text("ab _", max_size=20))
def test_a_snippet_is_lines_of_the_function(lines: list[str], query: str) -> None:
    found = snippet_of(function(lines), query)
    assert list(found.numbers) == sorted(set(found.numbers))
    assert 1 <= len(found.numbers) <= MAX_LINES
    for number, line in zip(found.numbers, found.lines, strict=True):
        assert line.strip() == lines[number - 10].strip()
