"""From sources to pairs on disk: what is written, what the manifest says, what is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from codefit.corpus.documents import environment
from codefit.corpus.prepare import PrepareSettings
from codefit.errors import CodefitError, InputError
from codefit.files import hash_file
from codefit.records import Document, Pair, load_rows, write_rows
from codefit.tasks.pair_files import EVAL_NAME, VALIDATION_NAME, beside, write_pair_files

ALL = PrepareSettings(eval_share=0)


def function(repository: str, number: int) -> str:
    """A documented function that shares little with any other."""
    names = [f"{repository}_{word}_{number * 7 + place}" for place, word in enumerate(("row", "page", "edge", "item"))]
    body = "\n".join(f"    {name} = {names[place - 1]}.get_{place * number}()" for place, name in enumerate(names))
    doc = f"Find the {names[0]} among the {names[1]} of a graph."
    return f'def find_{names[0]}(graph):\n    """{doc}"""\n{body}\n    return {names[3]}\n'


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    """A folder with five git checkouts of three documented functions each."""
    for name in ("ant", "bee", "cat", "dog", "elk"):
        folder = tmp_path / "repos" / name
        folder.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
        for number in range(3):
            (folder / f"f{number}.py").write_text(function(name, number + 1))
    return tmp_path / "repos"


def write(sources: list[Path | str], output: Path, settings: PrepareSettings = ALL, **options: Any) -> dict[str, Any]:
    return write_pair_files([str(source) for source in sources], output, settings, workers=1, **options)


def test_pairs_are_written_with_a_manifest_that_pins_them(tmp_path: Path, repositories: Path) -> None:
    output = tmp_path / "out" / "train_pairs.jsonl"
    (repositories / "ant" / "binary.py").write_bytes(b"\0")
    (repositories / "ant" / "bare.py").write_text("def f(x):\n    return x\n\ndef g(x):\n    return x\n")
    manifest = write([repositories / name for name in ("ant", "bee")], output)
    pairs = load_rows(output, Pair)
    assert [(pair.source, pair.path, pair.split) for pair in pairs] == [
        (name, f"f{number}.py", "train") for name in ("ant", "bee") for number in range(3)
    ]
    assert json.loads((output.parent / "manifest.json").read_text()) == json.loads(json.dumps(manifest))
    assert manifest["stages"]["read"] == {"kept": 7, "dropped": {"binary": 1}}
    assert manifest["stages"]["mine"] == {"kept": 6, "dropped": {"no doc comment": 2}}
    assert manifest["stages"]["prepare"] == {"kept": 6, "dropped": {}}
    assert manifest["train"]["languages"] == {"python": 6}
    assert manifest["train"]["sources"] == {"ant": 3, "bee": 3}
    for name, entry in manifest["outputs"].items():
        assert entry["sha256"] == hash_file(output.parent / name)
    dropped = [json.loads(line) for line in (output.parent / "dropped.jsonl").read_text().splitlines()]
    assert {(row["stage"], row["reason"], row["where"]) for row in dropped} == {
        ("read", "binary", "ant/binary.py"),
        ("mine", "no doc comment", "ant/bare.py"),
    }


def test_evaluation_pairs_come_from_other_repositories(tmp_path: Path, repositories: Path) -> None:
    output = tmp_path / "out" / "train.jsonl.gz"
    settings = PrepareSettings(eval_groups=("cat", "elk"))
    manifest = write([repositories / name for name in ("ant", "bee", "cat", "dog", "elk")], output, settings)
    assert beside(output, EVAL_NAME) == output.parent / "eval_pairs.jsonl.gz"
    train, evaluation = load_rows(output, Pair), load_rows(beside(output, EVAL_NAME), Pair)
    assert {pair.source for pair in train} == {"ant", "bee", "dog"}
    assert {pair.source for pair in evaluation} == {"cat", "elk"}
    assert {pair.split for pair in evaluation} == {"eval"}
    assert manifest["leakage"]["eval_rows"] == 6


def test_the_same_sources_give_the_same_bytes(tmp_path: Path, repositories: Path) -> None:
    sources = [repositories / name for name in ("ant", "bee", "cat", "dog", "elk")]
    for name in ("one", "two"):
        write(sources, tmp_path / name / "train_pairs.jsonl", PrepareSettings(eval_share=0.4))
    for name in ("train_pairs.jsonl", "eval_pairs.jsonl", "manifest.json", "dropped.jsonl"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_copies_go_unless_they_are_wanted(tmp_path: Path, repositories: Path) -> None:
    (repositories / "bee" / "copy.py").write_text(function("ant", 1))
    sources = [repositories / name for name in ("ant", "bee")]
    manifest = write(sources, tmp_path / "out" / "a.jsonl")
    assert manifest["stages"]["prepare"] == {"kept": 6, "dropped": {"exact duplicate": 1}}
    kept = write(sources, tmp_path / "out" / "b.jsonl", PrepareSettings(eval_share=0, drop_duplicates=False))
    assert kept["stages"]["prepare"] == {"kept": 7, "dropped": {}}


def test_every_kind_of_source_can_be_named_together(tmp_path: Path, repositories: Path) -> None:
    rows = tmp_path / "docs.jsonl.zst"
    write_rows(rows, [Document(path="a.go", text="// Adds one to it.\nfunc Add(x int) int { return x + 1 }\n")])
    one = repositories / "cat" / "f0.py"
    manifest = write([repositories / "ant", one, rows], tmp_path / "out" / "train.jsonl")
    assert manifest["train"]["sources"] == {"ant": 3, "cat": 1, "docs": 1}
    assert manifest["train"]["languages"] == {"python": 4, "go": 1}
    only_go = write([repositories / "ant", one, rows], tmp_path / "out" / "go.jsonl", languages=["go"])
    assert only_go["train"]["sources"] == {"docs": 1}
    without = write([repositories / "ant", one], tmp_path / "out" / "cat.jsonl", exclude=["ant"])
    assert without["train"]["sources"] == {"cat": 1}


def test_the_environment_is_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: Callable[..., Path]
) -> None:
    script = "/** Adds one to it. */\nfunction add(x) { return x + 1; }\n"
    site = installed("kept-package", {"kept/a.py": function("kept", 1), "kept/a.js": script})
    installed("networkx", {"networkx/a.py": function("net", 1)})
    monkeypatch.setattr(environment, "distributions", partial(distributions, path=[str(site)]))
    manifest = write(["env"], tmp_path / "out" / "train.jsonl", exclude=["python", "networkx"])
    assert manifest["train"]["sources"] == {"kept-package": 1}
    assert manifest["train"]["licenses"] == {"MIT": 1}


def test_what_cannot_give_pairs_is_refused_and_nothing_is_written(tmp_path: Path, repositories: Path) -> None:
    output = tmp_path / "out" / "train.jsonl"
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "a.py").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="no source file in a language that codefit reads; 1 not UTF-8") as caught:
        write([empty], output)
    assert caught.value.where == str(empty)
    with pytest.raises(InputError, match="no such file or folder"):
        write([repositories, tmp_path / "missing"], output)
    with pytest.raises(InputError, match="no language is called 'pyhton'; did you mean python"):
        write([repositories], output, languages=["pyhton"])
    (empty / "b.py").write_text("def f(x):\n    return x\n")
    with pytest.raises(CodefitError, match="no pair is left"):
        write([empty], output)
    with pytest.raises(InputError, match="no rows come from the evaluation group 'ent'; did you mean 'ant'"):
        write([repositories / "ant", repositories / "bee"], output, PrepareSettings(eval_groups=("ent",)))
    assert not output.parent.exists()


def test_validation_sources_get_a_file_of_their_own(tmp_path: Path) -> None:
    ready = tmp_path / "ready.jsonl"
    write_rows(ready, [_telling_pair(source, i) for source in ("a", "b", "c") for i in range(5)])
    output = tmp_path / "out" / "train_pairs.jsonl"
    settings = PrepareSettings(eval_groups=("b", "c", "absent"), allow_missing_groups=True)
    manifest = write_pair_files([], output, settings, pair_files=[ready], validation=["c"])
    sources = {
        name: {pair.source for pair in load_rows(beside(output, name), Pair)}
        for name in ("train_pairs.jsonl", EVAL_NAME, VALIDATION_NAME)
    }
    assert sources == {"train_pairs.jsonl": {"a"}, EVAL_NAME: {"b"}, VALIDATION_NAME: {"c"}}
    assert manifest["outputs"][VALIDATION_NAME]["rows"] == 5


def test_an_evaluation_source_without_rows_is_an_error_unless_allowed(tmp_path: Path) -> None:
    ready = tmp_path / "ready.jsonl"
    write_rows(ready, [_telling_pair("a", i) for i in range(5)])
    with pytest.raises(InputError, match="absent"):
        write_pair_files([], tmp_path / "t.jsonl", PrepareSettings(eval_groups=("absent",)), pair_files=[ready])


def _telling_pair(source: str, number: int) -> Pair:
    own = [f"{word}{'xyzvw'[number]}" for word in ("alpha", "beta", "gamma")]
    anchor = f"Computes the {' '.join(own)} of repository {source} and returns it"
    name = "_".join((source, *own))
    code = f"def {name}(value_{own[0]}):\n    return compute_{own[1]}(value_{own[0]}, '{source}{own[2]}')"
    return Pair(anchor=anchor, positive=code, source=source, language="python")
