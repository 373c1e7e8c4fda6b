"""Shingles: layout does not count, operators do, and a hash is the same in every process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.corpus import shingles
from codefit.corpus.shingles import TokenHashes, jaccard, shingle_sets

words = st.lists(st.sampled_from(["a", "b", "self", "=", "+", "(", ")", "1"]), max_size=30)


def one(text: str, width: int = 3) -> np.ndarray:
    return next(shingle_sets([text], width))


def plain_shingles(tokens: list[str], width: int) -> set[tuple[str, ...]]:
    border = [""] * (width - 1)
    padded = border + tokens + border
    return {tuple(padded[i : i + width]) for i in range(len(tokens) + width - 1)} if tokens else set()


@given(words, words, st.integers(1, 5))
def test_hashed_sets_have_the_jaccard_index_of_the_plain_sets(first: list[str], second: list[str], width: int) -> None:
    a, b = plain_shingles(first, width), plain_shingles(second, width)
    expected = len(a & b) / len(a | b) if a | b else 1.0
    assert jaccard(one(" ".join(first), width), one(" ".join(second), width)) == pytest.approx(expected)


def test_layout_does_not_count_but_operators_do() -> None:
    tight, loose = one("def f(a):return a+1"), one("def f(a):\n    return a + 1\n")
    assert jaccard(tight, loose) == 1.0
    assert jaccard(tight, one("def f(a):return a-1")) < 1.0


def test_a_renamed_three_line_function_stays_apart_and_a_longer_one_does_not() -> None:
    short = "def width(self) -> int:\n    return self._width\n"
    assert jaccard(one(short), one(short.replace("_width", "_height"))) < 0.8
    longer = short.replace("return", "area = self._width * self._height\n    log(area)\n    return")
    assert jaccard(one(longer), one(longer.replace("def width", "def height"))) >= 0.8


def test_text_without_tokens_is_the_empty_set_and_equal_to_itself() -> None:
    assert one(" \n\t").size == 0
    assert jaccard(one(""), one(" ")) == 1.0
    assert jaccard(one(""), one("a")) == 0.0


def test_lone_surrogates_are_hashed() -> None:
    assert one("x = '\udc80'").size == 7


def test_hashes_are_the_same_in_another_process() -> None:
    code = "from codefit.corpus.shingles import *; print(next(shingle_sets(['def f(x): return x'])).tolist())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert other.strip() == str(one("def f(x): return x").tolist())


def test_the_table_of_hashes_stays_small_and_emptying_it_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"def f{i}(x): return x * {i}" for i in range(20)]
    whole = list(shingle_sets(texts))
    monkeypatch.setattr(shingles, "MAX_TABLE", 4)
    assert all(np.array_equal(a, b) for a, b in zip(whole, shingle_sets(texts), strict=True))
    table = TokenHashes()
    for i in range(20):
        table.of([f"a{i}", f"b{i}"])
    assert len(table) <= 6
