"""The causal learner: its loss is the plain one, its steps hang on nothing else, and what it writes loads again."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from causal_examples import SEED, causal_data, causal_learner, learn

from codefit.errors import CodefitError, InputError, from_os_error
from codefit.models.language_model import load_language_model
from codefit.train.causal import AdapterSettings, CausalLearner, half_type
from codefit.train.checkpoint import latest_checkpoint
from codefit.train.trainer import TrainSettings, read_metrics, train
from tiny_language_models import tiny_language_model, write_language_model

CPU = torch.device("cpu")
KINDS = [None, AdapterSettings("lora", 4, 8), AdapterSettings("dora", 4, 8), AdapterSettings("rslora", 4, 8)]


def first_batch(learner: CausalLearner) -> Any:
    return next(learner.data.batches(8, seed=SEED, first_step=0))


def weights(learner: CausalLearner) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in learner.network.named_parameters()}


def gradients(learner: CausalLearner) -> dict[str, torch.Tensor]:
    learn(learner, 1)
    return {name: p.grad.clone() for name, p in learner.network.named_parameters() if p.grad is not None}


def logits_of(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.arange(40)[None]).logits


def test_the_loss_is_the_mean_over_all_tokens_of_the_plain_computation() -> None:
    learner = causal_learner()
    batch = first_batch(learner)
    model = tiny_language_model().model
    losses = [
        torch.nn.functional.cross_entropy(model(ids[None, :-1]).logits[0], ids[1:], reduction="none")
        for row in batch.rows
        for ids in map(torch.from_numpy, (sequence.astype(np.int64) for sequence in row.sequences))
    ]
    expected = torch.cat(losses).mean()
    assert len(torch.cat(losses)) == learner.data.tokens(batch)
    assert learner.learn(batch, 1.0) == pytest.approx(expected.item(), abs=1e-5)


def test_the_gradient_is_that_of_the_plain_computation() -> None:
    learner = causal_learner()
    batch = first_batch(learner)
    model = tiny_language_model().model
    for row in batch.rows:
        for sequence in row.sequences:
            ids = torch.from_numpy(sequence.astype(np.int64))
            loss = torch.nn.functional.cross_entropy(model(ids[None, :-1]).logits[0], ids[1:], reduction="sum")
            (loss / learner.data.tokens(batch)).backward()
    expected = dict(model.named_parameters())
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    found = gradients(learner)
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name].grad, atol=1e-6, rtol=1e-4, msg=name)


@pytest.mark.parametrize("adapter", KINDS)
def test_eight_rows_one_by_one_are_a_step_of_eight(adapter: AdapterSettings | None) -> None:
    one, three, eight = (causal_learner(rows_at_once=rows, adapter=adapter) for rows in (1, 3, 8))
    losses = [learn(learner, 4) for learner in (one, three, eight)]
    np.testing.assert_allclose(losses[0], losses[2], atol=1e-5)
    np.testing.assert_allclose(losses[1], losses[2], atol=1e-5)
    for name, weight in weights(one).items():
        torch.testing.assert_close(weight, weights(eight)[name], atol=1e-5, rtol=0, msg=name)


@pytest.mark.parametrize("adapter", KINDS)
def test_it_learns_and_only_what_should(adapter: AdapterSettings | None) -> None:
    learner = causal_learner(adapter=adapter, learning_rate=1e-2)
    before = weights(learner)
    batch = first_batch(learner)
    losses = [learner.learn(batch, 1.0) for _ in range(10)]
    assert losses[-1] < losses[0] - (1 if adapter is None else 0.05)
    after = weights(learner)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    if adapter is None:
        assert changed == set(before)
        assert learner.trained_parameters == sum(weight.numel() for weight in before.values())
    else:
        assert changed == {name for name in before if "lora_" in name}
        assert len(changed) == 2 * 7 * (3 if adapter.kind == "dora" else 2)
        assert learner.trained_parameters == sum(before[name].numel() for name in changed)


def test_kinds_of_adapters_are_pefts(tmp_path: Path) -> None:
    for adapter in KINDS[1:]:
        assert adapter is not None
        config = causal_learner(adapter=adapter).network.peft_config["default"]
        assert (config.use_dora, config.use_rslora) == (adapter.kind == "dora", adapter.kind == "rslora")
        assert (config.r, config.lora_alpha, config.lora_dropout) == (4, 8, 0.0)


def test_dropout_and_adapter_are_drawn_from_the_seed_alone() -> None:
    adapter = AdapterSettings("lora", 4, 8, dropout=0.3)
    torch.manual_seed(1)
    first = learn(causal_learner(adapter=adapter), 3)
    torch.manual_seed(2)
    state = torch.random.get_rng_state()
    learner = causal_learner(adapter=adapter)
    assert learn(learner, 3) == first
    assert torch.equal(torch.random.get_rng_state(), state)
    assert learn(causal_learner(adapter=KINDS[1]), 3) != first


def test_biases_and_norms_do_not_decay() -> None:
    groups = causal_learner(weight_decay=0.1)._optimizer.param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert {p.ndim for p in groups[0]["params"]} == {2}
    assert {p.ndim for p in groups[1]["params"]} == {1}


def test_the_rate_is_a_share_of_the_peak() -> None:
    still, moving = causal_learner(), causal_learner()
    before = weights(still)
    still.learn(first_batch(still), 0.0)
    moving.learn(first_batch(moving), 0.5)
    assert all(torch.equal(before[name], weight) for name, weight in weights(still).items())
    largest = max((weight - before[name]).abs().max().item() for name, weight in weights(moving).items())
    assert largest == pytest.approx(0.5 * 3e-3, rel=0.05)  # AdamW's first step is the rate itself


@pytest.mark.parametrize("adapter", KINDS)
def test_what_is_saved_loads_with_the_libraries_and_says_the_same(
    adapter: AdapterSettings | None, tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = write_language_model(tmp_path / "base")
    loaded = load_language_model(base, device="cpu")
    untouched = logits_of(loaded.model)
    learner = causal_learner(language_model=loaded, adapter=adapter, learning_rate=1e-2)
    learn(learner, 5)
    out = tmp_path / "out"
    out.mkdir()
    learner.save_model(out)
    expected = logits_of(learner.evaluating().model)
    if adapter is None:
        again = AutoModelForCausalLM.from_pretrained(out)
    else:
        again = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), out)
    torch.testing.assert_close(logits_of(again.eval()), expected, atol=1e-5, rtol=0)
    assert (expected - untouched).abs().max() > 0.01
    torch.testing.assert_close(logits_of(load_language_model(out, device="cpu").model), expected, atol=1e-5, rtol=0)
    assert not list(out.glob("*.bin"))


def test_evaluating_in_the_middle_changes_no_step() -> None:
    plain, looked_at = causal_learner(), causal_learner()
    losses = learn(plain, 4)
    batches = looked_at.data.batches(8, seed=SEED, first_step=0)
    found = []
    for _ in range(4):
        found.append(looked_at.learn(next(batches), 1.0))
        shown = looked_at.evaluating()
        assert not shown.model.training
        assert logits_of(shown.model).isfinite().all()
    assert found == losses


@pytest.mark.parametrize("adapter", [None, AdapterSettings("lora", 4, 8), AdapterSettings("dora", 4, 8)])
def test_checkpointing_gives_the_same_gradients(adapter: AdapterSettings | None) -> None:
    kept = causal_learner(adapter=adapter, gradient_checkpointing=False)
    again = causal_learner(adapter=adapter, gradient_checkpointing=True)
    assert again._base.is_gradient_checkpointing
    assert not kept._base.is_gradient_checkpointing
    runs = []
    again._base.get_decoder().layers[0].mlp.register_forward_pre_hook(lambda *_: runs.append(1))
    found = gradients(again)
    assert len(runs) == 2 * 8  # once forward, once more for the gradient
    expected = gradients(kept)
    assert found.keys() == expected.keys()
    assert any(gradient.abs().max() > 0 for gradient in expected.values())
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-6, rtol=1e-5, msg=name)


@pytest.mark.parametrize("adapter", KINDS[:3])
def test_a_restored_learner_goes_on_to_the_bit(adapter: AdapterSettings | None) -> None:
    if adapter is not None:
        adapter = dataclasses.replace(adapter, dropout=0.2)
    unbroken = causal_learner(adapter=adapter)
    learn(unbroken, 3)
    state = {name: array.copy() for name, array in unbroken.state().items()}
    losses = learn(unbroken, 3, first_step=3)
    resumed = causal_learner(adapter=adapter)
    resumed.restore(state, 3)
    assert learn(resumed, 3, first_step=3) == losses
    ours, theirs = resumed.state(), unbroken.state()
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name, strict=True)


def test_bf16_learns_about_the_same() -> None:
    single, half = causal_learner(precision="fp32"), causal_learner(precision="bf16")
    expected, found = learn(single, 6), learn(half, 6)
    assert half.half == torch.bfloat16
    assert found != expected
    np.testing.assert_allclose(found, expected, rtol=0.02)
    assert {p.dtype for p in half.network.parameters()} == {torch.float32}
    adapted = causal_learner(precision="bf16", adapter=KINDS[1])
    learn(adapted, 2)
    types = {p.requires_grad: p.dtype for p in adapted.network.parameters()}
    assert types == {True: torch.float32, False: torch.bfloat16}
    assert {array.dtype for array in adapted.state().values()} == {np.dtype(np.float32)}


def test_rows_longer_than_the_context_are_refused() -> None:
    with pytest.raises(InputError, match=r"rows of 64 tokens are longer than the model's context of 48; lower"):
        causal_learner(language_model=tiny_language_model(context=48))


def test_a_poisoned_weight_stops_and_the_last_good_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = causal_learner()
    learn_step = learner.learn
    count = iter(range(100))

    def poison(batch: Any, factor: float) -> float:
        if next(count) == 7:
            with torch.no_grad():
                learner._base.get_decoder().layers[0].mlp.up_proj.weight[0, 0] = math.nan
        return learn_step(batch, factor)

    monkeypatch.setattr(learner, "learn", poison)
    with pytest.raises(
        CodefitError, match=r"loss became nan at step 8, on .*f\d+\.py.*; the checkpoint of step 6 is kept; lower"
    ):
        train(learner, TrainSettings(max_steps=12, batch_size=8, save_every=3), tmp_path)
    checkpoint = latest_checkpoint(tmp_path / "checkpoints")
    assert checkpoint is not None
    assert checkpoint.step == 6
    assert all(np.isfinite(array).all() for array in checkpoint.arrays.values())
    assert not (tmp_path / "model").exists()


def test_a_gradient_that_is_not_finite_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = causal_learner()
    before = weights(learner)
    weight = learner._base.get_decoder().layers[0].mlp.up_proj.weight
    weight.register_hook(lambda gradient: gradient * math.inf)
    assert math.isnan(learner.learn(first_batch(learner), 1.0))
    assert all(torch.equal(before[name], weight) for name, weight in weights(learner).items())


def test_the_journal_names_the_length(tmp_path: Path) -> None:
    data = causal_data(steps=8)
    train(causal_learner(data), TrainSettings(max_steps=8, batch_size=4, save_every=0), tmp_path)
    rows = read_metrics(tmp_path / "metrics.jsonl")
    assert [row["length"] for row in rows] == [40] * 4 + [64] * 4
    assert all(row["tokens_per_second"] > 0 for row in rows)


def test_a_full_disk_names_the_place_and_keeps_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    import safetensors.numpy

    save_file = safetensors.numpy.save_file

    def full(arrays: Any, path: Path) -> None:
        if "step-00000006" in str(path):
            path.write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        save_file(arrays, path)

    monkeypatch.setattr(safetensors.numpy, "save_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        train(causal_learner(), TrainSettings(max_steps=9, batch_size=8, save_every=3), tmp_path)
    line = from_os_error(caught.value).line()
    assert line.startswith(f"{tmp_path / 'checkpoints' / 'step-00000006'}: the disk is full; free some space")
    checkpoint = latest_checkpoint(tmp_path / "checkpoints")
    assert checkpoint is not None
    assert checkpoint.step == 3
    assert [folder.name for folder in (tmp_path / "checkpoints").iterdir()] == ["step-00000003"]


def pretend_gpu(monkeypatch: pytest.MonkeyPatch, name: str, *, bf16: bool) -> torch.device:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: bf16 or including_emulation)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: name)
    return torch.device("cuda", 0)


def test_precision_is_the_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    t4 = pretend_gpu(monkeypatch, "Tesla T4", bf16=False)
    assert half_type("auto", t4) == torch.float16
    assert half_type("fp16", t4) == torch.float16
    assert half_type("fp32", t4) is None
    with pytest.raises(InputError, match=r"Tesla T4 has no bf16; set train\.precision to auto or fp16"):
        half_type("bf16", t4)
    a100 = pretend_gpu(monkeypatch, "A100", bf16=True)
    assert half_type("auto", a100) == torch.bfloat16
    assert half_type("bf16", a100) == torch.bfloat16
    assert half_type("fp16", a100) == torch.float16
    assert half_type("fp32", a100) is None


def test_precision_on_a_cpu() -> None:
    assert half_type("auto", CPU) is None
    assert half_type("fp32", CPU) is None
    assert half_type("bf16", CPU) == torch.bfloat16
    with pytest.raises(InputError, match=r"fp16 needs a GPU; set train\.precision to auto"):
        half_type("fp16", CPU)
