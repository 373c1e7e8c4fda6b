"""Training on chats from files to an adapter, on a plain base and on one in 4 bits."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from chat_learning import chat_learner, learn_chats

from chat_examples import CHATML, CONTEXT, ROOM, chat_format, scored_chats, short_chat, write_chat_model, write_chats
from codefit.errors import CodefitError, InputError
from codefit.files import hash_folder, read_json
from codefit.models.chat import PLAIN_TEMPLATE
from codefit.models.language_info import read_language_info
from codefit.models.language_model import LanguageModel, load_language_model, weights_fingerprint
from codefit.models.quantized import is_four_bit
from codefit.train.adamw import arrays_of, new_adamw, new_paged_adamw, restore_arrays
from codefit.train.causal import AdapterSettings, CausalSettings
from codefit.train.chat import LORA, ChatFiles, ChatTraining, TrainedChat, train_chat
from codefit.train.lora_linear import use_fused_lora
from codefit.train.trainer import read_metrics

LEARNING = CausalSettings(learning_rate=5e-2, adapter=AdapterSettings(rank=4, alpha=8), device="cpu", rows_at_once=4)
TRAINING = ChatTraining(
    learning=LEARNING, max_tokens=CONTEXT, answer_tokens=ROOM, steps=8, chats_a_step=8, warmup_steps=2, eval_every=4
)
LEARNED = 0.08  # nats that an adapter wins on random weights, whose head is all but flat
# Rows of whole blocks of 64, as bitsandbytes wants them in 4 bits.
WIDE = {"hidden": 64, "ffn": 128, "layers": 1}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chats")
    write_chats(folder / "train.jsonl", scored_chats(24))
    write_chats(folder / "validation.jsonl", scored_chats(6, seed=1))
    write_chat_model(folder / "base")
    write_chat_model(folder / "other", seed=1)
    write_chat_model(folder / "wide", CHATML, **WIDE)
    return folder


def trained(
    files: Path, out: Path, *, base: str = "base", quantize: Any = None, training: ChatTraining = TRAINING
) -> TrainedChat:
    model = load_language_model(files / base, device="cpu", quantize=quantize)
    return train_chat(ChatFiles(files / "train.jsonl", out, files / "validation.jsonl"), model, training)


def answer_loss(model: LanguageModel, files: Path) -> float:
    """The loss of the validation chats' answers, by transformers."""
    formatted = chat_format(model)
    nats, count = 0.0, 0
    for chat in scored_chats(6, seed=1):
        found = formatted.encode(chat)
        ids = torch.from_numpy(found.ids.astype(np.int64))
        labels = torch.where(torch.from_numpy(found.learned), ids, -100)
        with torch.no_grad():
            nats += model.model(ids[None], labels=labels[None]).loss.item() * found.learned.sum()
        count += found.learned.sum()
    return nats / count


def test_the_settings_are_those_of_the_reference_run() -> None:
    assert (LORA.kind, LORA.rank, LORA.alpha) == ("lora", 32, 16)
    plain = ChatTraining()
    assert (plain.max_tokens, plain.schedule, plain.learning.learning_rate) == (3072, "cosine", 1e-4)


def test_an_adapter_is_trained_and_says_what_it_was_measured_to_say(files: Path, tmp_path: Path) -> None:
    before = answer_loss(load_language_model(files / "base", device="cpu"), files)
    result = trained(files, tmp_path)
    assert result.folder == tmp_path / "adapter"
    assert (result.chats, result.cut, result.rejected, result.result.steps) == (24, 0, 0, 8)
    assert result.validation["loss"] < before - LEARNED
    loaded = load_language_model(result.folder, device="cpu")
    assert answer_loss(loaded, files) == pytest.approx(result.validation["loss"], abs=1e-4)
    assert loaded.tokenizer.chat_template == PLAIN_TEMPLATE
    info = read_language_info(result.folder)
    assert info.base_sha256 == weights_fingerprint(files / "base")
    assert (info.kind, info.lengths, info.answer_tokens, info.quantize) == ("adapter", [CONTEXT], ROOM, None)
    rates = [row["rate"] for row in read_metrics(tmp_path / "metrics.jsonl") if row["kind"] == "train"]
    assert rates[:2] == [0.5, 1.0]
    assert rates[2:] == sorted(rates[2:], reverse=True)


def test_the_template_of_an_adapter_is_its_own(files: Path, tmp_path: Path) -> None:
    folder = trained(files, tmp_path).folder
    (folder / "chat_template.jinja").write_text(CHATML, encoding="utf-8")
    assert load_language_model(folder, device="cpu").tokenizer.chat_template == CHATML


