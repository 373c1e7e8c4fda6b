"""What the training of a language model holds in memory, from its configuration alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig

# Bytes that stay for the backward pass, a token and layer: for each unit of the network's width and for each of the
# feed-forward's. Counted with torch's hooks on saved tensors over models of several shapes, with fused attention, which
# keeps no scores; in half precision the norms stay single. What dropout and DoRA add to an adapter comes on top.
UNITS = {
    "single": {"full": (49, 16), "adapter": (38, 16), "dropout": (30, 4), "dora": (44, 12)},
    "half": {"full": (41, 8), "adapter": (29, 8), "dropout": (18, 4), "dora": (22, 6)},
}
# Of what is free, the rest being for fragments, the libraries' own buffers and the evaluation.
USABLE = 0.8
OPTIMIZER_BYTES = 12  # a number that learns: its gradient and AdamW's two moments, in single precision


def activation_bytes(
    config: PretrainedConfig,
    tokens: int,
    *,
    half: bool,
    adapter: Literal["full", "adapter", "dora"] = "full",
    dropout: bool = False,
) -> int:
    """Bytes held for the backward pass of `tokens` tokens that go through the network together."""
    units = UNITS["half" if half else "single"]
    parts = ["full"] if adapter == "full" else ["adapter"]
    if adapter == "dora":
        parts.append("dora")
    if dropout and adapter != "full":
        parts.append("dropout")
    width = sum(units[part][0] for part in parts)
    ffn = sum(units[part][1] for part in parts)
    a_layer = width * config.hidden_size + ffn * config.intermediate_size
    return int(tokens * config.num_hidden_layers * a_layer)


def free_bytes(device: torch.device) -> int:
    """Memory that is free now on a device."""
    import psutil
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def needs_checkpointing(
    wanted: Literal["auto", True, False], activations: int, trained_numbers: int, device: torch.device
) -> bool:
    """Whether activations are computed again instead of kept: auto only where they would not fit.

    What the optimizer will hold for `trained_numbers` is not taken yet when this is asked.
    """
    if wanted != "auto":
        return wanted
    return activations + OPTIMIZER_BYTES * trained_numbers > USABLE * free_bytes(device)
