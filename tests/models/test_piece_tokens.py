"""Ids by way of remembered pieces are those of the tokenizer, whatever the text."""

from __future__ import annotations

import inspect
import json
import shutil
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from codefit.models import piece_tokens, remembered_ids
from codefit.models.piece_tokens import PieceTokens, has_identifier_pieces
from codefit.models.tokenizer import PAD, train_tokenizer

FUNCTIONS = [
    inspect.getsource(value)
    for module in (json, shutil, inspect)
    for value in vars(module).values()
    if inspect.isfunction(value) and value.__module__ == module.__name__
]
TOKENIZER = train_tokenizer(FUNCTIONS, 1500)


def expected(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]


def same(texts: Sequence[str], tokenizer: Tokenizer = TOKENIZER, max_tokens: int = 100_000) -> None:
    fast = PieceTokens(tokenizer)
    wanted = [ids[:max_tokens] for ids in expected(tokenizer, texts)]
    assert fast.ids(texts, max_tokens) == wanted
    for (ids, times), whole in zip(fast.counted(texts, max_tokens), wanted, strict=True):
        assert sorted(np.repeat(ids, times).tolist()) == sorted(whole)


def test_real_files() -> None:
    root = Path(sysconfig.get_path("stdlib"))
    same([path.read_text(encoding="utf-8") for path in sorted(root.glob("*.py"))[:80]])


def test_most_code_takes_the_fast_way() -> None:
    fast = PieceTokens(TOKENIZER)
    assert all(fast._pieces(text) is not None for text in FUNCTIONS if text.isascii())
    assert fast._pieces("naïve") is None


@settings(max_examples=500, deadline=None)
@given(st.text("aB0_ \t\n\r\f\v.-$", max_size=40))
def test_any_mixture_of_what_the_pattern_tells_apart(text: str) -> None:
    same([text])


@settings(max_examples=300, deadline=None)
@given(st.text([chr(code) for code in range(128)], max_size=60))
def test_any_ascii(text: str) -> None:
    same([text])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=30), max_size=5))
def test_any_text(texts: list[str]) -> None:
    same(texts)


def test_texts_are_cut() -> None:
    same(FUNCTIONS, max_tokens=11)


def test_a_special_token_in_a_text_is_one() -> None:
    same([f"before {PAD} after", PAD, f"x{PAD[:-1]}"])


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    assert PieceTokens(TOKENIZER).ids(["a\ud800b"], 10) == expected(TOKENIZER, ["a?b"])


def test_other_tokenizers_are_asked_themselves() -> None:
    assert has_identifier_pieces(TOKENIZER)
    assert has_identifier_pieces(Tokenizer.from_str(TOKENIZER.to_str()))
    plain = train_tokenizer(FUNCTIONS, 1000, splitting="gpt2")
    words = Tokenizer(models.WordLevel({"def": 0, "?": 1}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    for tokenizer in (plain, words):
        assert not has_identifier_pieces(tokenizer)
        same(FUNCTIONS[:20], tokenizer)


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered_ids, "MAX_REMEMBERED", 60)
    fast = PieceTokens(TOKENIZER)
    for text in FUNCTIONS[:30]:
        assert fast.ids([text], 10_000) == expected(TOKENIZER, [text])


def test_every_character_of_ascii_is_written_as_the_tokenizer_writes_it() -> None:
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for character in map(chr, range(128)):
        assert piece_tokens._as_bytes(character) == byte_level.pre_tokenize_str(character)[0][0]
