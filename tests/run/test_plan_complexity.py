"""The plan of scorers of complexity says in figures what its stages then do, and shows what of a text is learned."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from codefit.cli.main import main
from codefit.errors import InputError
from codefit.files import hash_folder, read_json
from codefit.models.language_model import load_lm_tokenizer
from codefit.models.score_network import ScoreNetwork, ScoreShape
from codefit.models.score_windows import CodeTokens, chunks_of
from codefit.models.tokenizer import PAD, load_tokenizer
from codefit.recipe import ComplexityScoring
from codefit.records import Conversation, ScoredFunction, load_rows
from codefit.run import plan_complexity, plan_complexity_data
from codefit.run.complexity_data import CHAT_TRAIN, MANIFEST, TRAIN
from codefit.run.complexity_scoring import stages_of
from codefit.run.complexity_training import TOKENIZER
from codefit.run.plan import plan_recipe
from codefit.run.plan_complexity_data import FunctionsFound, survey_functions
from codefit.run.plan_rows import CONTEXT, END, PREDICTED
from codefit.run.plan_text import plan_text
from codefit.run.record import read_record
from codefit.train.score_encoder import scored_texts
from codefit.train.scoring import ScoringData
from run.small_complexity_run import PEOPLE, function, small_complexity_recipe


@pytest.fixture(scope="module")
def recipe(complexity_places: Path) -> ComplexityScoring:
    return small_complexity_recipe(complexity_places / "functions", base=complexity_places / "base")


@pytest.fixture(scope="module")
def planned(recipe: ComplexityScoring) -> dict[str, Any]:
    return plan_recipe(recipe)


@pytest.fixture(scope="module")
def without(complexity_places: Path) -> dict[str, Any]:
    """The plan of a recipe that asks no language model."""
    fields = ("train.epochs=2", "train.max_steps=null", "train.variant_share=0.25")
    return plan_recipe(small_complexity_recipe(complexity_places / "functions", *fields))


def test_rows_by_side_are_those_of_the_data_stage(planned: dict[str, Any], complexity_run: Path) -> None:
    outputs = read_json(complexity_run / MANIFEST)["outputs"]
    for side in ("train", "validation", "evaluation", "human"):
        assert planned["rows"][side] == outputs[f"{side}.jsonl.gz"]["rows"], side
    assert planned["rows"]["measured"] == read_json(complexity_run / "evaluation.json")["n"]
    assert planned["data"]["known"] == "counted"
    assert planned["rows"]["human"] == PEOPLE


def test_tokens_and_padding_are_those_of_training(
    planned: dict[str, Any], recipe: ComplexityScoring, complexity_run: Path
) -> None:
    tokenizer = load_tokenizer(complexity_run / TOKENIZER)
    rows = load_rows(complexity_run / TRAIN, ScoredFunction)
    texts = CodeTokens(tokenizer)([row.code for row in rows])
    tokens = planned["tokens"]
    assert tokens["known"] == "estimated"  # the stage's tokenizer has learned from variants too
    assert tokens["a_function"] == pytest.approx(np.mean([len(text) for text in texts]), rel=0.1)
    assert tokens["an_epoch"] == pytest.approx(sum(map(len, texts)), rel=0.1)
    assert tokens["longer_than_window"] == pytest.approx(np.mean([len(text) > 192 for text in texts]), abs=0.05)
    assert 0 < tokens["longer_than_window"] < 1
    batches = ScoringData(scored_texts(rows, tokenizer)).batches(8, seed=recipe.seed, first_step=0)
    first = [[text.tokens for text in next(batches)] for _ in range(len(rows) // 8)]
    pad = tokenizer.token_to_id(PAD)
    assert pad is not None
    positions = sum(chunk.tokens.size for batch in first for chunk in chunks_of(batch, 192, pad))
    real = sum(len(text) for batch in first for text in batch)
    assert tokens["padding_share"] == pytest.approx(1 - real / positions, abs=0.02)
    assert tokens["padding_share"] < tokens["padding_share_unsorted"]


def test_parameters_and_steps_are_those_of_the_networks(
    planned: dict[str, Any], recipe: ComplexityScoring, complexity_run: Path
) -> None:
    network = ScoreNetwork(ScoreShape(vocabulary=320, pad=0, **recipe.model.sizes()))  # type: ignore[arg-type]
    parameters = planned["parameters"]
    assert parameters["encoder"] == sum(part.numel() for part in network.parameters())
    # What the stage itself came to: trained numbers, and those of the base.
    summary = next(stage.summary for stage in read_record(complexity_run).stages if stage.name == "chat")
    assert f"{parameters['adapter']:,} of {parameters['base']:,} parameters" in summary
    assert planned["steps"] == {"train": 6, "chat": 3}
    assert planned["batch_size"] == {"train": 8, "chat": 4}


def test_chats_that_are_cut_are_counted(planned: dict[str, Any], complexity_run: Path) -> None:
    model = planned["language_model"]
    summary = next(stage.summary for stage in read_record(complexity_run).stages if stage.name == "chat")
    told = re.search(r"(\d+) of (\d+) chats were cut", summary)
    assert told is not None
    assert (model["cut"], model["chats"]) == (int(told[1]), int(told[2]))
    assert 0 < model["cut"] < model["chats"]
    assert model["known"] == "counted"
    assert model["missing"] is None
    assert model["speed"] == "measured"
    assert model["tokens"] == pytest.approx(model["tokens_a_chat"] * 3 * 4, abs=1)
    assert 0 < model["answer_tokens_a_chat"] < model["tokens_a_chat"] <= model["max_tokens"] == 512


def test_what_of_a_chat_is_learned_is_its_answer(
    planned: dict[str, Any], complexity_places: Path, complexity_run: Path
) -> None:
    shown = planned["examples"]["chat"]
    learned = "".join(text for text, kind in shown if kind == PREDICTED)
    asked = "".join(text for text, kind in shown if kind == CONTEXT)
    answers = {chat.messages[2].content for chat in load_rows(complexity_run / CHAT_TRAIN, Conversation)}
    assert learned in answers
    assert "Complexity Score" not in asked
    end = load_lm_tokenizer(str(complexity_places / "base")).eos_token
    assert [text for text, kind in shown if kind == END] == [end]
    assert shown[-1][1] == END


def test_the_encoder_is_shown_what_the_label_counts(planned: dict[str, Any], complexity_run: Path) -> None:
    example = planned["examples"]["encoder"]
    code = "".join(piece for piece, *_ in example["tokens"])
    (row,) = [row for row in load_rows(complexity_run / TRAIN, ScoredFunction) if row.code == code]
    branches, tokens, lines = (round(sum(own)) for own in zip(*(each for _, *each in example["tokens"]), strict=True))
    assert branches == example["branches"] == row.metrics["label_ccn"] - 1
    assert [tokens, lines] == example["counted"] == [row.metrics["label_tokens"], row.metrics["label_lines"]]
    assert example["score"] == row.score


def test_each_stage_has_its_time_and_its_memory(
    planned: dict[str, Any], without: dict[str, Any], recipe: ComplexityScoring
) -> None:
    for plan, stages in (
        (planned, stages_of(recipe)),
        (without, [one for one in stages_of(recipe) if one.name != "chat"]),
    ):
        seconds = plan["seconds"]
        assert [name for name in seconds if name != "total"] == [stage.name for stage in stages]
        assert min(seconds.values()) > 0
        assert seconds["total"] == pytest.approx(sum(value for name, value in seconds.items() if name != "total"))
        memory = plan["memory_bytes"]
        assert memory["total"] == max(memory["parts"].values())
        assert 300_000_000 < memory["total"] < 8_000_000_000
    assert set(planned["memory_bytes"]["parts"]) == {"train", "chat"}
    assert planned["language_model"]["memory"]["fits"]


def test_epochs_are_counted_over_the_functions(without: dict[str, Any]) -> None:
    # Two of a batch of 8 are variants, so that 60 functions take 10 steps.
    assert without["steps"] == {"train": 20, "chat": 0}
    assert without["language_model"] is None
    assert "none is asked" in plan_text(without)


def test_more_of_everything_takes_longer(recipe: ComplexityScoring) -> None:
    caught: list[tuple[Any, ...]] = []
    original = plan_complexity._seconds

    def seconds(*arguments: Any) -> dict[str, float]:
        caught.append(arguments)
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_complexity, "_seconds", seconds)
        plan_recipe(recipe)
    ((_, found, encoder, chat, cores),) = caught
    before = original(recipe, found, encoder, chat, cores)
    longer = dataclasses.replace(encoder, steps=6_000)
    assert original(recipe, found, longer, chat, cores)["train"] > 10 * before["train"]
    assert original(recipe, found, encoder, dataclasses.replace(chat, steps=300), cores)["chat"] > 10 * before["chat"]
    assert recipe.language_model is not None
    more = recipe.language_model.model_copy(update={"evaluation_functions": None})
    assert original(recipe.model_copy(update={"language_model": more}), found, encoder, chat, cores)["evaluate"] > (
        1.5 * before["evaluate"]
    )
    bigger = dataclasses.replace(found, train=10 * found.train)
    assert original(recipe, bigger, encoder, chat, cores)["train"] > before["train"]


def test_nothing_is_written(
    recipe: ComplexityScoring, complexity_places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [hash_folder(complexity_places / name) for name in ("functions", "base")]
    monkeypatch.chdir(tmp_path)
    plan_recipe(recipe)
    assert os.listdir(tmp_path) == []
    assert [hash_folder(complexity_places / name) for name in ("functions", "base")] == before


def test_a_base_that_is_not_there_is_said_and_the_hub_is_not_asked(
    complexity_places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    def asked(*arguments: object, **options: object) -> None:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", asked)
    monkeypatch.chdir(tmp_path)
    functions = complexity_places / "functions"
    for base, said in (
        (Path("nobody/nothing"), "where there is a network: hf download nobody/nothing config.json"),
        (Path("runs/base-lm-cpu/model"), "make it first: codefit run base-lm-cpu"),
    ):
        plan = plan_recipe(small_complexity_recipe(functions, base=base))
        text = plan_text(plan)
        assert f"{base} is not there" in text
        assert said in text
        assert "not known, and not in the total" in text
        assert plan["steps"]["chat"] == 0
        assert "chat" not in plan["seconds"]
        assert plan["examples"]["chat"] == []


def test_a_base_without_weights_is_planned_by_its_configuration(
    complexity_places: Path, tmp_path: Path, planned: dict[str, Any]
) -> None:
    base = shutil.copytree(complexity_places / "base", tmp_path / "base")
    for file in base.glob("*.safetensors"):
        file.unlink()
    plan = plan_recipe(small_complexity_recipe(complexity_places / "functions", base=base))
    assert plan["language_model"]["speed"] == "assumed"
    assert plan["parameters"] == planned["parameters"]
    assert plan["language_model"]["cut"] == planned["language_model"]["cut"]
    assert plan["seconds"]["chat"] > 0
    assert "assumed by a matrix product's" in plan_text(plan)


def test_chats_beyond_the_context_are_refused(complexity_places: Path) -> None:
    recipe = small_complexity_recipe(
        complexity_places / "functions", "language_model.max_tokens=700", base=complexity_places / "base"
    )
    with pytest.raises(InputError, match=r"lower language_model\.max_tokens"):
        plan_recipe(recipe)


def test_documents_are_sampled_and_scaled_up(
    complexity_places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        (tmp_path / f"{number}.js").write_text("\n\n".join(function(500 + 4 * number + each) for each in range(4)))
    functions = complexity_places / "functions"
    recipe = small_complexity_recipe(functions, "data.functions=[]", f"data.documents=[{tmp_path}]")

    def found() -> FunctionsFound:
        return survey_functions(recipe, 2)

    whole = found()
    assert whole.counted
    assert (whole.documents, whole.train + whole.validation) == (30, 120)
    monkeypatch.setattr(plan_complexity_data, "SAMPLED_DOCUMENTS", 10)
    part = found()
    assert not part.counted
    assert (part.documents, part.sampled_documents) == (30, 10)
    assert part.train + part.validation == pytest.approx(120, abs=1)
    few = recipe.model_copy(update={"data": recipe.data.model_copy(update={"train_functions": 7})})
    assert survey_functions(few, 2).train == 7


def test_text_and_json(
    complexity_places: Path, recipe: ComplexityScoring, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    assert main(["plan", str(file), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    text = plan_text(plan)
    for part in ("functions to learn from", "chats that are cut", "padding", "parameters", "memory", "time, total"):
        assert part in text
    assert "functions are counted" in text
    assert "nothing was trained" in text
    learned = "".join(part for part, kind in plan["examples"]["chat"] if kind != CONTEXT)
    assert f"⟦{learned}⟧" in text
    # Each line of the code stands with what it counts for, and their sums are those of the label.
    example = plan["examples"]["encoder"]
    table = text.split("branches  tokens  lines\n")[1].split(" in all:")[0].splitlines()
    assert table[-1].split()[:3] == [str(example["branches"]), *map(str, example["counted"])]
    counted = sum(int(line[12:18].strip() or 0) for line in table[:-1])
    assert counted == example["counted"][0]
    assert text.count("⟦if⟧") + text.count("⟦for⟧") + text.count("⟦&&⟧") + text.count("⟦?⟧") > 0
    assert "\x1b" not in text


def test_colour_tells_what_is_learned(planned: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from codefit.run import plan_complexity_text

    monkeypatch.setattr(plan_complexity_text, "has_colour", lambda: True)
    text = plan_text(planned)
    assert "\x1b[1;32mParameters: " in text
    assert "\x1b[1;7;32m" in text
    assert "⟦" not in text


def test_it_has_no_page_and_says_what_is_missing(
    complexity_places: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["plan", "complexity-scoring-cpu", "--page", str(tmp_path / "plan.html")]) == 2
    assert "there is no page for the plan of a complexity-scoring" in capsys.readouterr().err
    with pytest.raises(InputError, match="no such file"):
        plan_recipe(small_complexity_recipe(complexity_places / "functions", "data.evaluation=[/nowhere/at/all.jsonl]"))
