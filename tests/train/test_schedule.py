"""Schedules against transformers' own, and by their corners."""

from __future__ import annotations

import pytest

from codefit.train.schedule import rate_factor


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
@pytest.mark.parametrize("warmup", [0, 7])
def test_after_the_warm_up_it_is_that_of_transformers(schedule, warmup):
    import torch
    from transformers import get_scheduler

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    name = "constant_with_warmup" if schedule == "constant" else schedule
    peer = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=50)
    for step in range(50):
        if step >= warmup:
            expected = peer.get_last_lr()[0]
            assert rate_factor(step, 50, warmup=warmup, schedule=schedule) == pytest.approx(expected, abs=1e-12)
        optimizer.step()
        peer.step()


def test_the_warm_up_rises_to_the_peak_and_wastes_no_step_at_zero():
    rates = [rate_factor(step, 100, warmup=4, schedule="linear") for step in range(5)]
    assert rates == [0.25, 0.5, 0.75, 1.0, 1.0]


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_it_falls_to_nearly_nothing_at_the_last_step(schedule):
    rates = [rate_factor(step, 100, warmup=0, schedule=schedule) for step in range(100)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == 1.0
    assert 0 < rates[-1] < 0.02
