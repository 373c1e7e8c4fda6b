"""Small causal language models with random weights, quick to make: what they compute counts, not how well."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from codefit.files import read_json, write_json
from codefit.models.language_model import (
    CODEFIT_FILE,
    SPECIAL_TOKENS,
    LanguageModel,
    LanguageModelShape,
    new_language_model,
    save_language_model,
    weights_fingerprint,
)
from codefit.models.tokenizer import train_tokenizer
from small_models import standard_functions

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCAB_SIZE = 600
# Key-value heads are fewer than heads and the context is short, as tests want both to matter.
SHAPE = LanguageModelShape(hidden=32, layers=2, heads=4, kv_heads=2, ffn=64, context=96)
LINEAR_LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@cache
def tiny_lm_tokenizer() -> Tokenizer:
    """A byte-level BPE with Qwen2's splitting and the special tokens of a language model."""
    return train_tokenizer(standard_functions(), VOCAB_SIZE, special_tokens=SPECIAL_TOKENS, splitting="qwen2")


def tiny_language_model(*, seed: int = 0, **sizes: int) -> LanguageModel:
    """A new model in evaluation mode; `sizes` are fields of `LanguageModelShape` other than those of `SHAPE`."""
    made = new_language_model(dataclasses.replace(SHAPE, **sizes), tiny_lm_tokenizer(), seed=seed)
    made.model.eval()
    return made


def write_language_model(folder: Path, *, seed: int = 0, **sizes: int) -> Path:
    """`tiny_language_model` as a transformers folder."""
    folder.mkdir(parents=True)
    save_language_model(tiny_language_model(seed=seed, **sizes), folder)
    return folder


def write_adapter(folder: Path, base: Path, *, seed: int = 1, rank: int = 4, fingerprint: bool = True) -> Path:
    """A LoRA adapter of the model in `base` on all linear layers, whose weights change what the model says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=LINEAR_LAYERS, task_type="CAUSAL_LM")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
        for name, weight in model.named_parameters():
            if "lora_B" in name:  # zero in a new adapter, which then changes nothing
                torch.nn.init.normal_(weight, std=0.3)
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    if fingerprint:
        write_json(folder / CODEFIT_FILE, {"base_sha256": weights_fingerprint(base)})
    return folder


def rename_base(adapter: Path, base: str) -> None:
    """Write another place of its base into an adapter's configuration."""
    path = adapter / "adapter_config.json"
    write_json(path, read_json(path) | {"base_model_name_or_path": base})
