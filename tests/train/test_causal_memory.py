"""Activations as the configuration foretells them, against what torch keeps for the backward pass."""

from __future__ import annotations

from typing import Any

import psutil
import pytest
import torch
from causal_examples import causal_learner

from codefit.models.packed_attention import packed_arguments, use_packed_attention
from codefit.train.causal import AdapterSettings
from codefit.train.causal_memory import OPTIMIZER_BYTES, USABLE, activation_bytes, free_bytes, needs_checkpointing
from tiny_language_models import tiny_language_model

CPU = torch.device("cpu")
LENGTHS = [300, 212]


def kept_bytes(learner: Any) -> int:
    """Bytes of the storages, other than weights, that a forward pass keeps."""
    weights = {p.untyped_storage().data_ptr() for p in learner.network.parameters()}
    kept: dict[int, torch.Tensor] = {}  # held, so that no address is given out twice

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        address = tensor.untyped_storage().data_ptr()
        if address not in weights:
            kept[address] = tensor
        return tensor

    use_packed_attention(learner._base)
    learner.network.train()
    ids = torch.randint(0, 500, (1, sum(LENGTHS)), generator=torch.Generator().manual_seed(0))
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=learner.half is not None),
    ):
        learner._body(input_ids=ids, **packed_arguments(LENGTHS, CPU)).last_hidden_state.sum()
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    "adapter",
    [
        None,
        AdapterSettings(rank=4),
        AdapterSettings(rank=4, dropout=0.1),
        AdapterSettings("dora", rank=4),
        AdapterSettings("dora", rank=4, dropout=0.1),
    ],
)
@pytest.mark.parametrize("shape", [(128, 4, 2, 352), (128, 8, 1, 512), (128, 4, 4, 128)])
def test_activations_are_foretold(precision: Any, adapter: AdapterSettings | None, shape: tuple[int, ...]) -> None:
    hidden, heads, kv_heads, ffn = shape
    model = tiny_language_model(hidden=hidden, heads=heads, kv_heads=kv_heads, ffn=ffn, layers=2)
    learner = causal_learner(language_model=model, precision=precision, adapter=adapter, gradient_checkpointing=False)
    foretold = learner._activation_bytes(sum(LENGTHS))
    assert foretold == activation_bytes(
        model.model.config,
        sum(LENGTHS),
        half=precision == "bf16",
        adapter="full" if adapter is None else "dora" if adapter.kind == "dora" else "adapter",
        dropout=adapter is not None and adapter.dropout > 0,
    )
    # So few tokens leave something for what hangs on the weights alone: casts of them, DoRA's norms.
    assert foretold == pytest.approx(kept_bytes(learner), rel=0.3)


def test_auto_computes_again_only_what_would_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "codefit.train.causal_memory.free_bytes"
    monkeypatch.setattr(module, lambda device: 1000)
    assert not needs_checkpointing("auto", int(USABLE * 1000), 0, CPU)
    assert needs_checkpointing("auto", int(USABLE * 1000) + 1, 0, CPU)
    assert needs_checkpointing("auto", int(USABLE * 1000) - OPTIMIZER_BYTES + 1, 1, CPU)
    assert needs_checkpointing(True, 0, 0, CPU)
    assert not needs_checkpointing(False, 10**12, 10**12, CPU)


def test_a_learner_asks_for_the_longest_rows_that_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    made = causal_learner(rows_at_once=3)
    wanted = made._activation_bytes(3 * 64) + OPTIMIZER_BYTES * made.trained_parameters
    for free, expected in ((wanted / USABLE + 10, False), (wanted / USABLE - 10, True)):
        monkeypatch.setattr("codefit.train.causal_memory.free_bytes", lambda device, free=free: free)
        assert causal_learner(rows_at_once=3)._base.is_gradient_checkpointing is expected


def test_free_memory_is_the_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert free_bytes(CPU) == pytest.approx(psutil.virtual_memory().available, rel=0.2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5 << 30, 80 << 30))
    assert free_bytes(torch.device("cuda", 0)) == 5 << 30
