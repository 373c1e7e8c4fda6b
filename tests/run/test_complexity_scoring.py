"""The stages of complexity scoring: what each leaves, that figures are those of the scores, and what is done again."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import numpy as np
import pytest
from scipy.stats import spearmanr

from codefit.errors import InputError
from codefit.files import hash_file, read_json
from codefit.models.complexity import load_complexity_model
from codefit.models.score_encoder import load_encoder_scorer
from codefit.recipe import ComplexityScoring
from codefit.records import Conversation, ScoredFunction, load_rows, read_rows, write_rows
from codefit.run.complexity_data import (
    CHAT_TRAIN,
    EVALUATION,
    HUMAN,
    MANIFEST,
    TRAIN,
    VALIDATION,
    VARIED,
    HumanSnippet,
    Varied,
    write_complexity_data,
)
from codefit.run.complexity_scoring import stages_of
from codefit.run.record import new_record, read_record
from codefit.run.report.complexity_shapes import ScoresRow
from codefit.run.runner import run_stages
from codefit.run.trip import run_recipe
from codefit.tasks.complexity.label import label_of_code
from codefit.train.causal import CausalLearner
from codefit.train.scoring import ScoringLearner
from run.small_complexity_run import (
    LEARNED,
    MEASURED,
    PEOPLE,
    STAGES,
    function,
    small_complexity_recipe,
    write_functions,
)
from tiny_language_models import rename_base, write_language_model


@pytest.fixture(scope="module")
def without(complexity_places: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run without a language model."""
    run = tmp_path_factory.mktemp("runs") / "small-complexity"
    run_recipe(small_complexity_recipe(complexity_places / "functions"), run)
    return run


@pytest.fixture
def recipe(complexity_places: Path) -> Callable[..., ComplexityScoring]:
    """The recipe of `complexity_run`, with fields changed."""

    def changed(*overrides: str, base: Path = complexity_places / "base") -> ComplexityScoring:
        return small_complexity_recipe(complexity_places / "functions", *overrides, base=base)

    return changed


@pytest.fixture
def evaluation(complexity_run: Path) -> dict[str, Any]:
    return read_json(complexity_run / "evaluation.json")  # type: ignore[no-any-return]


def by_name(evaluation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in evaluation["scorers"]}


def test_every_stage_leaves_what_the_design_names(complexity_run: Path) -> None:
    record = read_record(complexity_run)
    assert [stage.name for stage in record.stages] == list(STAGES)
    assert {stage.state for stage in record.stages} == {"done"}
    for name in ("data/manifest.json", "baselines.json", "metrics.jsonl", "language_model/metrics.jsonl"):
        assert (complexity_run / name).stat().st_size > 0
    for name in ("export.json", "evaluation.json", "scores.jsonl.gz", "report.html", "encoder/model.safetensors"):
        assert (complexity_run / name).stat().st_size > 0
    for name in ("ensemble.json", "boosted.txt", "encoder/encoder.onnx", "adapter/adapter_model.safetensors"):
        assert (complexity_run / "model" / name).stat().st_size > 0
    assert not list(complexity_run.rglob(".tmp-*"))
    info = read_json(complexity_run / "model/codefit.json")
    assert info["kind"] == "complexity"
    assert info["data"]["train.jsonl.gz"] == hash_file(complexity_run / TRAIN)
    assert info["metrics"]["formula"]["mae"][0] == 0


def test_without_a_language_model_there_is_none(without: Path) -> None:
    record = read_record(without)
    assert [stage.name for stage in record.stages] == [name for name in STAGES if name != "chat"]
    assert {stage.state for stage in record.stages} == {"done"}
    assert not (without / "language_model").exists()
    assert set(load_complexity_model(without / "model").members) == {"encoder", "boosted"}
    names = list(by_name(read_json(without / "evaluation.json")))
    assert names[0] == "formula"
    assert names[-1] == "ensemble"
    assert not [name for name in names if name.startswith("language model")]


