"""The page of a language model's run, and of several: its numbers are those of the files, and say no more."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from codefit.errors import InputError
from codefit.run.report import write_report
from codefit.run.report.formats import MINUS, THIN, signed_share, signed_share_span, size, surprise, surprise_span
from codefit.run.report.language_charts import stage_dividers
from codefit.run.report.load import LanguageModelRun, load_run
from codefit.run.report.shapes import TrainRow
from run.report.parsed import Node, cells, parse, squeezed, table
from run.report.sample_language_run import (
    AFTER,
    BASE,
    BEFORE,
    DIRECTORIES,
    DOMAIN,
    EXTENDED,
    LENGTHS,
    evaluation,
    make_language_run,
    manifest,
    metrics,
    samples,
    shipped,
)
from run.report.sample_run import change, make_run, read

NAMES = {
    DOMAIN: "The repository, held out",
    "docker/cli": "Go: docker/cli",
    "apache/commons-io": "Java: apache/commons-io",
    "networkx": "Python: networkx",
    "seen": "The repository, trained on",
}


def page_of(*runs: Path) -> Node:
    return parse(write_report(runs, runs[0].parent / "page.html").read_text(encoding="utf-8"))


def plain(text: str) -> str:
    return text.replace(THIN, " ").replace(MINUS, "-")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Node:
    return page_of(make_language_run(tmp_path_factory.mktemp("runs") / "lora"))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Node:
    return page_of(make_language_run(tmp_path_factory.mktemp("runs") / "base-lm-cpu", name="base-lm-cpu"))


def test_perplexities_are_those_of_the_file(whole: Node) -> None:
    def figures(found: dict[str, Any]) -> str:
        return f"{surprise(found['perplexity'])} {surprise_span(found['ci95']['perplexity'])}"

    expected = [
        [
            NAMES[entry["name"]],
            figures(entry["before"]),
            figures(entry["after"]),
            squeezed(f"{signed_share(entry['change']['perplexity'])} {signed_share_span(entry['change']['ci95'])}"),
            f"{entry['after']['bits_per_byte']:.3f} before {entry['before']['bits_per_byte']:.3f}",
            "31 61,234 tokens",
        ]
        for entry in evaluation()["sets"]
    ]
    assert cells(table(whole, "sets-table")) == expected
    tiles = [node.text for node in whole.by_class("tile-value")]
    domain = AFTER[DOMAIN] / BEFORE[DOMAIN] - 1
    worst = max(AFTER[name] / BEFORE[name] - 1 for name in ("docker/cli", "apache/commons-io", "networkx"))
    assert tiles[:2] == [surprise(BEFORE[DOMAIN]), surprise(AFTER[DOMAIN])]
    assert tiles[2:4] == [squeezed(signed_share(domain)), squeezed(signed_share(worst))]


@pytest.mark.parametrize(
    ("domain", "general", "said"),
    [
        ([-0.4, -0.3], [0.01, 0.03], ["perplexity falls: 14.62 before, 8.930 after", "Some general code is forgotten"]),
        (
            [-0.4, 0.1],
            [-0.01, 0.03],
            ["perplexity cannot be told from what it was", "No forgetting of general code can"],
        ),
        ([0.1, 0.2], [-0.03, -0.01], ["perplexity rises: 14.62 before", "No general code is forgotten"]),
    ],
)
def test_the_verdict_says_no_more_than_the_intervals(
    tmp_path: Path, domain: list[float], general: list[float], said: list[str]
) -> None:
    run = make_language_run(tmp_path / "run")
    sets = evaluation()["sets"]
    sets[0]["change"]["ci95"] = domain
    for entry in sets[1:4]:
        entry["change"]["ci95"] = general
    change(run, "evaluation.json", sets=sets)
    sentences = [node.text for node in page_of(run).by_class("verdict")]
    assert len(sentences) == 2
    for sentence, part in zip(sentences, said, strict=True):
        assert part in sentence
    assert "on Python: networkx, the least good of 3 sets" in sentences[1]


def test_sets_of_one_description_are_described_once(tmp_path: Path) -> None:
    run = make_language_run(tmp_path / "run")
    sets = evaluation()["sets"]
    for entry in sets[1:4]:
        entry["description"] = "General code."
    change(run, "evaluation.json", sets=sets)
    section = page_of(run).by_id("perplexity")
    described = dict(zip((n.text for n in section.all("dt")), (n.text for n in section.all("dd")), strict=True))
    assert described["; ".join(NAMES[entry["name"]] for entry in sets[1:4])] == "General code."


def test_stages_begin_where_their_first_step_is() -> None:
    rows = [TrainRow(step=step, loss=1.0, length=256 if step < 5 else 512) for step in range(1, 9)]
    assert stage_dividers(rows) == [(0.0, "256 tokens"), (5.0, "512")]


def test_directories_come_largest_first_and_none_is_lost(whole: Node) -> None:
    found = cells(table(whole, "directories-table")) + cells(table(whole, "other-directories-table"))
    assert [row[0] for row in found] == list(DIRECTORIES)
    rows = evaluation()["sets"][0]["by_directory"]
    for row in found:
        before, after = rows[row[0]]["before"], rows[row[0]]["after"]
        ratio = squeezed(signed_share(after["perplexity"] / before["perplexity"] - 1))
        assert row[1:4] == [surprise(before["perplexity"]), surprise(after["perplexity"]), ratio]
        assert row[4:] == [f"{after['tokens']:,}", str(after["documents"])]


def test_training_shows_the_stages_of_the_curriculum(whole: Node) -> None:
    rows = [row for row in metrics(120, 0.0) if row["kind"] == "train"]
    stages = cells(table(whole, "curriculum-table"))
    assert [row[0] for row in stages] == [str(length) for length in LENGTHS]
    for length, (_, steps, last, loss, _) in zip(LENGTHS, stages, strict=True):
        own = [row for row in rows if row["length"] == length]
        end = own[-(len(own) // 10 + 1) :]
        assert (int(steps), int(last)) == (len(own), own[-1]["step"])
        assert float(loss) == pytest.approx(sum(row["loss"] for row in end) / len(end), abs=6e-4)
    section = whole.by_id("training")
    # The loss, the tokens a second and the validation curve, each in two widths, with a line a stage.
    assert len(section.by_class("divider")) == 3 * 2 * len(LENGTHS)
    looks = [row for row in metrics(120, 0.0) if row["kind"] == "eval"]
    assert cells(table(whole, "looks-table")) == [[str(row["step"]), surprise(row["perplexity"])] for row in looks]
    best = min(looks, key=lambda row: row["perplexity"])
    assert f"step {best['step']} with perplexity {surprise(best['perplexity'])}" in section.text


def test_one_length_has_no_dividers_and_a_step_without_length_no_table(tmp_path: Path) -> None:
    run = make_language_run(tmp_path / "run")
    rows = [row | ({"length": 256} if row["kind"] == "train" else {}) for row in metrics(30, 0.0)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = page_of(run)
    assert not page.by_class("divider")
    assert len(cells(table(page, "curriculum-table"))) == 1
    bare = [{"kind": "train", "step": step, "loss": 2.0} for step in range(1, 9)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in bare))
    page = page_of(run)
    assert "8 steps." in page.by_id("training").text
    assert "curriculum-table" not in {node.attributes.get("id") for node in page.all("caption")}
    assert "No look at validation files is recorded" in page.by_id("training").text


def test_the_data_receipt_is_that_of_the_manifest(whole: Node) -> None:
    data = manifest()
    sides = {row[0]: row[1:] for row in cells(table(whole, "sides-table"))}
    named = {
        "Trained on": "train",
        "Mixed in against forgetting": "replay",
        "Chooses the checkpoint": "validation",
        "Measured on": "evaluation",
        "Measured on, general code": "general",
    }
    assert sides == {
        name: [
            f"{data[side]['rows']:,}",
            squeezed(size(data[side]["bytes"])),
            *(f"{data[side][part]:,}" for part in ("lines", "functions", "types")),
        ]
        for name, side in named.items()
    }
    reasons = {row[0]: row[1] for row in cells(table(whole, "reasons-table")) if len(row) == 2}
    assert reasons == {
        "not UTF-8": "2",
        "below the top 300": "704",
        "fewer than 25 lines": "131",
        "near duplicate": "44",
    }
    held = {row[0]: row[1] for row in cells(table(whole, "held-table"))}
    assert held == {"crates/a": "61", "crates/b": "32"}
    assert "No leak. Each of the 124 held-out files was compared with all" in whole.by_id("data").text
    assert "no common directory" in whole.by_id("data").text


def test_forms_say_what_was_refused_and_why(whole: Node) -> None:
    rows = cells(table(whole, "forms-table"))
    forms, notes = rows[::2], rows[1::2]
    for row, (note,), form in zip(forms, notes, shipped()["forms"], strict=True):
        assert row[1] == squeezed(size(form["bytes"]))
        assert row[2] == (surprise(form["perplexity"]) if form["perplexity"] is not None else "not measured")
        assert row[5] == ("published" if form["published"] else "refused")
        assert note.startswith(form["place"])
        assert (form["note"] or "") in note
    assert [row[5] for row in forms].count("refused") == 1


def test_samples_show_the_place_the_truth_and_what_each_wrote(whole: Node) -> None:
    shown = whole.by_class("sample")
    assert len(shown) == 3
    for article, sample in zip(shown, samples()["samples"], strict=True):
        assert sample["path"] in article.text
        (context,) = article.by_class("context")
        lines = sample["prefix"].split("\n")
        assert "\n".join(lines[-12:]) in "".join(context.pieces)
        assert ("line 3" in context.text) is False
        for kind in ("truth", "before", "after"):
            codes = ["".join(node.pieces) for node in article.by_class(kind)]
            assert codes == ([sample[kind].rstrip()] if sample[kind].strip() else [])
    assert "the gap + fee;" in shown[1].text
    assert "Nothing: it stopped at once." in shown[2].text


def test_a_model_from_scratch_has_no_before(scratch: Node) -> None:
    heads = [node.text for node in table(scratch, "sets-table").all("th") if node.attributes["scope"] == "col"]
    assert heads == ["Files", "Model", "Bits per byte", "Files"]
    assert [row[0] for row in cells(table(scratch, "sets-table"))] == [NAMES[name] for name in list(NAMES)[1:4]]
    assert "On code that training never saw, perplexity is 7.290 (Java" in scratch.by_class("verdict")[0].text
    assert [node.text for node in scratch.by_class("tile-value")][:3] == ["12.06", "7.290", "10.02"]
    idents = [node.attributes["id"] for node in scratch.all("section")]
    assert idents == ["short", "perplexity", "training", "samples", "data", "tokenizer", "stages", "repeat"]
    assert "Before" not in {node.text for node in scratch.all("h4")}
    assert "Forgetting" not in {node.text for node in scratch.all("dt")}
    assert "codefit run base-lm-cpu --out runs/base-lm-cpu" in scratch.by_id("repeat").text


@pytest.mark.parametrize(("name", "stages"), [("lora", EXTENDED), ("base-lm-cpu", BASE)])
@pytest.mark.parametrize("state", ["stopped", "running"])
def test_a_run_that_stopped_says_what_is_not_there(
    tmp_path: Path, name: str, stages: tuple[str, ...], state: str
) -> None:
    for number, stage in enumerate(stages):
        page = page_of(make_language_run(tmp_path / f"run{number}", name=name, upto=stage, state=state))
        assert f"“{stage}”" in page.by_class("notice")[0].text
        absent = {node.text for node in page.by_class("absent")}
        for later in stages[number + 1 :]:
            assert f"Not there: the stage “{later}” has not begun." in absent


def test_text_of_data_is_text_on_the_page(tmp_path: Path) -> None:
    run = make_language_run(tmp_path / "run")
    evil = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&amp;"
    rows = samples()
    rows["samples"][0] |= {"path": evil, "prefix": f"</code></pre>{evil}", "truth": evil, "before": evil, "after": evil}
    change(run, "samples.json", **rows)
    sets = evaluation()["sets"]
    sets[0]["by_directory"][evil] = sets[0]["by_directory"]["crates/a"]
    sets[1] |= {"name": evil, "description": evil, "language": evil}
    change(run, "evaluation.json", sets=sets)
    forms = shipped()
    forms["forms"][0] |= {"note": evil, "place": evil, "form": evil}
    change(run, "shipped.json", **forms)
    for page in (page_of(run), page_of(run, make_language_run(tmp_path / "other"))):
        assert not page.all("script", "img")
        assert not [node for node in page.all() if any(name.startswith("on") for name in node.attributes)]


def test_several_runs_stand_side_by_side(tmp_path: Path) -> None:
    lora = make_language_run(tmp_path / "lora")
    full = make_language_run(
        tmp_path / "full", better=0.5, name="full", overrides=("model.adapter=null", "data.replay_share=0.0")
    )
    begun = make_language_run(tmp_path / "begun", upto="train", state="stopped")
    page = page_of(lora, full, begun)
    domain = {row[0]: row[1:] for row in cells(table(page, "table-1"))}
    after = next(row for name, row in domain.items() if name.startswith("After perplexity"))
    for cell, better in zip(after, (0.0, 0.5), strict=False):
        found = evaluation(better)["sets"][0]["after"]
        assert cell == f"{surprise(found['perplexity'])} {surprise_span(found['ci95']['perplexity'])}"
    assert after[2] == "not there"
    general = [row for row in cells(table(page, "table-2")) if ", change" in row[0]]
    for row, entry in zip(general, evaluation(0.5)["sets"][1:4], strict=True):
        assert row[0].startswith(NAMES[entry["name"]])
        assert row[2].startswith(squeezed(signed_share(entry["change"]["perplexity"])))
    cost = {row[0]: row[1:] for row in cells(table(page, "table-4"))}
    assert [cell.split(" runs/")[0] for cell in cost["Trained what of the model"]] == [
        "lora, rank 16",
        "every weight",
        "lora, rank 16",
    ]
    assert cost["Replay general code mixed in"] == ["50 %", "none", "50 %"]
    assert "can be set against each other" in page.text
    assert len([n for n in page.by_id("curves").by_class("series") if n.tag == "polyline"]) == 2 * (3 + 3)
    # A base that is adapted later has the general code alone.
    base = make_language_run(tmp_path / "base", name="base-lm-cpu")
    mixed = page_of(lora, base)
    rows = [row for row in cells(table(mixed, "table-2")) if row[0].startswith("Go: docker/cli, after perplexity")]
    assert rows[0][2].startswith("12.06")


def test_runs_measured_on_other_files_or_by_another_window_are_not_compared(tmp_path: Path) -> None:
    one, two = make_language_run(tmp_path / "one"), make_language_run(tmp_path / "two")
    change(two, "evaluation.json", stride=128)
    assert "cannot be set against each other" in page_of(one, two).by_id("figures-section").text
    change(two, "evaluation.json", stride=256)
    data = manifest()
    data["outputs"]["general_documents.jsonl.gz"]["sha256"] = "00" * 32
    change(two, "data/manifest.json", **data)
    assert "cannot be set against each other" in page_of(one, two).by_id("figures-section").text


def test_runs_of_different_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="code-encoder and extended-pretraining have no figure in common") as caught:
        write_report([make_language_run(tmp_path / "lora"), make_run(tmp_path / "quickstart")], tmp_path / "page.html")
    assert "\n" not in caught.value.line()
    assert not (tmp_path / "page.html").exists()


def test_a_run_of_an_unknown_system_is_refused(tmp_path: Path) -> None:
    run = make_language_run(tmp_path / "run")
    change(run, "run.json", system="mind-reader")
    with pytest.raises(InputError, match="the system 'mind-reader', which this codefit has no page for"):
        load_run(run)


@pytest.mark.parametrize("file", ["data/manifest.json", "evaluation.json", "shipped.json", "samples.json"])
@pytest.mark.parametrize("damage", [b"", b'{"sets": [', b"[]", b'{"sets": 3, "forms": 3, "samples": 3, "stages": 3}'])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, file: str, damage: bytes) -> None:
    run = make_language_run(tmp_path / "run")
    (run / file).write_bytes(damage)
    with pytest.raises(InputError) as caught:
        load_run(run)
    assert str(run / file) in caught.value.line()
    assert "\n" not in caught.value.line()


def test_optional_figures_may_be_missing(tmp_path: Path) -> None:
    run = make_language_run(tmp_path / "run")
    sets = evaluation()["sets"]
    sets[1] |= {"before": None, "change": None, "by_directory": {}}
    sets[0]["by_directory"] = {}
    change(run, "evaluation.json", sets=sets)
    for side in ("general", "replay", "validation", "leakage"):
        data = read(run, "data/manifest.json")
        del data[side]
        (run / "data" / "manifest.json").write_text(json.dumps(data))
    page = page_of(run)
    assert cells(table(page, "sets-table"))[1][1] == "none"
    assert "No figures by directory are recorded." in page.by_id("directories").text
    assert [row[0] for row in cells(table(page, "sides-table"))] == ["Trained on", "Measured on"]
    loaded = load_run(run)
    assert isinstance(loaded, LanguageModelRun)
    assert loaded.has("samples")
    assert math.isclose(loaded.looks[0].perplexity, metrics(20, 0.0)[-1]["perplexity"])
