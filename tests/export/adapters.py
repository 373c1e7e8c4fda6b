"""Small language models and adapters on them whose factors are far from nothing, as after training."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codefit.models.language_model import (
    SPECIAL_TOKENS,
    LanguageModelShape,
    load_language_model,
    new_language_model,
    save_language_model,
    weights_fingerprint,
)
from codefit.models.tokenizer import train_tokenizer
from small_models import standard_functions

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SHAPE = LanguageModelShape(hidden=64, layers=2, heads=4, kv_heads=2, ffn=96, context=128)
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@cache
def lm_tokenizer() -> Tokenizer:
    """Qwen2's splitting, 600 tokens."""
    return train_tokenizer(standard_functions(), 600, special_tokens=SPECIAL_TOKENS, splitting="qwen2")


def write_base(
    folder: Path, *, seed: int = 0, dtype: str = "float32", shard: str | None = None, shape: LanguageModelShape = SHAPE
) -> Path:
    """A base model; `shard` is the size of its files, such as "60KB"."""
    import torch

    language_model = new_language_model(shape, lm_tokenizer(), seed=seed)
    language_model.model.to(getattr(torch, dtype))
    folder.mkdir(parents=True)
    save_language_model(language_model, folder)
    if shard is not None:
        (folder / "model.safetensors").unlink()
        language_model.model.save_pretrained(folder, max_shard_size=shard)
        assert len(list(folder.glob("model-*.safetensors"))) > 3
    return folder


def write_adapter(folder: Path, base: Path, **settings: Any) -> Path:
    """An adapter on `base` with random factors, and the fingerprint of its base beside it."""
    import torch
    from peft import LoraConfig, get_peft_model

    from codefit.files import write_json

    model = load_language_model(base, device="cpu").model
    given = {"r": 4, "lora_alpha": 8, "target_modules": LINEAR, "task_type": "CAUSAL_LM", **settings}
    torch.manual_seed(3)
    adapted = get_peft_model(model, LoraConfig(**given))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if weight.requires_grad and ("lora_" in name or "modules_to_save" in name):
                weight.add_(0.05 * torch.randn_like(weight))
    adapted.save_pretrained(folder)
    write_json(folder / "codefit.json", {"base_sha256": weights_fingerprint(base)})
    return folder
