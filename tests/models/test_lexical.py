"""Words of identifiers, and BM25 held against its formula and against bm25s."""

from __future__ import annotations

import math
import re
from collections import Counter

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.models.lexical import BM25, K1, SIGNATURE_BONUS, SIGNATURE_WORDS, B, WeightedBM25, code_words, stems

WORD = st.text(st.sampled_from("abcdefgköñ"), min_size=2, max_size=8)
WORDS = st.lists(WORD, min_size=1, max_size=6)
ANY = st.text(st.characters(exclude_categories=["Cs"]))
TEXTS = [
    "def read_header(stream): return stream.read()",
    "def writeHeader(stream, header): stream.write(header)",
    "class HTTPServer: pass",
    "",
    "return read_header(read_header(header))",
    "!!!",
]


@given(WORDS)
def test_every_way_of_joining_words_gives_the_words(words: list[str]) -> None:
    for joined in (
        "_".join(words),
        "__" + "_".join(words),
        "-".join(words),
        "_".join(words).upper(),
        "".join(word.capitalize() for word in words),
        words[0] + "".join(word.capitalize() for word in words[1:]),
    ):
        assert code_words(joined) == words


@given(st.text(st.sampled_from("ABCDÄ"), min_size=2, max_size=5), WORDS)
def test_an_acronym_stands_apart_from_the_word_after_it(acronym: str, words: list[str]) -> None:
    pascal = "".join(word.capitalize() for word in words)
    assert code_words(acronym + pascal) == [acronym.lower(), *words]
    assert code_words(pascal + acronym) == [*words, acronym.lower()]


@given(ANY)
def test_no_letter_or_digit_is_lost(text: str) -> None:
    words = code_words(text)
    letters = "".join(re.findall(r"[^\W_]", text)).lower()
    # How a capital sigma is lowered hangs on what follows it.
    assert "".join(words).replace("ς", "σ") == letters.replace("ς", "σ")
    assert all(word == word.lower() and not re.search(r"[\W_]", word.replace("\u0307", "")) for word in words)


@given(ANY, ANY)
def test_blanks_between_texts_keep_their_words_apart(one: str, two: str) -> None:
    assert code_words(f"{one} {two}") == code_words(one) + code_words(two)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("parseHTMLString2Int", ["parse", "html", "string", "2", "int"]),
        ("IOError XMLHttpRequest", ["io", "error", "xml", "http", "request"]),
        ("getURLs", ["get", "ur", "ls"]),
        ("utf8_decode x86_64", ["utf", "8", "decode", "x", "86", "64"]),
        ("Größe naïve ÉCOLE straßeNeu", ["größe", "naïve", "école", "straße", "neu"]),
        ("привет мир", ["привет", "мир"]),
        ("中文_变量 x中文", ["中文", "变量", "x", "中文"]),
        ("a×b÷c", ["a", "b", "c"]),
        ("", []),
        ("__ -- \n\t", []),
    ],
)
def test_the_words_of(text: str, words: list[str]) -> None:
    assert code_words(text) == words


def lucene(texts: list[list[str]], query: list[str]) -> list[float]:
    """Robertson and Zaragoza's BM25 with Lucene's idf, a document at a time."""
    mean = sum(map(len, texts)) / len(texts)
    scores = []
    for words in texts:
        counts, score = Counter(words), 0.0
        for word in query:
            holding = sum(word in other for other in texts)
            idf = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
            score += idf * counts[word] / (counts[word] + K1 * (1 - B + B * len(words) / mean))
        scores.append(score)
    return scores


QUERIES = ["read header", "readHeader readHeader", "HTTP server", "nothing known", "", "stream", "write the header"]


@pytest.mark.parametrize("query", QUERIES)
def test_bm25_is_the_formula(query: str) -> None:
    expected = lucene([code_words(text) for text in TEXTS], code_words(query))
    np.testing.assert_allclose(BM25(TEXTS).scores(query), expected, rtol=1e-5, atol=1e-7)


def test_bm25_is_bm25s() -> None:
    peer = bm25s.BM25(method="lucene", k1=K1, b=B)
    peer.index([code_words(text) for text in TEXTS], show_progress=False)
    for query in ("read header", "http server", "write stream header"):
        np.testing.assert_allclose(BM25(TEXTS).scores(query), peer.get_scores(query.split()), rtol=1e-6)


def test_a_matrix_is_the_scores_query_by_query() -> None:
    matrix = BM25(TEXTS).score_matrix(QUERIES)
    assert matrix.shape == (len(QUERIES), len(TEXTS))
    for row, query in zip(matrix, QUERIES, strict=True):
        np.testing.assert_array_equal(row, BM25(TEXTS).scores(query))


@pytest.mark.parametrize("texts", [["", "!"], [""]])
def test_texts_without_words_score_nothing(texts: list[str]) -> None:
    assert BM25(texts).scores("read").tolist() == [0.0] * len(texts)
    assert WeightedBM25(texts).score_matrix(["read", ""]).tolist() == [[0.0] * len(texts)] * 2


def test_stems_join_the_endings_of_a_word() -> None:
    assert stems("returns returned returning return") == ["return"] * 4
    assert stems("is used this bed ring class boxes") == ["is", "used", "thi", "bed", "ring", "clas", "box"]


def test_the_weighted_form_counts_the_signature_again() -> None:
    texts = [
        "def total(rows):\n    one = two(three, four, five, six)\n    return seven(headers)",
        "def headers(rows):\n    one = two(three, four, five, six)\n    return seven(total)",
    ]
    words = [stems(text) for text in texts]
    expected = lucene([w + w[:SIGNATURE_WORDS] * SIGNATURE_BONUS for w in words], ["header"])
    scores = WeightedBM25(texts).scores("header")
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    assert scores[1] > scores[0]
    plain = BM25(texts).scores("headers")
    assert plain[0] == pytest.approx(plain[1])
