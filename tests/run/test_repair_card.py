"""The card of a ranker of repairs: what a hub reads, its figures with intervals, and how it is used."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from codefit.errors import InputError
from codefit.run.card import write_card
from codefit.run.report.formats import span
from codefit.run.report.repair_shapes import METRICS, ORDERS
from codefit.source.syntax.python import python_tables
from codefit.source.syntax.terminals import from_names
from run.report.sample_run import change, read

FILES = ("run.json", "data/manifest.json", "names.json", "evaluation.json", "export.json", "model/codefit.json")


def copy_of(run: Path, folder: Path) -> Path:
    """The files that a card is written from."""
    for file in FILES:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run / file, folder / file)
    return folder


@pytest.fixture(scope="module")
def card(repair_run: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    run = copy_of(repair_run, tmp_path_factory.mktemp("runs") / repair_run.name)
    write_card(run / "model", run)
    return (run / "model" / "README.md").read_text(encoding="utf-8")


def test_the_trip_wrote_it(card: str, repair_run: Path) -> None:
    assert (repair_run / "model" / "README.md").read_text(encoding="utf-8") == card


def front_matter(text: str) -> dict[str, Any]:
    opening, front, _ = text.split("---\n", 2)
    assert opening == ""
    return yaml.safe_load(front)  # type: ignore[no-any-return]


def test_the_front_matter_is_what_a_hub_reads(card: str, repair_run: Path) -> None:
    front = front_matter(card)
    assert front["pipeline_tag"] == "text-ranking"
    assert {"codefit", "repair-ranking", "syntax-repair"} <= set(front["tags"])
    assert "license" not in front
    ((result,),) = [entry["results"] for entry in front["model-index"]]
    model = read(repair_run, "evaluation.json")["orders"]["model"]
    assert [(one["type"], one["value"]) for one in result["metrics"]] == [
        (metric, round(model[metric], 4)) for metric in METRICS
    ]


def test_figures_of_every_order_have_their_intervals(card: str, repair_run: Path) -> None:
    found = read(repair_run, "evaluation.json")
    for order, name in ORDERS.items():
        own = found["orders"][order]
        row = " | ".join(f"{own[metric]:.3f} ({span(own['ci95'][metric])})" for metric in METRICS)
        assert f"| {name} | {row} |" in card
    for distance, own in found["by_distance"].items():
        assert f"| {distance} edit{'s' * (distance != '1')} | {own['count']} | {own['p@1']:.3f}" in card
    assert "broken strings that training never saw (95 % interval" in card
    assert "no score in fp32 differs from that of the trained network by more than" in card
    assert "| int8, shipped |" in card


def test_it_says_what_it_learned_from_and_under_whose_licences(card: str, repair_run: Path) -> None:
    manifest = read(repair_run, "data/manifest.json")
    for name, output in manifest["outputs"].items():
        assert f"| `{name}` | {output['rows']:,} | `{output['sha256']}` |" in card
    assert "They come from files that the recipe names: `train.jsonl`, `evaluation.jsonl`." in card
    snippets = manifest["outputs"]["snippets.txt.gz"]
    assert f"Pre-trained on {snippets['rows']} snippets of sound code, {snippets['tokens']:,} tokens, from" in card
    assert "The licences are those of the files and packages" in card
    assert "no name, no string, no number and no comment is kept" in card
    assert "`names.json` weighs what names tell" in card


def test_how_it_is_used_works(card: str, repair_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("codefit repair fix FILE --model path/to/this/folder", "codefit serve --model path/to/this/folder"):
        assert command in card
    assert "answers `POST /rerank` on port 8082" in card
    ((code, _),) = [block.split("```", 1) for block in card.split("```python\n")[1:]]
    exec(compile(code.replace("path/to/this/folder", str(repair_run / "model")), "card", "exec"), {})
    tables, _ = python_tables()
    assert tables.accepts(from_names(capsys.readouterr().out))
    assert "is the resolved recipe, which stands in `codefit.json` as `recipe`" in card


def test_without_pretraining_and_export_they_are_not_told(repair_run: Path, tmp_path: Path) -> None:
    run = copy_of(repair_run, tmp_path / "run")
    stages = [stage for stage in read(run, "run.json")["stages"] if stage["name"] != "pretrain"]
    change(run, "run.json", stages=stages)
    (run / "export.json").unlink()
    write_card(run / "model", run)
    text = (run / "model" / "README.md").read_text(encoding="utf-8")
    assert "Pre-trained" not in text
    assert "## Precision" not in text


def test_text_of_data_is_no_markup(repair_run: Path, tmp_path: Path) -> None:
    run = copy_of(repair_run, tmp_path / "run")
    manifest = read(run, "data/manifest.json")
    change(run, "data/manifest.json", inputs={"<script>|x\ny": "00", **manifest["inputs"]})
    write_card(run / "model", run)
    text = (run / "model" / "README.md").read_text(encoding="utf-8")
    assert "`&lt;script>|x y`" in text
    assert "<script>" not in text


@pytest.mark.parametrize("file", ["evaluation.json", "data/manifest.json"])
def test_a_run_without_figures_or_data_has_no_card(repair_run: Path, tmp_path: Path, file: str) -> None:
    run = copy_of(repair_run, tmp_path / "run")
    (run / file).unlink()
    with pytest.raises(InputError, match="needs the run's evaluation and data manifest"):
        write_card(run / "model", run)
    assert not (run / "model" / "README.md").exists()
