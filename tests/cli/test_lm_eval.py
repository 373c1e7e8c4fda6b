"""`codefit lm eval` as a user types it: a table, one JSON object, one-line errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codefit.cli.main import main
from codefit.evaluate.perplexity import evaluate_perplexity
from codefit.models.language_model import load_language_model
from codefit.records import Document, write_rows
from small_models import standard_functions

FUNCTIONS = standard_functions()
DOCUMENTS = [
    Document(f"{'ab'[i % 2]}/part{i % 3}/f{i}.py", code, "python", "repo") for i, code in enumerate(FUNCTIONS[:9])
]
# Text of no known language and an empty file are documents like the others.
DOCUMENTS += [Document("notes", "some words\r\n"), Document("a/empty.py", "")]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("documents") / "eval.jsonl.gz"
    write_rows(path, DOCUMENTS)
    return path


def run(*arguments: str | Path) -> int:
    return main(["lm", "eval", *(str(argument) for argument in arguments)])


def test_json_is_the_library_s_report(
    language_model_folder: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--model", language_model_folder, "--documents", rows, "--device", "cpu", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    model = load_language_model(language_model_folder, device="cpu")
    report = evaluate_perplexity(model, DOCUMENTS, window=96, stride=48)  # its context, half of it
    expected = report.summary()
    assert {name: result[name] for name in expected} == expected
    assert result["documents"] == 11
    assert (result["window"], result["stride"], result["left_out"]) == (96, 48, {})
    assert result["model"] == str(language_model_folder)
    assert result["seconds"] > 0
    assert result["by_directory"] == report.by_directory(1)
    assert len(result["by_directory"]) == 3


def test_flags_reach_the_figures(
    language_model_folder: Path, adapter_folder: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--documents", rows, "--window", "40", "--stride", "7", "--max-documents", "5", "--by-directory", "2"]
    assert run("--model", language_model_folder, "--adapter", adapter_folder, *flags, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    adapted = load_language_model(language_model_folder, adapter=adapter_folder)
    report = evaluate_perplexity(adapted, DOCUMENTS[:5], window=40, stride=7)
    assert (result["perplexity"], result["documents"]) == (report.summary()["perplexity"], 5)
    assert set(result["by_directory"]) == {"a/part0", "a/part1", "a/part2", "b/part0", "b/part1"}
    assert run("--model", adapter_folder, *flags, "--dtype", "bfloat16", "--json") == 0
    half = json.loads(capsys.readouterr().out)
    assert half["perplexity"] == pytest.approx(result["perplexity"], rel=0.01)
    assert half["perplexity"] != result["perplexity"]


def test_a_folder_of_source_and_the_table(
    language_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for document in DOCUMENTS:
        path = tmp_path / "source" / document.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document.text)
    assert run("--model", language_model_folder, "--documents", tmp_path / "source", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["documents"], result["left_out"]) == (9, {"empty": 1})
    assert run("--model", language_model_folder, "--documents", tmp_path / "source") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{language_model_folder}: windows of 96 tokens, stride 48, 95 % intervals"
    assert lines[1].split() == ["directory", "perplexity", "bits/byte", "tokens", "documents"]
    cells = {line.split()[0]: line.split() for line in lines[3:6]}
    assert set(cells) == {"a", "b", "all"}
    low, high = result["ci95"]["perplexity"]
    shown = [f"{result['perplexity']:.2f}", f"({low:.2f}-{high:.2f})", f"{result['bits_per_byte']:.3f}"]
    assert cells["all"][1:4] == shown
    assert cells["all"][-2:] == [f"{result['tokens']:,}", "9"]
    assert lines[6] == "not scored: empty (1)"
    assert run("--model", language_model_folder, "--documents", tmp_path / "source/b/part1/f1.py", "--json") == 0
    assert json.loads(capsys.readouterr().out)["documents"] == 1


def test_many_directories_are_cut(
    language_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(tmp_path / "many.jsonl", [Document(f"d{i}/x.py", f"x = {i}\n") for i in range(25)])
    assert run("--model", language_model_folder, "--documents", tmp_path / "many.jsonl") == 0
    assert "\n5 more (--json)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--window", "97"], "a window of 97 tokens; choose 2 to 96, the model's context"),
        (["--window", "50", "--stride", "50"], "a stride of 50 for a window of 50 tokens; choose 1 to 49"),
        (["--dtype", "int3"], "unknown dtype 'int3'; choose from auto, float32, bfloat16, float16"),
        (["--device", "abacus"], "unknown device 'abacus'"),
        (["--documents", "nothing.jsonl"], "no such file or folder"),
        (["--model", "./nothing"], "no model there"),
        (["--max-documents", "0"], "--max-documents"),
    ],
)
def test_bad_input_is_one_line(
    flags: list[str], message: str, language_model_folder: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--model", language_model_folder, "--documents", rows, *flags) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert message in line


def test_rows_that_are_no_documents_are_counted_and_too_many_are_an_error(
    language_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps({"path": f"{i}.py", "text": "x = 1"}) for i in range(150)]
    path.write_text("\n".join([*lines, '{"path": 3}']) + "\n")
    assert run("--model", language_model_folder, "--documents", path, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["documents"], sum(result["left_out"].values())) == (150, 1)
    path.write_text("\n".join([*lines[:20], '{"path": 3}']) + "\n")
    assert run("--model", language_model_folder, "--documents", path) == 2
    assert "1 of 21 rows do not fit" in capsys.readouterr().err
    path.write_text("")
    assert run("--model", language_model_folder, "--documents", path) == 2
    assert "no text to score" in capsys.readouterr().err
