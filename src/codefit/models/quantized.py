"""Whether models in 8 and 4 bits run here: they need bitsandbytes, and a build of it that works on this machine."""

from __future__ import annotations

import logging
from importlib.util import find_spec

from codefit.errors import CodefitError, InputError

WIDTH = 64  # of the matrix that is tried: a whole block of 4-bit weights


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
