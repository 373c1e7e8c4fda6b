"""Attention over documents that stand one after another in a row, none of which sees another.

transformers' own way to pack is a mask of (row, row): the work of whole rows for what is within documents. Here each
document is attended to by itself. On an NVIDIA GPU of 2020 or later in half precision that is one call of torch's
variable-length kernel; elsewhere a call of its fused attention a document.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from codefit.errors import InputError
from codefit.models.quantized import four_bit_type

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

NAME = "codefit_packed"
PLAIN = "sdpa"  # torch's fused attention
# What some models ask of their attention besides: capped scores (Gemma 2) and sinks (gpt-oss).
OTHER_KINDS = ("softcap", "s_aux")
# What a model's own forward pass and that of a row may differ by, of the largest logit: rounding, not another network.
CHECKED_TOKENS = 8
CHECKED_TOLERANCE = {"single": 1e-3, "half": 5e-2}


def use_packed_attention(model: PreTrainedModel) -> None:
    """Let `model` take rows of documents: its calls then need `ends`, as `packed_arguments` gives them."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, packed_attention)
    if model.config._attn_implementation != NAME:
        model.set_attn_implementation(NAME)


def use_plain_attention(model: PreTrainedModel) -> None:
    """Let `model` take what any model takes again."""
    if model.config._attn_implementation == NAME:
        model.set_attn_implementation(PLAIN)


def packed_arguments(lengths: list[int], device: torch.device) -> dict[str, Any]:
    """What a model's forward takes besides a row (1, sum of `lengths`): positions and the documents' ends."""
    import torch

    positions = torch.cat([torch.arange(length) for length in lengths])[None].to(device)
    ends = [0]
    for length in lengths:
        ends.append(ends[-1] + length)
    return {"position_ids": positions, "ends": ends, "use_cache": False}


def check_rows(model: PreTrainedModel, place: str) -> None:
    """Raise `InputError` where a document in a row is not to the model what it is alone, or its head is not linear.

    So it is with models that carry a state from token to token, or that scale, cap or shift what the head gives.
    """
    import torch

    embeddings = model.eval().get_input_embeddings().weight
    ids = (torch.arange(2 * CHECKED_TOKENS, device=embeddings.device) % len(embeddings))[None]
    with torch.no_grad():
        alone = model(input_ids=ids[:, CHECKED_TOKENS:], use_cache=False).logits[0].float()
        use_packed_attention(model)
        arguments = packed_arguments([CHECKED_TOKENS, CHECKED_TOKENS], embeddings.device)
        hidden = model.get_decoder()(input_ids=ids, **arguments).last_hidden_state[0, CHECKED_TOKENS:]
        in_row = (hidden @ model.get_output_embeddings().weight.T).float()
    is_single = embeddings.dtype == torch.float32 and four_bit_type(model) in (None, torch.float32)
    tolerance = CHECKED_TOLERANCE["single" if is_single else "half"]
    if (alone - in_row).abs().max() > tolerance * alone.abs().max():
        raise InputError(
            f"documents in a row are not to a {model.config.model_type} model what they are alone",
            where=place,
            fix="choose a base with causal attention and a linear head, as Qwen2.5 or Llama",
        )
    use_plain_attention(model)


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    ends: list[int] | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each document: query (1, heads, tokens, width), key and value with fewer heads.

    Returns (1, tokens, heads, width). Raises `ValueError` where the call gave no `ends`, `InputError` where the model
    wants another attention than the plain causal one, or a window that is shorter than a document.
    """
    import torch

    if ends is None:
        raise ValueError("packed attention needs the ends of the documents")
    others = [kind for kind in OTHER_KINDS if kwargs.get(kind) is not None]
    window = kwargs.get("sliding_window")
    if window is not None and max(end - start for start, end in pairwise(ends)) > window:
        others.append(f"a window of {window} tokens")
    if others:
        raise InputError(f"the model's attention has {', '.join(others)}, which packed rows do not keep")
    if _has_varlen(query):
        return _varlen(query, key, value, scaling, ends), None
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    outputs = [
        torch.nn.functional.scaled_dot_product_attention(
            query[:, :, start:end],
            key[:, :, start:end],
            value[:, :, start:end],
            dropout_p=dropout,
            is_causal=True,
            scale=scaling,
        )
        for start, end in pairwise(ends)
    ]
    return torch.cat(outputs, dim=2).transpose(1, 2), None


def _has_varlen(query: torch.Tensor) -> bool:
    """Whether flash attention runs: half precision on compute capability 8 or higher (a T4 has 7.5)."""
    import torch

    half = query.dtype in (torch.float16, torch.bfloat16)
    return query.is_cuda and half and torch.cuda.get_device_capability(query.device)[0] >= 8


def _varlen(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None, ends: list[int]
) -> torch.Tensor:
    import torch
    from torch.nn.attention.varlen import varlen_attn

    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    borders = torch.tensor(ends, dtype=torch.int32, device=query.device)
    longest = max(end - start for start, end in pairwise(ends))
    attended: torch.Tensor = varlen_attn(
        *(part[0].transpose(0, 1).contiguous() for part in (query, key, value)),
        borders,
        borders,
        longest,
        longest,
        scale=scaling,
        window_size=(-1, 0),
    )
    return attended[None]
