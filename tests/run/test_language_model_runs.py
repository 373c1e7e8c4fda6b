"""Small runs of both recipes: general code to a base, a repository's files to a measured, merged model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codefit.errors import InputError
from codefit.evaluate.perplexity import evaluate_perplexity
from codefit.files import read_json
from codefit.models.language_info import read_language_info
from codefit.models.language_model import load_language_model, weights_fingerprint
from codefit.recipe import Recipe, load_recipe
from codefit.records import Document, load_rows
from codefit.run.trip import run_recipe
from codefit.train.trainer import read_metrics
from run.planned_recipes import write_places

TRAINING = (
    "train.epochs=null",
    "train.lengths=[32,64]",
    "train.save_every=3",
    "train.eval_every=3",
    "train.warmup_steps=1",
    "train.device=cpu",
    "evaluate.stride=32",
    "evaluate.max_documents=4",
    "evaluate.validation_documents=3",
    "complete.samples=2",
    "complete.max_new_tokens=4",
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of three packages, a Rust repository, and a model to adapt."""
    return write_places(tmp_path_factory.mktemp("places"))


def extended(places: dict[str, Path], *more: str) -> Recipe:
    sources = [
        f"data.documents=[{places['rust']}]",
        "data.min_lines=5",
        "data.top=15",
        "data.hold_out.share=0.3",
        "data.hold_out.validation_share=0.3",
        f"data.general={{documents: [{places['code']}], sources: [beta, gamma]}}",
        f"data.replay={{documents: [{places['code']}], exclude: [beta, gamma]}}",
        f"model.base={places['base']}",
        "evaluate.training_documents=2",
        "ship.forms=[]",
        "train.max_steps=8",
    ]
    return load_recipe("extended-pretraining-cpu", [*sources, *TRAINING, *more])


