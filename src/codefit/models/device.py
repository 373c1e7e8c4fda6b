"""Where a model runs: the GPU with the most free memory, else the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codefit.errors import InputError

if TYPE_CHECKING:
    import torch


def choose_device(name: str = "auto") -> torch.device:
    """`auto` is the CUDA device with the most free memory (then Apple's MPS, then the CPU); else the device named."""
    import torch

    if name != "auto":
        try:
            device = torch.device(name)
        except RuntimeError as error:
            raise InputError(f"unknown device {name!r}", fix="use auto, cpu, cuda, cuda:0 or mps") from error
        if device.type == "cuda" and not torch.cuda.is_available():
            raise InputError("no CUDA device on this machine", fix="use device auto or cpu")
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise InputError(f"no {name} among {torch.cuda.device_count()} CUDA devices", fix="use device auto or cpu")
        if device.type == "mps" and not torch.backends.mps.is_available():
            raise InputError("no MPS device on this machine", fix="use device auto or cpu")
        return device
    if torch.cuda.is_available():
        free = [torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count())]
        return torch.device("cuda", max(range(len(free)), key=free.__getitem__))
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def autocast_type(device: torch.device) -> torch.dtype | None:
    """The half precision that training uses there: bf16 where the GPU has it, else None (full precision)."""
    import torch

    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.bfloat16
    return None
