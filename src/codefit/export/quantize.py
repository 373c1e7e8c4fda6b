"""Models with linear layers in 8 or 4 bits, as transformers folders that `from_pretrained` loads as they are.

int8 is LLM.int8() (Dettmers et al., 2022, arXiv:2208.07339), NF4 with double quantization is QLoRA's (Dettmers et al.,
2023, arXiv:2305.14314, section 3); both are bitsandbytes' own. Embedding and head keep their type.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from codefit.errors import CodefitError
from codefit.models.device import choose_device
from codefit.models.language_model import load_lm_tokenizer, read_config, refuse_pickle
from codefit.models.quantized import nf4_settings, require_bitsandbytes
from codefit.models.quiet import quiet

if TYPE_CHECKING:
    import torch

Bits = Literal["int8", "nf4"]


def quantize_model(model: Path, folder: Path, bits: Bits, *, device: str = "auto") -> dict[str, Any]:
    """Write the model of folder `model` to the existing folder `folder` in 8 or 4 bits; how many layers changed.

    Raises `InputError` where bitsandbytes is not installed, `CodefitError` where it does not work on this machine or
    finds no layer to quantize.
    """
    import torch
    from transformers import AutoModelForCausalLM

    require_bitsandbytes(f"a model in {bits}")
    refuse_pickle(model)
    stored = getattr(torch, str(read_config(str(model)).dtype or torch.float32).removeprefix("torch."))
    with quiet():
        quantized = AutoModelForCausalLM.from_pretrained(
            model,
            quantization_config=_settings(bits, stored),
            device_map={"": str(choose_device(device))},
            dtype=stored,
            use_safetensors=True,
            trust_remote_code=False,
        )
        layers = _quantized_layers(quantized)
        if not layers:
            raise CodefitError(f"the model has no linear layer to write in {bits}", where=str(model))
        quantized.save_pretrained(folder)
        load_lm_tokenizer(str(model)).save_pretrained(folder)
    return {"layers": layers, "type": bits}


def _settings(bits: Bits, stored: torch.dtype) -> Any:
    from transformers import BitsAndBytesConfig

    if bits == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return nf4_settings(stored)


def _quantized_layers(model: Any) -> int:
    from bitsandbytes.nn import Linear4bit, Linear8bitLt

    return sum(isinstance(module, Linear4bit | Linear8bitLt) for module in model.modules())
