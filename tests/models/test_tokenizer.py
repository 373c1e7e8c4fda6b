"""The tokenizer gives every text back, keeps to the words of identifiers, and is the same each time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codefit.errors import InputError
from codefit.models.lexical import code_words
from codefit.models.tokenizer import (
    PAD,
    case_folding,
    compare_with_plain,
    encode_batch,
    load_tokenizer,
    save_tokenizer,
    tokens_per_byte,
    train_tokenizer,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
CODE = [
    'def read_http_header(self, http_header):\n    """Read one."""\n    return self.readHTTPHeader(http_header)\n',
    "class HTTPHeaderReader {\n\tint readHeader(Header h) { return h.read_count + READ_COUNT; }\n}\n",
    "func (r *Reader) ReadHeader(count int) (*Header, error) {\n\treturn r.header, nil\n}\n",
    "// Read the header of a count.\nif (header.count >= 1000000) { return readHeader(header); }\r\n",
] * 4


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(CODE, 600)


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    return [text[start:end] for start, end in tokenizer.encode(text).offsets]


@given(TEXT)
@example("👩‍👩‍👧 x = '🇩🇪'\0\0\r\n\t\r\n e\u0301\u0308 \u200b\u2028 ﬁ Ǆ İ")
@example("\n\n   \t  \n")
@example("a\rb\r\r\nc\x85d\x1ce")
@example(PAD + " " + PAD)
@example("\ufeffdef f():\xa0pass\ufffd\U0010ffff")
def test_every_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    (ids,) = encode_batch(tokenizer, [text], 10_000)
    assert tokenizer.decode(ids.tolist(), skip_special_tokens=False) == text


@settings(max_examples=30)
@given(st.text(st.sampled_from("aZ_1 \n\tö中é'\"(=.👩"), max_size=40))
def test_short_alphabets_come_back_too(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


WORD = st.text(st.sampled_from("readhcountstrg"), min_size=2, max_size=8)


@given(st.lists(WORD, min_size=1, max_size=5), st.sampled_from(["camel", "pascal", "snake", "upper"]))
def test_no_piece_crosses_two_words_of_an_identifier(tokenizer: Tokenizer, words: list[str], style: str) -> None:
    name = {
        "camel": words[0] + "".join(word.capitalize() for word in words[1:]),
        "pascal": "".join(word.capitalize() for word in words),
        "snake": "_".join(words),
        "upper": "_".join(words).upper(),
    }[style]
    for piece in pieces(tokenizer, f"x = {name}(1)"):
        assert len(code_words(piece)) <= 1


def test_the_words_of_an_identifier_are_learned_as_such(tokenizer: Tokenizer) -> None:
    assert pieces(tokenizer, "readHTTPHeader read_http_header") == [
        "read",
        "HTTP",
        "Header",
        " read",
        "_http",
        "_header",
    ]
    assert pieces(tokenizer, "HTTPHeader") == ["HTTP", "Header"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x2000000 12", ["x", "200", "000", "0", " 12"]),
        ("getURLs HTTPServer", ["get", "UR", "Ls", " HTTP", "Server"]),
        ("__init__(self)", ["_", "_init", "__(", "self", ")"]),
        ("a_b _c a__d", ["a", "_b", " _", "c", " a", "_", "_d"]),
        ("if x:\n        y  z", ["if", " x", ":", "\n        ", "y", " ", " z"]),
        ("x += 1 # ok", ["x", " +=", " 1", " #", " ok"]),
        ("größe中文", ["größe中文"]),
    ],
)
def test_merges_stay_inside_these_parts(tokenizer: Tokenizer, text: str, parts: list[str]) -> None:
    split = tokenizer.pre_tokenizer.pre_tokenize_str(text)
    assert [text[start:end] for _, (start, end) in split] == parts


def test_a_plain_tokenizer_does_cross_words() -> None:
    plain = train_tokenizer(CODE, 600, splitting="gpt2")
    assert any(len(code_words(piece)) > 1 for piece in pieces(plain, "readHTTPHeader HTTPHeaderReader"))


def test_the_same_texts_give_the_same_tokenizer_in_every_process(tokenizer: Tokenizer) -> None:
    program = "import json, sys; from codefit.models.tokenizer import train_tokenizer; "
    program += "sys.stdout.write(train_tokenizer(json.load(sys.stdin), 600).to_str())"
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program], input=json.dumps(CODE), capture_output=True, text=True, check=True
        )
        assert done.stdout == tokenizer.to_str()


def test_special_tokens_have_the_first_ids_and_are_never_part_of_a_merge() -> None:
    learned = train_tokenizer([*CODE, PAD * 20], 600, special_tokens=(PAD, "<|mask|>"))
    assert [learned.token_to_id(PAD), learned.token_to_id("<|mask|>")] == [0, 1]
    assert learned.get_vocab_size() <= 600


def test_case_folding_joins_the_ways_to_write_a_word(tokenizer: Tokenizer) -> None:
    folded = case_folding(tokenizer)
    assert folded.shape == (tokenizer.get_vocab_size(),)
    assert (folded <= np.arange(len(folded))).all()
    assert (folded[folded] == folded).all()
    ids = [tokenizer.token_to_id(piece) for piece in ("header", "Header", "Ġheader", "_header", "ĠHeader")]
    assert len(set(ids)) == 5
    assert len({int(folded[i]) for i in ids if i is not None}) == 1
    other = tokenizer.token_to_id("count")
    assert folded[other] != folded[ids[0]]
    # What is no text by itself keeps its own vector: blanks, half a character, the padding.
    for alone in (PAD, "Ġ", "_", "Ã", "ĉ"):
        place = tokenizer.token_to_id(alone)
        assert folded[place] == place
        assert (folded == place).sum() == 1
    # An indent is its line break.
    assert folded[tokenizer.token_to_id("ĊĠĠĠĠ")] == tokenizer.token_to_id("Ċ")


def test_tokens_per_byte_counts_utf8_bytes(tokenizer: Tokenizer) -> None:
    texts = {"python": CODE[:2], "german": ["Größe"], "none": []}
    found = tokens_per_byte(tokenizer, texts)
    assert found["python"] == sum(len(tokenizer.encode(t).ids) for t in CODE[:2]) / sum(len(t) for t in CODE[:2])
    assert found["german"] == len(tokenizer.encode("Größe").ids) / 7
    assert found["none"] == 0


def test_the_comparison_is_with_a_plain_tokenizer_of_the_same_size_and_texts(tokenizer: Tokenizer) -> None:
    found = compare_with_plain(tokenizer, iter(CODE), {"python": CODE[:1]})
    plain = train_tokenizer(CODE, tokenizer.get_vocab_size(), splitting="gpt2")
    assert found == {
        "python": {
            "bytes": len(CODE[0]),
            "tokens_per_byte": len(tokenizer.encode(CODE[0]).ids) / len(CODE[0]),
            "plain_tokens_per_byte": len(plain.encode(CODE[0]).ids) / len(CODE[0]),
        }
    }
    assert found["python"]["tokens_per_byte"] != found["python"]["plain_tokens_per_byte"]


def test_texts_are_cut_at_the_limit(tokenizer: Tokenizer) -> None:
    whole, cut, empty = (
        encode_batch(tokenizer, [CODE[0], CODE[0], ""], 1000)[0],
        *encode_batch(tokenizer, [CODE[0], ""], 5),
    )
    assert cut.tolist() == whole[:5].tolist()
    assert (cut.dtype, len(empty)) == (np.int32, 0)


@pytest.mark.parametrize("size", [-1, 0, 256])
def test_a_vocabulary_that_cannot_hold_the_bytes_is_refused(size: int) -> None:
    with pytest.raises(InputError, match=f"vocab size {size} is below the 256 bytes and 1 special tokens"):
        train_tokenizer(CODE, size)


@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_an_empty_corpus_is_refused(texts: list[str]) -> None:
    with pytest.raises(InputError, match="no text to learn a tokenizer from"):
        train_tokenizer(texts, 600)


def test_a_saved_tokenizer_is_read_back_from_file_and_folder(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path / "tokenizer.json")
    for place in (tmp_path, tmp_path / "tokenizer.json"):
        assert load_tokenizer(place).to_str() == tokenizer.to_str()


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe\x00", None])
def test_a_broken_tokenizer_json_is_one_clear_error(
    tokenizer: Tokenizer, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "tokenizer.json"
    whole = tokenizer.to_str().encode()
    file.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(InputError, match=r"not a tokenizer\.json") as caught:
        load_tokenizer(tmp_path)
    assert caught.value.where == str(file)


def test_a_missing_tokenizer_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no tokenizer there; train one with: codefit tokenizer train"):
        load_tokenizer(tmp_path)
