"""The static table: what it computes, and that sentence-transformers computes the same from the saved folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from codefit.models.static import StaticTable, new_table, weigh_by_rarity
from codefit.models.tokenizer import encode_batch, train_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CODE = [
    "def read_header(stream):\n    return stream.read()\n",
    "def writeHeader(stream, header):\n    stream.write(header)\n",
    "class HTTPServer:\n    def serve(self, port=8080): pass\n",
    "Read the header of a stream, then write the header.\n",
] * 3


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(CODE, 400)


@pytest.fixture
def table(tokenizer: Tokenizer) -> StaticTable:
    table = new_table(tokenizer, 24, seed=1)
    weigh_by_rarity(table, table.bags(encode_batch(tokenizer, CODE, 1000)))
    return table


def test_a_text_is_the_unit_mean_of_its_weighted_tokens(table: StaticTable, tokenizer: Tokenizer) -> None:
    for text in CODE[:4]:
        ids = tokenizer.encode(text).ids
        rows = [int(table.row_of[i]) for i in ids]
        mean = np.mean([table.weights[row] * table.vectors[row] for row in rows], axis=0)
        (found,) = table.embed([np.array(ids, dtype=np.int32)])
        np.testing.assert_allclose(found, mean / np.linalg.norm(mean), atol=1e-6)


def test_bags_count_rows_of_the_table(table: StaticTable, tokenizer: Tokenizer) -> None:
    ids = encode_batch(tokenizer, ["header Header read", "", " header"], 100)
    bags = table.bags(ids)
    row = int(table.row_of[tokenizer.token_to_id("header")])
    assert bags.shape == (3, len(table.vectors))
    assert bags[:, row].toarray().ravel().tolist() == [2, 0, 1]
    assert bags.sum(axis=1).ravel().tolist() == [[len(i) for i in ids]]
    assert table.bags([]).shape == (0, len(table.vectors))
    assert table.bags([np.zeros(0, dtype=np.int32)]).sum() == 0


def test_texts_without_tokens_are_zero_and_others_have_unit_length(table: StaticTable, tokenizer: Tokenizer) -> None:
    vectors = table.embed(encode_batch(tokenizer, ["", *CODE, ""], 1000))
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths, [0, *[1] * len(CODE), 0], atol=1e-6)
    assert vectors.dtype == np.float32


def test_a_new_table_has_a_row_a_word_and_hangs_on_its_seed(tokenizer: Tokenizer) -> None:
    table = new_table(tokenizer, 64, seed=3)
    words = [int(table.row_of[tokenizer.token_to_id(piece)]) for piece in ("header", "Header", "Ġheader")]
    assert len(set(words)) == 1
    assert sorted(set(table.row_of.tolist())) == list(range(len(table.vectors)))
    assert len(table.vectors) < tokenizer.get_vocab_size()
    assert table.dimensions == 64
    assert np.linalg.norm(table.vectors, axis=1).mean() == pytest.approx(0.8, rel=0.05)
    np.testing.assert_array_equal(table.vectors, new_table(tokenizer, 64, seed=3).vectors)
    assert not np.array_equal(table.vectors, new_table(tokenizer, 64, seed=4).vectors)


def test_weights_are_the_rarity_of_words(table: StaticTable, tokenizer: Tokenizer) -> None:
    bags = table.bags(encode_batch(tokenizer, CODE, 1000))
    holding = (bags.toarray() > 0).sum(axis=0)
    idf = np.log(1 + (len(CODE) - holding + 0.5) / (holding + 0.5))
    np.testing.assert_allclose(table.weights[:, 0], idf / idf.mean(), rtol=1e-5)
    assert table.weights.shape == (len(table.vectors), 1)
    common, rare = (int(table.row_of[tokenizer.token_to_id(piece)]) for piece in ("Ġheader", "class"))
    assert table.weights[rare] > table.weights[common]


def test_sentence_transformers_loads_the_folder_to_the_same_vectors(
    table: StaticTable, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    table.save(tmp_path)
    texts = [*CODE[:4], "x = '👩‍👩‍👧' # naïve 中文\r\n\t\0", "readHTTPHeader " * 700, "<|pad|> header", "_"]
    model = SentenceTransformer(str(tmp_path), device="cpu")
    ours = table.embed(encode_batch(tokenizer, texts, 10_000))
    np.testing.assert_allclose(model.encode(texts), ours, atol=1e-5)
    np.testing.assert_allclose(
        model.encode(texts, batch_size=1, convert_to_numpy=True), ours, atol=1e-5, err_msg="batches change vectors"
    )
    weights = {path.name for path in tmp_path.rglob("*") if path.suffix in (".safetensors", ".bin", ".pt", ".pkl")}
    assert weights == {"model.safetensors"}


def test_the_saved_tables_rows_are_the_tokens_own(table: StaticTable, tmp_path: Path) -> None:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer as Loaded

    table.save(tmp_path)
    (weights,) = tmp_path.rglob("*.safetensors")
    (saved,) = load_file(weights).values()
    np.testing.assert_array_equal(saved, table.token_vectors())
    assert saved.shape == (table.tokenizer.get_vocab_size(), table.dimensions)
    assert Loaded.from_file(str(weights.with_name("tokenizer.json"))).to_str() == table.tokenizer.to_str()
