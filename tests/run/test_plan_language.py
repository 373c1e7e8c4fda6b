"""The plan of a language model says in figures what its stages then do, and shows training text token by token."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codefit.cli.main import main
from codefit.errors import InputError
from codefit.files import read_json, write_json
from codefit.models.language_model import FimTokens
from codefit.recipe import ExtendedPretraining
from codefit.records import Document, load_rows
from codefit.run import plan_language, plan_memory, plan_speed
from codefit.run.document_data import EVALUATION, GENERAL, TRAIN, write_general, write_repository
from codefit.run.language_model import training_of
from codefit.run.plan import plan_recipe
from codefit.run.plan_documents import Surveyed, survey_repository
from codefit.run.plan_language_text import language_text
from codefit.run.plan_memory import Device
from codefit.run.plan_rows import token_kinds
from codefit.train.causal import CausalLearner, CausalSettings
from codefit.train.causal_data import CausalBatch, CausalData, Curriculum, Tokenize
from run.planned_recipes import SMALL, adapted, from_scratch, rust_repository
from tiny_language_models import tiny_language_model, write_language_model

QWEN_3B = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "vocab_size": 151_936,
    "hidden_size": 2048,
    "intermediate_size": 11_008,
    "num_hidden_layers": 36,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
    "max_position_embeddings": 32_768,
    "rope_theta": 1_000_000.0,
    "rms_norm_eps": 1e-6,
    "torch_dtype": "bfloat16",
}
PARAMETERS_3B = 3_085_938_688
GB = 10**9


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rust_repository(tmp_path_factory.mktemp("repository") / "shop")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_language_model(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def small(repository: Path, sources: Path, base: Path) -> ExtendedPretraining:
    return adapted(
        repository, sources / "xml", base, *SMALL, "train.epochs=3", "train.max_steps=null", "train.fim_rate=0.5"
    )


@pytest.fixture(scope="module")
def planned(small: ExtendedPretraining) -> dict[str, Any]:
    return plan_recipe(small)


@pytest.fixture(scope="module")
def run(small: ExtendedPretraining, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data stage's own files."""
    folder = tmp_path_factory.mktemp("run")
    write_repository(small.data, small.seed, folder)
    return folder


def test_files_are_those_of_the_data_stage(planned: dict[str, Any], run: Path) -> None:
    kept = planned["data"]["kept"]
    for name, file in (("train", TRAIN), ("evaluation", EVALUATION), ("general", GENERAL)):
        documents = load_rows(run / file, Document)
        assert kept[name] == {
            "files": len(documents),
            "bytes": sum(len(document.text.encode()) for document in documents),
            "counted": True,
        }
    manifest = read_json(run / "data/manifest.json")
    assert planned["data"]["read"]["repository"]["files"] == manifest["stages"]["read"]["kept"] == 32
    dropped = sum(sum(stage["dropped"].values()) for stage in manifest["stages"].values())
    assert sum(planned["data"]["dropped"].values()) == dropped


def test_steps_and_tokens_are_those_of_the_training(
    planned: dict[str, Any], run: Path, small: ExtendedPretraining
) -> None:
    training = training_of(small.train, small.model.adapter, small.seed)
    tokenize = Tokenize(tiny_language_model().tokenizer)
    data = CausalData(load_rows(run / TRAIN, Document), tokenize, training.curriculum)
    steps = data.steps(training.rows_a_step, seed=small.seed)
    assert planned["steps"] == steps == sum(stage["steps"] for stage in planned["stages"])
    batches = data.batches(training.rows_a_step, seed=small.seed, first_step=0)
    tokens = {48: 0, 96: 0}
    counted = {48: 0, 96: 0}
    for _ in range(steps):
        batch = next(batches)
        tokens[batch.length] += data.tokens(batch)
        counted[batch.length] += 1
    assert {stage["length"]: stage["steps"] for stage in planned["stages"]} == counted
    for stage in planned["stages"]:
        assert stage["tokens"] == pytest.approx(tokens[stage["length"]], rel=0.02)
        pieces = data.pieces(stage["length"])
        assert stage["pieces"] == len(pieces)
        assert stage["documents_cut"] == len(data.documents)
        assert stage["padding_share"] == data.padding(training.rows_a_step)[str(stage["length"])]
        assert 0.7 < stage["row_fill"] <= 1
        assert stage["ends_a_pass"] >= len(data.documents)
    assert planned["tokens"]["known"] == "counted"
    long = [d for d in data.documents if len(tokenize([d.text])[0]) > 96]
    assert planned["tokens"]["files_longer_than_context"] == pytest.approx(len(long), abs=1)


