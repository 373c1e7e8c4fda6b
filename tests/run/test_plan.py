"""A plan says before anything is spent what the run then comes to."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from codefit.cli.main import main
from codefit.errors import InputError
from codefit.files import read_json
from codefit.recipe import load_recipe
from codefit.run.pair_data import write_data
from codefit.run.plan import plan_recipe
from codefit.run.plan_text import plan_text


@pytest.fixture(scope="module")
def recipe_name(recipe_file: Path) -> str:
    return str(recipe_file)


def test_rows_are_those_that_the_data_stage_keeps(recipe_name: str, tmp_path: Path) -> None:
    recipe = load_recipe(recipe_name)
    plan = plan_recipe(recipe)
    write_data(recipe.data, recipe.seed, tmp_path)
    manifest = read_json(tmp_path / "data" / "manifest.json")
    assert plan["data"]["documents"] == manifest["stages"]["read"]["kept"]
    assert plan["rows"] == pytest.approx(manifest["train"]["rows"], rel=0.1)
    assert plan["data"]["held_out_pairs"] == pytest.approx(manifest["evaluation"]["rows"], rel=0.3)
    assert plan["steps"] == 40
    assert plan["tokens"]["total"] == pytest.approx(plan["tokens"]["per_pair"] * 40 * 64, rel=1e-6)


def test_nothing_is_written(recipe_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan_recipe(load_recipe(recipe_name))
    assert os.listdir(tmp_path) == []


def test_parameters_are_those_of_the_model(recipe_name: str) -> None:
    plan = plan_recipe(load_recipe(recipe_name, ["tokenizer.vocab_size=600", "model.dimensions=16"]))
    # 600 pieces, of which the case variants of a word share a row of 16 numbers and a weight.
    assert 600 * 17 * 0.4 < plan["parameters"] <= 600 * 17
    assert plan["tokens"]["padding_share"] == 0
    assert plan["memory_bytes"] > 600_000_000
    assert plan["seconds"]["total"] == pytest.approx(sum(v for k, v in plan["seconds"].items() if k != "total"))


def test_an_encoder_says_how_much_is_padding(recipe_name: str) -> None:
    fields = (
        "model={kind: encoder, hidden: 32, layers: 1, heads: 2, ffn: 64, max_tokens: 64, projection: 16, dropout: 0.0}"
    )
    plan = plan_recipe(load_recipe(recipe_name, [fields]))
    tokens = plan["tokens"]
    assert 0 <= tokens["padding_share"] < 0.15
    assert tokens["padding_share"] < tokens["padding_share_unsorted"] < 1
    # Word vectors of 2,000 pieces, positions, one layer of 32, a projection to 16.
    assert 2000 * 32 < plan["parameters"] < 2000 * 32 + 40_000


def test_the_example_is_as_the_model_sees_it(recipe_name: str) -> None:
    example = plan_recipe(load_recipe(recipe_name))["example"]
    assert example["source"] in {"asyncio", "importlib", "multiprocessing", "unittest"}
    recipe = load_recipe(recipe_name)
    from codefit.run.embedding import trainable

    written = trainable(recipe.model, recipe.train).words.code_text(example["positive"])  # type: ignore[union-attr]
    assert "".join(piece * times for piece, times in example["code_tokens"]).replace(" ", "")[:20]
    assert sum(len(piece.strip()) * times for piece, times in example["code_tokens"]) == len(written.replace(" ", ""))


def test_text_and_json(recipe_name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", recipe_name, "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    text = plan_text(plan)
    for part in ("rows to train on", "padding", "parameters", "memory", "time, total", "nothing was trained"):
        assert part in text


def test_missing_pairs_are_said(recipe_name: str, tmp_path: Path) -> None:
    plan = plan_recipe(load_recipe(recipe_name, [f"data.pairs=[{tmp_path}/nothing*.jsonl]"]))
    assert plan["data"]["missing"] == [f"{tmp_path}/nothing*.jsonl"]
    assert "nothing*.jsonl" in plan_text(plan)


def test_nothing_to_learn_from(recipe_name: str, tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(InputError, match="no pair"):
        plan_recipe(load_recipe(recipe_name, [f"data.documents=[{tmp_path}]"]))
