"""Ids of weighted words are those of the tokenizer, whatever the text."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from codefit.models import remembered_ids
from codefit.models.tokenizer import encode_batch, train_tokenizer
from codefit.models.word_tokens import WordTokens
from codefit.models.words import WordWeights

WORDS = WordWeights()
FUNCTIONS = [
    inspect.getsource(value)
    for module in (json, shutil, inspect)
    for value in vars(module).values()
    if inspect.isfunction(value) and value.__module__ == module.__name__
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(FUNCTIONS, 1500)


def same_ids(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int = 4096) -> None:
    fast = WordTokens(tokenizer, WORDS)
    for ids, written in (
        (fast.codes(texts, max_tokens), [WORDS.code_text(text) for text in texts]),
        (fast.queries(texts, max_tokens), [WORDS.query_text(text) for text in texts]),
    ):
        expected = encode_batch(tokenizer, written, max_tokens)
        assert [own.tolist() for own in ids] == [own.tolist() for own in expected]


def test_real_functions(tokenizer: Tokenizer) -> None:
    assert len(FUNCTIONS) > 50
    same_ids(tokenizer, FUNCTIONS)


def test_texts_are_cut_where_the_tokenizers_are(tokenizer: Tokenizer) -> None:
    same_ids(tokenizer, FUNCTIONS, max_tokens=37)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_any_text(text: str) -> None:
    same_ids(_SHARED, [text])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["²", "ﬁ", "ß", "İ", "ǅ", "日本", "क्ष", "_", "9", "1234567", "ªº", "Ⅷ", "e\u0301"]), max_size=8
    )
)
def test_letters_that_are_unlike_ascii(parts: list[str]) -> None:
    same_ids(_SHARED, [" ".join(parts), "".join(parts)])


_SHARED = train_tokenizer(FUNCTIONS, 1500)


def test_an_empty_text_has_no_ids(tokenizer: Tokenizer) -> None:
    fast = WordTokens(tokenizer, WORDS)
    assert [len(ids) for ids in fast.codes(["", "  \n", "+-*/"], 10)] == [0, 0, 0]


def test_what_is_remembered_has_a_bound(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered_ids, "MAX_REMEMBERED", 50)
    fast = WordTokens(tokenizer, WORDS)
    for text in FUNCTIONS[:40]:
        expected = encode_batch(tokenizer, [WORDS.code_text(text)], 4096)[0].tolist()
        assert fast.codes([text], 4096)[0].tolist() == expected


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60), st.integers(1, 60))
def test_counted_ids_are_the_same_ids(text: str, max_tokens: int) -> None:
    fast = WordTokens(_SHARED, WORDS)
    for plain, counted in (
        (fast.codes([text], max_tokens), fast.counted_codes([text], max_tokens)),
        (fast.queries([text], max_tokens), fast.counted_queries([text], max_tokens)),
    ):
        ids, counts = counted[0]
        assert sorted(np.repeat(ids, counts).tolist()) == sorted(plain[0].tolist())
