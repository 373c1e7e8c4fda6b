"""`codefit recipes` and the flags of `codefit run`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from codefit.cli.main import main
from codefit.recipe import bundled_recipes, load_recipe, parse_recipe


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["recipes"]
    assert {row["name"] for row in rows} >= {"quickstart", "code-encoder-cpu", "code-encoder"}
    assert all(row["description"] for row in rows)
    assert main(["recipes", "list"]) == 0
    assert "quickstart" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(bundled_recipes()))
def test_every_field_of_a_bundled_recipe_stands_there_with_a_comment(name: str) -> None:
    text = bundled_recipes()[name]
    stated = yaml.safe_load(text)
    resolved = load_recipe(name).model_dump(mode="json")
    assert stated == resolved  # no field is left to its default, none stands there that is not known
    for line in text.splitlines():
        value = re.fullmatch(r"( +)([a-z_]+): (?!null$)\S.*", line)
        if value and not re.match(r" +(HumanEval|MBPP|CoSQA)", line):
            assert re.search(r"  # \S", line), line


def test_show_copy_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "show", "quickstart"]) == 0
    assert capsys.readouterr().out.strip() == bundled_recipes()["quickstart"].strip()
    own = tmp_path / "mine.yaml"
    assert main(["recipes", "copy", "quickstart", str(own)]) == 0
    assert main(["recipes", "copy", "quickstart", str(own)]) == 2
    assert "there is a file already" in capsys.readouterr().err
    assert parse_recipe(yaml.safe_load(own.read_text()), where="") == load_recipe("quickstart")
    assert main(["recipes", "check", str(own), "train.epochs=7", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"]["train"]["epochs"] == 7
    assert main(["recipes", "check", str(own), "train.epoch=7"]) == 2
    assert "did you mean epochs" in capsys.readouterr().err


def test_run_refuses_a_wrong_stage_and_a_folder_with_something_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "quickstart", "--out", str(tmp_path / "run"), "--from", "trian"]) == 2
    assert "stages: data, tokenizer, train, evaluate, export, ask" in capsys.readouterr().err
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["run", "quickstart", "--out", str(tmp_path)]) == 2
    assert "something else" in capsys.readouterr().err
    assert (tmp_path / "notes.txt").read_text() == "mine"
