"""From folders to files of documents: what is written, what it says, what changed between two, and bad input."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from codefit.corpus.curate import CurationSettings
from codefit.corpus.gather import GatherSettings
from codefit.corpus.manifest import Receipt
from codefit.errors import CodefitError, InputError
from codefit.files import hash_file
from codefit.records import Document, Pair, load_rows, read_rows, write_rows
from codefit.tasks.document_files import Beside, write_document_files
from codefit.tasks.receipt_diff import diff_receipts
from codefit.tasks.source_files import write_source_files
from codefit.tasks.sources import read_sources
from document_examples import document, repository, source

SETTINGS = CurationSettings(top=12, hold_out_share=0.2, min_lines=10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository of thirty files in ten directories."""
    for each in repository(10):
        path = tmp_path / "repo" / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(each.text)
    return tmp_path / "repo"


def pair_file(path: Path, language: str, repo: str, count: int, seed: int) -> Path:
    rows = [
        Pair(
            anchor=f"Do what {number} asks.",
            positive=source(seed + number, functions=2, types=0),
            source=repo,
            language=language,
            path=f"src/p{number // 2}.py",
            license="MIT",
            line=1 + 40 * (number % 2),
        )
        for number in range(count)
    ]
    write_rows(path, rows)
    return path


def dropped_of(folder: Path) -> dict[str, str]:
    lines = (folder / "dropped.jsonl").read_text().splitlines()
    return {row["where"]: row["reason"] for row in map(json.loads, lines)}


def test_the_files_the_manifest_and_the_dropped_agree(tmp_path: Path, folder: Path) -> None:
    (folder / "pkg/d0/tiny.py").write_text("x = 1\n")
    (folder / "pkg/d0/image.py").write_bytes(b"\x00\x01")
    output = tmp_path / "out"
    manifest = write_document_files([str(folder)], output, SETTINGS, workers=0)
    assert json.loads((output / "manifest.json").read_text()) == json.loads(json.dumps(manifest))
    train = load_rows(output / "train_documents.jsonl.gz", Document)
    evaluation = load_rows(output / "eval_documents.jsonl.gz", Document)
    assert {path.name for path in output.iterdir()} == {*manifest["outputs"], "manifest.json"}
    assert len(train) == 12 == manifest["train"]["rows"] == manifest["outputs"]["train_documents.jsonl.gz"]["rows"]
    assert manifest["evaluation"]["rows"] == len(evaluation) > 0
    for name, entry in manifest["outputs"].items():
        assert entry["sha256"] == hash_file(output / name)
    dropped = dropped_of(output)
    assert len(dropped) + len(train) + len(evaluation) == 32
    assert dropped["repo/pkg/d0/tiny.py"] == "fewer than 10 lines"
    assert dropped["repo/pkg/d0/image.py"] == "binary"
    assert manifest["stages"]["read"] == {"kept": 31, "dropped": {"binary": 1}}
    assert manifest["stages"]["curate"]["kept"] == 12 + len(evaluation)
    assert sum(manifest["stages"]["curate"]["dropped"].values()) == 31 - 12 - len(evaluation)
    assert manifest["inputs"][str(folder)]["documents"] == 31
    assert not manifest["leakage"]["leaks"]


def test_the_same_files_give_the_same_bytes_and_a_changed_one_another_input_hash(tmp_path: Path, folder: Path) -> None:
    first = write_document_files([str(folder)], tmp_path / "a", SETTINGS, workers=0)
    second = write_document_files([str(folder)], tmp_path / "b", SETTINGS, workers=2)
    assert first == second
    (folder / "pkg/d0/f0.py").write_text(source(77_777))
    third = write_document_files([str(folder)], tmp_path / "b", SETTINGS, workers=0)
    assert third["inputs"] != first["inputs"]