def test_no_repository_is_learned_from_and_measured_on(complexity_run: Path) -> None:
    sides = {name: load_rows(complexity_run / name, ScoredFunction) for name in (TRAIN, VALIDATION, EVALUATION)}
    assert {row.source for row in sides[TRAIN]} == set(LEARNED)
    assert {row.source for row in sides[EVALUATION]} == {MEASURED}
    files = [{(row.source, row.path) for row in sides[name]} for name in (TRAIN, VALIDATION)]
    assert not files[0] & files[1]
    manifest = read_json(complexity_run / MANIFEST)
    for name, rows in sides.items():
        assert manifest["outputs"][Path(name).name]["rows"] == len(rows)
        side = Path(name).name.removesuffix(".jsonl.gz")
        assert manifest["sources"][side] == sorted({row.source for row in rows})
        assert manifest["scores"][side]["mean"] == pytest.approx(np.mean([row.score for row in rows]))
    assert manifest["labels"]["learn"] == {"rows": 72, "same": 72, "mean_absolute_difference": 0.0}
    for row in sides[TRAIN]:
        assert row.score == label_of_code(row.code, "javascript").score
    chats = load_rows(complexity_run / CHAT_TRAIN, Conversation)
    for row, chat in zip(sides[TRAIN], chats, strict=True):
        assert row.code in chat.messages[1].content
        assert chat.messages[2].content.endswith(f"Complexity Score: {row.score:.1f}")


def test_figures_are_those_of_the_scores(complexity_run: Path, evaluation: dict[str, Any]) -> None:
    rows = list(read_rows(complexity_run / "scores.jsonl.gz", ScoresRow))
    truths = [row.score for row in load_rows(complexity_run / EVALUATION, ScoredFunction)]
    assert [row.truth for row in rows] == truths
    assert evaluation["n"] == len(rows) == 24
    assert evaluation["missing"] == {}
    names = list(by_name(evaluation))
    assert names[:2] == ["formula", "complexity score"]
    assert names[-1] == "ensemble"
    for name, figures in by_name(evaluation).items():
        said = [(row.truth, row.scores[name]) for row in rows]
        asked = [(truth, own) for truth, own in said if own is not None]
        answered = [(truth, own[0]) for truth, own in asked if own[0] is not None]
        assert figures["n"] == len(asked) == (4 if name.startswith("language model") else 24), name
        assert figures["invalid"] == len(asked) - len(answered)
        if not answered:
            assert figures["mae"] is None
            continue
        error = np.mean([abs(truth - score) for truth, score in answered])
        mean, low, high = figures["mae"]
        assert mean == pytest.approx(error)
        assert low <= mean <= high
    assert by_name(evaluation)["formula"]["mae"] == [0, 0, 0]
    # Every scorer that learned gives an interval; so do not those that compute, nor answers of one number alone.
    given = {name for name, figures in by_name(evaluation).items() if figures["coverage"] is not None}
    assert given == {
        *("constant", "lines of code", "linear", "boosted trees", "encoder", "language model, expectation"),
        "ensemble",
    }


def test_a_language_model_that_says_nonsense_has_no_answer(evaluation: dict[str, Any]) -> None:
    free = by_name(evaluation)["language model, regex"]
    assert free["invalid"] == free["n"] == 4
    assert free["mae"] is None
    assert by_name(evaluation)["language model, constrained"]["invalid"] == 0


def test_robustness_is_against_the_score_before(complexity_run: Path, evaluation: dict[str, Any]) -> None:
    rows = load_rows(complexity_run / EVALUATION, ScoredFunction)
    varied = load_rows(complexity_run / VARIED, Varied)
    assert {each.kind for each in varied} == {"broken", "renamed", "laid out anew"}
    encoder = load_encoder_scorer(complexity_run / "model/encoder")
    for kind in ("broken", "renamed"):
        own = [each for each in varied if each.kind == kind]
        assert len(own) == 8
        before = encoder.scores([rows[each.original].code for each in own])
        after = encoder.scores([each.code for each in own])
        truth = np.array([rows[each.original].score for each in own])
        (found,) = [row for row in evaluation["robustness"] if (row["name"], row["kind"]) == ("encoder", kind)]
        assert found["n"] == 8
        assert found["mae"][0] == pytest.approx(np.abs(after - truth).mean(), abs=1e-4)
        assert found["moved"][0] == pytest.approx(np.abs(after - before).mean(), abs=1e-4)
    assert all(each.score == label_of_code(each.code, each.language).score for each in varied)


def test_people_are_correlated_with(complexity_run: Path, evaluation: dict[str, Any]) -> None:
    people = evaluation["people"]
    assert people["n"] == PEOPLE
    snippets = load_rows(complexity_run / HUMAN, HumanSnippet)
    scores = [label_of_code(f"function snippet() {{\n{row.code}\n}}", "javascript").score for row in snippets]
    (found,) = [row for row in people["scorers"] if row["name"] == "formula"]
    for name, values in (
        ("error_rate", [row.error_rate for row in snippets]),
        ("time", [row.median_s_correct for row in snippets]),
    ):
        assert found[name][0] == pytest.approx(spearmanr(values, scores).statistic)
        assert found[name][1] <= found[name][0] <= found[name][2]
    (constant,) = [row for row in people["scorers"] if row["name"] == "constant"]
    assert constant["error_rate"] is None


