"""A linear layer with a LoRA adapter as one function: PEFT's own computation without what lies between its steps.

PEFT computes `base(x) + B(A(x)) * s` (Hu et al., 2021, arXiv:2106.09685, equation 3) step by step; each step makes an
array as large as the result, forward and backward. Here the adapter's part is added into the product of the base.
Layers of another kind (DoRA, dropout, a bias that learns, quantized, half precision) keep PEFT's computation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch  # the whole module is torch's: whoever needs it imports it where it is needed
from torch.autograd.function import once_differentiable


def use_fused_lora(network: torch.nn.Module, adapter: str = "default") -> int:
    """Let the plain LoRA layers of a PEFT model compute in one function while they train; how many there are."""
    from peft.tuners.lora.layer import Linear

    layers = [m for m in network.modules() if isinstance(m, Linear) and _is_plain(m, adapter)]
    for layer in layers:
        layer.forward = _fused(layer, layer.forward, adapter)
    return len(layers)


def _is_plain(layer: Any, adapter: str) -> bool:
    return (
        type(layer.base_layer) is torch.nn.Linear
        and layer.active_adapters == [adapter]
        and adapter not in layer.lora_variant
        and isinstance(layer.lora_dropout[adapter], torch.nn.Identity)
        and layer.lora_B[adapter].bias is None
        and not layer.base_layer.weight.requires_grad
    )


def _fused(layer: Any, plain: Callable[..., torch.Tensor], adapter: str) -> Callable[..., torch.Tensor]:
    def forward(x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        base, a, b = layer.base_layer, layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
        is_single = x.dtype == base.weight.dtype == a.dtype == b.dtype == torch.float32
        if not layer.training or not is_single or torch.is_autocast_enabled(x.device.type):
            return plain(x, *args, **kwargs)
        flat = x.reshape(-1, x.shape[-1])
        result: torch.Tensor = _LoraLinear.apply(flat, base.weight, base.bias, a, b, layer.scaling[adapter])
        return result.reshape(*x.shape[:-1], -1)

    return forward


class _LoraLinear(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        a: torch.Tensor,
        b: torch.Tensor,
        scaling: float,
    ) -> torch.Tensor:
        inner = x @ a.T
        result = x @ weight.T if bias is None else torch.addmm(bias, x, weight.T)
        ctx.save_for_backward(x, inner, weight, a, b)
        ctx.scaling = scaling
        return torch.addmm(result, inner, b.T, alpha=scaling, out=result)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, inner, weight, a, b = ctx.saved_tensors
        of_inner = (gradient @ b).mul_(ctx.scaling)
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = gradient @ weight
            torch.addmm(of_x, of_inner, a, out=of_x)
        return of_x, None, None, of_inner.T @ x, (gradient.T @ inner).mul_(ctx.scaling), None
