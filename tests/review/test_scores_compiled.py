"""Much JavaScript is read by the compiled scanner: the same rows, and only where it is worth loading."""

from __future__ import annotations

from pathlib import Path

import pytest

from codefit.corpus.manifest import Receipt
from codefit.review import score
from codefit.review.files import Choice, find_files
from codefit.review.rows import Review
from codefit.review.score import Explain, Reading, score_files

CODE = "export class A {\n  m(a) {\n    return a ? () => b : c;\n  }\n}\nfunction f(x = 1) { if (x) y() }\n"


def reviewed(folder: Path, reading: Reading) -> Review:
    review = Review(receipt=Receipt())
    score_files(find_files([str(folder)], Choice(), review.receipt), reading, review=review, workers=0)
    return review


def test_rows_are_the_same_and_the_scanner_is_loaded_where_there_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.js").write_text(CODE)
    (tmp_path / "a.py").write_text("def f(a):\n    return a and b\n")
    used: list[bool] = []
    measured = score.measure

    def watched(*arguments: object, compiled: bool, **options: object) -> object:
        used.append(compiled)
        return measured(*arguments, compiled=compiled, **options)

    monkeypatch.setattr(score, "measure", watched)
    by_walk = reviewed(tmp_path, Reading()).functions
    assert used == [False] * 4
    monkeypatch.setattr(score, "LOADED_BYTES", 100)
    monkeypatch.setattr(score, "COMPILED_BYTES", 100)
    used.clear()
    assert reviewed(tmp_path, Reading()).functions == by_walk
    assert used == [True] * 4
    used.clear()
    reviewed(tmp_path, Reading(explain=Explain()))
    assert used == [False] * 4


def test_little_is_not_worth_compiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.js").write_text(CODE)
    monkeypatch.setattr(score, "LOADED_BYTES", 10)
    monkeypatch.setattr(score, "is_compiled", lambda: False)
    monkeypatch.setattr(score, "compile_once", lambda: pytest.fail("compiled"))
    assert len(reviewed(tmp_path, Reading()).functions) == 3
