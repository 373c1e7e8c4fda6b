"""`codefit lm train`: from documents and a model to an adapter or a model, by the flags that DESIGN names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codefit.cli.main import main
from codefit.models.language_info import read_language_info
from codefit.models.language_model import load_language_model, weights_fingerprint
from codefit.records import Document, write_rows
from codefit.train.trainer import read_metrics
from tiny_language_models import write_language_model


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents in two files, and a model."""
    folder = tmp_path_factory.mktemp("files")
    documents = [
        Document(
            f"m{n}.py", f"def add_{n}(a, b):\n    return a + b + {n}\n\n\nclass T{n}:\n    x = {n}\n", "python", "r"
        )
        for n in range(24)
    ]
    write_rows(folder / "train.jsonl", documents[:18])
    write_rows(folder / "eval.jsonl.gz", documents[18:])
    write_language_model(folder / "base")
    return folder


def command(files: Path, out: Path, *more: str) -> list[str]:
    given = ["lm", "train", "--model", str(files / "base"), "--train-file", str(files / "train.jsonl")]
    return [*given, "--output-dir", str(out), "--lengths", "32,48", "--device", "cpu", *more, "--json"]


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    assert main(arguments) == 0
    result: dict[str, object] = json.loads(capsys.readouterr().out)
    return result


def test_an_adapter_by_default(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--eval-file", str(files / "eval.jsonl.gz"), "--eval-every", "4", "--save-every", "3", "--max-steps", "9"]
    result = run(command(files, tmp_path, *flags), capsys)
    assert result["steps"] == 9
    assert result["trained_parameters"] < result["parameters"] / 2  # type: ignore[operator]
    info = read_language_info(tmp_path / "adapter")
    assert (info.kind, info.lengths) == ("adapter", [32, 48])
    assert info.base_sha256 == weights_fingerprint(files / "base")
    assert not (tmp_path / "model").exists()
    rows = read_metrics(tmp_path / "metrics.jsonl")
    assert [row["step"] for row in rows if row["kind"] == "eval"] == [4, 8, 9]
    assert {row["length"] for row in rows if row["kind"] == "train"} == {32, 48}
    best = min(row["perplexity"] for row in rows if row["kind"] == "eval")
    assert result["validation"]["perplexity"] == best  # type: ignore[index]


def test_every_weight(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(command(files, tmp_path, "--adapter", "none", "--set", "epochs=2"), capsys)
    assert result["trained_parameters"] == result["parameters"]
    assert load_language_model(tmp_path / "model").context == load_language_model(files / "base").context


def test_a_second_call_finds_it_done(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = command(files, tmp_path, "--max-steps", "4")
    run(arguments, capsys)
    weights = (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes()
    run(arguments, capsys)
    assert (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes() == weights
    assert len(read_metrics(tmp_path / "metrics.jsonl")) == 4


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--lengths", "64,32"], "lengths must not fall"),
        (["--lengths", "32,9999"], "longer than the model's context"),
        (["--set", "precisoin=bf16"], "did you mean precision"),
        (["--replay-share", "0.5", "--replay-file", "no.jsonl"], "no such file"),
        (["--eval-file", "EVAL", "--stride", "100"], "stride"),
        (["--set", "precision=fp16"], "fp16 needs a GPU"),
    ],
)
def test_wrong_input(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], said: str
) -> None:
    given = [flag.replace("EVAL", str(files / "eval.jsonl.gz")) for flag in flags]
    assert main([*command(files, tmp_path), *given]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert said in f"{error['what']}; {error['fix']}"
