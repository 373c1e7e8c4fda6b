"""An adapter merged shard by shard is what PEFT's own merging gives, and takes the memory of one shard."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from codefit.errors import CodefitError, InputError
from codefit.export.adapter import read_adapter
from codefit.export.merge import base_folder, merge_adapter
from codefit.models.language_info import read_language_info
from codefit.models.language_model import load_language_model
from export.adapters import LINEAR, write_adapter, write_base

KINDS: dict[str, dict[str, Any]] = {
    "lora": {},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "rsdora": {"use_dora": True, "use_rslora": True},
    "patterns": {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"layers.1.mlp.up_proj": 3, "k_proj": 16}},
}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor for file in folder.glob("*.safetensors") for name, tensor in load_file(file).items()}


def merged_by_peft(base: Path, adapter: Path) -> dict[str, torch.Tensor]:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype="auto")
    return PeftModel.from_pretrained(model, adapter).merge_and_unload().state_dict()


@pytest.mark.parametrize("shard", [None, "60KB"], ids=["one file", "sharded"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_merging_gives_the_bits_of_peft(tmp_path: Path, kind: str, dtype: str, shard: str | None) -> None:
    base = write_base(tmp_path / "base", dtype=dtype, shard=shard)
    adapter = write_adapter(tmp_path / "adapter", base, **KINDS[kind])
    record = merge_adapter(base, adapter, tmp_path / "merged")
    ours, theirs, before = weights(tmp_path / "merged"), merged_by_peft(base, adapter), weights(base)
    assert ours.keys() == before.keys()
    assert record["merged_tensors"] == 14
    for name, tensor in ours.items():
        assert tensor.dtype == getattr(torch, dtype)
        assert torch.equal(tensor, theirs[name]), name
        assert torch.equal(tensor, before[name]) == (not any(part in name for part in LINEAR) or "bias" in name)
    assert {f.name for f in base.iterdir()} - {f.name for f in (tmp_path / "merged").iterdir()} == set()
    if shard is not None:
        name = "model.safetensors.index.json"
        assert (
            json.loads((tmp_path / "merged" / name).read_text())["weight_map"]
            == (json.loads((base / name).read_text())["weight_map"])
        )


@pytest.mark.parametrize("shard", [None, "60KB"], ids=["one file", "sharded"])
@pytest.mark.parametrize(
    "settings",
    [
        {"modules_to_save": ["embed_tokens"]},
        {"modules_to_save": ["lm_head", "embed_tokens"]},
        {"target_modules": ["q_proj", "lm_head"]},
        {"target_modules": ["q_proj", "embed_tokens"]},
        {"target_modules": ["q_proj", "embed_tokens"], "use_dora": True},
    ],
    ids=["embedding in full", "both in full", "head", "embedding", "embedding by dora"],
)
def test_a_tied_embedding_that_the_adapter_unties_gives_the_adapter_s_own_logits(
    tmp_path: Path, settings: dict[str, Any], shard: str | None
) -> None:
    base = write_base(tmp_path / "base", shard=shard)
    adapter = write_adapter(tmp_path / "adapter", base, **settings)
    merge_adapter(base, adapter, tmp_path / "merged")
    ids = torch.arange(5, 105).reshape(2, 50)
    with torch.no_grad():
        before = load_language_model(base, device="cpu").model(ids).logits
        wanted = load_language_model(base, adapter=adapter, device="cpu").model(ids).logits
        merged = load_language_model(tmp_path / "merged", device="cpu").model
        assert not merged.config.tie_word_embeddings
        torch.testing.assert_close(merged(ids).logits, wanted, atol=1e-5, rtol=1e-5)
    assert (before - wanted).abs().max() > 0.01


def test_a_tied_embedding_that_no_adapter_touches_stays_tied(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base")
    merge_adapter(base, write_adapter(tmp_path / "adapter", base), tmp_path / "merged")
    assert "lm_head.weight" not in weights(tmp_path / "merged")
    model = load_language_model(tmp_path / "merged").model
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
    assert model.generation_config.eos_token_id == 1


def test_an_adapter_of_other_weights_is_refused(tmp_path: Path) -> None:
    base, other = write_base(tmp_path / "base"), write_base(tmp_path / "other", seed=1)
    adapter = write_adapter(tmp_path / "adapter", base)
    with pytest.raises(InputError, match="trained on other weights"):
        merge_adapter(other, adapter, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def settings_of(adapter: Path, **changed: Any) -> None:
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changed}))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"peft_type": "IA3"}, "an adapter of kind IA3 cannot be merged"),
        ({"init_lora_weights": "pissa"}, "changes the base too"),
        ({"layer_replication": [[0, 1]]}, "layer_replication cannot be merged"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out cannot be merged"),
        ({"bias": "lora_only"}, "bias cannot be merged"),
        ({"of_next_year": 1}, "of_next_year cannot be merged"),
    ],
)
def test_a_kind_of_adapter_that_would_merge_wrongly_is_refused(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    base = write_base(tmp_path / "base")
    adapter = write_adapter(tmp_path / "adapter", base)
    settings_of(adapter, **changed)
    with pytest.raises(InputError, match=message):
        merge_adapter(base, adapter, tmp_path / "merged")


def change_weights(adapter: Path, change: Any) -> None:
    file = adapter / "adapter_model.safetensors"
    save_file(change(load_file(file)), file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: {k.replace("layers.1", "layers.7"): v for k, v in w.items()}, "layers.7.*does not have"),
        (lambda w: {k: v[:, :-1].clone() if "lora_A" in k else v for k, v in w.items()}, "in the adapter and"),
        (lambda w: {k: v for k, v in w.items() if "up_proj.lora_B" not in k}, "half of what changes"),
        (lambda w: {k.replace("lora_A", "lora_X"): v for k, v in w.items()}, "of no known adapter"),
        (lambda w: {k: v / 0 if "lora_B" in k else v for k, v in w.items()}, "not finite"),
    ],
    ids=["target missing", "shape", "half", "unknown part", "not finite"],
)
def test_an_adapter_that_does_not_fit_leaves_nothing(tmp_path: Path, change: Any, message: str) -> None:
    base = write_base(tmp_path / "base")
    adapter = write_adapter(tmp_path / "adapter", base)
    change_weights(adapter, change)
    with pytest.raises(CodefitError, match=message):
        merge_adapter(base, adapter, tmp_path / "merged")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "base"]


def _pickled(base: Path) -> None:
    torch.save(load_file(base / "model.safetensors"), base / "pytorch_model.bin")
    (base / "model.safetensors").unlink()


def _cut(base: Path) -> None:
    file = base / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-5000])


def _quantized(base: Path) -> None:
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "quantization_config": {"quant_method": "bitsandbytes"}}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_pickled, "the weights are pickled"),
        (_quantized, "the base is quantized"),
        (lambda base: (base / "model.safetensors").unlink(), "no safetensors weights"),
        (lambda base: shutil.rmtree(base), "no model there"),
    ],
    ids=["pickled", "quantized", "no weights", "no folder"],
)
def test_a_base_that_cannot_be_merged_into_is_refused(tmp_path: Path, damage: Any, message: str) -> None:
    base = write_base(tmp_path / "base")
    adapter = write_adapter(tmp_path / "adapter", base)
    damage(base)
    with pytest.raises(InputError, match=message):
        merge_adapter(base, adapter, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_base_whose_file_was_cut_is_refused(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base")
    adapter = write_adapter(tmp_path / "adapter", base)
    (adapter / "codefit.json").unlink()  # the fingerprint would see it first
    _cut(base)
    with pytest.raises(InputError, match="not a whole safetensors file"):
        merge_adapter(base, adapter, tmp_path / "merged")


def test_what_is_known_of_the_training_goes_with_the_model(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base")
    adapter = write_adapter(tmp_path / "adapter", base)
    known = json.loads((adapter / "codefit.json").read_text())
    (adapter / "codefit.json").write_text(json.dumps({**known, "kind": "adapter", "context": 128, "seed": 7}))
    record = merge_adapter(base, adapter, tmp_path / "merged")
    info = read_language_info(tmp_path / "merged")
    assert (info.kind, info.context, info.seed, info.base_sha256) == ("language-model", 128, 7, known["base_sha256"])
    written = (tmp_path / "merged" / "codefit.json").read_text()
    assert json.loads(written)["merged"] == record
    assert str(tmp_path) not in written  # the file is published


def test_an_output_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base")
    adapter = write_adapter(tmp_path / "adapter", base)
    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="the output folder is not empty"):
        merge_adapter(base, adapter, tmp_path / "merged")
    assert (tmp_path / "merged" / "mine.txt").read_text() == "keep"


MEASURED = """
import sys
from pathlib import Path
import peft, transformers, safetensors.torch  # what is loaded anyway
from codefit.export.merge import base_folder, merge_adapter
def high():
    return next(int(l.split()[1]) for l in Path('/proc/self/status').read_text().splitlines() if l.startswith('VmHWM'))
