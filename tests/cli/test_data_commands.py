"""`codefit data pull` and `codefit data pairs` as a user types them: exit codes, one JSON object, one-line errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from codefit.cli.main import main
from codefit.corpus.filters import DEFAULT_LIMITS
from codefit.corpus.pull import PullSettings
from codefit.records import Pair, load_rows

ENTRY = "from codefit.cli.main import entry_point; entry_point()"
PULL_NUMBERS = ["--codesearchnet-train-per-lang", "4", "--codesearchnet-eval-per-lang", "2", "--raw-code", "6"]


def source(name: str, number: int) -> str:
    """A module with one documented function that no other resembles."""
    words = [f"{name}_{word}_{number}" for word in ("road", "river", "stone", "cloud")]
    body = "".join(f"    {word} = graph.{words[place - 1]}_of({place}, {number})\n" for place, word in enumerate(words))
    doc = f"Walk the {words[1]} until a {words[2]} ends."
    return f'def walk_{words[0]}(graph):\n    """{doc}"""\n{body}    return {words[3]}\n'


@pytest.fixture
def repositories(tmp_path: Path) -> list[str]:
    """Four folders of four files each."""
    folders = []
    for name in ("north", "south", "east", "west"):
        for number in range(4):
            path = tmp_path / name / f"f{number}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(source(name, number))
        folders.append(str(tmp_path / name))
    return folders


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def test_pairs_prints_a_table_and_writes_the_files(
    tmp_path: Path, repositories: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out" / "train_pairs.jsonl"
    assert run("data", "pairs", *repositories, "--output", output, "--eval-source", "west", "--workers", "1") == 0
    shown = capsys.readouterr().out
    assert "python       12           4" in shown
    assert f"{output}  12 rows" in shown
    assert {path.name for path in output.parent.iterdir()} == {
        "train_pairs.jsonl",
        "eval_pairs.jsonl",
        "manifest.json",
        "dropped.jsonl",
    }
    assert {pair.source for pair in load_rows(output.parent / "eval_pairs.jsonl", Pair)} == {"west"}


def test_pairs_with_json_prints_one_object(
    tmp_path: Path, repositories: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "train_pairs.jsonl"
    assert run("data", "pairs", "--json", repositories[0], "--output", output, "--workers", "1") == 0
    manifest = json.loads(capsys.readouterr().out)
    assert manifest["outputs"]["train_pairs.jsonl"]["rows"] == 4
    assert manifest["stages"]["mine"]["kept"] == 4


def test_the_flags_of_pairs_reach_the_stages(tmp_path: Path, repositories: list[str]) -> None:
    output = tmp_path / "out.jsonl"
    flags = ["--max-anchor-words", "3", "--languages", "python,go", "--keep-duplicates", "--split-by", "path"]
    flags += ["--eval-share", "0.5", "--near-duplicates", "0.9", "--seed", "7", "--no-redact", "--license", "unknown"]
    assert run("data", "pairs", *repositories, "--output", output, "--workers", "1", *flags) == 1
    assert not output.exists()
    assert run("data", "pairs", *repositories, "--output", output, "--workers", "1", *flags[2:]) == 0
    settings = json.loads((tmp_path / "manifest.json").read_text())["settings"]
    assert settings["split_by"] == "path"
    assert settings["near_duplicate_threshold"] == 0.9
    assert settings["allowed_licenses"] == ["unknown"]
    assert (settings["eval_share"], settings["seed"]) == (0.5, 7)
    assert (settings["redact"], settings["drop_duplicates"]) == (False, False)
    assert run("data", "pairs", *repositories, "--output", output, "--workers", "1", "--license", "MIT") == 1


def test_a_benchmarks_file_keeps_its_text_out(tmp_path: Path, repositories: list[str]) -> None:
    row = {"task_id": 1, "text": "x", "code": source("north", 2)}
    (tmp_path / "mbpp.jsonl").write_text(json.dumps(row) + "\n")
    output = tmp_path / "out.jsonl"
    command = ["data", "pairs", *repositories, "--output", output, "--workers", "1", "--mbpp", tmp_path / "mbpp.jsonl"]
    assert run(*command) == 0
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["stages"]["prepare"]["dropped"] == {"holds text of a benchmark": 1}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["data", "pairs", "missing"], 2, "missing: no such file or folder"),
        (["data", "pairs", "empty"], 2, "empty: no source file in a language that codefit reads"),
        (["data", "pairs", "notes.txt"], 2, "neither a source file in a known language"),
        (["data", "pairs", "broken.jsonl.gz"], 2, "the compressed data is broken"),
        (["data", "pairs", "wrong.jsonl"], 2, "not a Document row"),
        (["data", "pairs", "empty", "--languages", "rusty"], 2, "no language is called 'rusty'; did you mean rust?"),
        (["data", "pairs", "empty", "--split-by", "row"], 2, "row"),
        (["data", "pairs", "empty", "--output", "notes.txt/a/b.jsonl"], 2, "a file stands where a folder is needed"),
        (["data", "pull", "--output-dir", "notes.txt/a"], 2, "a file stands where a folder is needed"),
        (["data", "pull", "--sources", "mbpp,human"], 2, "no source is called 'human'"),
        (["data", "pull", "--revision", "mbpp"], 2, "--revision 'mbpp' is not SOURCE=COMMIT"),
        (["data", "pull", "--local-root", "missing"], 2, "missing: not a folder"),
        (["data", "pull", "--pin", "wrong.jsonl"], 2, "wrong.jsonl"),
        (["data", "pull", "--pin", "wrong.jsonl", "--seed", "3"], 2, "--seed cannot be given with --pin"),
    ],
)
def test_an_error_is_one_line_and_its_exit_code_says_whose_fault(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "broken.jsonl.gz").write_bytes(b"\x1f\x8b\x08 cut")
    (tmp_path / "wrong.jsonl").write_text('["a"]\n')
    before = sorted(path.name for path in tmp_path.iterdir())
    assert run(*arguments) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_pull_prints_a_table_and_warns_of_what_failed(
    tmp_path: Path, hub_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = hub_folder(leave_out=("openai/openai_humaneval",))
    output = tmp_path / "out"
    flags = ["--output-dir", output, "--local-root", root, "--cache", tmp_path / "cache", *PULL_NUMBERS]
    assert run("data", "pull", *flags) == 0
    captured = capsys.readouterr()
    assert "warning: 1 of 7 sources failed: humaneval" in captured.err
    assert "humaneval: failed: " in captured.err
    assert f"{output / 'train_pairs.jsonl'}  " in captured.out
    assert ["codexglue", "ok", "24", "12", "0", "C-UDA-1.0"] in [line.split() for line in captured.out.splitlines()]


def test_pull_with_json_prints_one_object_and_can_be_repeated_by_its_manifest(
    tmp_path: Path, hub_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--local-root", hub_folder(), "--cache", tmp_path / "cache"]
    assert run("--json", "data", "pull", "--output-dir", tmp_path / "one", *place, *PULL_NUMBERS, "--seed", "5") == 0
    manifest = json.loads(capsys.readouterr().out)
    assert manifest["outputs"]["raw_code_text.jsonl"]["rows"] == 6
    pin = ["--pin", tmp_path / "one" / "manifest.json"]
    assert run("data", "pull", "--output-dir", tmp_path / "two", *place, *pin) == 0
    one, two = ((tmp_path / name / "train_pairs.jsonl").read_bytes() for name in ("one", "two"))
    assert one == two


def test_pull_without_a_hub_fails_within_seconds_and_says_why(tmp_path: Path) -> None:
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0"}
    before = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", ENTRY, "--json", "data", "pull", "--output-dir", str(tmp_path / "out")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert time.monotonic() - before < 20.0
    assert done.returncode == 1
    assert "cannot be reached (Connection refused)" in json.loads(done.stdout)["error"]["what"]
    lines = done.stderr.splitlines()
    assert len(lines) == 8
    assert all("cannot be reached (Connection refused)" in line for line in lines)
    assert lines[-1].startswith("error: none of the 7 sources could be read")


def test_the_help_shows_the_defaults_that_hold(capsys: pytest.CaptureFixture[str]) -> None:
    settings = PullSettings()
    assert run("data", "pull", "--help") == 0
    pull_help = capsys.readouterr().out
    for default in (settings.train_per_language, settings.eval_per_language, settings.raw_rows, settings.seed):
        assert f"({default})" in pull_help
    assert run("data", "pairs", "--help") == 0
    pairs_help = capsys.readouterr().out
    for bound in ("min_anchor_words", "max_anchor_words", "min_code_words", "max_code_characters"):
        assert f"({getattr(DEFAULT_LIMITS, bound)})" in pairs_help
