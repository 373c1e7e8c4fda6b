"""The weights of clues: a maximum, found; pairs without sources or clues teach nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codefit.models.repair import RepairModel, load_repair_model, save_name_weights, save_repair_model
from codefit.source.lexemes import lex
from codefit.tasks.repairs.candidates import closed
from codefit.tasks.repairs.instances import RepairPair
from codefit.tasks.repairs.names import CLUES
from codefit.train.names import ClueList, NamedExample, fit_names, fit_weights, names_of_source
from codefit.train.proposer import Example
from small_repairs import plain_edits, small_language


def lists(truths: list[int]) -> list[ClueList]:
    """Two candidates of equal score, of which the first follows a clue."""
    counts = np.zeros((2, len(CLUES)))
    counts[0, 1] = 1
    return [ClueList(np.zeros(2), counts, truth) for truth in truths]


def test_a_clue_weighs_its_log_odds() -> None:
    weights = fit_weights(lists([0] * 900 + [1] * 100))
    assert weights[1] == pytest.approx(np.log(9), abs=0.01)
    assert [weights[k] for k in (0, 2, 3)] == [0, 0, 0]
    assert np.isfinite(fit_weights(lists([0] * 50))[1])
    assert fit_weights([]) == [0.0] * len(CLUES)


SOURCES = [
    ("retrun x\n", "return x\n"),
    ("def f(a):\n    retrun a\n", "def f(a):\n    return a\n"),
    ("x = (1\n", "x = (1)\n"),
]


def test_they_are_fitted_on_what_names_tell_and_stored(tmp_path: Path) -> None:
    save_repair_model(RepairModel(small_language(), plain_edits()), _folder(tmp_path / "0"))
    pairs = [RepairPair(closed(lex(b).terminals), closed(lex(f).terminals)) for b, f in SOURCES]
    examples = []
    for pair, (broken, _) in zip(pairs, SOURCES, strict=True):
        names = names_of_source(pair, broken)
        assert names is not None
        examples.append(NamedExample(Example(pair, 0), names))
    report = fit_names(tmp_path, examples, limit=200, steps=1 << 30)
    assert (report["pairs"], report["telling"], report["lists"]) == (3, 2, 2)
    assert report["weights"]["near"] > 1
    assert report["loss"]["with"] < report["loss"]["without"]
    save_name_weights(tuple(report["weights"].values()), tmp_path / "0")
    assert load_repair_model(tmp_path / "0").name_weights == tuple(report["weights"].values())
    assert names_of_source(pairs[0], None) is None
    assert names_of_source(pairs[0], "x = 1\n") is None


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
