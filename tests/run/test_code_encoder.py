"""The whole trip on a few packages of the standard library: every stage real, only small."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from codefit.errors import InputError
from codefit.files import hash_folder, read_json
from codefit.recipe import CodeEncoder, load_recipe
from codefit.run.code_encoder import stages_of
from codefit.run.record import read_record
from codefit.run.trip import run_recipe


@pytest.fixture(scope="module")
def run(recipe_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "small"
    run_recipe(load_recipe(str(recipe_file)), out)
    return out


def test_every_stage_leaves_what_the_design_names(run: Path) -> None:
    record = read_record(run)
    assert [stage.state for stage in record.stages] == ["done"] * 6
    for name in ("run.json", "metrics.jsonl", "report.html", "evaluation.json", "answers.json"):
        assert (run / name).stat().st_size > 0
    for name in ("model.onnx", "model.int8.onnx", "tokenizer.json", "codefit.json", "codefit-export.json"):
        assert (run / "export" / name).stat().st_size > 0
    assert not list(run.rglob(".tmp-*"))


def test_the_held_out_sources_are_in_no_training_row(run: Path) -> None:
    manifest = read_json(run / "data" / "manifest.json")
    assert set(manifest["train"]["sources"]) == {"asyncio", "importlib", "multiprocessing", "unittest"}
    assert set(manifest["evaluation"]["sources"]) == {"email", "xml", "logging"}
    by_source = read_json(run / "evaluation.json")["sets"][0]["by"]["source"]
    assert set(by_source) == {"email", "xml"}


def test_the_figures_have_intervals_and_a_baseline(run: Path) -> None:
    entry = read_json(run / "evaluation.json")["sets"][0]
    for system in ("model", "bm25", "hybrid"):
        low, high = entry[system]["ci95"]["mrr@10"]
        assert low < entry[system]["mrr@10"] < high
    assert entry["n"] == sum(group["n"] for group in entry["by"]["source"].values())
    difference = entry["difference_to_bm25"]["hybrid"]
    assert difference["mrr@10"] == pytest.approx(entry["hybrid"]["mrr@10"] - entry["bm25"]["mrr@10"], abs=1e-9)


def test_the_model_knows_where_it_comes_from(run: Path) -> None:
    info = read_json(run / "model" / "codefit.json")
    assert info["recipe"]["name"] == "small"
    assert (
        info["data"]["train_pairs.jsonl.gz"]
        == read_json(run / "data/manifest.json")["outputs"]["train_pairs.jsonl.gz"]["sha256"]
    )
    assert info["metrics"]["hybrid"]["mrr@10"] == read_json(run / "evaluation.json")["sets"][0]["hybrid"]["mrr@10"]
    assert "torch" in info["packages"]
    assert (run / "model" / "README.md").read_text().startswith("---")


def test_the_answers_are_functions_of_the_source(run: Path, sources: Path) -> None:
    answers = read_json(run / "answers.json")
    assert [query["query"] for query in answers["queries"]] == ["decode a header", "parse an address"]
    for query in answers["queries"]:
        assert len(query["results"]) == 3
        for result in query["results"]:
            lines = (sources / "email" / result["path"]).read_text().splitlines()
            assert result["name"].rsplit(".", 1)[-1] in "\n".join(lines[result["start_line"] - 1 : result["end_line"]])


def test_running_again_does_nothing_and_an_override_does_what_depends_on_it(
    run: Path, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "again"
    shutil.copytree(run, again)
    run_recipe(load_recipe(str(recipe_file)), again)
    assert capsys.readouterr().err.count("done already") == 6
    run_recipe(load_recipe(str(recipe_file), ["evaluate.min_pool=10"]), again)
    begun = [line.split(":")[0] for line in capsys.readouterr().err.splitlines() if line.endswith(": begins")]
    assert begun[0] == "train"  # whose validation pools have that size too
    assert "data" not in begun


def test_questions_to_a_source_of_the_training_data_are_refused(recipe_file: Path, run: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(run, again)
    source = yaml.safe_load(recipe_file.read_text())["ask"]["source"].replace("email", "asyncio")
    with pytest.raises(InputError, match="trained on"):
        run_recipe(load_recipe(str(recipe_file), [f"ask.source={source}"]), again)


@pytest.mark.parametrize("seed", [0])
def test_killed_again_and_again_it_ends_with_the_same_result(
    recipe_file: Path, run: Path, tmp_path: Path, seed: int
) -> None:
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "codefit", "run", str(recipe_file), "--out", str(out)]
    draw = random.Random(seed)
    kills = 0
    # The first kills come early, so that each stage is hit; each try gets longer, so that it ends.
    for attempt in range(20):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            if process.wait(timeout=2 + 2 * draw.random() + 2 * attempt) == 0:
                break
            pytest.fail(f"the run ended with {process.returncode}")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    assert kills >= 2
    assert read_record(out).finished is not None
    assert _comparable(out) == _comparable(run)


def _comparable(run: Path) -> dict[str, Any]:
    """What two runs of one recipe must share: everything but times, places and speeds."""
    described = ("README.md", "codefit.json")
    hashes = {name: value for name, value in hash_folder(run / "model").items() if name not in described}
    info = {key: value for key, value in read_json(run / "model" / "codefit.json").items() if key != "code_revision"}
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    answers = read_json(run / "answers.json")
    return {
        "model": hashes,
        "info": info,
        "data": hash_folder(run / "data"),
        "tokenizer": hash_folder(run / "tokenizer"),
        "metrics": [{k: v for k, v in row.items() if k != "tokens_per_second"} for row in metrics],
        "evaluation": read_json(run / "evaluation.json"),
        "answers": [[(r["path"], r["start_line"]) for r in query["results"]] for query in answers["queries"]],
    }


def test_a_stopped_training_resumes_from_its_checkpoint(recipe_file: Path, run: Path, tmp_path: Path) -> None:
    """Ctrl-C while it trains: a checkpoint is there, the next run says that it goes on, and ends the same."""
    out = tmp_path / "stopped"
    shutil.copytree(run, out)
    overrides = ["train.max_steps=120", "train.eval_every=0", "train.save_every=20"]
    command = [sys.executable, "-m", "codefit", "run", str(recipe_file), *overrides, "--out", str(out)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background with Ctrl-C ignored, and the tests may run so.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 60
    # The finished run's checkpoints go when training begins anew.
    while read_record(out).stage("train").state != "running" or not list(out.glob("checkpoints/step-*/manifest.json")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again to go on" in err
    assert read_record(out).stage("train").state == "stopped"
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "train: goes on" in done.stderr
    assert "120 steps" in read_record(out).stage("train").summary


def test_the_stages_of_every_bundled_recipe_are_known() -> None:
    from codefit.recipe import bundled_recipes

    for name in bundled_recipes():
        recipe = load_recipe(name)
        if not isinstance(recipe, CodeEncoder):
            continue
        stages = [stage.name for stage in stages_of(recipe)]
        assert stages == ["data", "tokenizer", "train", "evaluate", "export", "ask"]
        held_out = {*recipe.data.evaluation_sources}
        assert "networkx" in held_out  # reserved for evaluation
        assert held_out.isdisjoint(recipe.data.validation_sources)