def test_files_of_an_earlier_run_do_not_stay(tmp_path: Path, folder: Path) -> None:
    output = tmp_path / "out"
    settings = CurationSettings(min_lines=10, hold_out_share=0.4, validation_share=0.4)
    assert (
        "validation_documents.jsonl.gz" in write_document_files([str(folder)], output, settings, workers=0)["outputs"]
    )
    write_document_files([str(folder)], output, CurationSettings(hold_out_share=0), workers=0)
    assert {path.name for path in output.iterdir()} == {"train_documents.jsonl.gz", "manifest.json", "dropped.jsonl"}


def test_files_after_a_date_are_held_out_of_a_real_repository(tmp_path: Path, folder: Path) -> None:
    def git(*arguments: str, date: str = "2020-01-01T00:00:00Z") -> None:
        environment = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, env={"PATH": "/usr/bin:/bin", **environment}
        )

    git("init")
    git("add", ".")
    git("commit", "-m", "old")
    (folder / "pkg/d0/new.py").write_text(source(5_000))
    # A new file that is an old one with a word changed is not unseen.
    old = (folder / "pkg/d1/f1.py").read_text()
    (folder / "pkg/d0/moved.py").write_text(old.replace("return", "yield", 1))
    git("add", ".")
    git("commit", "-m", "new", date="2024-01-01T00:00:00Z")
    settings = CurationSettings(min_lines=10, hold_out_since="2023-06-01")
    manifest = write_document_files([str(folder)], tmp_path / "out", settings, workers=0)
    (new,) = load_rows(tmp_path / "out" / "eval_documents.jsonl.gz", Document)
    assert new.path == "pkg/d0/new.py"
    assert manifest["train"]["rows"] == 30
    assert manifest["leakage"]["by"] is None
    assert dropped_of(tmp_path / "out") == {"repo/pkg/d0/moved.py": "near duplicate of a training file, in evaluation"}
    late = CurationSettings(hold_out_since="2025-01-01")
    with pytest.raises(InputError, match="no file that is left was added after the date"):
        write_document_files([str(folder)], tmp_path / "late", late, workers=0)
    assert not (tmp_path / "late").exists()


def test_general_code_and_its_replay_stand_beside(tmp_path: Path, folder: Path) -> None:
    general = pair_file(tmp_path / "g.jsonl", "python", "one/general", 20, 2_000)
    replay = pair_file(tmp_path / "r.jsonl.gz", "python", "two/replay", 60, 4_000)
    beside = Beside(
        general=partial(read_sources, pairs=[general]), replay=partial(read_sources, pairs=[replay]), replay_share=0.25
    )
    manifest = write_document_files([str(folder)], tmp_path / "out", SETTINGS, beside=beside, workers=0)
    assert {each.repo for each in read_rows(tmp_path / "out/general_documents.jsonl.gz", Document)} == {"one/general"}
    assert manifest["general"]["rows"] == 10
    share = manifest["replay"]["bytes"] / (manifest["replay"]["bytes"] + manifest["train"]["bytes"])
    assert 0.2 < share <= 0.25
    assert manifest["inputs"][str(replay)]["sha256"] == hash_file(replay)
    assert manifest["stages"]["clean"]["kept"] == manifest["general"]["rows"] + manifest["replay"]["rows"]
    same = Beside(general=partial(read_sources, pairs=[replay]), replay=beside.replay, replay_share=0.25)
    with pytest.raises(CodefitError, match=r"general files are known from training: \d+ by same repository"):
        write_document_files([str(folder)], tmp_path / "out", SETTINGS, beside=same, workers=0)
    own = Beside(replay=partial(read_sources, documents=[str(folder)]), replay_share=0.5)
    with pytest.raises(CodefitError, match=r"known from replay: . by same repository \(repo/"):
        write_document_files([str(folder)], tmp_path / "own", SETTINGS, beside=own, workers=0)
    assert not (tmp_path / "own").exists()
    with pytest.raises(InputError, match="replay share"):
        write_document_files(
            [str(folder)], tmp_path / "out", SETTINGS, beside=Beside(replay_share=1.0, replay=beside.replay)
        )
    nothing = Beside(general=partial(read_sources, pairs=[general], languages=["go"]))
    with pytest.raises(InputError, match="no source file is found for the general code"):
        write_document_files([str(folder)], tmp_path / "out", SETTINGS, beside=nothing, workers=0)


