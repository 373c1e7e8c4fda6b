"""Whether models in 8 and 4 bits run here: they need bitsandbytes, and a build of it that works on this machine."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Any

from codefit.errors import CodefitError, InputError

WIDTH = 64  # of the matrix that is tried: a whole block of 4-bit weights
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


def keep_as_stored(model: Any) -> None:
    """Spare 4-bit matrices a faster layout that does not fit them.

    On a processor with AVX512-BF16, bitsandbytes 0.50 packs each 4-bit matrix anew when it is first used, and fails
    where a row is not made of whole blocks or the rows do not come in groups of 32. Those stay as they are stored.
    """
    from bitsandbytes.nn import Linear4bit

    for layer in model.modules():
        if isinstance(layer, Linear4bit):
            state = layer.weight.quant_state
            blocksize = state.blocksize if state is not None else WIDTH
            if layer.in_features % blocksize or layer.out_features % PACKED_ROWS:
                layer.support_avx512bf16_for_cpu = False
