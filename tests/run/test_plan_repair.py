"""The plan of a ranker of repairs says in figures what its stages then do, and shows candidates as they are found."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from codefit.cli.main import main
from codefit.errors import InputError
from codefit.files import hash_folder, read_json
from codefit.models.ranker import RepairRanker
from codefit.recipe import RepairRanking
from codefit.records import Repair, load_rows
from codefit.run import plan_repair, plan_repair_data
from codefit.run.plan import plan_recipe
from codefit.run.plan_repair_examples import ADDED, GAP, REMOVED, marked
from codefit.run.plan_repair_examples import SAME as UNCHANGED
from codefit.run.plan_text import plan_text
from codefit.run.repair_data import MANIFEST, SNIPPETS, TRAIN, VALIDATION, write_repair_data
from codefit.run.repair_ranking import shape_of, stages_of
from codefit.source.syntax.terminals import from_names
from codefit.tasks.repairs.candidates import closed
from codefit.tasks.repairs.instances import pair_of
from codefit.tasks.repairs.names import clues_of
from codefit.tasks.repairs.packed import Edit
from codefit.tasks.repairs.snippet_files import read_snippets
from codefit.train.names import names_of_source
from codefit.train.token_model import TokenData
from run.small_repair_run import small_repair_recipe, write_repairs

BROKEN = from_names("NAME = NAME ( STRING , NUMBER NEWLINE")


@pytest.fixture(scope="module")
def repairs(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planned") / "repairs"
    write_repairs(folder, sources)
    return folder


@pytest.fixture(scope="module")
def recipe(repairs: Path, sources: Path) -> RepairRanking:
    return small_repair_recipe(repairs, sources, "data.snippet_tokens=1000000")


@pytest.fixture(scope="module")
def planned(recipe: RepairRanking) -> dict[str, Any]:
    return plan_recipe(recipe)


@pytest.fixture(scope="module")
def run(recipe: RepairRanking, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data stage's own files."""
    folder = tmp_path_factory.mktemp("run")
    write_repair_data(recipe.data, recipe.seed, folder)
    return folder


def test_rows_and_snippets_are_those_of_the_data_stage(planned: dict[str, Any], run: Path) -> None:
    outputs = read_json(run / MANIFEST)["outputs"]
    for side in ("train", "validation", "evaluation"):
        assert planned["rows"][side] == outputs[f"{side}.jsonl.gz"]["rows"]
    tokens = planned["tokens"]
    assert tokens["known"] == "counted"
    assert tokens["snippets"] == outputs["snippets.txt.gz"]["tokens"]
    assert tokens["snippets_held_out"] == outputs["snippets_validation.txt.gz"]["tokens"]
    rows = load_rows(run / TRAIN, Repair)
    assert tokens["a_repair"] == pytest.approx(np.mean([len(closed(from_names(row.broken))) for row in rows]))
    # Those whose source is lexed as the data has it and in which a name tells something.
    named = [(pair_of(row), names_of_source(pair_of(row), row.broken_source)) for row in rows]
    telling = [pair for pair, names in named if names is not None and clues_of(pair.broken, names)]
    assert planned["rows"]["telling"] == len(telling) > 0
    # All are within three edits, so each has a list, and so has each that is made.
    assert planned["rows"]["lists"] == len(rows) + 20


