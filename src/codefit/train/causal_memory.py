"""What the training of a language model holds in memory, from its configuration alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig

# Bytes a token, layer and unit of width that stay for the backward pass in single precision: the inputs of the norms,
# projections, attention and residuals (Korthikanti et al., 2022, section 4.1, without the scores, which no fused
# attention keeps, and without dropout masks).
ACTIVATION_BYTES_A_UNIT = 4 * 12
# The same for a unit of the feed-forward's width: gate, up, their activation and product.
FFN_BYTES_A_UNIT = 4 * 4
# Of what is free, the rest being for fragments, the libraries' own buffers and the evaluation.
USABLE = 0.8


def activation_bytes(config: PretrainedConfig, tokens: int, *, half: bool) -> int:
    """Bytes held for the backward pass of `tokens` tokens that go through the network together."""
    width = ACTIVATION_BYTES_A_UNIT * config.hidden_size + FFN_BYTES_A_UNIT * config.intermediate_size
    return int(tokens * config.num_hidden_layers * width) // (2 if half else 1)


def free_bytes(device: torch.device) -> int:
    """Memory that is free now on a device."""
    import psutil
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def needs_checkpointing(
    wanted: Literal["auto", True, False], config: PretrainedConfig, tokens: int, device: torch.device
) -> bool:
    """Whether activations are computed again instead of kept: auto only where they would not fit."""
    if wanted != "auto":
        return wanted
    return activation_bytes(config, tokens, half=device.type == "cuda") > USABLE * free_bytes(device)