@pytest.fixture(scope="module")
def adapted(places: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole run with an adapter."""
    out = tmp_path_factory.mktemp("runs") / "adapted"
    run_recipe(extended(places), out)
    return out


def test_every_stage_leaves_what_the_design_names(adapted: Path) -> None:
    record = read_json(adapted / "run.json")
    assert [stage["name"] for stage in record["stages"]] == ["data", "before", "train", "evaluate", "ship", "complete"]
    assert {stage["state"] for stage in record["stages"]} == {"done"}
    wanted = ("adapter/adapter_model.safetensors", "model/model.safetensors", "model/README.md", "shipped.json")
    for name in (*wanted, "samples.json", "evaluation.json", "metrics.jsonl", "report.html", "data/manifest.json"):
        assert (adapted / name).exists(), name


def test_each_set_is_measured_before_and_after(adapted: Path, places: dict[str, Path]) -> None:
    sets = {entry["name"]: entry for entry in read_json(adapted / "evaluation.json")["sets"]}
    assert {name: entry["role"] for name, entry in sets.items()} == {
        "held-out files": "domain",
        "beta": "general",
        "gamma": "general",
        "files trained on": "training",
    }
    for entry in sets.values():
        ratio = entry["after"]["perplexity"] / entry["before"]["perplexity"]
        assert entry["change"]["perplexity"] == pytest.approx(ratio - 1)
        low, high = entry["change"]["ci95"]
        assert low <= entry["change"]["perplexity"] <= high
    assert sets["files trained on"]["change"]["perplexity"] < 0
    # What stands there is what anybody measures who loads the base and the adapter.
    held_out = load_rows(adapted / "data/eval_documents.jsonl.gz", Document)
    chosen = [held_out[place * len(held_out) // 4] for place in range(4)] if len(held_out) > 4 else held_out
    for place, when in ((places["base"], "before"), (adapted / "adapter", "after"), (adapted / "model", "after")):
        found = evaluate_perplexity(load_language_model(place, device="cpu"), chosen, window=64, stride=32)
        assert found.perplexity == pytest.approx(sets["held-out files"][when]["perplexity"], rel=1e-4)


def test_held_out_directories_are_in_no_training_file(adapted: Path) -> None:
    sides = {
        side: {row.path.rpartition("/")[0] for row in load_rows(adapted / f"data/{side}_documents.jsonl.gz", Document)}
        for side in ("train", "eval", "validation")
    }
    assert not sides["train"] & sides["eval"]
    assert not sides["train"] & sides["validation"]
    assert not sides["eval"] & sides["validation"]
    replayed = {row.repo for row in load_rows(adapted / "data/replay_documents.jsonl.gz", Document)}
    assert replayed == {"alpha"}


def test_the_adapter_knows_its_base_and_its_figures(adapted: Path, places: dict[str, Path]) -> None:
    info = read_language_info(adapted / "adapter")
    assert info.base_sha256 == weights_fingerprint(places["base"])
    assert info.metrics["held-out files"]["after"]["perplexity"] > 1
    assert (
        info.data["train_documents.jsonl.gz"]
        == read_json(adapted / "data/manifest.json")["outputs"]["train_documents.jsonl.gz"]["sha256"]
    )
    assert read_language_info(adapted / "model").kind == "language-model"


def test_running_again_does_nothing_and_a_field_does_what_depends_on_it(
    adapted: Path, places: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run_recipe(extended(places), adapted)
    assert capsys.readouterr().err.count("done already") == 6
    run_recipe(extended(places, "complete.max_new_tokens=3"), adapted)
    assert capsys.readouterr().err.count("done already") == 5


def test_stopped_in_a_stage_of_the_curriculum_it_ends_the_same(
    adapted: Path, places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from codefit.train.causal import CausalLearner

    learn, steps = CausalLearner.learn, iter(range(100))

    def stopped(self: CausalLearner, batch: object, rate: float) -> float:
        if next(steps) == 4:
            raise KeyboardInterrupt
        return learn(self, batch, rate)  # type: ignore[arg-type]

    monkeypatch.setattr(CausalLearner, "learn", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_recipe(extended(places), tmp_path / "run")
    monkeypatch.setattr(CausalLearner, "learn", learn)
    run_recipe(extended(places), tmp_path / "run")
    for file in ("adapter/adapter_model.safetensors", "model/model.safetensors"):
        assert (tmp_path / "run" / file).read_bytes() == (adapted / file).read_bytes()
    losses = [row["loss"] for row in read_metrics(tmp_path / "run/metrics.jsonl") if row["kind"] == "train"]
    assert losses == [row["loss"] for row in read_metrics(adapted / "metrics.jsonl") if row["kind"] == "train"]


def test_every_weight_instead_of_an_adapter(places: dict[str, Path], tmp_path: Path) -> None:
    run_recipe(extended(places, "model.adapter=null", "complete=null", "train.max_steps=4"), tmp_path / "run")
    assert not (tmp_path / "run/adapter").exists()
    assert weights_fingerprint(tmp_path / "run/model") != weights_fingerprint(places["base"])
    forms = read_json(tmp_path / "run/shipped.json")["forms"]
    assert [form["form"] for form in forms] == ["merged"]


def test_a_base_that_is_not_there_names_the_recipe_that_makes_it(
    places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the checkout may hold a base that somebody made
    with pytest.raises(InputError, match="make it first: codefit run base-lm-cpu"):
        run_recipe(extended(places, "model.base=runs/base-lm-cpu/model"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_repository_without_a_file_of_the_language(places: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no source file in java"):
        run_recipe(extended(places, "data.languages=[java]"), tmp_path / "run")


def test_a_base_from_nothing(places: dict[str, Path], tmp_path: Path) -> None:
    fields = [
        f"data.documents=[{places['code']}]",
        "data.pairs=[]",
        "data.evaluation_sources=[beta]",
        "data.validation_sources=[gamma]",
        "tokenizer.vocab_size=600",
        "model={hidden: 32, layers: 2, heads: 4, kv_heads: 2, ffn: 64, context: 64}",
        "train.max_steps=12",
    ]
    run_recipe(load_recipe("base-lm-cpu", [*fields, *TRAINING]), tmp_path / "run")
    (entry,) = read_json(tmp_path / "run/evaluation.json")["sets"]
    assert (entry["name"], entry["before"], entry["change"]) == ("beta", None, None)
    model = load_language_model(tmp_path / "run/model", device="cpu")
    assert entry["after"]["perplexity"] < len(model.tokenizer)  # what guessing evenly would give
    assert json.loads((tmp_path / "run/samples.json").read_text())["samples"][0]["before"] is None
    assert (tmp_path / "run/model/README.md").read_text().startswith("---\n")
