"""The device that is chosen, on machines that the tests do not have."""

from __future__ import annotations

import pytest
import torch

from codefit.errors import InputError
from codefit.models.device import autocast_type, choose_device


def pretend(monkeypatch, *, free=(), mps=False, bf16=True):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(free))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(free))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda i: (free[i], 80 << 30))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bf16)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


def test_auto_is_the_gpu_with_the_most_free_memory(monkeypatch):
    pretend(monkeypatch, free=(2 << 30, 9 << 30, 5 << 30), mps=True)
    assert choose_device() == torch.device("cuda", 1)


def test_auto_without_cuda_is_mps_then_the_cpu(monkeypatch):
    pretend(monkeypatch, mps=True)
    assert choose_device("auto") == torch.device("mps")
    pretend(monkeypatch)
    assert choose_device("auto") == torch.device("cpu")


def test_a_device_named_is_taken_at_its_word(monkeypatch):
    pretend(monkeypatch, free=(2 << 30, 9 << 30))
    assert choose_device("cuda:0") == torch.device("cuda", 0)
    assert choose_device("cpu") == torch.device("cpu")


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    pretend(monkeypatch)
    with pytest.raises(InputError, match="no CUDA device on this machine; use device auto or cpu"):
        choose_device("cuda")
    with pytest.raises(InputError, match="unknown device 'gpu'"):
        choose_device("gpu")
    pretend(monkeypatch, free=(1 << 30,))
    with pytest.raises(InputError, match="cuda:3"):
        choose_device("cuda:3")
    with pytest.raises(InputError, match="MPS"):
        choose_device("mps")


def test_half_precision_is_bf16_where_the_gpu_has_it(monkeypatch):
    pretend(monkeypatch, free=(1,))
    assert autocast_type(torch.device("cuda")) == torch.bfloat16
    assert autocast_type(torch.device("cpu")) is None
    pretend(monkeypatch, free=(1,), bf16=False)
    assert autocast_type(torch.device("cuda")) is None
