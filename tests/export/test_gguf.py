"""GGUF files: transformers reads back the same model and tokens; what llama.cpp reads otherwise is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from codefit.errors import CodefitError, InputError
from codefit.export.gguf import GgufType, check_gguf_tokens, load_gguf, write_gguf
from codefit.models.language_model import LanguageModelShape, encode_texts, load_language_model
from export.adapters import lm_tokenizer, write_base
from small_models import standard_functions

gguf = pytest.importorskip("gguf")
SHAPE = LanguageModelShape(hidden=64, layers=2, heads=4, kv_heads=2, ffn=96, context=128)
ODD = (
    "<|fim_prefix|>def f(<|fim_suffix|>):<|fim_middle|> größer 日本 x\u0301"
    " \t\t  x='s'\r\n\r\n 12345 ___ it's<|endoftext|>"
)


def write_qwen2(folder: Path) -> Path:
    """What the recipes make: tied, in several files."""
    return write_base(folder, shape=SHAPE, shard="60KB")


def write_llama(folder: Path) -> Path:
    """A Llama of like size: untied, and its queries and keys are stored in another order in GGUF."""
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    config = LlamaConfig(
        vocab_size=lm_tokenizer().get_vocab_size() + 3,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        rms_norm_eps=1e-5,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=lm_tokenizer(), eos_token="<|endoftext|>", pad_token="<|pad|>"
    ).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("make", [write_qwen2, write_llama])
@pytest.mark.parametrize(("kind", "largest"), [("f32", 1e-6), ("f16", 0.01), ("q8_0", 0.1)])
def test_transformers_reads_the_same_model_back(tmp_path: Path, make: Any, kind: GgufType, largest: float) -> None:
    model = make(tmp_path / "model")
    report = write_gguf(model, tmp_path / "model.gguf", kind)
    back, own = load_gguf(tmp_path / "model.gguf"), load_language_model(model, device="cpu")
    ids = torch.tensor(encode_texts(own.tokenizer, [standard_functions()[2]]))[:, :100]
    with torch.no_grad():
        wanted, found = own.model(ids).logits, back.model(ids).logits
    assert (found - wanted).std() < largest * wanted.std()
    assert back.end == own.end
    assert back.context == own.context
    check_gguf_tokens(model, back, [*standard_functions(), ODD])
    assert sum(report["types"].values()) == report["tensors"]
    assert kind == "f32" or report["types"][kind.upper()] > 10


def test_the_file_says_what_llama_cpp_asks_for(tmp_path: Path) -> None:
    model = write_llama(tmp_path / "model")
    write_gguf(model, tmp_path / "model.gguf", "q8_0")
    reader = gguf.GGUFReader(tmp_path / "model.gguf")
    told = {name: field.contents() for name, field in reader.fields.items()}
    assert told["general.architecture"] == "llama"
    assert told["general.file_type"] == gguf.LlamaFileType.MOSTLY_Q8_0
    assert told["llama.attention.head_count_kv"] == 2
    assert told["llama.rope.dimension_count"] == 16
    assert told["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-5)
    assert told["tokenizer.ggml.model"] == "gpt2"
    assert told["tokenizer.ggml.pre"] == "qwen2"
    assert told["tokenizer.ggml.eos_token_id"] == 1
    types = told["tokenizer.ggml.token_type"]
    assert len(told["tokenizer.ggml.tokens"]) == len(types) == lm_tokenizer().get_vocab_size() + 3
    assert types[:3] == [3, 3, 3]  # control
    assert types[-4:] == [1, 5, 5, 5]  # three rows of the embedding that no token has
    assert told["tokenizer.ggml.merges"][0] == " ".join(json.loads(lm_tokenizer().to_str())["model"]["merges"][0])
    vectors = [tensor for tensor in reader.tensors if len(tensor.shape) == 1]
    assert {tensor.tensor_type.name for tensor in vectors} == {"F32"}


def test_rows_that_are_no_whole_blocks_stay_f16(tmp_path: Path) -> None:
    model = write_base(tmp_path / "m", shape=LanguageModelShape(hidden=48, layers=1, heads=4, kv_heads=2, ffn=96))
    report = write_gguf(model, tmp_path / "model.gguf", "q8_0")
    assert report["types"] == {"F16": 7, "F32": 6, "Q8_0": 1}  # 96 numbers of the second feed-forward matrix
    assert load_gguf(tmp_path / "model.gguf").model.config.hidden_size == 48


def _config(model: Path, **changed: Any) -> None:
    file = model / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changed}))


def _splitting(model: Path, change: Any) -> None:
    file = model / "tokenizer.json"
    settings = json.loads(file.read_text())
    change(settings)
    file.write_text(json.dumps(settings))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda m: _config(m, model_type="gpt_neox"), "no GGUF of a gpt_neox model"),
        (
            lambda m: _config(m, rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}),
            "no GGUF of a model with linear positions",
        ),
        (lambda m: _config(m, use_sliding_window=True, sliding_window=64), "sliding attention"),
        (lambda m: _config(m, quantization_config={"quant_method": "bitsandbytes"}), "the model is quantized"),
        (
            lambda m: _splitting(m, lambda s: s["pre_tokenizer"]["pretokenizers"][0]["pattern"].update(Regex="a|b")),
            "does not know how this tokenizer cuts a text.*splitting of qwen2",
        ),
        (lambda m: _splitting(m, lambda s: s.update(pre_tokenizer={"type": "Whitespace"})), "no byte-level BPE"),
    ],
    ids=["architecture", "positions", "sliding", "quantized", "splitting", "whitespace"],
)
def test_a_model_that_llama_cpp_would_read_otherwise_is_refused(tmp_path: Path, damage: Any, message: str) -> None:
    model = write_base(tmp_path / "model", shape=SHAPE)
    damage(model)
    with pytest.raises(InputError, match=message):
        write_gguf(model, tmp_path / "model.gguf")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_numbers_too_large_for_f16_are_no_f16_file(tmp_path: Path) -> None:
    model = write_base(tmp_path / "model", shape=SHAPE)
    weights = load_file(model / "model.safetensors")
    weights["model.layers.0.mlp.up_proj.weight"][3, 3] = 1e5
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CodefitError, match=r"up_proj\.weight holds numbers too large for f16; write it as f32"):
        write_gguf(model, tmp_path / "model.gguf", "f16")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    write_gguf(model, tmp_path / "model.gguf", "f32")


def test_a_tokenizer_that_came_back_different_is_seen(tmp_path: Path) -> None:
    model = write_base(tmp_path / "model", shape=SHAPE)
    write_gguf(model, tmp_path / "model.gguf")
    back = load_gguf(tmp_path / "model.gguf")
    _splitting(model, lambda s: s["model"].update(merges=s["model"]["merges"][:-40]))
    with pytest.raises(CodefitError, match="the GGUF file's tokenizer differs from the model's at token"):
        check_gguf_tokens(model, back, standard_functions())


def test_gguf_that_is_not_installed_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codefit.export.gguf.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"needs the package gguf; pip install 'codefit\[quantize\]'"):
        write_gguf(tmp_path, tmp_path / "model.gguf")


def test_a_disk_that_takes_no_more_leaves_nothing(tmp_path: Path, file_limit: Callable[[int], None]) -> None:
    model = write_base(tmp_path / "model", shape=SHAPE)
    file_limit(100_000)
    with pytest.raises(CodefitError, match=r"could not be written whole .*free some space"):
        write_gguf(model, tmp_path / "out" / "model.gguf", "f32")
    assert list((tmp_path / "out").iterdir()) == []
