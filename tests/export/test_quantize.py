"""Models in 8 and 4 bits: folders that load again, with what quantization may change and no more."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from codefit.errors import CodefitError, InputError
from codefit.export import quantize
from codefit.export.quantize import Bits, quantize_model
from codefit.models.language_model import LanguageModelShape, load_language_model
from codefit.models.quantized import keep_as_stored
from export.adapters import write_base

bitsandbytes = pytest.importorskip("bitsandbytes")
SHAPE = LanguageModelShape(hidden=128, layers=2, heads=4, kv_heads=2, ffn=192, context=128)


@pytest.mark.parametrize(("bits", "bytes_each", "largest"), [("int8", 1, 0.05), ("nf4", 0.5, 0.4)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_quantized_folder_loads_again(
    tmp_path: Path, bits: Bits, bytes_each: float, largest: float, dtype: str
) -> None:
    base = write_base(tmp_path / "base", shape=SHAPE, dtype=dtype)
    (tmp_path / bits).mkdir()
    assert quantize_model(base, tmp_path / bits, bits, device="cpu") == {"layers": 14, "type": bits}
    before, after = (load_language_model(folder, device="cpu") for folder in (base, tmp_path / bits))
    ids = torch.arange(5, 105).reshape(2, 50)
    with torch.no_grad():
        wanted, found = before.model(ids).logits, after.model(ids).logits
    error = ((found - wanted).std() / wanted.std()).item()
    assert 0 < error < largest
    assert after.tokenizer.eos_token_id == before.tokenizer.eos_token_id
    assert after.model.generation_config.eos_token_id == before.end
    settings = json.loads((tmp_path / bits / "config.json").read_text())["quantization_config"]
    assert settings["quant_method"] == "bitsandbytes"
    if bits == "nf4":
        assert (settings["bnb_4bit_quant_type"], settings["bnb_4bit_use_double_quant"]) == ("nf4", True)
        assert settings["bnb_4bit_compute_dtype"] == dtype
    linear = [name for name in load_file(base / "model.safetensors") if "_proj.weight" in name]
    stored = load_file(tmp_path / bits / "model.safetensors")
    assert all(stored[name].dtype in (torch.int8, torch.uint8) for name in linear)
    assert stored["model.embed_tokens.weight"].dtype == getattr(torch, dtype)
    weights = load_file(base / "model.safetensors")
    numbers = sum(weights[name].numel() for name in linear)
    assert sum(stored[name].nbytes for name in linear) == numbers * bytes_each


def test_bitsandbytes_that_is_missing_is_one_line_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = write_base(tmp_path / "base", shape=SHAPE)
    (tmp_path / "int8").mkdir()
    quantize_model(base, tmp_path / "int8", "int8", device="cpu")
    monkeypatch.setattr("codefit.models.quantized.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"int8 needs bitsandbytes; pip install 'codefit\[quantize\]'"):
        quantize_model(base, tmp_path, "int8")
    with pytest.raises(InputError, match=r"the quantized model .*int8 needs bitsandbytes; pip install"):
        load_language_model(tmp_path / "int8")


def test_bitsandbytes_that_does_not_work_here_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = write_base(tmp_path / "base", shape=SHAPE)
    monkeypatch.setitem(sys.modules, "bitsandbytes.functional", None)
    with pytest.raises(CodefitError, match=r"does not work on this machine .*python -m bitsandbytes"):
        quantize_model(base, tmp_path, "nf4")


def test_a_model_without_linear_layers_is_no_quantized_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = write_base(tmp_path / "base", shape=SHAPE)
    monkeypatch.setattr(quantize, "_quantized_layers", lambda _: 0)
    (tmp_path / "int8").mkdir()
    with pytest.raises(CodefitError, match="no linear layer to write in int8"):
        quantize_model(base, tmp_path / "int8", "int8", device="cpu")


def test_a_matrix_that_a_processor_would_pack_wrongly_stays_as_it_is_stored() -> None:
    """Only processors with AVX512-BF16 pack; there a row of half a block made the first forward pass fail."""
    fits, is_narrow, is_short = (
        bitsandbytes.nn.Linear4bit(inputs, outputs, bias=False, quant_type="nf4")
        for inputs, outputs in ((64, 32), (96, 32), (64, 16))
    )
    model = torch.nn.Sequential(fits, is_narrow, is_short).to("cpu").eval()
    for layer in model:
        layer.support_avx512bf16_for_cpu = True
    keep_as_stored(model)
    assert [layer.support_avx512bf16_for_cpu for layer in model] == [True, False, False]