def test_a_part_of_the_text_is_scaled_up(
    planned: dict[str, Any], small: ExtendedPretraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_language, "TOKENIZED_BYTES", 12_000)
    monkeypatch.setattr("codefit.run.plan_documents.GENERAL_BYTES", 60_000)
    plan = plan_recipe(small)
    assert plan["tokens"]["known"] == "scaled up"
    assert plan["tokens"]["total"] == pytest.approx(planned["tokens"]["total"], rel=0.1)
    assert plan["steps"] == pytest.approx(planned["steps"], rel=0.15)
    general, whole = plan["data"]["kept"]["general"], planned["data"]["kept"]["general"]
    assert general["counted"] is False
    assert general["bytes"] == pytest.approx(whole["bytes"], rel=0.35)
    assert "scaled up from" in language_text(plan)


def test_a_base_model_from_scratch(sources: Path, tmp_path: Path) -> None:
    recipe = from_scratch(sources)
    plan = plan_recipe(recipe)
    write_general(recipe.data, recipe.seed, tmp_path)
    manifest = read_json(tmp_path / "data/manifest.json")
    assert plan["data"]["kept"]["train"]["files"] == manifest["train"]["rows"]
    assert plan["data"]["kept"]["validation"]["files"] == manifest["validation"]["rows"]
    layer = 32 * (32 + 16 + 16) + (32 + 16 + 16) + 32 * 32 + 3 * 32 * 64 + 2 * 32
    assert plan["parameters"]["all"] == plan["parameters"]["trained"] == 500 * 32 + 2 * layer + 32
    assert [stage["steps"] for stage in plan["stages"]] == [6, 5]
    assert plan["speed"]["measured"] is True
    assert list(plan["seconds"]) == ["data", "tokenizer", "train", "evaluate", "total"]
    assert plan["seconds"]["total"] == pytest.approx(sum(v for k, v in plan["seconds"].items() if k != "total"))
    assert min(plan["seconds"].values()) > 0