def test_padding_is_that_of_the_pretrainings_batches(planned: dict[str, Any], run: Path) -> None:
    strings = read_snippets(run / SNIPPETS)
    data = TokenData(strings)
    batches = data.batches(8, seed=0, first_step=0)
    first = [next(batches) for _ in range(len(strings) // 8)]
    filled = sum(data.notes(batch)["padding"] * batch.size for batch in first) / sum(batch.size for batch in first)
    tokens = planned["tokens"]
    assert tokens["padding_share"] == pytest.approx(filled, rel=1e-6)
    assert tokens["padding_share"] < 0.5 * tokens["padding_share_unsorted"]
    real = np.mean([(1 - data.notes(batch)["padding"]) * batch.size for batch in first])
    assert tokens["pretraining"] == pytest.approx(6 * real, rel=1e-3)


def test_a_part_of_the_files_is_scaled_up(
    planned: dict[str, Any], recipe: RepairRanking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_repair_data, "SAMPLED_FILES", 15)
    found = plan_repair_data.survey_snippets(recipe.data, recipe.seed)
    whole = planned["tokens"]["snippets"]
    assert not found.counted
    assert found.lexed_files == planned["data"]["lexed_files"]
    assert found.read_files == planned["data"]["files"] > 15
    assert found.tokens == pytest.approx(whole, rel=0.5)
    wanted = recipe.data.model_copy(update={"snippet_tokens": whole // 2})
    half = plan_repair_data.survey_snippets(wanted, recipe.seed)
    assert half.tokens == pytest.approx(whole // 2, rel=0.15)
    assert half.lexed_files < found.lexed_files


def test_parameters_and_steps_are_those_of_the_training(planned: dict[str, Any], recipe: RepairRanking) -> None:
    network = RepairRanker(shape_of(recipe))
    assert planned["parameters"] == {
        "encoder": sum(part.numel() for part in network.encoder.parameters()),
        "ranker": sum(part.numel() for part in network.parameters()),
    }
    assert planned["steps"] == {"pretrain": 6, "train": 8}


def test_epochs_are_counted_over_the_lists(repairs: Path, sources: Path) -> None:
    fields = ("train={epochs: 2, batch_size: 8}", "pretrain=null", "variants={}", "lists.synthetic=0")
    plan = plan_recipe(small_repair_recipe(repairs, sources, *fields))
    assert plan["steps"] == {"pretrain": 0, "train": -(-2 * plan["rows"]["lists"] // 8)}
    assert plan["rows"]["lists"] == plan["rows"]["train"]
    assert "padding_share" not in plan["tokens"]
    assert list(plan["seconds"]) == ["data", "propose", "names", "lists", "train", "export", "evaluate", "total"]
    text = plan_text(plan)
    assert "padding" not in text
    assert f"{plan['steps']['train']} of 8 lists" in text


def test_each_stage_has_its_time_and_its_memory(planned: dict[str, Any], recipe: RepairRanking) -> None:
    seconds = planned["seconds"]
    assert [name for name in seconds if name != "total"] == [stage.name for stage in stages_of(recipe)]
    assert min(seconds.values()) > 0
    assert seconds["total"] == pytest.approx(sum(value for name, value in seconds.items() if name != "total"))
    memory = planned["memory_bytes"]
    assert memory["total"] == max(memory["parts"].values())
    assert 300_000_000 < memory["total"] < 8_000_000_000


def test_more_of_everything_takes_longer(planned: dict[str, Any], recipe: RepairRanking) -> None:
    measured: list[plan_repair._Measured] = []
    original = plan_repair._seconds

    def caught(one: plan_repair._Measured) -> dict[str, float]:
        measured.append(one)
        return original(one)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_repair, "_seconds", caught)
        plan_recipe(recipe)
    (own,) = measured

    def seconds(**sections: dict[str, Any]) -> dict[str, float]:
        changed = {name: getattr(recipe, name).model_copy(update=fields) for name, fields in sections.items()}
        return original(dataclasses.replace(own, recipe=recipe.model_copy(update=changed)))

    # Looks at what chooses the model are left out but for the last: with so few steps they take most of the time.
    rare = {"pretrain": {"eval_every": 0}, "train": {"eval_every": 0}}
    before = seconds(**rare)
    for section, field, value in (
        ("propose", "rounds", 2),
        ("lists", "synthetic", 2000),
        ("pretrain", "max_steps", 600),
        ("train", "max_steps", 800),
    ):
        larger = seconds(**{**rare, section: {**rare.get(section, {}), field: value}})
        assert larger[section] > 1.5 * before[section], section
    assert before["variants"] > before["train"]


def test_nothing_is_written(recipe: RepairRanking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_folder(Path(recipe.data.repairs[0]).parent)
    monkeypatch.chdir(tmp_path)
    plan_recipe(recipe)
    assert os.listdir(tmp_path) == []
    assert hash_folder(Path(recipe.data.repairs[0]).parent) == before


def test_examples_are_strings_to_choose_by_with_their_true_repair_marked(planned: dict[str, Any], run: Path) -> None:
    rows = {(row.broken, row.fixed) for row in load_rows(run / VALIDATION, Repair)}
    assert 1 <= len(planned["examples"]) <= 2
    for example in planned["examples"]:
        assert (example["broken"], example["fixed"]) in rows
        places = [candidate["rank"] for candidate in example["candidates"]]
        assert places == sorted(places)
        assert places[:3] == [1, 2, 3]
        true = [candidate for candidate in example["candidates"] if candidate["true"]]
        assert [candidate["tokens"] for candidate in true] == [example["fixed"]]
        assert true[0]["rank"] == example["rank"] <= example["found"]
        scores = [candidate["score"] for candidate in example["candidates"]]
        assert scores == sorted(scores, reverse=True)
    search = planned["search"]
    assert 0 < search["found"] <= search["strings"] <= 16


@pytest.mark.parametrize(
    ("edits", "shown"),
    [
        ([Edit("insert", 7, from_names(")")[0])], "… ( STRING , NUMBER +) NEWLINE"),
        ([Edit("delete", 0, None)], "-NAME = NAME ( STRING …"),
        (
            [Edit("substitute", 1, from_names(".")[0]), Edit("insert", 8, 0)],
            "NAME -= +. NAME ( STRING , NUMBER NEWLINE +NEWLINE",
        ),
        ([Edit("insert", 0, from_names("[")[0]), Edit("delete", 7, None)], "+[ NAME = NAME ( STRING , NUMBER -NEWLINE"),
    ],
)
def test_a_candidate_is_shown_by_its_edits(edits: list[Edit], shown: str) -> None:
    signs = {UNCHANGED: "", GAP: "", ADDED: "+", REMOVED: "-"}
    assert " ".join(signs[kind] + text for text, kind in marked(BROKEN, edits)) == shown


def test_text_and_json(repairs: Path, sources: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(small_repair_recipe(repairs, sources).model_dump(mode="json")))
    assert main(["plan", str(file), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    text = plan_text(plan)
    for part in ("repairs to learn from", "padding", "parameters", "memory", "time, total", "nothing was trained"):
        assert part in text
    (example, *_) = plan["examples"]
    assert example["broken"] in text
    line = next(line for line in text.splitlines() if line.startswith("  →"))
    assert line.split()[1] == str(example["rank"])
    assert "{+" in text
    assert "\x1b" not in text


def test_it_has_no_page_and_says_what_is_missing(
    repairs: Path, sources: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["plan", "repair-ranking-cpu", "--page", str(tmp_path / "plan.html")]) == 2
    assert "there is no page for the plan of a repair-ranking" in capsys.readouterr().err
    with pytest.raises(InputError, match="no such file"):
        plan_recipe(small_repair_recipe(repairs, sources, "data.repairs=[/nowhere/at/all.jsonl]"))
