"""The command that repeats a run gives the recipe that the run recorded."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from codefit.recipe import load_recipe
from codefit.run.record import read_record
from codefit.run.report.repeat import differences, how_to_repeat
from run.report.sample_run import change, make_run


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["train.batch_size=256", "seed=7"],
        ["data.evaluation_sources=[networkx, jinja2]", 'description="It\'s a test: $HOME"'],
        ["ask=null"],
        ["model.words=null", "name=other-name"],
    ],
)
@pytest.mark.parametrize("name", ["quickstart", "code-encoder-cpu", "code-encoder"])
def test_the_command_gives_the_same_recipe(tmp_path: Path, name: str, overrides: list[str]) -> None:
    if name == "code-encoder":
        overrides = [override for override in overrides if not override.startswith("model.words")]
    wanted = load_recipe(name, overrides).model_dump(mode="json")
    run = make_run(tmp_path / "my run")
    change(run, "run.json", recipe=wanted, name=wanted["name"])
    repeat = how_to_repeat(read_record(run), "my run")
    words = [word for word in shlex.split(repeat.command) if not word.startswith("CODEFIT_DATA=")]
    assert words[:2] == ["codefit", "run"]
    assert words[-2:] == ["--out", "runs/my run"]
    assert ("CODEFIT_DATA=" in repeat.command) == ("$CODEFIT_DATA" in yaml.safe_dump(wanted))
    if repeat.file is not None:
        (tmp_path / repeat.file).write_text(repeat.recipe)
        words[2] = str(tmp_path / repeat.file)
    assert load_recipe(words[2], words[3:-2]).model_dump(mode="json") == wanted


def test_a_bundled_recipe_is_named_rather_than_written_out(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    assert how_to_repeat(read_record(run), "run").command == "codefit run quickstart --out runs/run"


def test_the_nearest_recipe_is_named_and_one_far_from_all_is_a_file(tmp_path: Path) -> None:
    wanted = load_recipe("code-encoder").model_dump(mode="json") | {"name": "quickstart"}
    run = make_run(tmp_path / "run")
    change(run, "run.json", recipe=wanted)
    assert "codefit run code-encoder name=quickstart" in how_to_repeat(read_record(run), "run").command
    for number, field in enumerate(("epochs", "batch_size", "save_every", "eval_every", "memory_tokens")):
        wanted["train"][field] = None if field == "epochs" else 77 + number
    wanted |= {"seed": 5, "ask": None, "description": "Mine"}
    wanted["tokenizer"] |= {"vocab_size": 999, "max_bytes": 5, "compare": False}
    change(run, "run.json", recipe=wanted)
    repeat = how_to_repeat(read_record(run), "run")
    assert repeat.file == "run.yaml"
    assert "codefit run run.yaml --out runs/run" in repeat.command


def test_a_recipe_recorded_by_another_version_is_a_file(tmp_path: Path) -> None:
    """It lacks a field that the bundled one has: no override can take a field away."""
    wanted = load_recipe("quickstart").model_dump(mode="json")
    del wanted["tokenizer"]["compare"]
    run = make_run(tmp_path / "run")
    change(run, "run.json", recipe=wanted)
    assert how_to_repeat(read_record(run), "run").file == "run.yaml"


def test_differences_are_leaf_by_leaf_without_the_names() -> None:
    one = {"name": "a", "train": {"epochs": 1, "rate": None}, "same": [1]}
    two = {"name": "b", "train": {"epochs": 2}, "same": [1]}
    assert differences([one, two]) == [("train.epochs", ["1", "2"]), ("train.rate", ["null", ""])]