def test_the_ensemble_is_weighed_by_functions_that_choose(complexity_run: Path) -> None:
    report = read_json(complexity_run / "export.json")
    stored = read_json(complexity_run / "model/ensemble.json")
    assert set(report["weights"]) == {"encoder", "boosted", "language model"}
    assert sum(report["weights"].values()) == pytest.approx(1)
    assert report["weights"] == stored["weights"]
    assert report["half_width"] == stored["half_width"]
    truths = {row.score for row in load_rows(complexity_run / VALIDATION, ScoredFunction)}
    # As many as the language model is asked about, of those that choose.
    assert len(stored["calibration"]["truths"]) == 4
    assert set(stored["calibration"]["truths"]) <= truths
    assert set(report["half_widths"]) == {"constant", "lines of code", "linear", "boosted trees", "encoder"}


class BegunError(Exception):
    """A stage that is not done."""


def first_begun(recipe: ComplexityScoring, run: Path) -> str | None:
    """The first stage that would be done; None where none would."""

    def begin(stage: str) -> Callable[[Path], NoReturn]:
        def work(_: Path) -> NoReturn:
            raise BegunError(stage)

        return work

    stages = [dataclasses.replace(stage, work=begin(stage.name)) for stage in stages_of(recipe)]
    try:
        run_stages(stages, new_record(recipe, [stage.name for stage in stages]), run)
    except BegunError as begun:
        return str(begun)
    return None


@pytest.mark.parametrize(
    ("override", "stage"),
    [
        ("name=other", None),
        ("seed=1", "data"),
        ("data.validation_share=0.3", "data"),
        ("data.train_functions=50", "data"),
        ("evaluate.variant_functions=5", "data"),
        ("model.vocab_size=330", "tokenizer"),
        ("model.layers=2", "train"),
        ("train.max_steps=7", "train"),
        ("language_model.max_steps=4", "chat"),
        ("language_model.max_tokens=500", "chat"),
        ("language_model.validation_chats=5", "chat"),
        ("export.precision=int8", "export"),
        ("language_model.readings=[expectation]", "evaluate"),
        ("language_model.evaluation_functions=3", "evaluate"),
        ("evaluate.max_functions=10", "evaluate"),
    ],
)
def test_a_changed_field_does_again_what_depends_on_it(
    complexity_run: Path, recipe: Callable[..., ComplexityScoring], tmp_path: Path, override: str, stage: str | None
) -> None:
    run = shutil.copytree(complexity_run, tmp_path / "run")
    assert first_begun(recipe(override), run) == stage


def test_functions_elsewhere_and_another_base_are_seen(
    complexity_places: Path, complexity_run: Path, tmp_path: Path
) -> None:
    functions = shutil.copytree(complexity_places / "functions", tmp_path / "functions")
    moved = small_complexity_recipe(functions, base=complexity_places / "base")
    assert first_begun(moved, shutil.copytree(complexity_run, tmp_path / "moved")) == "data"
    base = write_language_model(tmp_path / "base", seed=1, context=640)
    other = small_complexity_recipe(complexity_places / "functions", base=base)
    assert first_begun(other, shutil.copytree(complexity_run, tmp_path / "other")) == "chat"


def test_weights_in_the_place_of_the_base_are_seen(
    complexity_places: Path, complexity_run: Path, recipe: Callable[..., ComplexityScoring], tmp_path: Path
) -> None:
    before = stages_of(recipe())[4].settings
    other = write_language_model(tmp_path / "other", seed=1, context=640)
    assert stages_of(recipe(base=other))[4].settings["base"] != before["base"]
    same = shutil.copytree(complexity_places / "base", tmp_path / "same")
    assert stages_of(recipe(base=same))[4].settings["base"] == before["base"]


