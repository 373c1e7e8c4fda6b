"""`codefit search` as a user types it: where the model comes from, what is printed, which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from codefit.cli.main import main

ENTRY = "import sys; from codefit.cli.main import main; code = main(); {after}; sys.exit(code)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "code"
    root.mkdir()
    (root / "net.py").write_text("def open_socket(address):\n    return connect(address)\n")
    (root / "rows.py").write_text('def uniq(rows):\n    """Remove duplicates."""\n    return list(set(rows))\n')
    (root / "image.py").write_bytes(b"\x89PNG\x00\x00" * 50)
    return root


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def test_results_are_printed_with_place_and_lines(
    folder: Path, static_export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("search", "open a socket", folder, "--model", static_export, "-k", "1") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("net.py:1-2  open_socket  ")
    assert "\n  1  def open_socket(address):\n  2      return connect(address)\n" in shown
    assert "uniq" not in shown
    assert "2 functions" in shown
    assert "left out: 1 " in shown
    assert "\033" not in shown


def test_json_is_one_object_of_the_agreed_fields(
    folder: Path, static_export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("search", "duplicates", folder, "--model", static_export, "--json", "--model-weight", "0") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["fresh"] is True
    assert result["took_ms"] > 0
    assert result["functions"] == 2
    assert [each["name"] for each in result["results"]] == ["uniq", "open_socket"]
    best = result["results"][0]
    assert (best["path"], best["start_line"], best["end_line"]) == ("rows.py", 1, 3)
    assert set(best["signals"]) == {"model", "bm25"}
    assert best["snippet"].splitlines()[0] == "def uniq(rows):"
    assert best["snippet_lines"] == [1, 2, 3]


def test_no_torch_is_loaded(folder: Path, static_export: Path) -> None:
    after = "print(sorted({'torch', 'transformers', 'sentence_transformers', 'onnx'} & set(sys.modules)))"
    command = [sys.executable, "-c", ENTRY.format(after=after), "search", "socket", str(folder)]
    done = subprocess.run([*command, "--model", str(static_export)], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_model_comes_from_the_flag_the_variable_or_the_quickstart(
    folder: Path,
    static_export: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CODEFIT_MODEL", raising=False)
    assert run("search", "socket", folder) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "make quickstart" in error
    assert "--model" in error
    (tmp_path / "runs" / "quickstart").mkdir(parents=True)
    (tmp_path / "runs" / "quickstart" / "export").symlink_to(static_export)
    assert run("search", "socket", folder) == 0
    monkeypatch.setenv("CODEFIT_MODEL", str(tmp_path / "absent"))
    assert run("search", "socket", folder) == 2
    assert "no such folder" in capsys.readouterr().err
    assert run("search", "socket", folder, "--model", static_export) == 0


def test_a_filter_that_leaves_nothing_is_said(
    folder: Path, static_export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("search", "socket", folder, "--model", static_export, "--path", "*.go", "--json") == 2
    captured = capsys.readouterr()
    assert "no function is left by --path *.go" in captured.err
    assert "no function is left" in json.loads(captured.out)["error"]["what"]
    assert run("search", "socket", folder, "--model", static_export, "--language", "go") == 2
    assert run("search", "socket", folder, "--model", static_export, "--path", "net.*", "--json") == 0
    assert [each["path"] for each in json.loads(capsys.readouterr().out)["results"]] == ["net.py"]


def test_an_empty_folder_has_no_results(
    static_export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert run("search", "socket", tmp_path / "empty", "--model", static_export, "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["results"] == []
    assert "no function" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", " "], "question is empty"),
        (["search", "x", "absent-folder"], "no such file or folder"),
        (["search", "x", "--language", "pyton"], "did you mean python"),
        (["search", "x", "--backend", "cuda"], "no backend is called"),
    ],
)
def test_wrong_input_is_one_line(
    arguments: list[str], message: str, static_export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, "--model", static_export) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
