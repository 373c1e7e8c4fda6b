"""The fused LoRA layer against PEFT's own computation: values, gradients, and which layers keep PEFT's."""

from __future__ import annotations

import copy

import pytest
import torch
from peft import LoraConfig, get_peft_model

from codefit.train.lora_linear import use_fused_lora


class Two(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(12, 20, bias=True)
        self.second = torch.nn.Linear(20, 6, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.tanh(self.first(x)))


def adapted(**settings: object) -> torch.nn.Module:
    torch.manual_seed(0)
    config = LoraConfig(r=4, lora_alpha=12, target_modules=["first", "second"], init_lora_weights=False, **settings)
    return get_peft_model(Two(), config).train()


def gradients(network: torch.nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    x = x.clone().requires_grad_()
    out = network(x)
    (out * torch.linspace(-1, 1, out.numel()).reshape(out.shape)).sum().backward()
    found = {name: p.grad for name, p in network.named_parameters() if p.requires_grad}
    return out, {**found, "x": x.grad}


@pytest.mark.parametrize("rslora", [False, True])
def test_values_and_gradients_are_pefts(rslora: bool) -> None:
    plain = adapted(use_rslora=rslora)
    fused = copy.deepcopy(plain)
    assert use_fused_lora(fused) == 2
    x = torch.randn(3, 5, 12)
    (expected, expected_gradients), (got, got_gradients) = gradients(plain, x), gradients(fused, x)
    torch.testing.assert_close(got, expected)
    assert got.grad_fn is not None
    assert expected_gradients.keys() == got_gradients.keys()
    assert len(got_gradients) == 5
    for name, gradient in expected_gradients.items():
        torch.testing.assert_close(got_gradients[name], gradient, msg=name)


@pytest.mark.parametrize("settings", [{"use_dora": True}, {"lora_dropout": 0.1}, {"lora_bias": True}])
def test_other_kinds_keep_pefts_computation(settings: dict[str, object]) -> None:
    assert use_fused_lora(adapted(**settings)) == 0


def test_half_precision_and_evaluation_are_pefts() -> None:
    plain = adapted()
    fused = copy.deepcopy(plain)
    use_fused_lora(fused)
    x = torch.randn(3, 12)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(fused(x), plain(x))
    with torch.no_grad():
        assert torch.equal(fused.eval()(x), plain.eval()(x))
        with fused.disable_adapter(), plain.disable_adapter():
            assert torch.equal(fused(x), plain(x))
