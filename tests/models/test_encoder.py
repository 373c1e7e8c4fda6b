"""The encoder is a sentence-transformers model that loads and embeds as it was saved."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codefit.errors import InputError
from codefit.models.encoder import PRESETS, EncoderShape, count_parameters, new_encoder, save_encoder
from codefit.models.tokenizer import encode_batch, load_tokenizer, save_tokenizer, train_tokenizer

TEXTS = ["def open_file(path): return open(path)", "class Tree: pass", "", "x = 1", "for i in range(9): print(i)\n" * 9]
SHAPE = EncoderShape(hidden=32, layers=2, heads=2, ffn=64, max_tokens=24, projection=16)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS * 3, 400)


@pytest.fixture(scope="module")
def saved(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    network = new_encoder(SHAPE, tokenizer, seed=3)
    save_encoder(network, folder)
    return network, folder


def test_the_saved_folder_loads_to_the_same_vectors(saved):
    from sentence_transformers import SentenceTransformer

    network, folder = saved
    loaded = SentenceTransformer(str(folder), device="cpu")
    vectors = network.encode(TEXTS)
    np.testing.assert_allclose(loaded.encode(TEXTS), vectors, atol=1e-5)
    assert [type(module).__name__ for module in loaded] == ["Transformer", "Pooling", "Dense", "Normalize"]
    assert {name for name, _ in loaded.named_parameters()} == {name for name, _ in network.named_parameters()}
    assert loaded.max_seq_length == SHAPE.max_tokens
    assert loaded.get_embedding_dimension() == SHAPE.projection


def test_loading_says_nothing_of_missing_weights(saved, capfd):
    from sentence_transformers import SentenceTransformer

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SentenceTransformer(str(saved[1]), device="cpu")
    assert "MISSING" not in "".join(capfd.readouterr())


def test_the_saved_tokenizer_is_the_one_that_was_given(saved, tokenizer, tmp_path: Path):
    network, folder = saved
    network.encode(TEXTS)  # leaves padding and truncation in the tokenizer
    save_encoder(network, tmp_path)
    save_tokenizer(tokenizer, tmp_path / "given.json")
    given = (tmp_path / "given.json").read_bytes()
    assert (tmp_path / "tokenizer.json").read_bytes() == (folder / "tokenizer.json").read_bytes() == given
    for ours, theirs in zip(
        encode_batch(load_tokenizer(folder), TEXTS, SHAPE.max_tokens),
        encode_batch(tokenizer, TEXTS, SHAPE.max_tokens),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_text_is_its_tokens_without_marks_and_cut(saved, tokenizer):
    features = saved[0].preprocess(TEXTS)
    for row, mask, ids in zip(
        features["input_ids"], features["attention_mask"], encode_batch(tokenizer, TEXTS, SHAPE.max_tokens), strict=True
    ):
        assert row[mask.bool()].tolist() == ids.tolist()
    assert features["input_ids"].shape[1] == SHAPE.max_tokens


def test_padding_changes_no_vector_and_an_empty_text_has_a_finite_one(saved):
    network, _ = saved
    together = network.encode(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        if text:
            np.testing.assert_allclose(network.encode([text])[0], vector, atol=1e-5)
            assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert not together[TEXTS.index("")].any()


def test_the_mean_is_over_tokens_and_the_projection_has_no_bias(saved, tokenizer):
    import torch

    network, _ = saved
    network.eval()
    ids = torch.from_numpy(encode_batch(tokenizer, TEXTS[:1], SHAPE.max_tokens)[0]).long()[None]
    with torch.no_grad():
        hidden = network[0].model(input_ids=ids).last_hidden_state[0]
    projected = hidden.mean(dim=0).double().numpy() @ network[2].linear.weight.detach().double().numpy().T
    np.testing.assert_allclose(network.encode(TEXTS[:1])[0], projected / np.linalg.norm(projected), atol=1e-5)


def test_the_same_seed_gives_the_same_network_and_leaves_random_numbers_alone(tokenizer):
    import torch

    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first, second = (new_encoder(SHAPE, tokenizer, seed=5) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    other = new_encoder(SHAPE, tokenizer, seed=6)
    for (name, a), b, c in zip(first.named_parameters(), second.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b), name
        assert a.ndim == 1 or not torch.equal(a, c), name


def test_parameters_are_counted(tokenizer):
    vocabulary, h = tokenizer.get_vocab_size(), SHAPE.hidden
    embeddings = (vocabulary + SHAPE.max_tokens + 1) * h + 2 * h
    layer = 4 * (h * h + h) + 2 * h * SHAPE.ffn + SHAPE.ffn + h + 4 * h
    network = new_encoder(SHAPE, tokenizer, seed=0)
    assert count_parameters(network) == embeddings + SHAPE.layers * layer + h * SHAPE.projection


def test_presets_shrink_from_the_reference(tokenizer):
    assert PRESETS["reference"] == EncoderShape(512, 8, 8, 2048, 256, 384, 0.1)
    sizes = [count_parameters(new_encoder(PRESETS[name], tokenizer, seed=0)) for name in ("reference", "small", "tiny")]
    assert sizes == sorted(sizes, reverse=True)


def test_what_cannot_be_built_is_refused(tokenizer):
    with pytest.raises(InputError, match=r"hidden size 32 does not divide into 3 heads"):
        new_encoder(replace(SHAPE, heads=3), tokenizer, seed=0)
    with pytest.raises(InputError, match=r"no <\|pad\|> token"):
        new_encoder(SHAPE, train_tokenizer(TEXTS, 400, special_tokens=["<s>"]), seed=0)
