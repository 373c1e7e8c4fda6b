"""`codefit embed train`: from files to a model that other programs load, by the flags that DESIGN names."""

from __future__ import annotations

import inspect
import json
import shutil
import statistics
import textwrap
from pathlib import Path

import numpy as np
import pytest

from codefit.cli.main import main
from codefit.files import read_json
from codefit.models.embedder import load_embedder
from codefit.models.tokenizer import save_tokenizer, train_tokenizer
from codefit.records import Pair, write_rows


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs of the standard library's functions, in two files, and a tokenizer."""
    folder = tmp_path_factory.mktemp("files")
    modules = (inspect, json, shutil, statistics, textwrap)
    functions = [
        value
        for module in modules
        for _, value in sorted(vars(module).items())
        if inspect.isfunction(value) and value.__doc__
    ]
    pairs = [
        Pair(
            anchor=(function.__doc__ or "").strip().split("\n")[0],
            positive=inspect.getsource(function).replace(function.__doc__ or "", ""),
            source="library",
            language="python",
        )
        for function in functions
    ]
    write_rows(folder / "train.jsonl", pairs)
    write_rows(folder / "eval.jsonl.gz", pairs[:60])
    texts = [text for pair in pairs for text in (pair.anchor, pair.positive)]
    save_tokenizer(train_tokenizer(texts, 700), folder / "tokenizer.json")
    return folder


def command(files: Path, out: Path, *more: str) -> list[str]:
    given = ["embed", "train", "--train-file", str(files / "train.jsonl"), "--tokenizer-path", str(files)]
    return [*given, "--output-dir", str(out), "--max-steps", "12", "--batch-size", "32", *more]


def test_a_static_model(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--eval-file", str(files / "eval.jsonl.gz"), "--eval-every", "6", "--save-every", "4"]
    assert main([*command(files, tmp_path, *flags, "--set", "dimensions=16"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["steps"] == 12
    assert result["validation"]["mrr@10"] > 0.2
    assert 0 <= result["model_weight"] <= 1
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["kind"] == "eval"] == [6, 12]
    losses = [row["loss"] for row in rows if row["kind"] == "train"]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    vectors = load_embedder(tmp_path / "model").encode_queries(["copy a file", "copy a file"])
    assert vectors.shape == (2, 16)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert read_json(tmp_path / "model" / "codefit.json")["words"]["name_bonus"] == 24.0


def test_an_encoder_with_matryoshka_sizes(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shape = {"hidden": 16, "layers": 1, "heads": 2, "ffn": 32, "max_tokens": 48, "projection": 12}
    fields = [flag for name, value in shape.items() for flag in ("--set", f"{name}={value}")]
    assert main(command(files, tmp_path, "--model", "encoder", "--sizes", "4,8", "--device", "cpu", *fields)) == 0
    assert "12 steps" in capsys.readouterr().out
    assert read_json(tmp_path / "model" / "codefit.json")["sizes"] == [4, 8]
    assert load_embedder(tmp_path / "model").encode_codes(["def f(): pass"]).shape == (1, 12)


def test_run_again_it_has_nothing_left_to_do(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(files, tmp_path)) == 0
    before = (tmp_path / "model" / "model.safetensors").read_bytes()
    capsys.readouterr()
    assert main(command(files, tmp_path)) == 0
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--set", "dimension=16"], "did you mean dimensions"),
        (["--temperature", "0"], "train.temperature"),
        (["--batch-size", "100000"], "do not fill a batch"),
        (["--device", "cuda:99"], ""),
    ],
)
def test_wrong_flags_are_one_line(
    files: Path, tmp_path: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--device" in flags:
        flags = [*flags, "--model", "encoder", "--set", "hidden=16", "--set", "heads=2", "--set", "layers=1"]
        message = "CUDA"
    assert main(command(files, tmp_path, *flags)) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert error[-1].startswith("error: ")
    assert message in error[-1]
    assert not (tmp_path / "model").exists()


def test_files_that_are_wrong(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(files, broken)
    (broken / "tokenizer.json").write_text((files / "tokenizer.json").read_text()[:500])
    assert main(command(broken, tmp_path / "out")) == 2
    assert "not a tokenizer.json" in capsys.readouterr().err
    (broken / "train.jsonl").write_text('{"text": "not a pair"}\n')
    shutil.copy(files / "tokenizer.json", broken)
    assert main(command(broken, tmp_path / "out")) == 2
    assert "do not fit" in capsys.readouterr().err
    (broken / "train.jsonl").write_text("")
    assert main(command(broken, tmp_path / "out")) == 2
    assert "holds no Pair rows" in capsys.readouterr().err
