"""Pulling every source from datasets laid out as the hub lays them, and from a hub that is not there."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codefit.corpus import pull as pulling
from codefit.corpus.hub.catalogue import SOURCES
from codefit.corpus.pull import PullSettings, pull, read_pin
from codefit.errors import CodefitError, InputError
from codefit.files import hash_file
from codefit.records import Pair, TextRow, load_rows
from hub_layout import CODEXGLUE, LEETCODE, MBPP, SOLUTIONS, TUTORIALS, codexglue_row, write_parquet

SMALL = PullSettings(train_per_language=5, eval_per_language=2, raw_rows=15)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def root(hub_folder: Callable[..., Path]) -> Path:
    return hub_folder()


@pytest.fixture
def dead_hub(monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a hub where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return address


def rows(manifest: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {name: entry["rows"] for name, entry in manifest["sources"].items()}


def test_every_source_is_pulled_up_to_its_numbers(tmp_path: Path, root: Path, cache: Path) -> None:
    output = tmp_path / "out"
    manifest = pull(SMALL, output, local_root=root, cache=cache)
    counts = rows(manifest)
    assert list(counts) == list(SOURCES)
    assert counts["codexglue"] == {"train": 30, "eval": 12, "raw": 0}
    assert counts["mbpp"] == {"train": 12, "eval": 7, "raw": 0}
    assert counts["humaneval"] == {"train": 0, "eval": 4, "raw": 0}
    assert [counts[name]["raw"] for name in list(SOURCES)[4:]] == [3, 6, 6]
    train, evaluation = load_rows(output / "train_pairs.jsonl", Pair), load_rows(output / "eval_pairs.jsonl", Pair)
    raw = load_rows(output / "raw_code_text.jsonl", TextRow)
    assert (len(train), len(evaluation), len(raw)) == tuple(
        sum(count[kind] for count in counts.values()) for kind in ("train", "eval", "raw")
    )
    assert {pair.split for pair in train} == {"train"}
    assert {(pair.source, pair.split) for pair in evaluation} == {
        ("codexglue", "validation"),
        ("leetcode", "test"),
        ("mbpp", "validation"),
        ("mbpp", "test"),
        ("humaneval", "test"),
    }
    assert all(row.license for row in (*train, *evaluation, *raw))


def test_the_manifest_pins_the_files_and_says_what_was_dropped(tmp_path: Path, root: Path, cache: Path) -> None:
    output = tmp_path / "out"
    pull(SMALL, output, local_root=root, cache=cache)
    manifest = json.loads((output / "manifest.json").read_text())
    for name, entry in manifest["outputs"].items():
        assert entry["sha256"] == hash_file(output / name)
        assert entry["rows"] == len((output / name).read_text().splitlines())
    solutions = manifest["sources"]["programming-solutions"]
    assert solutions["dropped"] == {"row of a benchmark": 2}
    assert solutions["license"] == "CC-BY-SA-4.0"
    dropped = [json.loads(line) for line in (output / "dropped.jsonl").read_text().splitlines()]
    assert sum(row["stage"] == "programming-solutions" for row in dropped) == 2
    assert manifest["outputs"]["train_pairs.jsonl"]["licenses"]["C-UDA-1.0"] == 30
    assert manifest["settings"]["train_per_language"] == 5


def test_the_same_settings_give_the_same_bytes_and_another_seed_other_rows(
    tmp_path: Path, root: Path, cache: Path
) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    pull(SMALL, one, local_root=root, cache=cache)
    pull(SMALL, two, local_root=root, cache=cache)
    pull(replace(SMALL, seed=1), three, local_root=root, cache=cache)
    assert (one / "manifest.json").read_bytes() == (two / "manifest.json").read_bytes()
    assert (one / "train_pairs.jsonl").read_bytes() == (two / "train_pairs.jsonl").read_bytes()
    assert (one / "train_pairs.jsonl").read_bytes() != (three / "train_pairs.jsonl").read_bytes()


def test_one_sources_failure_leaves_the_others(
    tmp_path: Path, hub_folder: Callable[..., Path], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = hub_folder(leave_out=(LEETCODE,))
    (root / MBPP / "full" / "test-00000-of-00001.parquet").write_bytes(b"PAR1 cut off")
    (root / TUTORIALS / "online_tutorials.json").write_text('{"title": ["not", "what"], "texts": 1}\n')
    (root / SOLUTIONS / "programming_solutions.json").write_text('{"text": null, "meta": {}}\n{"text": " "}\n')
    manifest = pull(SMALL, tmp_path / "out", local_root=root, cache=cache)
    reasons = {name: entry["reason"] for name, entry in manifest["sources"].items() if entry["status"] == "failed"}
    assert list(reasons) == ["leetcode", "mbpp", "programming-solutions", "online-tutorials"]
    assert reasons["leetcode"] == f"{root} holds no folder {LEETCODE}"
    assert reasons["programming-solutions"].startswith("none of its 2 rows fit (text is ")
    assert reasons["online-tutorials"] == "train has no column 'text', only title, texts"
    assert all("\n" not in reason and reason for reason in reasons.values())
    assert rows(manifest)["mbpp"] == {"train": 0, "eval": 0, "raw": 0}
    assert rows(manifest)["codexglue"]["train"] == 30
    # What the failed raw corpora had of the share goes to the last.
    assert rows(manifest)["stackoverflow-posts"]["raw"] == 15
    said = capsys.readouterr().err
    assert all(f"{name}: failed: {reason}" in said for name, reason in reasons.items())


def test_half_a_source_is_not_taken_for_the_whole(tmp_path: Path, root: Path, cache: Path) -> None:
    (root / CODEXGLUE / "php" / "train-00000-of-00001.parquet").write_bytes(b"PAR1 cut off")
    settings = replace(SMALL, sources=("codexglue", "humaneval"))
    manifest = pull(settings, tmp_path / "out", local_root=root, cache=cache)
    assert manifest["sources"]["codexglue"]["status"] == "failed"
    assert rows(manifest)["codexglue"] == {"train": 0, "eval": 0, "raw": 0}
    assert (tmp_path / "out" / "train_pairs.jsonl").read_text() == ""


def test_pairs_that_are_not_worth_learning_from_are_counted(tmp_path: Path, root: Path, cache: Path) -> None:
    table = [{**codexglue_row("go", "train", number), "docstring": "TODO"} for number in range(3)]
    write_parquet(root / CODEXGLUE / "go" / "train-00000-of-00001.parquet", table)
    settings = replace(SMALL, sources=("codexglue",))
    manifest = pull(settings, tmp_path / "out", local_root=root, cache=cache)
    assert manifest["sources"]["codexglue"]["dropped"] == {"anchor too short": 3}
    assert rows(manifest)["codexglue"]["train"] == 25


def test_a_hub_that_is_not_there_is_said_at_once_for_every_source(
    tmp_path: Path, dead_hub: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = time.monotonic()
    with pytest.raises(CodefitError, match=r"none of the 7 sources could be read: the hub .* cannot be reached"):
        pull(PullSettings(), tmp_path / "out")
    assert time.monotonic() - before < 5.0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    reason = f"the hub {dead_hub} cannot be reached (Connection refused)"
    assert {entry["reason"] for entry in manifest["sources"].values()} == {reason}
    assert capsys.readouterr().err.count(reason) == 7
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["manifest.json"]


def test_a_failed_pull_leaves_the_files_of_the_one_before(
    tmp_path: Path, root: Path, cache: Path, dead_hub: str
) -> None:
    output = tmp_path / "out"
    pull(SMALL, output, local_root=root, cache=cache)
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    with pytest.raises(CodefitError):
        pull(PullSettings(), output)
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


def test_without_network_by_the_hubs_own_switch_each_source_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    import datasets
    import huggingface_hub.constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # The libraries read the switch once, when they are imported.
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    before = time.monotonic()
    with pytest.raises(CodefitError, match="none of the 1 sources"):
        pull(PullSettings(sources=("mbpp",)), tmp_path / "out", cache=cache)
    assert time.monotonic() - before < 10.0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert MBPP in manifest["sources"]["mbpp"]["reason"]


def test_training_rows_that_tell_of_evaluation_rows_are_left_out(tmp_path: Path, root: Path, cache: Path) -> None:
    body = "\n".join(f"    total_{n} = values[{n}] * {n} + other_{n}" for n in range(12))

    def row(name: str, code: str, doc: str) -> dict[str, Any]:
        return {**codexglue_row("go", "train", 0), "func_name": name, "code": code, "docstring": doc}

    train = [
        row("renamed", f"func one(x []int) int {{\n{body}\n}}".replace("total_3", "s"), "Something else about it."),
        row("first", "func b(x int) int {\n    return x * 7 + helper(x)\n}", "Multiply the number by seven."),
        row("second", "func b(x int) int {\n    return x*7 + helper(x) }", "Multiply by seven, in other words."),
        row("asked", "func c(x int) int { return add(x, 2, 3, 4, 5) }", "Add up the five numbers from x."),
        row("alone", "func d(s string) string {\n    return trim(s) + s\n}", "Put a text before itself."),
    ]
    evaluation = [
        row("original", f"func one(x []int) int {{\n{body}\n}}", "Add up what the values say."),
        row("question", "func k(x int) int { return add(x, 2, 3, 4, five) }", "Add up the five numbers from x."),
    ]
    folder = root / CODEXGLUE / "go"
    write_parquet(folder / "train-00000-of-00001.parquet", train)
    write_parquet(folder / "validation-00000-of-00001.parquet", evaluation)
    settings = PullSettings(sources=("codexglue",))
    manifest = pull(settings, tmp_path / "out", local_root=root, cache=cache)
    assert manifest["sources"]["codexglue"]["dropped"] == {
        "near duplicate of an evaluation row": 1,
        "near duplicate": 1,
        "same description and similar code as an evaluation row": 1,
    }
    pairs = load_rows(tmp_path / "out" / "train_pairs.jsonl", Pair)
    names = {pair.name for pair in pairs if pair.language == "go"}
    assert names in ({"first", "alone"}, {"second", "alone"})
    assert not manifest["leakage"]["leaks"]


def test_training_rows_that_hold_a_benchmarks_text_are_left_out(tmp_path: Path, root: Path, cache: Path) -> None:
    task = "Write a function to find the minimum cost path to reach the last cell of a given cost matrix of numbers."
    write_parquet(
        root / MBPP / "full" / "test-00000-of-00001.parquet",
        [{"task_id": 12, "text": task, "code": "def path(cost):\n    return walk(cost, len(cost), 0)"}],
    )
    lines = (root / LEETCODE / "LeetCodeDataset-train.jsonl").read_text().splitlines()
    row = json.loads(lines[0])
    statement = f"Here is one. {task} It is hard."
    row |= {"task_id": "copied", "problem_description": statement, "completion": "def p(c):\n    return c.walk() + 1\n"}
    (root / LEETCODE / "LeetCodeDataset-train.jsonl").write_text("\n".join([*lines, json.dumps(row)]) + "\n")
    settings = replace(SMALL, sources=("leetcode", "mbpp"))
    manifest = pull(settings, tmp_path / "out", local_root=root, cache=cache)
    assert manifest["sources"]["leetcode"]["dropped"]["holds text of a benchmark"] == 1
    assert "copied" not in (tmp_path / "out" / "train_pairs.jsonl").read_text()
    free = pull(replace(settings, benchmarks_in_train=True), tmp_path / "free", local_root=root, cache=cache)
    assert "holds text of a benchmark" not in free["sources"]["leetcode"]["dropped"]
    assert "copied" in (tmp_path / "free" / "train_pairs.jsonl").read_text()


def test_benchmarks_are_trained_on_only_when_asked(tmp_path: Path, root: Path, cache: Path) -> None:
    settings = replace(SMALL, benchmarks_in_train=True)
    manifest = pull(settings, tmp_path / "out", local_root=root, cache=cache)
    counts = rows(manifest)
    assert counts["humaneval"] == {"train": 4, "eval": 0, "raw": 0}
    assert counts["mbpp"]["eval"] == 3
    assert counts["programming-solutions"]["raw"] == 5
    train = load_rows(tmp_path / "out" / "train_pairs.jsonl", Pair)
    assert {pair.split for pair in train} == {"train"}


def test_secrets_and_addresses_are_redacted(tmp_path: Path, root: Path, cache: Path) -> None:
    (root / TUTORIALS / "online_tutorials.json").write_text(
        json.dumps({"title": "Mail", "text": "Write to jane.doe@somewhere-else.org about it."}) + "\n"
    )
    settings = replace(SMALL, sources=("online-tutorials",))
    manifest = pull(settings, tmp_path / "out", local_root=root, cache=cache)
    assert manifest["sources"]["online-tutorials"]["redacted"] == {"EMAIL": 1}
    (row,) = load_rows(tmp_path / "out" / "raw_code_text.jsonl", TextRow)
    assert row.text == "Mail\n\nWrite to <EMAIL> about it."


def test_a_pinned_pull_is_repeated_or_refused(tmp_path: Path, root: Path, cache: Path) -> None:
    output = tmp_path / "one"
    pull(replace(SMALL, seed=3), output, local_root=root, cache=cache)
    pin = read_pin(output / "manifest.json")
    assert pin.settings == replace(SMALL, seed=3)
    pull(pin.settings, tmp_path / "two", local_root=root, cache=cache, hashes=pin.hashes)
    for name in ("train_pairs.jsonl", "eval_pairs.jsonl", "raw_code_text.jsonl"):
        assert (tmp_path / "two" / name).read_bytes() == (output / name).read_bytes()
    (root / MBPP / "full" / "validation-00000-of-00001.parquet").unlink()
    with pytest.raises(CodefitError, match="the pinned source mbpp could not be read"):
        pull(pin.settings, tmp_path / "three", local_root=root, cache=cache, hashes=pin.hashes)
    with pytest.raises(CodefitError, match="the source codexglue gives other rows than the pinned pull"):
        pull(replace(pin.settings, seed=4), tmp_path / "three", local_root=root, cache=cache, hashes=pin.hashes)
    assert not (tmp_path / "three").exists()


def test_a_pin_keeps_the_commits_and_leaves_out_what_failed(tmp_path: Path) -> None:
    def entry(status: str, revision: str | None) -> dict[str, Any]:
        return {"status": status, "revision": revision, "sha256": "x"}

    settings = {"seed": 1, "revisions": {"mbpp": "main"}, "sources": ["mbpp", "humaneval", "leetcode"]}
    sources = {"mbpp": entry("ok", "a" * 40), "humaneval": entry("failed", None), "leetcode": entry("ok", None)}
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"settings": settings, "sources": sources}))
    pin = read_pin(path)
    assert pin.settings.sources == ("mbpp", "leetcode")
    assert pin.settings.revisions == {"mbpp": "a" * 40}
    assert set(pin.hashes) == {"mbpp", "leetcode"}
    for wrong in ("[]", "{}", '{"settings": {"seed": "one"}, "sources": {}}', '{"settings": {}, "sources": {"a": 1}}'):
        path.write_text(wrong)
        with pytest.raises(InputError, match="not the manifest of a `codefit data pull`"):
            read_pin(path)


def test_wrong_settings_are_the_inputs_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no source is called 'mbp'; choose from codexglue, leetcode"):
        PullSettings(sources=("mbp",))
    with pytest.raises(InputError, match="no source is called 'x'"):
        PullSettings(revisions={"x": "main"})
    with pytest.raises(InputError, match="must not be negative"):
        PullSettings(raw_rows=-1)
    with pytest.raises(InputError, match="not a folder"):
        pull(PullSettings(), tmp_path / "out", local_root=tmp_path / "none")


def test_zero_rows_of_a_kind_are_not_read(tmp_path: Path, root: Path, cache: Path) -> None:
    settings = PullSettings(train_per_language=3, eval_per_language=0, raw_rows=0)
    counts = rows(pull(settings, tmp_path / "out", local_root=root, cache=cache))
    assert counts["codexglue"] == {"train": 18, "eval": 0, "raw": 0}
    assert counts["stackoverflow-posts"] == {"train": 0, "eval": 0, "raw": 0}


def test_without_the_datasets_package_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CodefitError, match=r"needs the package datasets; pip install 'codefit\[train\]'"):
        pull(PullSettings(), tmp_path)
