"""Snippets to pre-train on: sentences of real files, each once, held-out sources apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from codefit.errors import InputError
from codefit.records import Document
from codefit.source.syntax.python import python_tables
from codefit.tasks.repairs.snippet_files import gather_snippets, read_snippets, write_snippets

SOURCES = {
    "a": "import os\n\n\ndef first(path):\n    return os.path.join(path, 'x')\n",
    "b": "class Thing:\n    def __init__(self, size):\n        self.size = size * 2\n\n    def grow(self):\n"
    "        for step in range(self.size):\n            yield step\n",
    "c": "import os\n\n\ndef other(name):\n    return os.path.join(name, 'y')\n",
    "d": "value = (1 +\n",
}


def documents() -> list[Document]:
    return [Document(f"{repo}.py", text, "python", repo) for repo, text in SOURCES.items()]


def test_they_are_sentences_each_once_and_held_out_sources_are_apart() -> None:
    found = gather_snippets(documents(), held_out=["c"], most_tokens=10_000, validation_tokens=10_000, seed=0)
    tables, _ = python_tables()
    assert all(tables.accepts(list(string)) for string in found.train)
    assert len(found.train) == 2
    assert not found.validation  # it is the string of tokens that training has from the other file
    assert found.files == 4
    apart = gather_snippets(documents(), held_out=["b"], most_tokens=10_000, validation_tokens=10_000, seed=0)
    assert len(apart.train) == len(apart.validation) == 1


def test_no_more_are_drawn_than_asked_for() -> None:
    many = [Document(f"{n}.py", f"x{n} = [{', '.join(['1'] * (n + 2))}]\n", "python", "r") for n in range(60)]
    some = gather_snippets(many, held_out=[], most_tokens=200, validation_tokens=1, seed=1)
    everything = gather_snippets(many, held_out=[], most_tokens=1_000_000, validation_tokens=1, seed=1)
    assert 200 <= sum(map(len, some.train)) < sum(map(len, everything.train))
    assert not some.validation


def test_they_are_written_and_read(tmp_path: Path) -> None:
    strings = [bytes([1, 2, 0]), bytes([89, 0])]
    assert write_snippets(tmp_path / "s.txt.gz", strings) == 2
    assert read_snippets(tmp_path / "s.txt.gz") == strings
    (tmp_path / "odd.txt").write_text("!!\n~\x7f\n")
    with pytest.raises(InputError, match="stands for no terminal") as error:
        read_snippets(tmp_path / "odd.txt")
    assert str(error.value.where).endswith("odd.txt:2")
