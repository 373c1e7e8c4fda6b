"""Whether models in 8 and 4 bits run here: they need bitsandbytes, and a build of it that works on this machine."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from codefit.errors import CodefitError, InputError

if TYPE_CHECKING:
    import torch

Quantization = Literal["nf4"]  # of a model while it is loaded

WIDTH = 64  # of the matrix that is tried: a whole block of 4-bit weights
# On processors with AVX512-BF16 it advises, when it is imported, to fetch a kernel from the hub. It works without.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
PACKED_ROWS = 32  # of a matrix that bitsandbytes packs anew for processors with AVX512-BF16, at a time


def require_bitsandbytes(purpose: str) -> None:
    """Raise where bitsandbytes is missing (`InputError`) or fails on a small matrix here (`CodefitError`).

    Its line for every product that runs in half precision is left out from then on.
    """
    if find_spec("bitsandbytes") is None:
        raise InputError(f"{purpose} needs bitsandbytes", fix="pip install 'codefit[quantize]'")
    try:
        _try_matrix()
    except Exception as error:  # the library fails in its own ways on processors and drivers that it has no code for
        first = str(error).strip().split("\n")[0]
        raise CodefitError(
            f"{purpose} needs bitsandbytes, which does not work on this machine ({type(error).__name__}: {first})",
            fix="see what it says itself with: python -m bitsandbytes",
        ) from error
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)


def _try_matrix() -> None:
    import torch
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    weights = torch.eye(WIDTH)
    packed, state = quantize_4bit(weights, quant_type="nf4")
    if not torch.allclose(dequantize_4bit(packed, state), weights):
        raise RuntimeError("a matrix does not come back from 4 bits")


def is_four_bit(model: Any) -> bool:
    """Whether a model's linear layers stand in 4 bits."""
    return four_bit_type(model) is not None


def four_bit_type(model: Any) -> torch.dtype | None:
    """What the products of a model's 4-bit layers are computed in; None where it has none."""
    settings: Any = getattr(model.config, "quantization_config", None)
    if not getattr(settings, "load_in_4bit", False):
        return None
    computed: torch.dtype = settings.bnb_4bit_compute_dtype
    return computed


def nf4_settings(compute_type: torch.dtype) -> Any:
    """transformers' settings for NF4 with double quantization, whose products are computed in `compute_type`.

    QLoRA's form of a base (Dettmers et al., 2023, arXiv:2305.14314, section 3).
    """
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_type,
    )


def nf4_arguments(place: str, is_quantized: bool, device: torch.device) -> dict[str, Any]:
    """How transformers loads the model at `place` in NF4 on a device; `InputError` where its weights are quantized.

    Products are computed in half precision on a GPU, in bf16 where its hardware has it.
    """
    import torch

    if is_quantized:
        raise InputError("the model is quantized already", where=place, fix="load it as it is")
    require_bitsandbytes(f"{place} in 4 bits")
    computed = torch.float32
    if device.type == "cuda":
        computed = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return {"quantization_config": nf4_settings(computed), "device_map": {"": str(device)}, "dtype": computed}


def keep_as_stored(model: Any, *, every: bool = False) -> None:
    """Spare 4-bit matrices a faster layout that does not fit them, or all of them (`every`).

    On a processor with AVX512-BF16, bitsandbytes 0.50 packs each 4-bit matrix anew when it is first used, and fails
    where a row is not made of whole blocks or the rows do not come in groups of 32. Those stay as they are stored.
    """
    from bitsandbytes.nn import Linear4bit

    for layer in model.modules():
        if isinstance(layer, Linear4bit):
            state = layer.weight.quant_state
            blocksize = state.blocksize if state is not None else WIDTH
            if every or layer.in_features % blocksize or layer.out_features % PACKED_ROWS:
                layer.support_avx512bf16_for_cpu = False