def test_large_sources_are_sampled(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = plan_recipe(from_scratch(sources, "data.train_bytes=null"))
    monkeypatch.setattr("codefit.run.plan_documents.TRAIN_BYTES", 250_000)
    monkeypatch.setattr("codefit.run.plan_documents.HELD_OUT_BYTES", 80_000)
    sampled = plan_recipe(from_scratch(sources, "data.train_bytes=null"))
    for name in ("train", "evaluation"):
        assert whole["data"]["kept"][name]["counted"] is True
        assert sampled["data"]["kept"][name]["counted"] is False
        assert sampled["data"]["kept"][name]["bytes"] == pytest.approx(whole["data"]["kept"][name]["bytes"], rel=0.25)


@pytest.mark.parametrize(
    ("ids", "kinds"),
    [
        ([0, 11, 12, 0], ["context", "predicted", "predicted", "end"]),
        ([7, 11, 12], ["context", "predicted", "predicted"]),
        (
            [0, 1, 11, 3, 12, 2, 13, 0],
            ["context", "mark", "prefix", "mark", "suffix", "mark", "middle", "end"],
        ),
        (
            [0, 1, 3, 12, 2, 11, 13, 0],
            ["context", "mark", "mark", "suffix", "mark", "prefix+middle", "prefix+middle", "end"],
        ),
        ([0, 0], ["context", "end"]),
    ],
    ids=["whole", "piece", "hole", "hole, suffix first", "empty"],
)
def test_what_happens_to_a_token(ids: list[int], kinds: list[str]) -> None:
    assert token_kinds(np.array(ids, dtype=np.int32), 0, FimTokens(prefix=1, middle=2, suffix=3)) == kinds


def test_what_is_shown_as_predicted_is_what_the_learner_predicts(
    small: ExtendedPretraining, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The labels that reach the loss are the tokens that have any kind but context, the end tokens among them."""
    from codefit.train import linear_cross_entropy

    model = tiny_language_model()
    training = training_of(small.train, None, small.seed)
    data = CausalData(load_rows(run / TRAIN, Document), Tokenize(model.tokenizer), training.curriculum)
    batch = next(data.batches(training.rows_a_step, seed=small.seed, first_step=0))
    labels: list[int] = []
    real = linear_cross_entropy.linear_cross_entropy

    def noted(hidden: Any, weight: Any, wanted: Any) -> Any:
        labels.extend(wanted.tolist())
        return real(hidden, weight, wanted)

    monkeypatch.setattr(linear_cross_entropy, "linear_cross_entropy", noted)
    learner = CausalLearner(model, data, CausalSettings(), seed=0)
    shown: list[int] = []
    told: set[str] = set()
    for row in batch.rows:
        learner.learn(CausalBatch([row], batch.length), 0.0)
        for ids in row.sequences:
            kinds = token_kinds(ids, data.tokenize.end, data.tokenize.marks)
            told.update(kinds)
            shown += [token for token, kind in zip(ids.tolist(), kinds, strict=True) if kind != "context"]
    assert labels == shown
    assert data.tokenize.end in labels
    assert "mark" in told


def test_a_row_is_the_first_steps_own(planned: dict[str, Any], run: Path, small: ExtendedPretraining) -> None:
    training = training_of(small.train, None, small.seed)
    tokenizer = tiny_language_model().tokenizer
    data = CausalData(load_rows(run / TRAIN, Document), Tokenize(tokenizer), training.curriculum)
    batch = next(data.batches(training.rows_a_step, seed=small.seed, first_step=0))
    texts = ["".join(tokenizer.decode([i]) for ids in row.sequences for i in ids.tolist()) for row in batch.rows]
    shown = planned["rows"][0]
    assert "".join(text for text, kind in shown["tokens"] if kind != "border") in texts
    assert [row["length"] for row in planned["rows"]] == [48, 96]
    borders = [text for text, kind in shown["tokens"] if kind == "border"]
    assert all(re.search(r"crates/c\d/src/m\d\.rs$", border) for border in borders)
    assert sum(kind == "context" for _, kind in shown["tokens"]) == len(borders)


def test_the_work_is_what_torch_counts() -> None:
    """FLOPs of matrix products forward and backward, in full and with an adapter; attention is torch's own kernel."""
    from torch.utils.flop_counter import FlopCounterMode

    from codefit.train.causal import AdapterSettings

    text = "def f(a, b):\n    return a + b\n" * 3
    for adapter in (None, AdapterSettings(rank=4)):
        model = tiny_language_model(hidden=64, ffn=160)
        data = CausalData([Document(path="a.py", text=text)], Tokenize(model.tokenizer), Curriculum((96,), 1.0))
        batch = next(data.batches(1, seed=0, first_step=0))
        settings = CausalSettings(adapter=adapter, gradient_checkpointing=False)
        sizes = plan_memory.count_parameters(model.model.config, settings)
        learner = CausalLearner(model, data, settings, seed=0)
        with FlopCounterMode(display=False) as counter:
            learner.learn(batch, 0.0)
        counts = {str(name): flops for name, flops in counter.get_flop_counts()["Global"].items()}
        products = sum(flops for name, flops in counts.items() if "scaled_dot" not in name)
        load = plan_memory.Load(model.model.config, sizes, settings, 96, _cpu())
        work = plan_speed.work_of(load, context=0).training * data.tokens(batch)
        assert work == pytest.approx(products, rel=0.04), adapter


def _cpu() -> Device:
    return Device("cpu", "a processor", None, 16 * GB, 12 * GB)


def _gpu(free: int, half: str) -> Device:
    return Device("cuda", "a graphics card", half, free, free)  # type: ignore[arg-type]


@pytest.fixture
def in_cache(surveyed: Surveyed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration of Qwen2.5-Coder-3B, and nothing else of it, in a cache of the hub's layout; no network."""
    from huggingface_hub import constants

    revision = "09d9bc5d376b0cfa0100a0694ea7de7232525803"
    place = tmp_path / "home/hub/models--Qwen--Qwen2.5-Coder-3B"
    snapshot = place / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (place / "refs").mkdir()
    (place / "refs/main").write_text(revision)
    write_json(snapshot / "config.json", QWEN_3B)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "home/hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(plan_language, "survey_repository", lambda recipe: surveyed)
    return snapshot


@pytest.fixture(scope="module")
def surveyed(small: ExtendedPretraining) -> Surveyed:
    """What the data section gives, which is the same for each of the plans of the large model."""
    return survey_repository(small)


def _plan_3b(
    repository: Path, sources: Path, device: Device, monkeypatch: pytest.MonkeyPatch, *overrides: str
) -> dict[str, Any]:
    monkeypatch.setattr(plan_language, "find_device", lambda learning: device)
    monkeypatch.setattr(plan_speed, "matmul_rate", lambda kind, half: 400e12)
    monkeypatch.setattr(plan_speed, "copy_rate", lambda kind: 2e12)
    general = sources / "xml"
    recipe = adapted(repository, general, "Qwen/Qwen2.5-Coder-3B", *overrides, name="extended-pretraining")
    return plan_recipe(recipe)


def test_the_true_3b_shape_is_planned_without_weights(
    in_cache: Path, repository: Path, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = _plan_3b(repository, sources, _gpu(80 * GB, "bf16"), monkeypatch)
    # Query and output 2048 to 2048, key and value 2048 to 2 heads of 128, gate and up 2048 to 11008, down back.
    sides = [(2048, 2048), (2048, 256), (2048, 256), (2048, 2048), (2048, 11008), (2048, 11008), (11008, 2048)]
    adapter = 36 * sum(16 * (inputs + outputs) for inputs, outputs in sides)
    assert adapter == 29_933_568
    assert plan["parameters"] == {"all": PARAMETERS_3B + adapter, "trained": adapter}
    memory = plan["memory_bytes"]
    parts = memory["parts"]
    assert parts["weights"] == 2 * PARAMETERS_3B + 4 * adapter
    assert parts["half-precision copies"] == 2 * adapter
    assert parts["gradients"] == 4 * adapter
    assert parts["AdamW moments"] == 8 * adapter
    # A token and layer: 29 bytes a unit of width and 8 of the feed-forward's, as `causal_memory` counts them.
    assert parts["activations"] == 1536 * 36 * (29 * 2048 + 8 * 11008)
    rows = 64_000_000 // 151_936
    assert parts["logits"] == rows * 151_936 * 10 + 1536 * 2048 * 2
    assert parts["libraries"] == 0
    assert memory["total"] == sum(parts.values()) < 16 * GB
    assert memory["fits"] is True
    assert memory["checkpointing"]["chosen"] is False
    assert plan["precision"] == "bf16"
    tokens = plan["tokens"]
    assert (tokens["known"], tokens["bytes_a_token"]) == ("assumed", 3.5)
    assert tokens["per_epoch"] == pytest.approx(plan["data"]["kept"]["train"]["bytes"] / 3.5, rel=0.01)
    assert plan["rows"] == []
    told = language_text(plan)
    assert "3.5: an assumption" in told
    assert "no row can be shown" in told
    assert plan["speed"]["measured"] is False
    # Forward and the gradient of the inputs are 4 FLOPs a number and token, the adapter's own gradient is small.
    seconds = tokens["total"] * 4 * PARAMETERS_3B / (400e12 * 0.4)
    assert sum(stage["seconds"] for stage in plan["stages"]) == pytest.approx(seconds, rel=0.1)


def test_memory_decides_what_is_computed_again(
    in_cache: Path, repository: Path, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A T4 has 16 GB and no bf16: 3B in half precision leaves room for a row's activations, but not for two rows'."""
    one = _plan_3b(repository, sources, _gpu(16 * GB, "fp16"), monkeypatch)["memory_bytes"]
    two = _plan_3b(repository, sources, _gpu(16 * GB, "fp16"), monkeypatch, "train.batch_size=2")["memory_bytes"]
    large = _plan_3b(repository, sources, _gpu(80 * GB, "bf16"), monkeypatch, "train.batch_size=2")["memory_bytes"]
    kept = one["checkpointing"]["activations_kept"]
    left = 16 * GB - one["parts"]["weights"]
    optimizer = one["parts"]["gradients"] + one["parts"]["AdamW moments"]
    assert one["checkpointing"]["chosen"] is (kept + optimizer > 0.8 * left)
    assert two["checkpointing"]["activations_kept"] == 2 * kept
    assert two["checkpointing"]["chosen"] is (2 * kept + optimizer > 0.8 * left) is True
    assert two["parts"]["activations"] == 2 * (1536 * 36 * 2048 * 2) + 2 * kept // 36
    assert two["fits"] is True
    assert large["checkpointing"]["chosen"] is False
    assert large["parts"]["activations"] == 2 * kept


@pytest.mark.parametrize(
    ("overrides", "gigabytes", "fix"),
    [
        (("train.gradient_checkpointing=false", "train.batch_size=4"), 16, "train.gradient_checkpointing to true"),
        (("train.batch_size=16",), 12, "train.batch_size to 8 and raise train.accumulation 2 times"),
        (("model.adapter=null",), 16, "train an adapter"),
        ((), 4, "a smaller model"),
    ],
)
def test_what_does_not_fit_says_what_to_change(
    overrides: tuple[str, ...],
    gigabytes: int,
    fix: str,
    in_cache: Path,
    repository: Path,
    sources: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = _plan_3b(repository, sources, _gpu(gigabytes * GB, "fp16"), monkeypatch, *overrides)
    assert plan["memory_bytes"]["fits"] is False
    assert fix in plan["memory_bytes"]["fix"]
    assert f"it does not fit: {plan['memory_bytes']['fix']}" in language_text(plan)


def test_a_base_of_which_nothing_is_at_hand(in_cache: Path, repository: Path, sources: Path) -> None:
    recipe = adapted(repository, sources / "xml", "Qwen/Qwen2.5-Coder-3B", name="extended-pretraining")
    for remove in (lambda: (in_cache / "config.json").unlink(), lambda: shutil.rmtree(in_cache.parents[1])):
        remove()
        with pytest.raises(InputError) as error:
            plan_recipe(recipe)
        assert "hf download Qwen/Qwen2.5-Coder-3B config.json" in error.value.line()
        assert "--revision 09d9bc5d376b0cfa0100a0694ea7de7232525803" in error.value.line()


def test_a_folder_with_a_configuration_alone(in_cache: Path, repository: Path, sources: Path, tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", QWEN_3B | {"num_hidden_layers": 2, "hidden_size": 64})
    plan = plan_recipe(adapted(repository, sources / "xml", tmp_path, *SMALL))
    assert plan["tokens"]["known"] == "assumed"
    assert plan["speed"]["measured"] is False


def test_a_base_that_a_run_must_make_first(
    in_cache: Path, repository: Path, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a checkout may have made it
    recipe = adapted(repository, sources / "xml", "runs/base-lm-cpu/model")
    with pytest.raises(InputError, match="codefit run base-lm-cpu"):
        plan_recipe(recipe)


def test_lengths_beyond_the_context(in_cache: Path, repository: Path, sources: Path, base: Path) -> None:
    with pytest.raises(InputError, match=r"longer than the model's context of 96"):
        plan_recipe(adapted(repository, sources / "xml", base))


def test_the_command_says_the_same_in_words_and_json(
    small: ExtendedPretraining,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import yaml

    recipe = tmp_path / "small.yaml"
    recipe.write_text(yaml.safe_dump(small.model_dump(mode="json")))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    assert main(["plan", str(recipe), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert os.listdir(work) == []
    assert all(len(token) == 2 for row in plan["rows"] for token in row["tokens"])
    text = language_text(plan)
    for part in ("to train on", "end token", "parameters", "memory", "checkpointing", "time, train", "rows filled"):
        assert part in text
    assert "\x1b[" not in text
    assert "⟦<|endoftext|>⟧" in text
    assert "‹<|endoftext|>›" in text


def test_colours_are_a_terminals(planned: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = language_text(planned)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = language_text(planned)
    assert "\x1b[1;7;32m<|endoftext|>\x1b[0m" in coloured
    assert "\x1b[2;3m<|endoftext|>\x1b[0m" in coloured
    assert "\x1b[" not in plain
    # Every word of the row stands there, whatever its style.
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    for text, kind in planned["rows"][0]["tokens"]:
        assert kind == "border" or text.strip() in bare
