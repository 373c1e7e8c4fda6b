"""`codefit data documents` and `codefit data diff` as a user types them: tables, one JSON object, one-line errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codefit.cli.main import main
from codefit.corpus.curate import CurationSettings
from document_examples import repository, source


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for each in repository(10):
        path = tmp_path / "repo" / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(each.text)
    return tmp_path / "repo"


def test_documents_prints_a_table_and_writes_the_files(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert run("data", "documents", folder, "--output-dir", output, "--top", "9", "--workers", "0") == 0
    shown = capsys.readouterr().out
    assert shown.split()[:7] == ["side", "files", "functions", "types", "lines", "bytes", "directories"]
    assert "below the top 9" in shown
    assert f"{output / 'train_documents.jsonl.gz'}  9 rows" in shown
    assert {path.name for path in output.iterdir()} == {
        "train_documents.jsonl.gz",
        "eval_documents.jsonl.gz",
        "manifest.json",
        "dropped.jsonl",
    }


def test_the_flags_of_documents_reach_the_settings(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--min-lines", "11", "--max-lines", "222", "--languages", "python,rust", "--exclude", "other"]
    flags += ["--hold-out-share", "0.4", "--validation-share", "0.4", "--licenses", "MIT, unknown", "--seed", "7"]
    flags += ["--near-duplicate-threshold", "0.9", "--no-redact", "--top", "0", "--workers", "0"]
    assert run("data", "documents", "--json", folder, "--output-dir", tmp_path / "out", *flags) == 0
    manifest = json.loads(capsys.readouterr().out)
    settings = manifest["settings"]
    assert (settings["min_lines"], settings["max_lines"], settings["top"]) == (11, 222, None)
    assert (settings["hold_out_share"], settings["validation_share"], settings["seed"]) == (0.4, 0.4, 7)
    assert settings["allowed_licenses"] == ["MIT", "unknown"]
    assert (settings["near_duplicate_threshold"], settings["redact"]) == (0.9, False)
    assert (manifest["languages"], manifest["exclude"]) == (["python", "rust"], ["other"])
    assert manifest["validation"]["rows"] > 0


def test_the_defaults_that_help_shows_are_those_that_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "documents", "--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    defaults = CurationSettings()
    shown_with = {
        "--top": defaults.top,
        "--min-lines": defaults.min_lines,
        "--max-lines": defaults.max_lines,
        "--hold-out-share": defaults.hold_out_share,
        "--validation-share": int(defaults.validation_share),
        "--near-duplicate-threshold": defaults.near_duplicate_threshold,
        "--seed": defaults.seed,
    }
    for flag, value in shown_with.items():
        assert shown.partition(f"{flag} ")[2].partition(" --")[0].endswith(f"[default: ({value})]"), flag


def test_diff_prints_what_changed_and_json_has_every_file(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, top in (("a", "9"), ("b", "8")):
        if name == "b":
            (folder / "fresh.py").write_text(source(4_242, functions=3))
        command = ["data", "documents", folder, "--output-dir", tmp_path / name, "--top", top, "--workers", "0"]
        assert run(*command) == 0
    capsys.readouterr()
    assert run("data", "diff", tmp_path / "a", tmp_path / "b") == 0
    shown = capsys.readouterr().out
    assert "moved: train -> left out: below the top 8" in shown
    assert "settings: top: 9 -> 8" in shown
    assert "repo/fresh.py: came: " in shown
    assert run("data", "diff", "--json", tmp_path / "a", tmp_path / "b") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["counts"]["came"] == 1
    assert result["counts"]["moved"] == 1
    assert len(result["files"]) == sum(result["counts"].values())
    assert run("data", "diff", tmp_path / "a", tmp_path / "a") == 0
    assert "unchanged     30" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["documents", "missing", "--output-dir", "out"], 2, "missing: no such file or folder"),
        (["documents", "empty", "--output-dir", "out"], 2, "empty: no source file in a language that codefit reads"),
        (["documents", "repo", "--output-dir", "out", "--languages", "rust"], 2, "repo: no source file in rust"),
        (["documents", "repo", "--output-dir", "out", "--languages", "rus"], 2, "did you mean rust?"),
        (["documents", "repo", "--output-dir", "out", "--min-lines", "999"], 1, "no file is left after filtering"),
        (["documents", "repo", "--output-dir", "out", "--licenses", "nonsense"], 2, "is no licence"),
        (["documents", "repo", "--output-dir", "out", "--hold-out-share", "2"], 2, "hold-out share 2.0"),
        (["documents", "repo", "--output-dir", "out", "--hold-out-since", "2020-01-01"], 2, "not in a git checkout"),
        (["documents", "repo", "--output-dir", "out", "--hold-out-since", "soon"], 2, "not a date in ISO form"),
        (
            ["documents", "repo", "--output-dir", "out", "--hold-out-since", "2020-01-01", "--hold-out-share", "0.1"],
            2,
            "--hold-out-share cannot be given with --hold-out-since",
        ),
        (["documents", "repo", "--output-dir", "notes.txt/a"], 2, "a file stands where a folder is needed"),
        (["documents", "repo"], 2, "--output-dir"),
        (["diff", "repo", "empty"], 2, "repo: holds no manifest.json"),
        (["diff", "missing", "empty"], 2, "missing: holds no manifest.json"),
    ],
)
def test_an_error_is_one_line_and_its_exit_code_says_whose_fault(
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    before = sorted(path.name for path in tmp_path.iterdir())
    if arguments[0] == "documents":
        arguments = [*arguments, "--workers", "0"]
    assert run("data", *arguments) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
