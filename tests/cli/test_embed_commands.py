"""`codefit embed export`, `bench` and `eval` as a user types them: tables, one JSON object, one-line errors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from codefit.cli.main import main
from codefit.evaluate.retrieval import ranks_of_gold
from codefit.export import benchmark
from codefit.models.embedder import load_embedder
from codefit.models.words import function_name
from codefit.records import Pair, PoolRow, Query, write_rows
from small_models import standard_functions

METRICS = {"mrr@10", "ndcg@10", "recall@1", "recall@5", "recall@10", "ci95"}


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "SECONDS", 0.0)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A question for each of 60 functions of two sources: the words of its name."""
    rows: dict[str, Pair] = {}
    for code in standard_functions():
        name = function_name(code)
        if len(code) > 80 and len(rows) < 60:
            source = "left" if len(rows) % 2 else "right"
            rows.setdefault(name, Pair(anchor=f"what does {name} do", positive=code, source=source, language="python"))
    assert len(rows) == 60
    write_rows(tmp_path / "pairs.jsonl", rows.values())
    return tmp_path / "pairs.jsonl"


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def test_export_says_what_it_measured(
    static_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--checkpoint", static_checkpoint, "--output", tmp_path / "out"]
    assert run("embed", "export", *flags, "--benchmark", "--batch-size", "2", "--seq-len", "16") == 0
    shown = capsys.readouterr().out
    assert f"{tmp_path / 'out' / 'model.int8.onnx'}  0.0 MB" in shown
    assert re.search(r"int8: mean cosine (0\.99\d\d|1\.0000) to torch", shown)
    assert "batches of 2 texts of 16 tokens" in shown
    assert [line.split()[0] for line in shown.splitlines() if line.startswith(("torch", "onnx"))] == [
        "torch",
        "onnx-fp32",
        "onnx-int8",
    ]
    winner = load_embedder(tmp_path / "out").backend
    assert f"fastest exported file on this machine: {winner}" in shown
    assert run("embed", "export", *flags, "--json") == 0
    assert json.loads(capsys.readouterr().out)["winner"] == "onnx-fp32"


def test_bench_prints_a_row_for_each_file(static_export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("embed", "bench", "--model", static_export, "--batch-size", "2", "--seq-len", "16", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["backend"] for row in result["rows"]] == ["onnx-fp32", "onnx-int8"]
    assert run("embed", "bench", "--model", static_export) == 0
    assert "batches of 16 texts of 128 tokens" in capsys.readouterr().out


def test_eval_of_pairs_is_one_pool_with_every_figure(
    static_export: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("embed", "eval", "--model", static_export, "--pairs", pairs, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n"], result["pool"], result["model_weight"]) == (60, 60, 0.6)
    for system in ("model", "bm25", "hybrid"):
        assert set(result[system]) == METRICS
        low, high = result[system]["ci95"]["mrr@10"]
        assert low <= result[system]["mrr@10"] <= high
    # By hand: the model alone.
    rows = [json.loads(line) for line in pairs.read_text().splitlines()]
    embedder = load_embedder(static_export)
    scores = (
        embedder.encode_queries([row["anchor"] for row in rows])
        @ embedder.encode_codes([row["positive"] for row in rows]).T
    )
    ranks = ranks_of_gold(scores, np.arange(60))
    assert result["model"]["mrr@10"] == pytest.approx(np.where(ranks <= 10, 1 / ranks, 0).mean())
    assert set(result["by"]["source"]) == {"left", "right"}


def test_eval_by_source_has_a_pool_for_each(
    static_export: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--model", static_export, "--pairs", pairs, "--by-source", "--pool-size", "20"]
    assert run("embed", "eval", *flags, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n"], result["pool"]) == (40, 20)
    assert run("embed", "eval", *flags, "--model-weight", "1") == 0
    shown = capsys.readouterr().out
    assert "40 questions, 2 pools of at most 20 functions" in shown
    assert "hybrid - bm25: " in shown
    lines = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if line.startswith(("model ", "hybrid "))}
    assert [line.split()[0] for line in shown.splitlines()[-2:]] == ["left", "right"]
    assert set(lines) == {"model", "hybrid"}


def test_eval_of_queries_finds_its_answers_by_id(
    static_export: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [json.loads(line) for line in pairs.read_text().splitlines()]
    write_rows(tmp_path / "pool.jsonl", (PoolRow(id=i, code=row["positive"]) for i, row in enumerate(rows)))
    write_rows(
        tmp_path / "queries.jsonl", (Query(anchor=rows[i]["anchor"], positive_id=i) for i in reversed(range(30)))
    )
    flags = ["--queries", tmp_path / "queries.jsonl", "--pool", tmp_path / "pool.jsonl"]
    assert run("embed", "eval", "--model", static_export, *flags, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n"], result["pool"]) == (30, 60)
    assert result["bm25"]["mrr@10"] > 0.5


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "give --pairs FILE"),
        (["--pairs", "PAIRS", "--queries", "PAIRS"], "give --pairs FILE"),
        (["--queries", "PAIRS"], "give --pairs FILE"),
        (["--queries", "PAIRS", "--pool", "PAIRS", "--by-source"], "--by-source needs --pairs"),
        (["--pairs", "absent.jsonl"], "absent.jsonl"),
        (["--pairs", "PAIRS", "--by-source"], "no source has 50 pairs"),
        (["--pairs", "PAIRS", "--backend", "torch"], "has no 'torch'"),
    ],
)
def test_wrong_input_is_one_line(
    flags: list[str], message: str, static_export: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(pairs) if flag == "PAIRS" else flag for flag in flags]
    assert run("embed", "eval", "--model", static_export, *given) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_export_of_what_is_no_checkpoint_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert run("embed", "export", "--checkpoint", tmp_path / "empty", "--output", tmp_path / "out") == 2
    assert "modules.json" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert run("embed", "bench", "--model", tmp_path / "empty") == 2
    assert "codefit-export.json" in capsys.readouterr().err