def test_sources_join_documents_and_pairs_and_name_what_they_leave_out(tmp_path: Path, folder: Path) -> None:
    ours = pair_file(tmp_path / "p.jsonl", "python", "one/one", 8, 100)
    ruby = pair_file(tmp_path / "q.jsonl", "ruby", "two/two", 4, 200)
    receipt, inputs = Receipt(), dict[str, Any]()
    read = list(
        read_sources(
            documents=[str(folder)],
            pairs=[ours, ruby],
            leave_out_languages=["ruby"],
            sources=["repo", "two/two"],
            receipt=receipt,
            inputs=inputs,
        )
    )
    assert {each.repo for each in read} == {"repo"}
    assert receipt.by_reason() == {"source not asked for": 4, "language left out": 2}
    assert {name: entry["documents"] for name, entry in inputs.items()} == {str(folder): 30, str(ours): 4, str(ruby): 2}
    receipt = Receipt()
    assert not list(read_sources(pairs=[ours], exclude=["one/one"], receipt=receipt))
    assert receipt.by_reason() == {"source excluded": 8}
    assert {each.language for each in read_sources(pairs=[ours, ruby], languages=["ruby"], receipt=Receipt())} == {
        "ruby"
    }
    with pytest.raises(InputError, match="no such file"):
        read_sources(pairs=[tmp_path / "none.jsonl"], receipt=Receipt())
    with pytest.raises(InputError, match="did you mean ruby"):
        read_sources(pairs=[ruby], languages=["rubi"], receipt=Receipt())


def test_base_data_is_divided_by_repository(tmp_path: Path, folder: Path) -> None:
    pairs = [pair_file(tmp_path / f"p{n}.jsonl", "python", f"owner/r{n}", 20, 1_000 * n) for n in range(1, 4)]
    settings = GatherSettings(evaluation_sources=("owner/r1",), validation_sources=("owner/r2",), train_bytes=20_000)
    output = tmp_path / "out"
    manifest = write_source_files(output, settings, documents=[str(folder)], pairs=pairs, workers=0)
    held_out = {each.repo for each in read_rows(output / "eval_documents.jsonl.gz", Document)}
    assert held_out == {"owner/r1"}
    assert {each.repo for each in read_rows(output / "validation_documents.jsonl.gz", Document)} == {"owner/r2"}
    assert 15_000 < manifest["train"]["bytes"] <= 20_000
    assert set(dropped_of(output).values()) == {"beyond the bytes to train on"}
    assert manifest["stages"]["read"]["kept"] == 30 + 60
    with pytest.raises(InputError, match="no language is called 'haskell'"):
        write_source_files(output, settings, pairs=pairs, languages=["haskell"], workers=0)
    with pytest.raises(InputError, match="no source file in go"):
        write_source_files(tmp_path / "no", settings, pairs=pairs, languages=["go"], workers=0)
    assert not (tmp_path / "no").exists()


