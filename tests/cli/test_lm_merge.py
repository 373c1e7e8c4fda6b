"""`codefit lm merge` and `codefit lm push` through the command line, good and bad."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from codefit.cli.main import main
from codefit.cli.output import Settings
from codefit.models.language_model import load_language_model
from codefit.records import Document, write_rows
from export.adapters import write_adapter, write_base
from export.fake_hub import TOKEN, serve_hub
from small_models import standard_functions


@pytest.fixture(autouse=True)
def _plain_settings() -> Iterator[None]:
    yield
    Settings.json = Settings.debug = False


def run(*words: object) -> int:
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("merge") / "base")


@pytest.fixture(scope="module")
def adapter(base: Path) -> Path:
    return write_adapter(base.parent / "adapter", base)


@pytest.fixture(scope="module")
def documents(base: Path) -> Path:
    file = base.parent / "documents.jsonl.gz"
    write_rows(file, [Document(f"{i}.py", text) for i, text in enumerate(standard_functions()[:3])])
    return file


def test_a_merged_model_is_the_folder_that_was_named(
    tmp_path: Path, base: Path, adapter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "merged-v1.5"
    assert run("lm", "merge", "--base", base, "--adapter", adapter, "--output-dir", out) == 0
    captured = capsys.readouterr()
    assert "14 of 26 tensors changed by the adapter" in captured.out
    assert "not measured" in captured.out
    ids = torch.arange(5, 60)[None]
    with torch.no_grad():
        wanted = load_language_model(base, adapter=adapter, device="cpu").model(ids).logits
        torch.testing.assert_close(load_language_model(out, device="cpu").model(ids).logits, wanted)


def test_merging_with_documents_measures_every_form(
    tmp_path: Path, base: Path, adapter: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "merged-v1.5"
    words = ["lm", "merge", "--base", base, "--adapter", adapter, "--output-dir", out, "--documents", documents]
    assert run("--json", *words, "--gguf", "--gguf-type", "q8_0", "--gguf-bound", "0.05", "--device", "cpu") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(row["form"], row["place"], row["published"]) for row in told["forms"]] == [
        ("adapter", "adapter", True),
        ("merged", ".", True),
        ("gguf", "ship/model.gguf", True),
    ]
    assert told["domain"]["documents"] == 3
    assert json.loads((out / "shipped.json").read_text())["forms"] == told["forms"]
    assert load_language_model(out, device="cpu").end == 1


def test_a_merged_model_beyond_its_bound_fails_and_is_not_there(
    tmp_path: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = write_base(tmp_path / "base", dtype="bfloat16")
    adapter = write_adapter(tmp_path / "adapter", base)
    out = tmp_path / "merged"
    words = ["lm", "merge", "--base", base, "--adapter", adapter, "--output-dir", out, "--documents", documents]
    assert run(*words, "--bound", "0", "--device", "cpu") == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "the merged model is not published: perplexity" in error
    assert [file.name for file in out.iterdir()] == ["shipped.json"]


def _other_base(base: Path) -> None:
    weights = load_file(base / "model.safetensors")
    weights["model.norm.weight"] += 1
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})


def _pickled(base: Path) -> None:
    torch.save(load_file(base / "model.safetensors"), base / "pytorch_model.bin")
    (base / "model.safetensors").unlink()


@pytest.mark.parametrize(
    ("damage", "more", "message"),
    [
        (_other_base, [], "the adapter was trained on other weights"),
        (_pickled, [], "the weights are pickled (pytorch_model.bin), and unpickling runs whatever they say"),
        (lambda base: (base.parent / "out" / "mine").mkdir(parents=True), [], "the output folder is not empty"),
        (lambda base: None, ["--int8"], "a form with a bound has to be measured; give --documents FILE"),
        (lambda base: None, ["--gguf-type", "q2"], "unknown GGUF type 'q2'"),
        (lambda base: None, ["--base", "/nowhere"], "/nowhere: no model there"),
        (lambda base: None, ["--adapter", "/nowhere"], "/nowhere: no adapter there"),
    ],
    ids=["another base", "pickled", "output not empty", "not measured", "type", "no base", "no adapter"],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Any, more: list[str], message: str
) -> None:
    base = write_base(tmp_path / "base")
    adapter = write_adapter(tmp_path / "adapter", base)
    damage(base)
    before = sorted(path.name for path in (tmp_path / "out").rglob("*"))
    capsys.readouterr()
    assert run("lm", "merge", "--base", base, "--adapter", adapter, "--output-dir", tmp_path / "out", *more) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert message in line
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == before


def test_a_disk_that_takes_no_more_is_one_line_and_leaves_nothing(
    tmp_path: Path,
    base: Path,
    adapter: Path,
    file_limit: Callable[[int], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    file_limit(60_000)
    out = tmp_path / "out" / "merged"
    assert run("lm", "merge", "--base", base, "--adapter", adapter, "--output-dir", out) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {out}")
    assert "the file is larger than this file system or process may write" in line
    assert list((tmp_path / "out").iterdir()) == []


def test_push_says_first_and_then_does(tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It pushes from a process of its own, since the library reads its settings once."""
    model = tmp_path / "model"
    model.mkdir()
    for file in base.iterdir():
        (model / file.name).write_bytes(file.read_bytes())
    (model / "README.md").write_text("---\nlicense: mit\n---\n# Small\n")
    words = ["--json", "lm", "push", str(model), "me/small"]
    assert run(*words, "--dry-run") == 0
    planned = json.loads(capsys.readouterr().out)
    entry = "from codefit.cli.main import entry_point; entry_point()"
    with serve_hub() as hub:
        settings = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
        done = subprocess.run(
            [sys.executable, "-c", entry, *words, "--public"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **settings},
        )
        assert done.returncode == 0, done.stderr
        pushed = json.loads(done.stdout)
        assert (planned["pushed"], pushed["pushed"]) == (False, True)
        assert planned["files"] == pushed["files"]
        repository = hub.repositories["models/me/small"]
        assert not repository.private
        assert repository.files == {file.name: file.read_bytes() for file in model.iterdir()}


def test_push_of_a_folder_without_a_card_is_one_line(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("lm", "push", base, "me/small", "--license", "mit") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "the model has no card" in line
