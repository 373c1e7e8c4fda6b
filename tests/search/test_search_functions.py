"""What is searched in a folder: functions with their places, filters that filter, files that cost themselves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.search.functions import Function, read_functions

PYTHON = '''import os


class Shelf:
    """Holds books."""

    @property
    def width(self):
        """How wide it is."""
        return sum(book.width for book in self.books)


def burn(path):
    os.remove(path)
'''
GO = "package a\n\n// Add adds.\nfunc Add(a, b int) int {\n\treturn a + b\n}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "pkg" / "deep").mkdir(parents=True)
    (root / "build").mkdir()
    (root / "pkg" / "shelf.py").write_text(PYTHON)
    (root / "pkg" / "deep" / "add.go").write_text(GO)
    (root / "build" / "made.py").write_text("def made():\n    return 1\n")
    (root / ".gitignore").write_text("build/\n")
    return root


def found(root: Path, **filters: object) -> list[Function]:
    return read_functions(root, receipt=Receipt(), **filters)  # type: ignore[arg-type]


def test_functions_have_their_place_and_text(folder: Path) -> None:
    functions = {each.name: each for each in found(folder)}
    assert list(functions) == ["Shelf", "Shelf.width", "burn", "Add"]
    width = functions["Shelf.width"]
    assert (width.path, width.kind, width.language) == ("pkg/shelf.py", "method", "python")
    assert (width.start_line, width.end_line, width.doc) == (7, 10, "How wide it is.")
    assert width.code == "def width(self):\n    return sum(book.width for book in self.books)"
    assert width.lines == tuple(PYTHON.split("\n")[6:10])
    assert (functions["Shelf"].kind, functions["Add"].language) == ("type", "go")
    assert functions["Add"].doc == "Add adds."


def test_ignore_files_count(folder: Path) -> None:
    assert "made" not in {each.name for each in found(folder)}
    (folder / ".gitignore").unlink()
    assert "made" in {each.name for each in found(folder)}


@pytest.mark.parametrize(
    ("globs", "names"),
    [
        (["*.go"], {"Add"}),
        (["pkg/*.py"], {"Shelf", "Shelf.width", "burn"}),
        (["deep/"], {"Add"}),
        (["*.py", "*.go"], {"Shelf", "Shelf.width", "burn", "Add"}),
        (["pkg/", "!*.go"], {"Shelf", "Shelf.width", "burn"}),
        (["*.rs"], set()),
    ],
)
def test_globs_filter_by_path(folder: Path, globs: list[str], names: set[str]) -> None:
    assert {each.name for each in found(folder, globs=globs)} == names


def test_languages_filter(folder: Path) -> None:
    assert {each.name for each in found(folder, languages=["go"])} == {"Add"}
    with pytest.raises(InputError, match="did you mean go"):
        found(folder, languages=["goo"])


def test_paths_are_seen_from_the_folder_within_a_checkout(folder: Path) -> None:
    (folder / ".git").mkdir()
    assert {each.path for each in found(folder / "pkg")} == {"shelf.py", "deep/add.go"}
    assert {each.path for each in found(folder / "pkg", globs=["deep/*"])} == {"deep/add.go"}
    assert {each.path for each in found(folder)} == {"pkg/shelf.py", "pkg/deep/add.go"}
    assert {each.path for each in found(folder / "pkg" / "deep" / "add.go")} == {"add.go"}


def test_a_folder_called_env_is_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "pkg").rename(folder / "env")
    monkeypatch.chdir(folder)
    assert {each.path for each in found(Path("env"))} == {"shelf.py", "deep/add.go"}


def test_what_is_no_source_costs_only_itself(folder: Path) -> None:
    (folder / "pkg" / "binary.py").write_bytes(b"\x00\x01\x02" * 100)
    (folder / "pkg" / "latin.py").write_bytes("def grün():\n    return 'ü'\n".encode("latin-1"))
    (folder / "pkg" / "broken.py").write_text("def sound():\n    return 1\n\ndef (((\n")
    receipt = Receipt()
    names = {each.name for each in read_functions(folder, receipt=receipt)}
    assert {"Shelf", "burn", "Add", "sound"} <= names
    assert len(receipt.dropped) == 2
    assert {Path(row.where).name for row in receipt.dropped} == {"binary.py", "latin.py"}


def test_nothing_there_gives_nothing(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    with pytest.raises(InputError, match="no such file or folder"):
        found(tmp_path / "absent")


def test_lines_keep_no_carriage_return(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"def f():\r\n    return 1\r\n")
    (only,) = found(tmp_path)
    assert only.lines == ("def f():", "    return 1")
