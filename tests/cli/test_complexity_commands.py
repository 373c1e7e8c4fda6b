"""`codefit complexity` as a user types it: what is printed, what is written, which exit code."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from codefit.cli.complexity_score import with_explained
from codefit.cli.main import main
from git_checkout import Checkout, branchy

Output = pytest.CaptureFixture[str]
ENTRY = "import sys; from codefit.cli.main import main; code = main(); {after}; sys.exit(code)"


@pytest.fixture
def project(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """Committed files, in the current folder."""
    monkeypatch.chdir(checkout.top)
    checkout.commit({
        "src/big.py": branchy("big", 50) + branchy("small", 1),
        "src/b.js": "function f(a) { return a && 1; }\n",
        "notes.md": "text",
    })  # fmt: skip
    return checkout


def run(*arguments: str | Path) -> int:
    return main(["complexity", *(str(argument) for argument in arguments)])


def as_json(capsys: Output) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_score_prints_the_worst_first_within_80_columns(project: Checkout, capsys: Output) -> None:
    assert run("score") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["score", "label", "cogn", "cycl", "lines", "function", "place"]
    assert [line.split()[-2:] for line in lines[1:4]] == [
        ["big", "src/big.py:1"],
        ["small", "src/big.py:103"],
        ["f", "src/b.js:1"],
    ]
    assert lines[4].startswith("3 functions in 2 files, 107 lines, ")
    assert max(map(len, lines)) <= 80
    assert "\033" not in "".join(lines)
    assert run("score", "src", "-k", "1") == 0
    assert "and 2 more: --top 0 shows all" in capsys.readouterr().out


def test_json_has_what_the_design_says_in_order_of_path_and_line(project: Checkout, capsys: Output) -> None:
    assert run("score", "src", "--json") == 0
    result = as_json(capsys)
    assert [(row["path"], row["line"]) for row in result["functions"]] == [
        ("src/b.js", 1),
        ("src/big.py", 1),
        ("src/big.py", 103),
    ]
    design = {"path", "line", "name", "language", "score", "label", "metrics"}
    for row in result["functions"]:
        assert design <= row.keys()
        assert {"qualified", "end_line", "complete"} <= row.keys()
        assert "increments" not in row
        assert {"cyclomatic", "cognitive", "nesting", "lines", "tokens", "maintainability"} <= row["metrics"].keys()
    assert (result["files"], result["measured"], sum(result["labels"].values())) == (2, 3, 3)
    assert result["skipped"] == []
    assert result["took_ms"] >= 0


def test_order_and_selection(project: Checkout, capsys: Output) -> None:
    def names(*flags: str) -> list[str]:
        assert run("score", "src", "--json", *flags) == 0
        return [row["name"] for row in as_json(capsys)["functions"]]

    assert names("--sort", "cognitive") == ["big", "f", "small"]
    assert names("--sort", "maintainability")[0] == "big"
    assert names("--sort", "name") == ["big", "f", "small"]
    assert names("-k", "1") == ["big"]
    assert names("--min", "6") == ["big"]
    assert names("--path", "*.js") == ["f"]
    assert names("--exclude", "*.js") == ["big", "small"]
    assert names("--language", "javascript") == ["f"]


def test_limits_name_what_is_above_them_and_exit_with_1(project: Checkout, capsys: Output) -> None:
    assert run("score", "src", "--max", "8.5") == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("src/big.py:1: big: score ")
    assert shown[0].endswith(" (limit 8.5)")
    assert shown[1] == "1 function above a limit"
    assert run("score", "src", "--max", "10") == 0
    assert capsys.readouterr().out.startswith("no function is above a limit\n")
    assert run("score", "src", "--max-cognitive", "49", "--max-cyclomatic", "50", "--json") == 1
    result = as_json(capsys)
    assert result["limits"] == {"cognitive": 49, "cyclomatic": 50}
    assert [(row["name"], row["figure"], row["value"], row["limit"]) for row in result["exceeded"]] == [
        ("big", "cognitive", 50, 49),
        ("big", "cyclomatic", 51, 50),
    ]
    assert len(result["functions"]) == 3


def test_standard_input(project: Checkout, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    def give(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    give("function f(a) {\r\n  return a && 1;\r\n}\r\n")
    assert run("score", "-", "--language", "javascript", "--json") == 0
    (row,) = as_json(capsys)["functions"]
    assert (row["path"], row["name"], row["line"], row["metrics"]["cyclomatic"]) == ("-", "f", 1, 2)
    for arguments in (["-"], ["-", "src", "--language", "python"]):
        give("")
        assert run("score", *arguments) == 2
        assert "-: standard input is one text in one language" in capsys.readouterr().err


def test_explain_shows_increments_line_by_line(project: Checkout, capsys: Output) -> None:
    project.write({"src/big.py": "def f(a):\n    for b in a:\n        if b:\n            return b\n"})
    assert run("score", "src", "--explain") == 0
    shown = capsys.readouterr().out
    assert f"     2  {'+1 for':<27}  for b in a:\n" in shown
    assert "     3  +2 (incl. 1 for nesting) if  if b:\n" in shown
    assert "src/b.js:1  f\n" in shown
    assert run("score", "--explain", "src/big.py", "--json") == 0  # a path behind it is a path
    (row,) = as_json(capsys)["functions"]
    assert [(step["line"], step["what"], step["cognitive"], step["nesting"]) for step in row["increments"]] == [
        (2, "for", 1, 0),
        (3, "if", 2, 1),
    ]
    assert run("score", "src/b.js", "src/big.py", "--explain", "f", "--language", "javascript") == 0
    assert "src/b.js:1  f" in capsys.readouterr().out
    assert run("score", "src", "--explain", "ff") == 2
    assert "no function is called 'ff'; did you mean f?" in capsys.readouterr().err


def test_a_lone_explain_takes_every_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("")
    assert with_explained(["a.py", "--explain"]) == ["a.py", "--explain", "*"]
    assert with_explained(["--explain", "--top", "3"]) == ["--explain", "*", "--top", "3"]
    assert with_explained(["--explain", "a.py"]) == ["--explain", "*", "a.py"]
    assert with_explained(["--explain", "name", "a.py"]) == ["--explain", "name", "a.py"]
    assert with_explained(["--explain=a.py"]) == ["--explain=a.py"]
    assert with_explained(["--", "--explain"]) == ["--", "--explain"]


def test_diff_shows_before_and_after(project: Checkout, capsys: Output) -> None:
    project.write({"src/big.py": branchy("big", 50) + branchy("small", 3) + branchy("new", 2)})
    assert run("score", "--diff", "HEAD") == 0
    shown = capsys.readouterr().out
    assert "~ src/big.py:103  small\n" in shown
    assert "cognitive 1 → 3 (+2), cyclomatic 2 → 4 (+2)\n" in shown
    assert "+ src/big.py:111  new\n" in shown
    assert "1 new, 1 changed, 0 moved, 0 removed in 1 changed file, " in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert run("score", "src", "--diff", "HEAD", "--json") == 0
    result = as_json(capsys)
    assert [(row["name"], row["change"]) for row in result["functions"]] == [("small", "changed"), ("new", "new")]
    assert result["functions"][0]["before"]["cyclomatic"] == 2
    assert result["functions"][0]["increase"]["cyclomatic"] == 2
    assert result["counts"] == {"new": 1, "changed": 1, "moved": 0, "removed": 0}
    assert result["from"] == project.git("rev-parse", "HEAD").strip()
    assert result["to"] is None


def test_diff_judges_only_what_the_change_touches(project: Checkout, capsys: Output) -> None:
    project.write({"src/b.js": "function f(a) { return a && 1 && 2; }\n"})
    assert run("score", "--max", "8") == 1
    assert run("score", "--diff", "HEAD", "--max", "8") == 0
    assert run("score", "--diff", "HEAD", "--max-increase", "5") == 0
    capsys.readouterr()
    assert run("score", "--diff", "HEAD", "--max-increase", "0.1") == 1
    assert "above a limit: the score grew by " in capsys.readouterr().out


def test_diff_in_wrong_places(project: Checkout, capsys: Output, tmp_path: Path) -> None:
    assert run("score", tmp_path, "--diff", "HEAD") == 2
    assert "not in a git repository; give a path in a checkout" in capsys.readouterr().err
    assert run("score", "--diff", "nowhere") == 2
    assert "'nowhere' is not a revision; name a commit, branch or tag" in capsys.readouterr().err


def test_sarif_to_standard_output_and_to_a_file(project: Checkout, capsys: Output, tmp_path: Path) -> None:
    assert run("score", "--format", "sarif") == 0  # without a limit of the user's nothing fails
    (result,) = as_json(capsys)["runs"][0]["results"]
    assert result["level"] == "error"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/big.py"
    assert len(result["codeFlows"][0]["threadFlows"][0]["locations"]) == 50
    out = tmp_path / "out" / "complexity.sarif"
    assert run("score", "--format", "sarif", "--output", out, "--max", "1", "--json") == 1
    assert len(as_json(capsys)["functions"]) == 3
    assert len(json.loads(out.read_text())["runs"][0]["results"]) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.py"], "gone.py: no such file or folder; check the path"),
        (["notes.md"], "notes.md: the name of this file does not say which language it is in; say it with --language"),
        (["--sort", "cognitve"], "functions cannot be sorted by 'cognitve'; did you mean cognitive?"),
        (["--language", "klingon"], "'klingon' is not a language that is measured; one of "),
        (["--format", "xml"], "there is no format 'xml'; one of text, sarif"),
        (["--output", "x.sarif"], "--output is for --format sarif"),
        (["--format", "sarif", "--json"], "--json and --format sarif both want standard output"),
        (["--max-increase", "1"], "--max-increase is about a change; say which with --diff"),
        (["-", "--language", "python", "--format", "sarif"], "-: standard input has no place in a repository"),
        (["--max", "high"], "Invalid value for '--max'"),
        (["--seconds", "0"], "Invalid value for '--seconds'"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_2(
    project: Checkout, capsys: Output, arguments: list[str], said: str
) -> None:
    assert run("score", *arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {said}")
    assert captured.err.count("\n") == 1


def test_a_folder_without_source_is_said_to_be_one(project: Checkout, capsys: Output) -> None:
    (project.top / "docs").mkdir()
    assert run("score", "docs", "--json") == 0
    captured = capsys.readouterr()
    assert captured.err == "docs: there is no source file in a language that codefit measures\n"
    assert json.loads(captured.out)["functions"] == []
    assert run("score", "src", "--language", "go") == 0
    assert capsys.readouterr().err == "src: there is no source file left by the filters\n"


def test_what_was_left_out_is_named(project: Checkout, capsys: Output) -> None:
    project.write({"src/x.min.js": "function f(a){return a}" * 200, "node_modules/a/b.js": "x()\n"})
    (project.top / "src" / "latin.py").write_bytes(b"x = '\xe9'\n")
    assert run("score") == 0
    shown = capsys.readouterr().out
    for line in ("left out, minified: src/x.min.js", "left out, vendored: node_modules/", "not UTF-8: src/latin.py"):
        assert line in shown
    assert run("score", "--json") == 0
    assert {"path": "src/latin.py", "reason": "not UTF-8"} in as_json(capsys)["skipped"]
    assert run("score", "--all") == 0
    assert "203 functions in 4 files" in capsys.readouterr().out


def test_trend_in_a_table_as_json_and_drawn(project: Checkout, capsys: Output, tmp_path: Path) -> None:
    project.commit({"src/c.py": branchy("c", 12)}, date="2024-05-01T00:00:00+00:00")
    image, page = tmp_path / "trend.svg", tmp_path / "trend.html"
    assert run("trend", "src", "--plot", image) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["commit", "date", "functions", "mean", "p50", "p90", "Complex", "Critical", "cognitive"]
    assert [line.split()[1:3] for line in lines[1:3]] == [["2024-01-01", "3"], ["2024-05-01", "4"]]
    assert lines[3].startswith("from first to last: mean score ")
    assert lines[-1] == f"the plot is in {image}"
    assert max(map(len, lines[:-1])) <= 80
    assert ElementTree.parse(image).getroot().tag.endswith("svg")
    assert run("trend", "src", "--plot", page, "--json") == 0
    result = as_json(capsys)
    assert [point["functions"] for point in result["points"]] == [3, 4]
    assert set(result["points"][0]["score"]) == {"mean", "median", "p90"}
    assert set(result["points"][0]["labels"]) == {"Simple", "Moderate", "Complex", "Critical"}
    assert "<svg" in page.read_text()


def test_a_trend_of_one_commit_has_no_plot(project: Checkout, capsys: Output, tmp_path: Path) -> None:
    assert run("trend", "src", "--plot", tmp_path / "trend.svg") == 2
    assert "a plot needs two commits with functions" in capsys.readouterr().err
    assert not (tmp_path / "trend.svg").exists()


def test_hotspots_of_files_and_functions(project: Checkout, capsys: Output, tmp_path: Path) -> None:
    project.commit({"src/b.js": "function f(a) { return a || 1; }\n"})
    page = tmp_path / "hotspots.html"
    assert run("hotspots", "--since", "30 years", "--plot", page) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["share", "commits", "changed", "cogn", "score", "file"]
    assert [line.split()[-1] for line in lines[1:3]] == ["src/big.py", "src/b.js"]
    assert max(map(len, lines[:-1])) <= 80
    assert "src/<wbr>big.py" in page.read_text()
    assert run("hotspots", "--since", "30 years", "--functions", "--by", "lines", "--json", "-k", "2") == 0
    result = as_json(capsys)
    assert [(row["name"], row["commits"], row["lines_changed"]) for row in result["hotspots"]] == [
        ("big", 1, 102),
        ("small", 1, 4),
    ]
    assert result["by"] == "lines"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trend", "--plot", "x.png"], "x.png: a plot is an .html page or an .svg image; name it so"),
        (["trend", "--since", "soonish"], "'soonish' is not a time; such as 2025-06-30, 90 days or 1 year"),
        (["trend", "gone"], "gone: no such file or folder"),
        (["hotspots", "--by", "mood"], "change is not counted by 'mood'; one of commits, lines"),
        (["hotspots", "--since", ""], "'' is not a time"),
        (["hotspots", "--since", "1 day", "--plot", "x.svg"], ".: nothing complex was changed in this time"),
    ],
)
def test_wrong_arguments_of_histories(project: Checkout, capsys: Output, arguments: list[str], said: str) -> None:
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {said}")
    assert captured.err.count("\n") == 1


def test_no_torch_is_loaded(project: Checkout) -> None:
    code = ENTRY.format(after="assert not {'torch', 'numba', 'onnxruntime', 'rich'} & set(sys.modules)")
    for arguments in (["score", "src"], ["score", "--diff", "HEAD"], ["trend", "src"], ["hotspots"]):
        done = subprocess.run(
            [sys.executable, "-c", code, "complexity", *arguments], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