def test_a_diff_names_what_came_went_moved_and_changed(tmp_path: Path, folder: Path) -> None:
    write_document_files([str(folder)], tmp_path / "a", SETTINGS, workers=0)
    train = {each.path for each in read_rows(tmp_path / "a/train_documents.jsonl.gz", Document)}
    evaluation = sorted(each.path for each in read_rows(tmp_path / "a/eval_documents.jsonl.gz", Document))
    below = sorted(where for where, reason in dropped_of(tmp_path / "a").items() if reason == "below the top 12")
    gone, short, changed = sorted(train)[:3]
    assert diff_receipts(tmp_path / "a", tmp_path / "a")["files"] == []
    (folder / gone).unlink()
    (folder / short).write_text("x = 1\n")
    (folder / changed).write_text((folder / changed).read_text() + "# and more\n" * 3)
    (folder / evaluation[0]).write_text(source(31_337))
    (folder / below[-1].removeprefix("repo/")).write_text("y = 2\n")
    (folder / "fresh").mkdir()
    (folder / "fresh/f.py").write_text(source(9_999, functions=2))
    write_document_files([str(folder)], tmp_path / "b", SETTINGS, workers=0)
    result = diff_receipts(tmp_path / "a", tmp_path / "b")
    rows = {row["file"]: row for row in result["files"]}

    def change(name: str) -> tuple[str, str | None, str | None]:
        row = rows[f"repo/{name}"]
        return row["change"], row["before"], row["after"]

    assert change(gone) == ("went", "train", None)
    assert change(short) == ("moved", "train", "left out: fewer than 10 lines")
    assert change(changed) == ("other content", "train", "train")
    assert change(evaluation[0]) == ("other content", "evaluation", "evaluation")
    assert change("fresh/f.py")[:2] == ("came", None)
    assert change(below[-1].removeprefix("repo/"))[0] == "other reason"
    moved_up = [
        row for row in rows.values() if row["before"] == "left out: below the top 12" and row["after"] == "train"
    ]
    assert len(moved_up) == 2
    assert sum(result["counts"].values()) + result["unchanged"] == 31
    assert result["inputs"].keys() == {str(folder)}
    assert result["settings"] == {}
    other = CurationSettings(top=11, hold_out_share=0.2, min_lines=10)
    write_document_files([str(folder)], tmp_path / "c", other, workers=0)
    assert diff_receipts(tmp_path / "b", tmp_path / "c")["settings"] == {"top": [12, 11]}


def test_broken_receipts_are_refused(tmp_path: Path, folder: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    write_document_files([str(folder)], good, SETTINGS, workers=0)

    def fails(message: str) -> None:
        for pair in ((good, bad), (bad, good)):
            with pytest.raises(InputError, match=message) as error:
                diff_receipts(*pair)
            assert str(bad) in error.value.line()

    fails("holds no manifest.json")
    write_document_files([str(folder)], bad, SETTINGS, workers=0)
    whole = (bad / "manifest.json").read_text()
    for text, message in (
        (whole[:-30], "not valid JSON"),
        ("[]", "not the receipt of documents"),
        ('{"outputs": {"train_pairs.jsonl": {}}}', "not the receipt of documents"),
        (whole.replace('"sha256": "', '"sha256": "0'), "is not the file that manifest.json describes"),
    ):
        (bad / "manifest.json").write_text(text)
        fails(message)
    (bad / "manifest.json").write_text(whole)
    (bad / "eval_documents.jsonl.gz").unlink()
    fails("missing")
    manifest = json.loads(whole)
    (bad / "dropped.jsonl").write_text('{"stage": 1}\n')
    del manifest["outputs"]["eval_documents.jsonl.gz"]
    manifest["outputs"]["dropped.jsonl"]["sha256"] = hash_file(bad / "dropped.jsonl")
    (bad / "manifest.json").write_text(json.dumps(manifest))
    fails("not a row of dropped files")


def test_a_repository_without_a_file_of_the_language_is_the_users_error(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match="no source file in rust") as error:
        write_document_files([str(folder)], tmp_path / "out", SETTINGS, languages=["rust"], workers=0)
    assert str(folder) in error.value.line()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no source file in a language that codefit reads"):
        write_document_files([str(tmp_path / "empty")], tmp_path / "out", SETTINGS, workers=0)
    rows = tmp_path / "rows.jsonl"
    write_rows(rows, [document("a.py", 1), document("d/b.py", 2, license=None)])
    strict = CurationSettings(min_lines=1, allowed_licenses=("Apache-2.0",))
    with pytest.raises(CodefitError, match="no file is left after filtering") as failed:
        write_document_files([str(rows)], tmp_path / "out", strict, workers=0)
    assert "licence not stated" in failed.value.line()
    assert not (tmp_path / "out").exists()