for folder in map(Path, sys.argv[1:]):
    before = high()
    merge_adapter(folder / 'base', folder / 'adapter', folder / 'merged')
    print((high() - before) * 1024)
"""
ROWS, WIDTH = 1024, 1024
SHARD_BYTES = 4 * ROWS * WIDTH
STEADY = 100 << 20  # what torch, the threads of a product and the allocator keep for themselves


def write_large(folder: Path, base: Path, shards: int) -> Path:
    """A base of so many files, a matrix each, and an adapter of all of them."""
    shutil.copytree(base, folder / "base", ignore=lambda *_: ["model.safetensors"])
    names = [f"model.layers.{number}.mlp.up_proj" for number in range(shards)]
    files = {name: f"model-{number:05}.safetensors" for number, name in enumerate(names)}
    for name, file in files.items():
        save_file({f"{name}.weight": torch.ones(ROWS, WIDTH)}, folder / "base" / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {f"{name}.weight": file for name, file in files.items()}}
    (folder / "base" / "model.safetensors.index.json").write_text(json.dumps(index))
    adapter = folder / "adapter"
    adapter.mkdir()
    factors = {"lora_A": torch.ones(4, WIDTH), "lora_B": torch.ones(ROWS, 4)}
    save_file(
        {f"base_model.model.{name}.{part}.weight": f.clone() for name in names for part, f in factors.items()},
        adapter / "adapter_model.safetensors",
    )
    settings = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": "base"}
    (adapter / "adapter_config.json").write_text(json.dumps(settings))
    return folder


def test_the_memory_of_merging_is_that_of_a_tensor_however_many_there_are(tmp_path: Path) -> None:
    """Files of 4 MB: holding 20 more of them would take 80 MB more, and their copies as much again."""
    base = write_base(tmp_path / "base")
    folders = [write_large(tmp_path / str(shards), base, shards) for shards in (4, 24)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, folders)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    few, more = map(int, done.stdout.split())
    assert few < STEADY + 4 * SHARD_BYTES  # a tensor, its change, their sum, what is written
    assert more < 10 * SHARD_BYTES
    merged = load_file(folders[1] / "merged" / "model-00023.safetensors")
    assert merged["model.layers.23.mlp.up_proj.weight"][0, 0] == 1 + 8 / 4 * 4


def test_every_setting_of_lora_is_either_applied_or_known_to_be_silent(tmp_path: Path) -> None:
    """A new version of PEFT with a new setting must not be merged as though the setting were not there."""
    from peft import LoraConfig

    base = write_base(tmp_path / "base")
    adapter = write_adapter(tmp_path / "adapter", base)
    fields = LoraConfig().to_dict()
    for name in ("use_qalora", "trainable_token_indices", "target_parameters", "use_bdlora", "ensure_weight_tying"):
        assert name in fields
        settings_of(adapter, **{name: True})
        with pytest.raises(InputError, match=name):
            read_adapter(adapter)
        settings_of(adapter, **{name: fields[name]})
    read_adapter(adapter)


def test_a_base_on_the_hub_is_its_folder_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    revision = "a" * 40
    snapshot = tmp_path / "models--me--small" / "snapshots" / revision
    write_base(snapshot)
    (tmp_path / "models--me--small" / "refs").mkdir()
    (tmp_path / "models--me--small" / "refs" / "main").write_text(revision)
    assert base_folder("me/small") == snapshot
    assert base_folder("me/small", revision) == snapshot
    assert base_folder(str(snapshot)) == snapshot
    with pytest.raises(CodefitError, match="me/other is neither a folder nor at hand from the hub"):
        base_folder("me/other")
    with pytest.raises(InputError, match="no model there"):
        base_folder("./me/small")


def test_the_adapter_s_chat_template_is_the_merged_model_s(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base")
    adapter = write_adapter(tmp_path / "adapter", base)
    (adapter / "chat_template.jinja").write_text("{{- messages[0].content -}}", encoding="utf-8")
    merge_adapter(base, adapter, tmp_path / "merged")
    assert (
        load_language_model(tmp_path / "merged", device="cpu").tokenizer.chat_template == "{{- messages[0].content -}}"
    )
