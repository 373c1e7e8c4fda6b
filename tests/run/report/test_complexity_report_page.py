"""The page of scorers of complexity, and of several runs: its numbers are those of the files, and say no more."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import pytest

from codefit.errors import InputError
from codefit.records import write_rows
from codefit.run.report import write_report
from codefit.run.report.complexity_shapes import METRICS
from codefit.run.report.formats import milliseconds, signed_span, size, small, span
from codefit.run.report.load import load_run
from codefit.run.report.score_grid import CELLS, cells_of
from run.report.parsed import Node, cells, parse, squeezed, table
from run.report.sample_complexity_run import (
    KINDS,
    SCORERS,
    STAGES,
    answers,
    errors_of,
    make_complexity_run,
    metrics,
    sample_scores,
)
from run.report.sample_run import change, make_run, read

FILES = (
    *("data/manifest.json", "baselines.json", "metrics.jsonl", "language_model/metrics.jsonl", "export.json"),
    *("evaluation.json", "scores.jsonl.gz"),
)


def page_of(*runs: Path) -> Node:
    return parse(write_report(runs, runs[0].parent / "page.html").read_text(encoding="utf-8"))


def measured(found: list[float] | None) -> str:
    return f"{found[0]:.3f} {span((found[1], found[2]))}".replace("-", "−") if found is not None else ""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_complexity_run(tmp_path_factory.mktemp("runs") / "scoring")


@pytest.fixture(scope="module")
def whole(run: Path) -> Node:
    return page_of(run)


@pytest.fixture
def copied(run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(run, tmp_path / "run")


def test_the_trip_wrote_the_page(complexity_run: Path) -> None:
    page = parse((complexity_run / "report.html").read_text(encoding="utf-8"))
    assert not page.by_class("absent")
    assert [node.text.split(" ")[:2] for node in page.by_class("notice")] == [["6", "snippets"]]
    idents = [node.attributes["id"] for node in page.all("section")]
    parts = ["scorers", "otherwise", "people", "training", "chat", "export", "data"]
    assert idents == ["short", *parts, "stages", "repeat"]
    names = [row["name"] for row in read(complexity_run, "evaluation.json")["scorers"]]
    assert [row[0].startswith(name) for row, name in zip(cells(table(page, "scorers-table")), names, strict=True)]
    # The one who says nonsense has no figure, and is not in the charts.
    assert cells(table(page, "scorers-table"))[names.index("language model, regex")][1:] == [""] * len(METRICS)


def test_the_formula_stands_first_and_figures_are_those_of_the_file(whole: Node, run: Path) -> None:
    rows = read(run, "evaluation.json")["scorers"]
    found = cells(table(whole, "scorers-table"))
    assert found[0][0] == "formula lizard's figures"
    assert found == [[f"{row['name']} {row['reads']}", *(measured(row[metric]) for metric in METRICS)] for row in rows]
    assert cells(table(whole, "answers-given-table")) == [
        [
            row["name"],
            str(row["n"]),
            str(row["invalid"]),
            squeezed(milliseconds(row["ms"])),
            measured(row["within_half"]),
            measured(row["coverage"]),
            f"{row['width']:.2f}" if row["width"] is not None else "",
        ]
        for row in rows
    ]
    tiles = [node.text for node in whole.by_class("tile-value")]
    by_name = {row["name"]: row for row in rows}
    assert tiles[:3] == [f"{by_name[name]['mae'][0]:.3f}" for name in ("formula", "ensemble", "encoder")]


def test_published_figures_stand_apart_and_are_said_to_be_of_other_functions(whole: Node) -> None:
    assert cells(table(whole, "published-table")) == [["XGBoost", "0.71", "0.784"], ["neural", "0.77", "0.737"]]
    section = whole.by_id("scorers").text
    assert "on other functions: they say what to expect of the task" in section
    assert "XGBoost" not in table(whole, "scorers-table").text


def test_errors_by_true_score_are_those_of_the_scores(whole: Node) -> None:
    scores = sample_scores()
    rows = cells(table(whole, "bands-table"))
    assert [row[0] for row in rows] == ["1 to 2", "2 to 3", "3 to 5", "5 to 7", "7 to 10"]
    assert sum(int(row[1]) for row in rows) == len(scores)
    bands = ((1, 2), (2, 3), (3, 5), (5, 7), (7, 10.01))
    heads = [node.text for node in table(whole, "bands-table").all("thead")[0].all("th")]
    for (low, high), row in zip(bands, rows, strict=True):
        own = [each for each in scores if low <= each["truth"] < high]
        assert int(row[1]) == len(own)
        for name, cell in zip(heads[2:], row[2:], strict=True):
            errors = errors_of(name, own)
            if len(errors) < 5:
                assert cell == ""
            else:
                assert cell.split()[0] == f"{sum(errors) / len(errors):.3f}"
    assert heads[2:] == [
        name for name in SCORERS if name not in ("formula", "complexity score", "constant", "lines of code")
    ]


def test_the_grid_has_a_cell_for_each_place_with_functions(whole: Node) -> None:
    (wide,) = [
        node
        for node in whole.by_id("scorers").all("svg")
        if node.attributes.get("aria-labelledby") == "grid-wide-t grid-wide-d"
    ]
    scores = sample_scores()
    expected = 0
    for name in SCORERS:
        said = [(row["truth"], row["scores"][name]) for row in scores]
        pairs = [(truth, own[0]) for truth, own in said if own is not None and own[0] is not None]
        if name not in ("formula", "complexity score", "constant", "lines of code"):
            expected += len(cells_of(pairs))
    assert len(wide.by_class("cell")) == expected
    assert len(wide.by_class("diagonal")) == 7
    shades = [float(node.attributes["fill-opacity"] or 0) for node in wide.by_class("cell")]
    assert 0.2 < min(shades) < max(shades) == 1


def test_cells_hold_their_lower_ends_and_the_last_its_upper() -> None:
    assert cells_of([(1.0, 1.0), (1.4999, 1.0), (1.5, 10.0), (10.0, 9.6), (10.0, 12.0)]) == {
        (0, 0): 2,
        (1, CELLS - 1): 1,
        (CELLS - 1, CELLS - 1): 2,
    }


def test_robustness_is_told_by_what_was_changed(whole: Node, run: Path) -> None:
    found = read(run, "evaluation.json")["robustness"]
    groups = table(whole, "varied-table").all("tbody")
    assert [body.by_class("group")[0].text for body in groups] == list(KINDS)
    for kind, body in zip(KINDS, groups, strict=True):
        rows = [[cell.text for cell in row.children] for row in body.all("tr")][1:]
        assert rows == [
            [row["name"], measured(row["moved"]), measured(row["mae"]), str(row["n"]), str(row["invalid"])]
            for row in found
            if row["kind"] == kind
        ]


def test_people_allow_no_claim(whole: Node, run: Path) -> None:
    section = whole.by_id("people")
    assert "40 snippets allow no claim about people" in section.text
    rows = cells(table(whole, "people-table"))
    for row, person in zip(rows, read(run, "evaluation.json")["people"]["scorers"], strict=True):
        said = person["error_rate"]
        if said is None:
            assert row[1:] == ["says the same of all", "says the same of all", "40"]
        else:
            assert row[1] == f"{said[0]:+.3f} {signed_span((said[1], said[2]))}".replace("-", "−")
            assert row[2].startswith(f"{person['time'][0]:+.3f}")


def test_without_snippets_of_people_that_is_said(copied: Path) -> None:
    change(copied, "evaluation.json", people={"n": 0, "scorers": []})
    assert "names no snippets that people were measured on" in page_of(copied).by_id("people").text


@pytest.mark.parametrize(
    ("name", "ends", "said"),
    [
        ("encoder", (0.1, 0.2, 0.3), "the encoder by 0.100 (95 % interval 0.200 to 0.300), which is nearer"),
        ("encoder", (1.1, 1.0, 1.2), "the encoder by 1.100 (95 % interval 1.000 to 1.200), which is farther"),
        ("ensemble", (0.8, 0.7, 0.9), "the ensemble by 0.800 (95 % interval 0.700 to 0.900), which cannot be told"),
    ],
)
def test_the_verdict_says_no_more_of_broken_code_than_intervals_do(
    copied: Path, name: str, ends: tuple[float, float, float], said: str
) -> None:
    found = read(copied, "evaluation.json")["robustness"]
    for row in found:
        if (row["name"], row["kind"]) == ("formula", "broken"):
            row["mae"] = [0.84, 0.8, 0.88]
        elif (row["name"], row["kind"]) == (name, "broken"):
            row["mae"] = list(ends)
    change(copied, "evaluation.json", robustness=found)
    third = page_of(copied).by_class("verdict")[2].text
    assert third.startswith("Where a function lacks one sign and does not parse, the formula is off")
    assert said in third


def test_the_verdict_tells_first_what_computing_is_worth(copied: Path) -> None:
    first, second, _ = (node.text for node in page_of(copied).by_class("verdict"))
    assert first.startswith("The score is a formula, so that computing it is the best scorer there can be")
    assert "the formula is off by nothing on 400 functions" in first
    assert second.startswith("Of what is learned, the smallest error is that of the ensemble, 0.")
    assert "lines of code alone give 0." in second


@pytest.mark.parametrize("few", [("formula",), ("encoder", "ensemble")])
def test_few_functions_allow_no_word_on_broken_code(copied: Path, few: tuple[str, ...]) -> None:
    found = read(copied, "evaluation.json")["robustness"]
    change(copied, "evaluation.json", robustness=[row | {"n": 4} if row["name"] in few else row for row in found])
    assert len(page_of(copied).by_class("verdict")) == 2


def test_a_scorer_asked_about_few_functions_says_so(copied: Path) -> None:
    scorers = read(copied, "evaluation.json")["scorers"]
    for row in scorers:
        if row["name"] == "language model, expectation":
            row["mae"] = [0.01, 0.005, 0.02]
    change(copied, "evaluation.json", scorers=scorers)
    second = page_of(copied).by_class("verdict")[1].text
    assert "that of the language model, expectation, 0.010" in second
    assert "over 120 functions" in second


def test_both_trainings_are_those_of_their_journals(whole: Node) -> None:
    looks = [row for row in metrics() if row["kind"] == "eval"]
    assert cells(table(whole, "looks-table")) == [
        [str(row["step"]), f"{row['mae']:.3f}", f"{row['rmse']:.3f}"] for row in looks
    ]
    assert f"step 200 with MAE {looks[-1]['mae']:.3f}" in whole.by_id("training").text
    answered = [row for row in answers() if row["kind"] == "eval"]
    assert cells(table(whole, "answers-table")) == [[str(row["step"]), f"{row['loss']:.3f}"] for row in answered]
    section = whole.by_id("chat").text
    assert "An adapter on runs/base-lm-cpu/model learns to answer" in section
    assert "half of them at 1,430 tokens a second or more" in section or "half of them at 1,431" in section


def test_weights_and_export_are_those_of_their_file(whole: Node, run: Path) -> None:
    found = read(run, "export.json")
    section = whole.by_id("export")
    assert {f"{weight:.1%}".replace("%", " %") for weight in found["weights"].values()} <= {
        squeezed(node.text) for node in section.by_class("end-label")
    }
    assert f"its score ± {found['half_width']:.2f}" in section.text
    widths = [[name, f"± {half:.2f}"] for name, half in found["half_widths"].items()]
    assert cells(table(whole, "widths-table")) == [*widths, ["ensemble", f"± {found['half_width']:.2f}"]]
    graph = found["fp32"]
    assert cells(table(whole, "graphs-table"))[0] == [
        "ONNX, 32-bit shipped",
        squeezed(size(graph["bytes"])),
        f"{graph['mae']:.3f}",
        small(graph["largest_difference"]),
        squeezed(milliseconds(graph["median_ms"])),
    ]
    assert "640 boosted trees were fitted to the metrics of 11,214 functions" in section.text


def test_the_data_receipt_is_that_of_the_manifest(whole: Node, run: Path) -> None:
    manifest = read(run, "data/manifest.json")
    rows = [row for row in cells(table(whole, "sides-table")) if len(row) > 1]
    assert [row[:2] for row in rows] == [
        ["To learn from", "11,214"],
        ["To choose by", "982"],
        ["To measure on", "400"],
        ["Variants to learn from", "11,180"],
        ["Written otherwise", "1,140"],
        ["Beside people", "40"],
    ]
    assert rows[0][2:] == ["2.51", "1.63", "2.0"]
    section = whole.by_id("data").text
    assert (
        "Of 12,275 functions to learn from 12,270 bring the formula's score; on average the scores differ by" in section
    )
    assert "Of 400 functions to measure on 400 bring the formula's score." in section
    assert "Read from library.jsonl.gz, maps.jsonl.gz, this Python environment." in section
    assert "near duplicate of a function to choose by 48" in section
    for output in manifest["outputs"].values():
        assert output["sha256"] in section


def test_a_member_that_was_missing_is_named(copied: Path) -> None:
    change(copied, "evaluation.json", missing={"language model": "its base is gone"})
    (notice, _) = page_of(copied).by_class("notice")
    assert notice.text.startswith("Left out of the ensemble: language model (its base is gone).")


def test_a_recipe_without_a_language_model_has_no_such_part(tmp_path: Path) -> None:
    page = page_of(make_complexity_run(tmp_path / "run", chat=False))
    assert "chat" not in {node.attributes["id"] for node in page.all("section")}
    assert "language model, regex" not in page.text
    assert not page.by_class("absent")


@pytest.mark.parametrize("state", ["stopped", "running", "failed"])
def test_a_run_that_stopped_says_what_is_not_there(tmp_path: Path, state: str) -> None:
    for number, stage in enumerate(STAGES):
        page = page_of(make_complexity_run(tmp_path / f"run{number}", upto=stage, state=state))
        assert f"“{stage}”" in page.by_class("notice")[0].text
        absent = {node.text for node in page.by_class("absent")}
        for later in STAGES[number + 1 :]:
            if later not in ("baselines", "tokenizer"):  # which have no part of their own
                assert f"Not there: the stage “{later}” has not begun." in absent


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "damage", [b'{"n": [\n', b"[]\n", b'{"kind": "train", "trees": "x", "n": []}\n', b"\xff\xfe{}\n"]
)
def test_a_damaged_file_is_an_error_that_names_it(copied: Path, file: str, damage: bytes) -> None:
    (copied / file).write_bytes(gzip.compress(damage) if file.endswith(".gz") else damage)
    with pytest.raises(InputError) as caught:
        load_run(copied)
    assert str(copied / file) in caught.value.line()
    assert "\n" not in caught.value.line()


def test_a_file_of_scores_that_is_cut_off_is_an_error(copied: Path) -> None:
    file = copied / "scores.jsonl.gz"
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(InputError, match="--from evaluate"):
        load_run(copied)


def test_optional_figures_may_be_missing(copied: Path) -> None:
    found = read(copied, "evaluation.json")
    none = dict.fromkeys(("mae", "rmse", "r2", "spearman", "kendall", "within_half", "coverage", "width"))
    scorers = [row | none | {"invalid": row["n"]} for row in found["scorers"]]
    change(copied, "evaluation.json", scorers=scorers, robustness=[], published=[], people=None)
    (copied / "scores.jsonl.gz").unlink()
    rows = [row for row in (copied / "metrics.jsonl").read_text().splitlines(keepends=True) if '"train"' in row]
    (copied / "metrics.jsonl").write_text("".join(rows))
    page = page_of(copied)
    assert [node.text for node in page.by_class("verdict")] == [
        "The score is a formula, so that computing it is the best scorer there can be."
    ]
    assert "The scores of each function are not there." in page.by_id("scorers").text
    assert "No function was written otherwise." in page.by_id("otherwise").text
    assert "No look at the functions that choose the encoder is recorded" in page.by_id("training").text


def test_text_of_data_is_text_on_the_page(copied: Path, tmp_path: Path) -> None:
    evil = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&amp;"
    found = read(copied, "evaluation.json")
    found["scorers"][6] |= {"name": evil, "reads": evil}
    found["robustness"][0] |= {"name": evil, "kind": evil}
    found["people"]["scorers"][0]["name"] = evil
    found |= {"missing": {evil: evil}, "published": [{"name": evil, "mae": 1.0, "r2": 0.1}]}
    change(copied, "evaluation.json", **found)
    scores: list[dict[str, Any]] = sample_scores()
    write_rows(copied / "scores.jsonl.gz", [row | {"scores": {evil: row["scores"]["encoder"]}} for row in scores])
    change(copied, "export.json", weights={evil: 1.0}, half_widths={evil: 1.0})
    manifest = read(copied, "data/manifest.json")
    change(copied, "data/manifest.json", sources={"train": [evil]}, inputs={evil: "00", **manifest["inputs"]})
    other = make_complexity_run(tmp_path / "other")
    for page in (page_of(copied), page_of(copied, other)):
        assert not page.all("script", "img")
        assert not [node for node in page.all() if any(name.startswith("on") for name in node.attributes)]


def test_several_runs_stand_side_by_side(run: Path, tmp_path: Path) -> None:
    one = shutil.copytree(run, tmp_path / "one")
    two = make_complexity_run(tmp_path / "two", better=0.4, chat=False)
    begun = make_complexity_run(tmp_path / "begun", upto="data")
    page = page_of(one, two, begun)
    found = {row[0]: row[1:] for row in cells(table(page, "table-1"))}
    own, other = ({row["name"]: row for row in read(place, "evaluation.json")["scorers"]} for place in (one, two))
    assert found["MAE, encoder"] == [measured(own["encoder"]["mae"]), measured(other["encoder"]["mae"]), "not there"]
    assert found["MAE, language model, regex"][1] == "not measured"
    assert found["Interval of the ensemble how many scores it holds"][0] == "91.0 % 1.21 wide on average"
    assert list(found)[1] == "MAE, formula"
    cost = {row[0]: row[1:] for row in cells(table(page, "table-2"))}
    assert cost["Language model that is asked"] == [
        "runs/base-lm-cpu/model 60 steps",
        "none",
        "runs/base-lm-cpu/model not trained yet",
    ]
    assert cost["Functions learned from"] == ["11,214"] * 3
    assert "can be set against each other" in page.by_id("figures-section").text
    # Two loss curves and two of the error; a chart is drawn in two widths.
    assert len([n for n in page.by_id("curves").by_class("series") if n.tag == "polyline"]) == 2 * (2 + 2)


def test_runs_measured_on_other_functions_are_not_compared(copied: Path, tmp_path: Path) -> None:
    other = make_complexity_run(tmp_path / "other")
    manifest = read(other, "data/manifest.json")
    manifest["outputs"]["evaluation.jsonl.gz"]["sha256"] = "00" * 32
    change(other, "data/manifest.json", **manifest)
    assert "cannot be set against each other" in page_of(copied, other).by_id("figures-section").text


def test_runs_of_another_system_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="code-encoder and complexity-scoring have no figure in common"):
        write_report([run, make_run(tmp_path / "quickstart")], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
