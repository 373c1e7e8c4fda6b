"""The loss of a language model without its logits: head, softmax and gradient in one go, chunk by chunk.

A row of 1,536 tokens has 233 million logits in a vocabulary of 151,936: nearly a gigabyte in single precision, held
twice. Here a chunk's logits live only until its part of the gradient is taken, in the forward pass already (as in Hsu
et al., Liger Kernel, 2024, arXiv:2410.10989, section 3.2, which runs on NVIDIA GPUs alone). A head that does not learn
costs no product for its gradient.
"""

from __future__ import annotations

from typing import Any

import torch  # the whole module is torch's: whoever needs it imports it where it is needed
from torch.autograd.function import once_differentiable

# Logits of a chunk: 16 MB in single precision stay in a CPU's caches, a GPU needs larger products to be busy.
CPU_CHUNK_LOGITS = 4_000_000
GPU_CHUNK_LOGITS = 64_000_000


def linear_cross_entropy(hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum over tokens of the cross entropy of `hidden @ weight.T` against `labels`, in nats, differentiable once.

    `hidden` (tokens, width), `weight` (vocabulary, width), `labels` (tokens,), all of them at least 0. The sum is in
    single precision whatever the inputs are.
    """
    total: torch.Tensor = _LinearCrossEntropy.apply(hidden, weight, labels)
    return total


class _LinearCrossEntropy(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        wants_hidden, wants_weight, _ = ctx.needs_input_grad
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        grad_hidden = torch.empty_like(hidden) if wants_hidden else None
        grad_weight = torch.zeros_like(weight, dtype=torch.float32) if wants_weight else None
        budget = GPU_CHUNK_LOGITS if hidden.is_cuda else CPU_CHUNK_LOGITS
        step = max(1, budget // len(weight))
        # One buffer for all chunks: memory that is asked for anew costs as much as the softmax.
        buffer = torch.empty((min(step, len(hidden)), len(weight)), dtype=hidden.dtype, device=hidden.device)
        for start in range(0, len(hidden), step):
            rows = hidden[start : start + step]
            wanted = labels[start : start + step, None]
            logits = torch.mm(rows, weight.T, out=buffer[: len(rows)])
            single = logits.dtype == torch.float32
            scores = torch.log_softmax(logits, 1, out=logits) if single else torch.log_softmax(logits.float(), 1)
            total -= scores.gather(1, wanted).sum()
            if grad_hidden is None and grad_weight is None:
                continue
            gradient = scores.exp_()
            gradient.scatter_add_(1, wanted, torch.full_like(wanted, -1, dtype=gradient.dtype))
            gradient = gradient.to(hidden.dtype)
            if grad_hidden is not None:
                torch.mm(gradient, weight, out=grad_hidden[start : start + step])
            if grad_weight is not None and single:
                torch.addmm(grad_weight, gradient.T, rows, out=grad_weight)
            elif grad_weight is not None:
                grad_weight += gradient.T @ rows  # summed in single precision
        ctx.save_for_backward(grad_hidden, grad_weight)
        ctx.weight_type = weight.dtype
        return total

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None]:
        grad_hidden, grad_weight = ctx.saved_tensors
        return (
            None if grad_hidden is None else grad_hidden * gradient.to(grad_hidden.dtype),
            None if grad_weight is None else (grad_weight * gradient).to(ctx.weight_type),
            None,
        )
