"""The card of scorers of complexity: the formula first, figures with intervals, how it is used, and its limits."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from codefit.errors import InputError
from codefit.models.complexity import load_complexity_model
from codefit.run.card import write_card
from codefit.run.report.complexity_shapes import METRICS
from codefit.run.report.formats import signed, signed_span, span
from run.report.sample_complexity_run import make_complexity_run
from run.report.sample_run import change, read
from run.small_complexity_run import MEASURED

FILES = ("run.json", "data/manifest.json", "evaluation.json", "export.json", "model/codefit.json")


def copy_of(run: Path, folder: Path) -> Path:
    """The files that a card is written from."""
    for file in FILES:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run / file, folder / file)
    return folder


def card_of(run: Path) -> str:
    write_card(run / "model", run)
    return (run / "model" / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def card(complexity_run: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return card_of(copy_of(complexity_run, tmp_path_factory.mktemp("runs") / complexity_run.name))


def test_the_trip_wrote_it(card: str, complexity_run: Path) -> None:
    assert (complexity_run / "model" / "README.md").read_text(encoding="utf-8") == card


def front_matter(text: str) -> dict[str, Any]:
    opening, front, _ = text.split("---\n", 2)
    assert opening == ""
    return yaml.safe_load(front)  # type: ignore[no-any-return]


def test_the_honest_sentence_is_the_first(card: str) -> None:
    title, first, *_ = card.split("---\n", 2)[2].strip().split("\n\n")
    assert title == "# small-complexity"
    assert first.startswith("**The label is a formula, and `codefit complexity score PATH` computes that formula")
    assert "earns its place on code that does not parse" in first
    worth = card.split("## What it is worth\n\n")[1]
    assert worth.startswith("The formula over the figures that made the labels: MAE 0.000")


def test_the_front_matter_is_what_a_hub_reads(card: str, complexity_run: Path) -> None:
    front = front_matter(card)
    assert {"codefit", "complexity-scoring", "regression"} <= set(front["tags"])
    assert "license" not in front
    assert "base_model" not in front  # a folder of this machine's
    ((result,),) = [entry["results"] for entry in front["model-index"]]
    rows = {row["name"]: row for row in read(complexity_run, "evaluation.json")["scorers"]}
    assert [(one["type"], one["value"]) for one in result["metrics"]] == [
        (metric, round(rows["ensemble"][metric][0], 4)) for metric in METRICS
    ]


def test_a_base_of_the_hub_is_named_to_it(complexity_run: Path, tmp_path: Path) -> None:
    run = copy_of(complexity_run, tmp_path / "run")
    record = read(run, "run.json")
    record["recipe"]["language_model"]["base"] = "Qwen/Qwen3-4B-Instruct-2507"
    change(run, "run.json", **record)
    text = card_of(run)
    assert front_matter(text)["base_model"] == "Qwen/Qwen3-4B-Instruct-2507"
    assert "The adapter needs its base, `Qwen/Qwen3-4B-Instruct-2507`." in text


def test_figures_stand_beside_the_formula_with_their_intervals(card: str, complexity_run: Path) -> None:
    evaluation = read(complexity_run, "evaluation.json")
    lines = card.splitlines()
    scorers = [line for line in lines if line.startswith("| ") and line.split(" | ")[1] in ("metrics", "code")]
    assert [row["name"] for row in evaluation["scorers"]][1:-1][:2] == ["complexity score", "constant"]
    for row in evaluation["scorers"]:
        (line,) = [line for line in lines if line.startswith(f"| {row['name']} | {row['reads']} |")]
        if row["mae"] is None:
            assert line.split(" | ")[2].strip() == ""
        else:
            mean, low, high = row["mae"]
            assert f"| {mean:.3f} ({span((low, high))}) |" in line
    assert scorers
    for row in evaluation["robustness"]:
        (line,) = [line for line in lines if line.startswith(f"| {row['name']} | {row['kind']} |")]
        assert f"{row['mae'][0]:.3f} (" in line


def test_it_says_what_it_learned_from_and_makes_no_claim_about_people(card: str, complexity_run: Path) -> None:
    manifest = read(complexity_run, "data/manifest.json")
    for name, output in manifest["outputs"].items():
        assert f"| `{name}` | {output['rows']:,} | `{output['sha256']}` |" in card
    assert "60 functions, and 12 to choose by; measured on 24 others." in card
    assert "Learned from: `one/library`, `two/tools`." in card
    assert "Of 72 functions to learn from 72 bring the formula's score." in card
    limits = card.split("## Limits\n\n")[1].split("\n## ")[0]
    assert "no claim about people is made" in limits
    assert f"measured on functions of `{MEASURED}`; of other code and languages nothing is known" in limits
    assert "6 snippets allow no claim about people" in limits
    people = {row["name"]: row for row in read(complexity_run, "evaluation.json")["people"]["scorers"]}
    mean, low, high = people["encoder"]["time"]
    assert f"{signed(mean)} ({signed_span((low, high))})" in limits
    assert "| constant | says the same of all | says the same of all |" in limits


def test_the_members_are_told_with_their_weights(card: str, complexity_run: Path) -> None:
    export = read(complexity_run, "export.json")
    for name, said in (
        ("encoder", "`encoder/` reads code"),
        ("boosted", "`boosted.txt`"),
        ("language model", "`adapter/`"),
    ):
        (line,) = [line for line in card.splitlines() if line.startswith(f"- {said}")]
        assert line.endswith(f"weight {export['weights'][name]:.3f}")
    assert f"within ± {export['half_width']:.2f}" in card
    assert "| fp32, shipped |" in card


def test_how_it_is_used_works(
    card: str, complexity_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "codefit serve --complexity runs/small-complexity/model" in card
    assert "`POST /v1/complexity` on port 8083" in card
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "small-complexity").symlink_to(complexity_run)
    monkeypatch.chdir(tmp_path)
    ((code, _),) = [block.split("```", 1) for block in card.split("```python\n")[1:]]
    exec(compile(code, "card", "exec"), {})
    said = capsys.readouterr().out.split()
    model = load_complexity_model(complexity_run / "model", device="cpu")
    (found,) = model.score(["function f(x) { if (x) { return 1 }"], "javascript")
    assert found.score is not None
    assert float(said[0]) == pytest.approx(found.score, abs=1e-4)
    assert said[3:] == ["None", "{}"]


def test_without_a_language_model_and_people_they_are_not_told(tmp_path: Path, complexity_run: Path) -> None:
    run = make_complexity_run(tmp_path / "run", chat=False)
    (run / "model").mkdir()
    shutil.copyfile(complexity_run / "model/codefit.json", run / "model/codefit.json")
    change(run, "evaluation.json", people={"n": 0, "scorers": []}, robustness=[])
    weights = {"encoder": 0.4, "boosted": 0.6}
    change(run, "export.json", weights=weights)
    text = card_of(run)
    assert "`adapter/`" not in text
    assert "needs its base" not in text
    assert "snippets" not in text
    assert "less one sign" not in text


def test_text_of_data_is_no_markup(complexity_run: Path, tmp_path: Path) -> None:
    run = copy_of(complexity_run, tmp_path / "run")
    change(run, "data/manifest.json", sources={"train": ["<script>|x\ny"], "evaluation": ["<b>"]})
    text = card_of(run)
    assert "`&lt;script>|x y`" in text
    assert "<script>" not in text
    assert "<b>" not in text


@pytest.mark.parametrize("file", ["evaluation.json", "data/manifest.json"])
def test_a_run_without_figures_or_data_has_no_card(complexity_run: Path, tmp_path: Path, file: str) -> None:
    run = copy_of(complexity_run, tmp_path / "run")
    (run / file).unlink()
    with pytest.raises(InputError, match="needs the run's evaluation and data manifest"):
        write_card(run / "model", run)
    assert not (run / "model" / "README.md").exists()