def test_the_checkpoint_of_the_lowest_loss_is_kept(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([3.0, 1.0, 2.0, 4.0])
    monkeypatch.setattr("codefit.train.chat.validation_loss", lambda *_: {"loss": next(losses)})
    result = trained(files, tmp_path, training=dataclasses.replace(TRAINING, eval_every=2))
    assert (result.result.best_step, result.validation) == (4, {"loss": 1.0})


def test_epochs_are_times_through_the_chats(files: Path, tmp_path: Path) -> None:
    training = dataclasses.replace(TRAINING, steps=None, epochs=2, validation_chats=2)
    assert trained(files, tmp_path, training=training).result.steps == 6


@pytest.mark.parametrize(("base", "quantize"), [("base", None), ("wide", "nf4")])
def test_an_interrupted_training_ends_as_the_unbroken_one(
    files: Path, tmp_path: Path, base: str, quantize: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from codefit.train.causal import CausalLearner

    training = dataclasses.replace(TRAINING, save_every=3, eval_every=3)
    learn, count = CausalLearner.learn, iter(range(99))

    def killed(self: CausalLearner, *arguments: Any) -> float:
        if next(count) == 5:
            raise RuntimeError("killed")
        return learn(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(CausalLearner, "learn", killed)
        with pytest.raises(RuntimeError, match="killed"):
            trained(files, tmp_path / "killed", base=base, quantize=quantize, training=training)
    for out in ("killed", "unbroken"):
        trained(files, tmp_path / out, base=base, quantize=quantize, training=training)
    one, other = tmp_path / "killed", tmp_path / "unbroken"
    assert hash_folder(one / "adapter") == hash_folder(other / "adapter")
    assert hash_folder(one / "checkpoints" / "step-00000008") == hash_folder(other / "checkpoints" / "step-00000008")


def test_a_base_in_4_bits_learns_by_an_adapter(files: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    untouched = load_language_model(files / "wide", device="cpu", quantize="nf4")
    assert is_four_bit(untouched.model)
    assert not is_four_bit(load_language_model(files / "wide", device="cpu").model)
    before = answer_loss(untouched, files)
    result = trained(files, tmp_path, base="wide", quantize="nf4")
    assert result.validation["loss"] < before - LEARNED
    assert read_language_info(result.folder).quantize == "nf4"
    assert result.parameters == load_language_model(files / "wide", device="cpu").model.num_parameters()
    # The base in 4 bits as in training is the model measured, the base in full another one, though a near one.
    quantized = answer_loss(load_language_model(result.folder, device="cpu", quantize="nf4"), files)
    assert quantized == pytest.approx(result.validation["loss"], abs=LEARNED / 10)
    in_full = answer_loss(load_language_model(result.folder, device="cpu"), files)
    assert in_full != quantized
    assert in_full == pytest.approx(quantized, abs=LEARNED / 2)


def test_in_4_bits_only_the_adapter_changes(files: Path) -> None:
    model = load_language_model(files / "wide", device="cpu", quantize="nf4")
    learner = chat_learner(model)
    settings = model.model.config.quantization_config
    assert (settings.bnb_4bit_quant_type, settings.bnb_4bit_use_double_quant) == ("nf4", True)
    frozen = {n: p.detach().clone() for n, p in learner.network.named_parameters() if not p.requires_grad}
    assert any(value.dtype == torch.uint8 for value in frozen.values())
    losses = learn_chats(learner, 6)
    assert losses[-1] < losses[0] - LEARNED
    assert all(torch.equal(value, learner.network.get_parameter(name)) for name, value in frozen.items())
    assert use_fused_lora(learner.network) == 0  # PEFT's own layers for 4 bits keep their computation


def test_a_base_in_4_bits_takes_the_gradient_of_what_it_computes(files: Path) -> None:
    """What the adapter learns in a step is what it learns on the base that 4 bits stand for."""
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Linear4bit

    quantized = load_language_model(files / "wide", device="cpu", quantize="nf4")
    plain = load_language_model(files / "wide", device="cpu")
    for name, layer in quantized.model.named_modules():
        if isinstance(layer, Linear4bit):
            weight = dequantize_4bit(layer.weight.data, layer.weight.quant_state)
            plain.model.get_submodule(name).weight.data = weight
    one, other = chat_learner(quantized), chat_learner(plain)
    np.testing.assert_allclose(learn_chats(one, 3), learn_chats(other, 3), atol=1e-4)
    for name, array in one.state().items():
        np.testing.assert_allclose(array, other.state()[name], atol=1e-3, err_msg=name)


def test_a_base_in_4_bits_does_not_learn_itself(files: Path) -> None:
    model = load_language_model(files / "wide", device="cpu", quantize="nf4")
    with pytest.raises(InputError, match=r"wide: a base in 4 bits cannot learn itself; train an adapter on it"):
        chat_learner(model, adapter=None)


def test_where_4_bits_cannot_be_had_it_is_one_line(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codefit.models.quantized.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"wide in 4 bits needs bitsandbytes; pip install 'codefit\[quantize\]'"):
        load_language_model(files / "wide", device="cpu", quantize="nf4")
    monkeypatch.undo()
    monkeypatch.setattr("codefit.models.quantized._try_matrix", lambda: 1 / 0)
    with pytest.raises(CodefitError, match="wide in 4 bits needs bitsandbytes, which does not work on this machine"):
        load_language_model(files / "wide", device="cpu", quantize="nf4")


def test_a_model_that_is_quantized_is_not_quantized_again(files: Path, tmp_path: Path) -> None:
    from codefit.export.quantize import quantize_model

    (tmp_path / "nf4").mkdir()
    quantize_model(files / "wide", tmp_path / "nf4", "nf4", device="cpu")
    assert is_four_bit(load_language_model(tmp_path / "nf4", device="cpu").model)
    with pytest.raises(InputError, match="the model is quantized already; load it as it is"):
        load_language_model(tmp_path / "nf4", device="cpu", quantize="nf4")


@pytest.mark.parametrize("quantize", [None, "nf4"])
def test_an_adapter_is_refused_on_another_base(files: Path, tmp_path: Path, quantize: Any) -> None:
    folder = trained(files, tmp_path).folder
    with pytest.raises(InputError, match=r"trained on other weights than those of .*other; give the base .*base"):
        load_language_model(files / "other", adapter=folder, device="cpu", quantize=quantize)
    settings = read_json(folder / "adapter_config.json")
    assert settings["base_model_name_or_path"] == str(files / "base")


def test_chats_longer_than_the_context_are_refused(files: Path, tmp_path: Path) -> None:
    training = dataclasses.replace(TRAINING, max_tokens=CONTEXT + 1)
    with pytest.raises(InputError, match=rf"{CONTEXT + 1} tokens of a chat are more than .* {CONTEXT}; lower"):
        trained(files, tmp_path, training=training)


def test_too_many_chats_without_an_answer_stop_it(files: Path, tmp_path: Path) -> None:
    chats = [*scored_chats(20), short_chat("def f(): pass", None)]
    path = write_chats(tmp_path / "train.jsonl", chats)
    model = load_language_model(files / "base", device="cpu")
    with pytest.raises(InputError, match=r"1 of 21 rows do not fit, above max_rejected 1%.*no answer to learn"):
        train_chat(ChatFiles(path, tmp_path / "out"), model, TRAINING)
    assert (tmp_path / "out" / "rejected.jsonl").exists()
    training = dataclasses.replace(TRAINING, max_rejected=0.1, steps=1)
    assert train_chat(ChatFiles(path, tmp_path / "out"), model, training).rejected == 1


def parameters(seed: int) -> dict[str, torch.nn.Parameter]:
    draw = torch.Generator().manual_seed(seed)
    return {
        "wide": torch.nn.Parameter(torch.randn(400, 300, generator=draw)),
        "flat": torch.nn.Parameter(torch.randn(7, generator=draw)),
    }


def step(optimizer: torch.optim.Optimizer, given: dict[str, torch.nn.Parameter], seed: int) -> None:
    for place, parameter in enumerate(given.values()):
        parameter.grad = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(10 * seed + place))
    for group in optimizer.param_groups:
        group["lr"] = 0.01 / (1 + seed)
    optimizer.step()


@pytest.mark.filterwarnings("ignore:Paged optimizers are not supported on CPU")
def test_the_paged_optimizer_is_adamw_and_is_restored_to_the_bit() -> None:
    pytest.importorskip("bitsandbytes")
    settings: dict[str, Any] = {"learning_rate": 0.01, "weight_decay": 0.1, "betas": (0.9, 0.95)}
    plain, paged, resumed = parameters(0), parameters(0), parameters(1)
    one = new_adamw(list(plain.values()), **settings)
    other = new_paged_adamw(list(paged.values()), **settings)
    for seed in range(3):
        step(one, plain, seed)
        step(other, paged, seed)
    for name, value in plain.items():
        torch.testing.assert_close(paged[name], value, atol=1e-5, rtol=1e-5)
    arrays = {name: array.copy() for name, array in arrays_of(paged, other).items()}
    assert arrays.keys() == arrays_of(plain, one).keys()
    again = new_paged_adamw(list(resumed.values()), **settings)
    restore_arrays(resumed, again, arrays, lambda name: 3.0)
    step(again, resumed, 3)
    step(other, paged, 3)
    for name, array in arrays_of(resumed, again).items():
        np.testing.assert_array_equal(array, arrays_of(paged, other)[name], err_msg=name, strict=True)
    assert all(again.state[parameter]["step"] == 4 for parameter in resumed.values())
