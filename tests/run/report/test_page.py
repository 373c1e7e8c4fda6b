"""The page of a run and of several: its numbers are those of the files, its HTML is sound, nothing is hidden."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from codefit.errors import InputError
from codefit.run.report import write_report
from codefit.run.report.formats import duration, size
from run.report.parsed import Node, cells, parse, squeezed, table
from run.report.sample_language_run import make_language_run
from run.report.sample_run import (
    SOURCES,
    STAGES,
    answers,
    change,
    evaluation,
    export,
    make_run,
    manifest,
    metrics,
    read,
    tokenizer,
)

SYSTEMS = ("bm25", "model", "hybrid")
METRICS = ("mrr@10", "ndcg@10", "recall@1", "recall@5", "recall@10")


def page_of(*runs: Path) -> Node:
    output = write_report(runs, runs[0].parent / "page.html")
    return parse(output.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Node:
    return page_of(make_run(tmp_path_factory.mktemp("runs") / "quickstart"))


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Node:
    base = tmp_path_factory.mktemp("runs")
    stopped = make_run(base / "stopped", upto="train", state="stopped")
    return page_of(make_run(base / "quickstart"), make_run(base / "wider", better=0.03, name="wider"), stopped)


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> Node:
    return page_of(make_language_run(tmp_path_factory.mktemp("runs") / "adapted"))


@pytest.fixture(scope="module")
def language_several(tmp_path_factory: pytest.TempPathFactory) -> Node:
    base = tmp_path_factory.mktemp("runs")
    return page_of(make_language_run(base / "lora"), make_language_run(base / "full", better=0.5, name="full"))


@pytest.fixture(params=["whole", "several", "language", "language_several"])
def any_page(request: pytest.FixtureRequest) -> Node:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def test_the_page_asks_nothing_of_any_host(any_page: Node) -> None:
    assert not any_page.all("script", "iframe", "object", "embed", "img")
    for node in any_page.all():
        for name, value in node.attributes.items():
            assert not name.startswith("on"), (node.tag, name)
            if name in ("src", "href", "action", "data", "poster", "srcset"):
                assert (value or "").startswith(("#", "data:")), (node.tag, name, value)
    style = any_page.all("style")[0].text
    assert "url(" not in style
    assert "@import" not in style


def test_landmarks_headings_and_links_serve_a_keyboard(any_page: Node) -> None:
    for tag in ("header", "nav", "main", "footer", "h1"):
        assert len(any_page.all(tag)) == 1, tag
    levels = [int(node.tag[1]) for node in any_page.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    idents = {node.attributes.get("id") for node in any_page.all()}
    links = [node.attributes["href"] for node in any_page.all("a")]
    assert links[0] == "#main"
    assert all(link and link[1:] in idents for link in links)
    assert any_page.all("html")[0].attributes["lang"] == "en"


def test_every_table_has_a_caption_scopes_and_a_box_to_scroll_in(any_page: Node) -> None:
    assert len(any_page.all("table")) >= 2
    for one in any_page.all("table"):
        assert one.children[0].tag == "caption"
        assert one.children[0].text
        assert all(head.attributes.get("scope") in ("col", "row", "rowgroup") for head in one.all("th"))
    boxes = any_page.by_class("box")
    assert sum(len(box.all("table")) for box in boxes) == len(any_page.all("table"))
    assert all(box.attributes["tabindex"] == "0" and box.attributes["aria-labelledby"] for box in boxes)


def test_every_chart_has_a_name_and_a_description(any_page: Node) -> None:
    charts = [node for node in any_page.all("svg") if node.attributes.get("role") == "img"]
    assert len(charts) >= 6  # three, each in two widths
    for chart in charts:
        named = (chart.attributes["aria-labelledby"] or "").split()
        assert [any_page.by_id(ident).tag for ident in named] == ["title", "desc"]
        assert all(any_page.by_id(ident).text for ident in named)
    others = [node for node in any_page.all("svg") if node.attributes.get("role") != "img"]
    assert all(node.attributes.get("aria-hidden") == "true" for node in others)


def test_coordinates_are_finite_and_inside_the_drawing(any_page: Node) -> None:
    for chart in [node for node in any_page.all("svg") if node.attributes.get("role") == "img"]:
        width, height = map(float, (chart.attributes["viewbox"] or "").split()[2:])
        for node in chart.all():
            for name, value in node.attributes.items():
                if name in ("x", "x1", "x2", "cx"):
                    assert -1 <= float(value or "nan") <= width + 1, (node.tag, name, value)
                if name in ("y", "y1", "y2", "cy"):
                    assert -1 <= float(value or "nan") <= height + 1, (node.tag, name, value)
                if name == "points":
                    xs, ys = zip(*(map(float, point.split(",")) for point in (value or "").split()), strict=True)
                    assert -1 <= min(xs) <= max(xs) <= width + 1
                    assert -1 <= min(ys) <= max(ys) <= height + 1


def test_retrieval_figures_are_those_of_the_file(whole: Node) -> None:
    entry = evaluation()["sets"][0]

    def written(figures: dict[str, object], metric: str) -> str:
        low, high = figures["ci95"][metric]  # type: ignore[index]
        return f"{figures[metric]:.3f} {low:.3f} to {high:.3f}"

    assert [row[1:] for row in cells(table(whole, "set-0-table"))] == [
        [written(entry[system], metric) for metric in METRICS] for system in SYSTEMS
    ]
    by_source = {row[0]: row[1:] for row in cells(table(whole, "set-0-source"))}
    assert by_source == {
        name: [str(n), *(written(entry["by"]["source"][name][system], "mrr@10") for system in SYSTEMS)]
        for name, n in SOURCES.items()
    }
    gains = {row[0].split()[0]: row[1:] for row in cells(table(whole, "set-0-gain"))}
    for system, gain in entry["difference_to_bm25"].items():
        low, high = gain["ci95"]
        assert gains[system.capitalize()] == [f"+{gain['mrr@10']:.3f}", f"+{low:.3f} to +{high:.3f}"]
    tiles = [node.text for node in whole.by_class("tile-value")]
    assert tiles[:3] == [f"{entry[system]['mrr@10']:.3f}" for system in ("hybrid", "model", "bm25")]


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ([0.02, 0.08], "ranks the right function higher than BM25 alone: +0.050 MRR@10"),
        ([-0.01, 0.08], "cannot be told from BM25 alone"),
        ([-0.2, -0.1], "ranks the right function lower than BM25 alone"),
    ],
)
def test_the_verdict_says_no_more_than_the_interval(tmp_path: Path, interval: list[float], said: str) -> None:
    run = make_run(tmp_path / "run")
    sets = evaluation()["sets"]
    sets[0]["difference_to_bm25"]["hybrid"] = {"mrr@10": 0.05, "ci95": interval}
    change(run, "evaluation.json", sets=sets)
    assert said in page_of(run).by_class("verdict")[0].text


def test_the_validation_curve_and_its_table_agree_with_the_metrics(whole: Node) -> None:
    looks = [row for row in metrics(106, 0.0) if row["kind"] == "eval"]
    assert cells(table(whole, "looks-table")) == [
        [str(row["step"]), f"{row['mrr@10']:.3f}", f"{row['bm25 mrr@10']:.3f}"] for row in looks
    ]
    line = whole.by_id("training").by_class("flat")[0]
    heights = {point.split(",")[1] for point in (line.attributes["points"] or "").split()}
    assert len(heights) == 1
    best = max(looks, key=lambda row: row["mrr@10"])
    assert f"step {best['step']} with MRR@10 {best['mrr@10']:.3f}" in whole.by_id("training").text


def test_the_data_receipt_is_that_of_the_manifest(whole: Node) -> None:
    data = manifest()
    rows = [row for row in cells(table(whole, "steps-table")) if len(row) == 3]
    assert [row[1:] for row in rows] == [
        [f"{stage['kept']:,}", f"{sum(stage['dropped'].values()):,}"]
        for stage in data["stages"].values()
        if stage["kept"]
    ]
    reasons = {row[0]: row[1] for row in cells(table(whole, "reasons-table")) if len(row) == 2}
    assert reasons == {
        reason: f"{count:,}" for stage in data["stages"].values() for reason, count in stage["dropped"].items()
    }
    licences = {row[0]: row[1] for row in cells(table(whole, "licenses-table"))}
    assert licences == {name: f"{count:,}" for name, count in data["train"]["licenses"].items()}
    section = whole.by_id("data").text
    sources = {row[0]: row[1] for row in cells(table(whole, "sources-table"))}
    sources |= dict(pair.text.split(" ") for pair in whole.by_id("data").by_class("pair"))  # the long tail, folded
    assert sources == {name: f"{count:,}" for name, count in data["train"]["sources"].items()}
    files = {row[0]: row[1:] for row in cells(table(whole, "files-table")) if len(row) == 3}
    for name, file in data["outputs"].items():
        assert files[name] == [f"{file['rows']:,}", squeezed(size(file["bytes"]))]
        assert file["sha256"] in section


def test_tokenizer_and_export_are_those_of_their_files(whole: Node) -> None:
    found = {row[0]: row[2:4] for row in cells(table(whole, "density-table"))}
    languages = tokenizer()["languages"]
    names = {"python": "Python", "javascript": "JavaScript", "go": "Go", "rust": "Rust"}
    assert found == {
        names[key]: [f"{row['tokens_per_byte']:.3f}", f"{row['plain_tokens_per_byte']:.3f}"]
        for key, row in languages.items()
    }
    report = export()
    speeds = cells(table(whole, "speed-table"))
    assert [row[3] for row in speeds] == [f"{row['texts_per_second']:,.0f}" for row in report["benchmark"]["rows"]]
    assert [row[1] for row in speeds] == [f"{row['p50_ms']:.2f} ms" for row in report["benchmark"]["rows"]]
    assert [row[4] for row in speeds][1:] == [squeezed(size(n)) for n in report["bytes"].values()]
    assert ["fastest" in row[0] for row in speeds] == [False, False, True]
    assert cells(table(whole, "parity-table"))[0] == ["ONNX, 32-bit", "64", "1.00000", "", "2.1e-07"]


def test_answers_and_stages_are_those_of_their_files(whole: Node) -> None:
    section = whole.by_id("answers")
    asked = answers()
    assert [node.text for node in section.all("h3")] == [query["query"] for query in asked["queries"]]
    results = [result for query in asked["queries"] for result in query["results"]]
    assert [node.text for node in section.by_class("name")] == [result["name"] for result in results]
    codes = ["".join(node.pieces).strip() for node in section.all("pre")]
    assert codes == [result["snippet"].strip() for result in results]
    record = read_stages(whole)
    assert [row[0] for row in record] == list(STAGES)
    assert record[0][2] == squeezed(duration(61.4))


def read_stages(page: Node) -> list[list[str]]:
    return [row for row in cells(table(page, "stages-table")) if len(row) == 3]


def test_lines_of_a_snippet_have_their_numbers_in_the_file(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    asked = answers()
    result = asked["queries"][0]["results"][0]
    result["snippet_lines"] = [91, 92, 180]
    change(run, "answers.json", **asked)
    code = page_of(run).by_id("answers").all("pre")[0]
    assert [node.attributes["data-n"] for node in code.by_class("line")] == ["91", "92", "180"]
    assert "".join(code.pieces).strip() == result["snippet"].strip()


def test_text_of_data_is_text_on_the_page(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    evil = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&amp;"
    asked = answers()
    asked["source"] = evil
    asked["queries"][0]["query"] = evil
    asked["queries"][0]["results"][0] |= {"snippet": f"</code></pre>{evil}", "name": evil, "path": evil}
    change(run, "answers.json", **asked)
    sets = evaluation()["sets"]
    sets[0]["description"] = evil
    sets[0]["by"]["source"] = {evil: sets[0]["by"]["source"]["networkx"], "b": sets[0]["by"]["source"]["jinja2"]}
    change(run, "evaluation.json", sets=sets)
    data = manifest()
    data["train"]["sources"] = {evil: 5}
    data["train"]["licenses"] = {evil: 5}
    data["stages"]["mine"]["dropped"] = {evil: 3}
    data["missing"] = [evil]
    change(run, "data/manifest.json", **data)
    change(run, "run.json", name=evil, description=evil, machine={"cpu": evil}, packages={evil: evil})
    page = page_of(run)
    assert not page.all("script", "img")
    assert not [node for node in page.all() if any(name.startswith("on") for name in node.attributes)]
    assert page.all("h1")[0].text == evil
    assert page.by_id("answers").all("h3")[0].text == evil
    both = page_of(run, make_run(tmp_path / "other"))
    assert not both.all("script", "img")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("state", ["stopped", "failed", "running"])
def test_a_run_that_stopped_says_what_is_not_there(tmp_path: Path, stage: str, state: str) -> None:
    page = page_of(make_run(tmp_path / "run", upto=stage, state=state))
    notice = page.by_class("notice")[0].text
    assert notice.startswith("This run is not complete.")
    assert f"“{stage}”" in notice
    absent = {node.text for node in page.by_class("absent")}
    later = set(STAGES[STAGES.index(stage) + 1 :])
    for name in later:
        assert f"Not there: the stage “{name}” has not begun." in absent
    if stage != "train":  # what training came to before it stopped is shown
        assert any(f"the stage “{stage}”" in text and "has not begun" not in text for text in absent)
    else:
        assert "57 steps" in page.by_id("training").text
    assert [row[1] for row in read_stages(page)] == [
        *["done"] * STAGES.index(stage),
        state,
        *["waiting"] * len(later),
    ]


def test_figures_of_an_earlier_pass_are_called_so(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    assert "earlier pass" not in page_of(run).text
    record = read(run, "run.json")
    record["stages"][2] |= {"state": "running", "seconds": None}
    change(run, "run.json", **record)
    page = page_of(run)
    assert "earlier pass" in page.by_id("retrieval").text
    assert "earlier pass" in page.by_id("short").text
    assert "earlier pass" not in page.by_id("data").text


def test_a_run_without_validation_or_benchmark_says_so(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    rows = [row for row in metrics(30, 0.0) if row["kind"] == "train"]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    change(run, "export/codefit-export.json", benchmark=None, winner=None)
    plain = {name: row | {"plain_tokens_per_byte": None} for name, row in tokenizer()["languages"].items()}
    change(run, "tokenizer/report.json", languages=plain)
    page = page_of(run)
    assert "No look at validation sources is recorded" in page.by_id("training").text
    assert "The backends were not timed." in page.by_id("export").text
    assert "tokenizer.compare: false" in page.by_id("tokenizer").text


def test_one_step_and_twenty_thousand_steps_make_a_page_of_sane_size(tmp_path: Path) -> None:
    for steps in (1, 20_000):
        run = make_run(tmp_path / f"run{steps}")
        rows = metrics(steps, 0.0)
        (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        page = page_of(run)
        assert f"{steps:,} steps" in page.by_id("training").text
    assert (tmp_path / "page.html").stat().st_size < 400_000


def test_several_runs_stand_side_by_side(several: Node) -> None:
    found = {row[0]: row[1:] for row in cells(table(several, "table-1"))}
    entry, wider = evaluation()["sets"][0], evaluation(0.03)["sets"][0]
    hybrid = next(row for name, row in found.items() if name.startswith("Hybrid, MRR@10"))
    for cell, one in zip(hybrid, (entry, wider), strict=False):
        low, high = one["hybrid"]["ci95"]["mrr@10"]
        assert cell == f"{one['hybrid']['mrr@10']:.3f} {low:.3f} to {high:.3f}"
    assert hybrid[2] == "not there"
    assert "The runs that have been measured were asked the same questions" in several.text
    assert "codefit run quickstart name=wider --out runs/wider" in several.text
    # three loss curves, three of validation and the common BM25; a chart is drawn in two widths
    assert len([n for n in several.by_id("curves").by_class("series") if n.tag == "polyline"]) == 2 * (3 + 3 + 1)


def test_runs_measured_on_other_questions_are_not_compared(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two")
    assert "can be set against each other" in page_of(one, two).by_id("figures-section").text
    data = manifest()
    data["outputs"]["eval_pairs.jsonl.gz"]["sha256"] = "00" * 32
    change(two, "data/manifest.json", **data)
    assert "cannot be set against each other" in page_of(one, two).by_id("figures-section").text
    (two / "data" / "manifest.json").unlink()
    assert "cannot be set against each other" in page_of(one, two).by_id("figures-section").text
    (two / "evaluation.json").unlink()
    assert "Fewer than two of the runs have been measured" in page_of(one, two).text


def test_fields_that_differ_are_listed_and_names_stay_apart(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "a" / "run"), make_run(tmp_path / "b" / "run")
    record = read(two, "run.json")
    record["recipe"]["train"]["batch_size"] = 512
    change(two, "run.json", **record)
    page = page_of(one, two)
    assert cells(table(page, "differences-table")) == [["train.batch_size", "1024", "512"]]
    assert page.all("h1")[0].text == "2 runs side by side"
    assert "a/run, 1" in page.text
    assert "b/run, 2" in page.text
    assert "codefit run quickstart train.batch_size=512 --out runs/run" in page.text


def test_too_many_runs_or_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run is given"):
        write_report([], tmp_path / "page.html")
    runs = [make_run(tmp_path / f"run{number}") for number in range(7)]
    with pytest.raises(InputError, match="too many"):
        write_report(runs, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
