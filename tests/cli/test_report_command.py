"""`codefit report` as a user types it: where the page goes, one JSON object, one-line errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codefit.cli.main import main
from run.report.sample_run import make_run


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def test_one_runs_page_goes_into_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run(tmp_path / "quickstart")
    assert run("report", folder) == 0
    assert capsys.readouterr().out == f"{folder / 'report.html'}\n"
    assert "<h1>quickstart</h1>" in (folder / "report.html").read_text()


def test_several_runs_page_goes_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two")
    monkeypatch.chdir(tmp_path)
    assert run("report", one, two, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"report": "comparison.html", "runs": [str(one), str(two)]}
    assert "2 runs side by side" in (tmp_path / "comparison.html").read_text()
    assert not (one / "report.html").exists()


def test_the_page_goes_where_it_is_told(tmp_path: Path) -> None:
    output = tmp_path / "new" / "page.html"
    assert run("report", make_run(tmp_path / "one"), "--output", output) == 0
    assert output.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("damage", ["nothing", "empty", "evaluation"])
def test_a_wrong_input_is_one_line_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    folder = tmp_path / "run"
    if damage == "empty":
        folder.mkdir()
    if damage == "evaluation":
        make_run(folder)
        (folder / "evaluation.json").write_text('{"sets": [{"name": "unse')
    assert run("report", folder) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {folder}")
    assert error.count("\n") == 1
    assert not (folder / "report.html").exists()


def test_without_a_run_the_command_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report") == 2
    assert "RUN" in capsys.readouterr().err


def test_a_file_in_the_way_of_the_folder_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run(tmp_path / "run")
    (tmp_path / "file").write_text("")
    assert run("report", folder, "--output", tmp_path / "file" / "page.html") == 2
    assert "a file stands where a folder is needed" in capsys.readouterr().err
