"""Text as it comes: whatever way it is split, the pieces are the whole, and no part of a stop string is among them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codefit.models.generation_text import CUT_CHARACTER, StopText, TokenText
from tiny_language_models import VOCAB_SIZE, tiny_language_model, tiny_lm_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SPLIT = st.lists(st.integers(0, 40), max_size=12)


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    return tiny_language_model().tokenizer


def decoded(ids: Sequence[int]) -> str:
    return tiny_lm_tokenizer().decode(list(ids), skip_special_tokens=False)


def streamed(ids: Sequence[int], prompt: Sequence[int] = ()) -> list[str]:
    text = TokenText(tokenizer(), prompt)
    return [*(text.push(token) for token in ids), text.rest()]


def byte_tokens(text: str) -> list[int]:
    """A token for each byte: every character beyond ASCII is cut."""
    alphabet = {token: id_ for token, id_ in tiny_lm_tokenizer().get_vocab().items() if len(token) == 1}
    from tokenizers import pre_tokenizers

    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return [alphabet[letter] for piece, _ in level.pre_tokenize_str(text) for letter in piece]


@settings(deadline=None)
@given(st.lists(st.integers(0, VOCAB_SIZE - 1), max_size=40), st.text(max_size=10))
def test_pieces_of_any_tokens_are_the_decoded_whole(ids: list[int], before: str) -> None:
    prompt = byte_tokens(before)
    assert "".join(streamed(ids, prompt)) == decoded([*prompt, *ids])[len(before) :]


@settings(deadline=None)
@given(st.text(max_size=20), SPLIT)
def test_any_split_of_a_text_into_tokens_comes_out_as_the_text(text: str, cuts: list[int]) -> None:
    ids: list[int] = []
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    for number, (start, end) in enumerate(itertools.pairwise(edges)):
        part = text[start:end]
        # Pieces of several characters where the tokenizer has them unchanged (it composes accents), else bytes.
        encoded = tiny_lm_tokenizer().encode(part).ids
        ids += encoded if number % 2 and decoded(encoded) == part else byte_tokens(part)
    pieces = streamed(ids)
    assert "".join(pieces) == text
    if CUT_CHARACTER not in text:
        assert all(piece in text for piece in pieces)
        assert pieces[-1] == ""  # nothing whole was kept back


def test_a_character_comes_with_its_last_byte() -> None:
    assert streamed(byte_tokens("a€🙂")) == ["a", "", "", "€", "", "", "", "🙂", ""]


def test_bytes_that_never_become_a_character_come_at_the_end() -> None:
    assert streamed(byte_tokens("€")[:2]) == ["", "", CUT_CHARACTER]


def test_a_blank_before_the_first_word_is_kept_where_a_decoder_drops_it_at_the_start_of_a_text() -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({"▁def": 0, "▁main": 1, "<unk>": 2}, unk_token="<unk>"))
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    sentencepiece = PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>")
    assert TokenText(sentencepiece).push(1) == "main"
    assert TokenText(sentencepiece, [0]).push(1) == " main"


STOPS = st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3)


def stopped(parts: Sequence[str], stops: Sequence[str]) -> tuple[list[str], bool]:
    text = StopText(stops)
    return [*(text.push(part) for part in parts), text.rest()], text.stopped


@settings(max_examples=400, deadline=None)
@given(st.text("ab\nc", max_size=20), STOPS, SPLIT)
def test_no_part_of_a_stop_string_comes_out_however_the_text_is_split(
    text: str, stops: list[str], cuts: list[int]
) -> None:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces, hit = stopped([text[start:end] for start, end in itertools.pairwise(edges)], stops)
    # Told without a stream: the stop string that ends first, and of those the longest.
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    assert "".join(pieces) == (text[: min(ends)[1]] if ends else text)
    assert hit == bool(ends)
    assert not any(stop in "".join(pieces) for stop in stops)


@settings(deadline=None)
@given(st.text("ab\nc", max_size=20), STOPS)
def test_only_what_may_become_a_stop_string_is_held_back(text: str, stops: list[str]) -> None:
    reader = StopText(stops)
    given_out = ""
    for count, letter in enumerate(text, 1):
        given_out += reader.push(letter)
        if reader.stopped:
            return
        held = text[len(given_out) : count]
        assert given_out + held == text[:count]
        assert not held or any(stop.startswith(held) and stop != held for stop in stops)


@pytest.mark.parametrize(
    ("parts", "stops", "pieces"),
    [
        (["a = 1", "\n", "\ndef"], ["\n\n"], ["a = 1", "", "", ""]),
        (["a = 1", "\n", "b"], ["\n\n"], ["a = 1", "", "\nb", ""]),
        (["a = 1\n"], ["\n\n"], ["a = 1", "\n"]),
        (["xx", "END", "yy"], ["END"], ["xx", "", "", ""]),
        (["aab"], ["ab", "b"], ["a", ""]),
    ],
)
def test_stop_strings_across_pieces(parts: list[str], stops: list[str], pieces: list[str]) -> None:
    assert stopped(parts, stops)[0] == pieces