def test_the_run_again_does_nothing(
    complexity_run: Path, recipe: Callable[..., ComplexityScoring], capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_record(complexity_run)
    run_recipe(recipe(), complexity_run)
    assert capsys.readouterr().err.count("done already") == len(STAGES)
    assert [stage.outputs for stage in read_record(complexity_run).stages] == [stage.outputs for stage in before.stages]


def test_stopped_in_either_training_it_ends_the_same(
    complexity_run: Path,
    recipe: Callable[..., ComplexityScoring],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = tmp_path / "run"
    # Both stages before are there, so that training alone is done again.
    for place in ("data", "baselines", "tokenizer", "run.json", "baselines.json"):
        whole = complexity_run / place
        (shutil.copytree if whole.is_dir() else shutil.copyfile)(whole, (run / place))
    stages = [stage for stage in stages_of(recipe()) if stage.name in STAGES[:5]]
    for learner, stop in ((ScoringLearner, 4), (CausalLearner, 2)):
        with monkeypatch.context() as patch:
            patch.setattr(learner, "learn", _stopping(learner, stop))
            with pytest.raises(KeyboardInterrupt):
                run_stages(stages, new_record(recipe(), [stage.name for stage in stages]), run)
    record = run_stages(stages, new_record(recipe(), [stage.name for stage in stages]), run)
    assert {stage.state for stage in record.stages} == {"done"}
    for file in ("encoder/model.safetensors", "language_model/adapter/adapter_model.safetensors"):
        assert hash_file(run / file) == hash_file(complexity_run / file), file


def _stopping(learner: Any, stop: int) -> Callable[..., float]:
    learn, steps = learner.learn, iter(range(1, 100))

    def stopped(self: Any, batch: object, rate: float) -> float:
        if next(steps) == stop:
            raise KeyboardInterrupt
        found: float = learn(self, batch, rate)
        return found

    return stopped


def test_a_base_that_is_not_there_says_what_to_run(
    recipe: Callable[..., ComplexityScoring], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="make it first: codefit run base-lm-cpu"):
        run_recipe(recipe(base=Path("runs/base-lm-cpu/model")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_not_there_says_where_data_is_looked_for(tmp_path: Path) -> None:
    write_functions(tmp_path / "functions")
    recipe = small_complexity_recipe(tmp_path / "functions", "data.evaluation=[$CODEFIT_DATA/no/such.jsonl]")
    with pytest.raises(InputError, match="set CODEFIT_DATA"):
        run_recipe(recipe, tmp_path / "run")


def test_functions_are_mined_from_documents(tmp_path: Path) -> None:
    write_functions(tmp_path / "functions")
    folder = tmp_path / "checkout"
    for number in range(8):
        (folder / f"{number}.js").parent.mkdir(exist_ok=True)
        (folder / f"{number}.js").write_text("\n\n".join(function(500 + 4 * number + each) for each in range(4)))
    recipe = small_complexity_recipe(
        tmp_path / "functions", "data.functions=[]", f"data.documents=[{folder}]", "data.train_functions=20"
    )
    write_complexity_data(recipe.data, recipe.seed, 4, tmp_path / "run")
    rows = load_rows(tmp_path / "run" / TRAIN, ScoredFunction)
    assert len(rows) == 20
    assert {row.code for row in rows} <= {function(500 + number) for number in range(32)}
    manifest = read_json(tmp_path / "run" / MANIFEST)
    assert manifest["documents"] == [str(folder)]
    assert manifest["stages"]["functions"]["kept"] == 32


def test_given_scores_are_kept_and_held_against_the_formula(tmp_path: Path) -> None:
    write_functions(tmp_path / "functions")
    file = tmp_path / "functions" / "learn.jsonl"
    rows = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
    for row in rows[:10]:
        row["complexity"] = 9.9
    write_rows(file, rows)
    recipe = small_complexity_recipe(tmp_path / "functions")
    write_complexity_data(recipe.data, recipe.seed, 4, tmp_path / "run")
    agreement = read_json(tmp_path / "run" / MANIFEST)["labels"]["learn"]
    assert (agreement["rows"], agreement["same"]) == (72, 62)
    assert agreement["mean_absolute_difference"] > 0.5
    kept = [row.score for name in (TRAIN, VALIDATION) for row in load_rows(tmp_path / "run" / name, ScoredFunction)]
    assert kept.count(9.9) == 10


def test_a_member_that_cannot_be_loaded_is_named(complexity_run: Path, tmp_path: Path) -> None:
    model = shutil.copytree(complexity_run / "model", tmp_path / "model")
    rename_base(model / "adapter", str(tmp_path / "gone"))
    ensemble = load_complexity_model(model, device="cpu")
    assert set(ensemble.members) == {"encoder", "boosted"}
    assert "gone" in ensemble.missing["language model"]
    assert sum(ensemble.fitted.weights.values()) == pytest.approx(1)
