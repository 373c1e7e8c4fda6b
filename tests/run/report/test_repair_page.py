"""The page of a ranker of repairs, and of several: its numbers are those of the files, and say no more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from codefit.errors import InputError
from codefit.run.report import write_report
from codefit.run.report.formats import milliseconds, signed, size, span, surprise
from codefit.run.report.load import load_run
from codefit.run.report.repair_shapes import METRICS, ORDERS
from run.report.parsed import Node, cells, parse, squeezed, table
from run.report.sample_run import change, make_run, read
from run.small_repair_run import STAGES

FILE_OF = {
    "data": "data/manifest.json",
    "propose": "proposer.json",
    "names": "names.json",
    "lists": "lists/report.json",
    "pretrain": "pretrained/metrics.jsonl",
    "train": "metrics.jsonl",
    "variants": "variants.json",
    "export": "export.json",
    "evaluate": "evaluation.json",
}


def page_of(*runs: Path) -> Node:
    return parse(write_report(runs, runs[0].parent / "page.html").read_text(encoding="utf-8"))


def copy_of(run: Path, folder: Path) -> Path:
    """The files of a run that a page reads."""
    for file in ("run.json", *FILE_OF.values()):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run / file, folder / file)
    return folder


def figures(found: dict[str, Any], metric: str) -> str:
    return f"{found[metric]:.3f} {span(found['ci95'][metric])}"


@pytest.fixture(scope="module")
def whole(repair_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Node:
    return page_of(copy_of(repair_run, tmp_path_factory.mktemp("runs") / "small-repairs"))


def test_the_trip_wrote_the_page(repair_run: Path) -> None:
    page = parse((repair_run / "report.html").read_text(encoding="utf-8"))
    assert not page.by_class("notice")
    assert not page.by_class("absent")
    idents = [node.attributes["id"] for node in page.all("section")]
    parts = ["ranking", "proposer", "pretraining", "training", "variants", "export", "data"]
    assert idents == ["short", *parts, "stages", "repeat"]


def test_figures_of_each_order_are_those_of_the_file(whole: Node, repair_run: Path) -> None:
    found = read(repair_run, "evaluation.json")
    assert cells(table(whole, "orders-table")) == [
        [name, *(figures(found["orders"][order], metric) for metric in METRICS)] for order, name in ORDERS.items()
    ]
    assert found["retrieved"]["model"]["count"] == found["n"] - 1  # one is out of reach
    assert cells(table(whole, "retrieved-table")) == [
        [name, *(figures(found["retrieved"][order], metric) for metric in METRICS if metric != "p@all")]
        for order, name in ORDERS.items()
    ]
    tiles = [node.text for node in whole.by_class("tile-value")]
    assert tiles[:2] == [f"{found['orders']['model'][metric]:.3f}" for metric in ("p@1", "mrr")]
    assert tiles[2] == f"{found['orders']['edits']['p@1']:.3f}"
    for kind, name in (("distance", "{} edits"), ("length", "{} tokens")):
        rows = cells(table(whole, f"by-{kind}-table"))
        expected = [
            [name.format(key).replace("1 edits", "1 edit"), str(row["count"]), *(figures(row, m) for m in METRICS)]
            for key, row in found[f"by_{kind}"].items()
        ]
        assert rows == expected
    steps = [row[1:] for row in cells(table(whole, "latency-table"))]
    assert steps == [
        [squeezed(milliseconds(found[name][p])) for p in ("p50", "p95")]
        for name in ("search_ms", "rank_ms", "latency_ms")
    ]


def test_published_figures_stand_beside_the_runs_own_and_are_said_to_be_of_others(
    whole: Node, repair_run: Path
) -> None:
    found = read(repair_run, "evaluation.json")
    rows = {row[0]: row[1:] for row in cells(table(whole, "published-table"))}
    assert rows["Broken strings"] == ["2,211", str(found["n"])]
    for metric, value in {"p@1": "0.306", "p@10": "0.550", "p@100": "0.594", "p@all": "0.605"}.items():
        assert rows[METRICS[metric]] == [value, figures(found["orders"]["model"], metric)]
    for distance, value in {"1": "0.415", "2": "0.489", "3": "0.143"}.items():
        told = "1 edit" if distance == "1" else f"{distance} edits"
        ours = found["by_distance"].get(distance)
        assert rows[f"P@1, {told} away"] == [value, figures(ours, "p@1") if ours else "none measured"]
    assert rows["MRR of these"] == ["0.532", figures(found["retrieved"]["model"], "mrr")]
    assert rows["Strings whose repair was retrieved"] == ["1,631", str(found["retrieved"]["model"]["count"])]
    assert rows["Time of a string"][0] == "3.1 s to 5.1 s"
    assert rows["P@1 of n-grams alone"] == ["0.045", figures(found["orders"]["ngrams"], "p@1")]
    assert "measured on other snippets of the same source and on other machines" in whole.by_id("ranking").text


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((0.02, 0.05), "The model ranks the true repair higher than n-grams and edits alone: +0.030 MRR"),
        ((-0.05, -0.02), "The model ranks the true repair lower than n-grams and edits alone: −0.030 MRR"),
        ((-0.01, 0.05), "The model cannot be told from n-grams and edits alone: +0.030 MRR"),
    ],
)
def test_the_verdict_says_no_more_than_the_interval(
    repair_run: Path, tmp_path: Path, ends: tuple[float, float], said: str
) -> None:
    run = copy_of(repair_run, tmp_path / "run")
    low, high = ends
    change(run, "evaluation.json", over_edits={"mean": -0.03 if high < 0 else 0.03, "low": low, "high": high})
    first, second = (node.text for node in page_of(run).by_class("verdict"))
    assert f"is the author's own for {100 * read(run, 'evaluation.json')['p@1']:.1f} % of 25 broken strings" in first
    assert second.startswith(said)
    assert ("the interval holds zero" in second) is (low < 0 < high)


def test_the_curve_ends_where_lists_do_and_has_a_line_an_order(repair_run: Path, tmp_path: Path) -> None:
    run = copy_of(repair_run, tmp_path / "run")
    found = read(run, "evaluation.json")
    assert found["limit"] == 200
    (wide,) = [
        node
        for node in page_of(run).by_id("ranking").all("svg")
        if node.attributes.get("aria-labelledby") == "curve-wide-t curve-wide-d"
    ]
    lines = [node for node in wide.by_class("series") if node.tag == "polyline"]
    within = [k for k, _ in found["curve"]["model"] if k <= 200]
    assert [len((line.attributes["points"] or "").split()) for line in lines] == [len(within)] * len(ORDERS)
    assert [node.text for node in wide.by_class("tick")][-5:] == ["1", "3", "10", "30", "100"]
    # As far to the right of 10 as 10 is of 1: the axis is one of logarithms.
    (first, *_, last) = (float(point.split(",")[0]) for point in (lines[0].attributes["points"] or "").split())
    at_ten = float((lines[0].attributes["points"] or "").split()[within.index(10)].split(",")[0])
    at_hundred = float((lines[0].attributes["points"] or "").split()[within.index(100)].split(",")[0])
    assert at_hundred - at_ten == pytest.approx(at_ten - first, abs=0.2)
    assert last > at_hundred


def test_what_proposes_and_the_lists_are_those_of_their_files(whole: Node, repair_run: Path) -> None:
    proposer, lists = read(repair_run, "proposer.json"), read(repair_run, "lists/report.json")
    rounds = [[str(n), str(one["lists"]), f"{one['weight']:.3f}"] for n, one in enumerate(proposer["rounds"], start=1)]
    assert cells(table(whole, "rounds-table")) == rounds
    section = whole.by_id("proposer")
    assert f"Learned from {proposer['pairs']} pairs and {proposer['synthetic']} strings" in section.text
    labels = {node.text for node in section.by_class("end-label")}
    assert {surprise(value) for value in proposer["perplexity"].values()} <= labels
    edits = lists["edits"]
    assert f"{lists['train']} lists to learn from, {lists['synthetic']} strings of them made" in section.text
    assert f"MRR {edits['mrr']:.3f}, P@1 {edits['p@1']:.3f}, P@10 {edits['p@10']:.3f}" in section.text


def test_what_names_tell_is_said_by_clue(repair_run: Path, tmp_path: Path) -> None:
    run = copy_of(repair_run, tmp_path / "run")
    found = read(run, "names.json")
    assert found["pairs"] >= found["telling"] >= found["lists"] > 0
    page = page_of(run)
    rows = cells(table(page, "names-table"))
    assert [row[1] for row in rows] == [signed(weight) for weight in found["weights"].values()]
    assert rows[2][0] == "A bracket opens behind a statement of Python 2 that is a call now"
    section, loss = page.by_id("proposer").text, found["loss"]
    assert f"In {found['telling']} of {found['pairs']} pairs that bring their source a name tells something" in section
    assert f"the loss goes from {loss['without']:.2f} to {loss['with']:.2f} nats." in section
    change(run, "names.json", lists=0, loss={"without": None, "with": None})
    assert "No name tells anything" in page_of(run).by_id("proposer").text


def test_both_trainings_are_those_of_their_journals(whole: Node, repair_run: Path) -> None:
    looks = [json.loads(line) for line in (repair_run / "metrics.jsonl").read_text().splitlines() if '"eval"' in line]
    assert cells(table(whole, "looks-table")) == [
        [str(row["step"]), f"{row['mrr']:.3f}", f"{row['p@1']:.3f}"] for row in looks
    ]
    best = max(looks, key=lambda row: row["mrr"])
    assert f"step {best['step']} with MRR {best['mrr']:.3f}" in whole.by_id("training").text
    edits = read(repair_run, "lists/report.json")["edits"]
    caption = table(whole, "looks-table").all("caption")[0].text
    assert f"in the order of n-grams and edits MRR {edits['mrr']:.3f}, P@1 {edits['p@1']:.3f}" in caption
    before = [json.loads(line) for line in (repair_run / "pretrained/metrics.jsonl").read_text().splitlines()]
    perplexities = [row for row in before if row["kind"] == "eval"]
    assert cells(table(whole, "pretraining-looks-table")) == [
        [str(row["step"]), surprise(row["perplexity"])] for row in perplexities
    ]
    assert "6 steps" in whole.by_id("pretraining").text
    assert "are padding" in whole.by_id("pretraining").text


def test_variants_say_what_they_change_and_what_can_be_told(repair_run: Path, tmp_path: Path) -> None:
    run = copy_of(repair_run, tmp_path / "run")
    variants = read(run, "variants.json")["variants"]
    variants[2]["difference"] = {"mean": -0.05, "ci95": [-0.09, -0.01]}
    variants[3]["difference"] = {"mean": 0.04, "ci95": [0.01, 0.07]}
    change(run, "variants.json", variants=variants)
    rows = cells(table(page_of(run), "variants-table"))
    by_name = {row[0]: row[1:] for row in rows if len(row) > 1}
    assert list(by_name) == [
        "this recipe",
        "n-grams and edits alone not told apart",
        "without-pretraining worse",
        "wide better",
    ]
    assert by_name["without-pretraining worse"][2] == f"{signed(-0.05)} {signed(-0.09)} to {signed(-0.01)}"
    wide = variants[3]
    assert by_name["wide better"][3:] == [f"{wide['parameters']:,}", "8"]
    notes = [row[0] for row in rows if len(row) == 1]
    assert notes == ["pretrained no", "model.hidden 32, train.tau 0.5"]


def test_the_export_says_which_graph_is_shipped(whole: Node, repair_run: Path) -> None:
    found = read(repair_run, "export.json")
    rows = cells(table(whole, "graphs-table"))
    assert [row[0] for row in rows] == ["ONNX, 32-bit", "ONNX, int8 shipped"]
    assert rows[1][1:] == [
        squeezed(size(found["int8"]["bytes"])),
        f"{found['int8']['mrr']:.3f}",
        f"{found['int8']['p@1']:.3f}",
        squeezed(milliseconds(found["int8"]["median_ms"])),
    ]


def test_the_data_receipt_is_that_of_the_manifest(whole: Node, repair_run: Path) -> None:
    manifest = read(repair_run, "data/manifest.json")
    rows = cells(table(whole, "sides-table"))
    for row, (_, output) in zip(rows, manifest["outputs"].items(), strict=True):
        assert row[1:] == [f"{output['rows']:,}", f"{output['tokens']:,}" if "tokens" in output else ""]
    section = whole.by_id("data").text
    # Of the eight rows that bring their sources the lexer reads seven as the data has them.
    assert "7 of 8 broken ones (87.5 %) and 7 of 8 fixed ones (87.5 %)" in section
    assert "Read from train.jsonl, evaluation.jsonl" in section
    for output in manifest["outputs"].values():
        assert output["sha256"] in section


def test_a_recipe_without_pretraining_and_variants_has_no_such_parts(repair_run: Path, tmp_path: Path) -> None:
    run = copy_of(repair_run, tmp_path / "run")
    left_out = ("names", "pretrain", "variants")
    stages = [stage for stage in read(run, "run.json")["stages"] if stage["name"] not in left_out]
    change(run, "run.json", stages=stages)
    (run / "variants.json").unlink()
    (run / "pretrained" / "metrics.jsonl").unlink()
    page = page_of(run)
    idents = [node.attributes["id"] for node in page.all("section")]
    assert not {"pretraining", "variants"} & set(idents)
    assert "What names tell" not in page.by_id("proposer").text
    assert not page.by_class("absent")


@pytest.mark.parametrize("state", ["stopped", "running"])
def test_a_run_that_stopped_says_what_is_not_there(repair_run: Path, tmp_path: Path, state: str) -> None:
    for number, stage in enumerate(STAGES):
        run = copy_of(repair_run, tmp_path / f"run{number}")
        record = read(run, "run.json")
        for place, entry in enumerate(record["stages"]):
            if place >= number:
                entry |= {"state": state if place == number else "waiting", "summary": ""}
                (run / FILE_OF[entry["name"]]).unlink()
        change(run, "run.json", **record)
        page = page_of(run)
        assert f"“{stage}”" in page.by_class("notice")[0].text
        absent = {node.text for node in page.by_class("absent")}
        for later in STAGES[number + 1 :]:
            assert f"Not there: the stage “{later}” has not begun." in absent


@pytest.mark.parametrize("file", FILE_OF.values())
@pytest.mark.parametrize(
    "damage", [b'{"n": [\n', b"[]\n", b'{"kind": "train", "rounds": 3, "n": []}\n', b"\xff\xfe{}\n"]
)
def test_a_damaged_file_is_an_error_that_names_it(repair_run: Path, tmp_path: Path, file: str, damage: bytes) -> None:
    run = copy_of(repair_run, tmp_path / "run")
    (run / file).write_bytes(damage)
    with pytest.raises(InputError) as caught:
        load_run(run)
    assert str(run / file) in caught.value.line()
    assert "\n" not in caught.value.line()
    if file == "pretrained/metrics.jsonl":
        assert "--from pretrain" in caught.value.line()


def test_optional_figures_may_be_missing(repair_run: Path, tmp_path: Path) -> None:
    run = copy_of(repair_run, tmp_path / "run")
    found = read(run, "evaluation.json")
    candidates = found["candidates"] | {"recall_in_reach": None, "recall_in_reach_ci95": None, "in_reach": 0.0}
    change(run, "evaluation.json", retrieved={}, candidates=candidates, by_length={})
    rows = [line for line in (run / "metrics.jsonl").read_text().splitlines(keepends=True) if '"train"' in line]
    (run / "metrics.jsonl").write_text("".join(rows))
    before = (run / "pretrained/metrics.jsonl").read_text().splitlines(keepends=True)
    (run / "pretrained/metrics.jsonl").write_text("".join(line for line in before if '"train"' in line))
    page = page_of(run)
    ranking = page.by_id("ranking").text
    assert "in reach of the search for 0.0 % of the strings." in ranking
    assert "retrieved-table" not in {node.attributes.get("id") for node in page.all("caption")}
    assert "No look at the lists that choose the model is recorded" in page.by_id("training").text
    assert "No look at held-out snippets is recorded" in page.by_id("pretraining").text


def test_text_of_data_is_text_on_the_page(repair_run: Path, tmp_path: Path) -> None:
    run = copy_of(repair_run, tmp_path / "run")
    evil = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&amp;"
    variants = read(run, "variants.json")["variants"]
    variants[2] |= {"name": evil, "changed": {"model": {evil: evil}}}
    change(run, "variants.json", variants=variants)
    proposer = read(run, "proposer.json")
    change(run, "proposer.json", perplexity={evil: 3.0, **proposer["perplexity"]})
    manifest = read(run, "data/manifest.json")
    change(run, "data/manifest.json", inputs={evil: "00", **manifest["inputs"]}, missing=[evil])
    found = read(run, "evaluation.json")
    change(run, "evaluation.json", by_distance={**found["by_distance"], evil: found["by_distance"]["1"]})
    for page in (page_of(run), page_of(run, copy_of(repair_run, tmp_path / "other"))):
        assert not page.all("script", "img")
        assert not [node for node in page.all() if any(name.startswith("on") for name in node.attributes)]


def test_several_runs_stand_side_by_side(repair_run: Path, tmp_path: Path) -> None:
    one, two, begun = (copy_of(repair_run, tmp_path / name) for name in ("one", "two", "begun"))
    better = read(two, "evaluation.json")["orders"]
    better["model"] |= {"p@1": 0.875}
    change(two, "evaluation.json", orders=better)
    record = read(two, "run.json")
    record["recipe"]["train"]["tau"] = 0.25
    change(two, "run.json", **record)
    for file in ("evaluation.json", "export.json", "metrics.jsonl"):
        (begun / file).unlink()
    page = page_of(one, two, begun)
    found = {row[0]: row[1:] for row in cells(table(page, "table-1"))}
    own = read(one, "evaluation.json")["orders"]["model"]
    assert found["Model, P@1 the trained order"] == [
        figures(own, "p@1"),
        figures(own | {"p@1": 0.875}, "p@1"),
        "not there",
    ]
    cost = {row[0]: row[1:] for row in cells(table(page, "table-2"))}
    repairs = str(read(one, "data/manifest.json")["outputs"]["train.jsonl.gz"]["rows"])
    assert cost["Repairs pairs learned from"] == [repairs] * 3
    assert cost["Steps batches learned from"] == ["8", "8", "not there"]
    assert cost["Network layers × width"][0] == "1 × 16 edits 16"
    assert "can be set against each other" in page.by_id("figures-section").text
    assert cells(table(page, "differences-table")) == [["train.tau", "1.0", "0.25", "1.0"]]
    # Two loss curves, two of validation and the common order of edits; a chart is drawn in two widths.
    assert len([n for n in page.by_id("curves").by_class("series") if n.tag == "polyline"]) == 2 * (2 + 2 + 1)


def test_runs_measured_on_other_strings_or_with_other_bounds_are_not_compared(repair_run: Path, tmp_path: Path) -> None:
    one, two = copy_of(repair_run, tmp_path / "one"), copy_of(repair_run, tmp_path / "two")
    change(two, "evaluation.json", seconds=2.0)
    assert "cannot be set against each other" in page_of(one, two).by_id("figures-section").text
    change(two, "evaluation.json", seconds=read(one, "evaluation.json")["seconds"])
    manifest = read(two, "data/manifest.json")
    manifest["outputs"]["evaluation.jsonl.gz"]["sha256"] = "00" * 32
    change(two, "data/manifest.json", **manifest)
    assert "cannot be set against each other" in page_of(one, two).by_id("figures-section").text


def test_runs_of_another_system_are_refused(repair_run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="code-encoder and repair-ranking have no figure in common") as caught:
        write_report([repair_run, make_run(tmp_path / "quickstart")], tmp_path / "page.html")
    assert "\n" not in caught.value.line()
    assert not (tmp_path / "page.html").exists()
