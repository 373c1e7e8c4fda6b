"""The loss without its logits, against torch's own."""

from __future__ import annotations

import pytest
import torch

from codefit.train import linear_cross_entropy as module
from codefit.train.linear_cross_entropy import linear_cross_entropy

TOKENS, WIDTH, VOCABULARY = 23, 8, 50


def inputs(dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    hidden = torch.randn(TOKENS, WIDTH, generator=draw).to(dtype).requires_grad_()
    weight = torch.randn(VOCABULARY, WIDTH, generator=draw).to(dtype).requires_grad_()
    return hidden, weight, torch.randint(0, VOCABULARY, (TOKENS,), generator=draw)


def expected(hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor, factor: float) -> list[torch.Tensor]:
    """torch's loss and gradients in double precision."""
    exact = [hidden.detach().double().requires_grad_(), weight.detach().double().requires_grad_()]
    loss = torch.nn.functional.cross_entropy(exact[0] @ exact[1].T, labels, reduction="sum")
    (loss * factor).backward()
    return [loss.detach(), *(part.grad for part in exact if part.grad is not None)]


def check_against_torch() -> None:
    """Loss and both gradients with the chunks that are set now."""
    hidden, weight, labels = inputs()
    loss = linear_cross_entropy(hidden, weight, labels)
    (loss * 0.37).backward()
    wanted, wanted_hidden, wanted_weight = expected(hidden, weight, labels, 0.37)
    torch.testing.assert_close(loss.double(), wanted, rtol=1e-6, atol=0)
    torch.testing.assert_close(hidden.grad.double(), wanted_hidden, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(weight.grad.double(), wanted_weight, rtol=1e-5, atol=1e-6)


# Rows of a chunk: one, some with a rest, a divisor, exactly all, more than there are.
@pytest.mark.parametrize("rows", [1, 4, 22, 23, 100])
def test_loss_and_gradients_over_chunks(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CPU_CHUNK_LOGITS", rows * VOCABULARY)
    check_against_torch()


def test_a_chunk_smaller_than_a_row_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CPU_CHUNK_LOGITS", 7)
    check_against_torch()


@pytest.mark.parametrize("learns", ["hidden", "weight", "nothing"])
def test_what_does_not_learn_gets_no_gradient(learns: str) -> None:
    hidden, weight, labels = inputs()
    hidden.requires_grad_(learns == "hidden")
    weight.requires_grad_(learns == "weight")
    loss = linear_cross_entropy(hidden, weight, labels)
    wanted, wanted_hidden, wanted_weight = expected(hidden, weight, labels, 1)
    torch.testing.assert_close(loss.detach().double(), wanted, rtol=1e-6, atol=0)
    if learns == "nothing":
        assert not loss.requires_grad
        return
    loss.backward()
    learned, other, right = (hidden, weight, wanted_hidden) if learns == "hidden" else (weight, hidden, wanted_weight)
    assert other.grad is None
    torch.testing.assert_close(learned.grad.double(), right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(dtype: torch.dtype) -> None:
    hidden, weight, labels = inputs(dtype)
    loss = linear_cross_entropy(hidden, weight, labels)
    loss.backward()
    assert loss.dtype == torch.float32
    assert hidden.grad.dtype == weight.grad.dtype == dtype
    wanted, wanted_hidden, wanted_weight = expected(hidden, weight, labels, 1)
    error = torch.finfo(dtype).eps
    torch.testing.assert_close(loss.detach().double(), wanted, rtol=error, atol=0)
    torch.testing.assert_close(hidden.grad.double(), wanted_hidden, rtol=4 * error, atol=8 * error)
    torch.testing.assert_close(weight.grad.double(), wanted_weight, rtol=4 * error, atol=8 * error)


def test_logits_far_from_zero_overflow_nothing() -> None:
    hidden, weight, labels = inputs()
    loss = linear_cross_entropy(hidden * 300, weight, labels)
    wanted, *_ = expected(hidden * 300, weight, labels, 1)
    assert wanted > 1000
    torch.testing.assert_close(loss.detach().double(), wanted, rtol=1e-5, atol=0)


def test_a_second_derivative_is_refused() -> None:
    hidden, weight, labels = inputs()
    loss = linear_cross_entropy(hidden, weight, labels)
    (gradient,) = torch.autograd.grad(loss**2, hidden, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_the_most_logits_at_once_are_a_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CPU_CHUNK_LOGITS", 4 * VOCABULARY)
    seen = []
    log_softmax = torch.log_softmax
    monkeypatch.setattr(torch, "log_softmax", lambda x, *y, **z: (seen.append(x.shape), log_softmax(x, *y, **z))[1])
    linear_cross_entropy(*inputs())
    assert seen == [(4, VOCABULARY)] * 5 + [(3, VOCABULARY)]
