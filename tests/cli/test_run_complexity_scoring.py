"""What `codefit run` says of scorers of complexity at the end."""

from __future__ import annotations

from pathlib import Path

from codefit.cli import run_complexity_scoring
from codefit.cli.run import SYSTEMS
from run.report.sample_complexity_run import SCORERS, make_complexity_run
from run.report.sample_run import change, read

COLUMNS = 100


def test_a_table_of_scorers_then_of_variants_then_the_ensemble(tmp_path: Path) -> None:
    run = make_complexity_run(tmp_path / "run")
    found = run_complexity_scoring.results(run)
    scorers, variants, ensemble = run_complexity_scoring.text(found)
    head, _, first, *_ = scorers.splitlines()
    assert head.split()[:4] == ["scorer", "MAE", "95", "%"]
    assert first.split()[:3] == ["formula", "0.000", "0.000–0.000"]
    assert [line.split("  ")[0] for line in scorers.splitlines()[2:]] == list(SCORERS)
    encoder = next(line for line in variants.splitlines() if line.startswith("encoder"))
    by_kind = {row["kind"]: row["mae"][0] for row in found["evaluation"]["robustness"] if row["name"] == "encoder"}
    assert encoder.split()[1:] == [f"{by_kind[kind]:.3f}" for kind in ("broken", "renamed", "laid out anew")]
    assert "encoder 0.31, boosted 0.66, language model 0.03" in ensemble
    assert "0.57" in ensemble
    assert run_complexity_scoring.places(run) == {"model": str(run / "model")}
    assert f"codefit serve --complexity {run / 'model'}" in run_complexity_scoring.places_text(run)
    assert SYSTEMS["complexity-scoring"] is run_complexity_scoring


def test_every_line_fits_and_what_is_missing_is_said(tmp_path: Path) -> None:
    run = make_complexity_run(tmp_path / "run")
    evaluation = read(run, "evaluation.json")
    scorers = [row | {"ms": 4_321.98, "n": 123_456, "r2": [-12.3456, -13.0, -12.0]} for row in evaluation["scorers"]]
    scorers[9] |= dict.fromkeys(("mae", "rmse", "r2", "spearman"))
    change(run, "evaluation.json", scorers=scorers, missing={"language model": "its base is gone"})
    paragraphs = run_complexity_scoring.text(run_complexity_scoring.results(run))
    assert max(len(line) for paragraph in paragraphs for line in paragraph.splitlines()) <= COLUMNS
    assert "language model is left out: its base is gone" in paragraphs[-1]
    assert [line for line in paragraphs[0].splitlines() if line.startswith("language model, regex")]


def test_nothing_written_otherwise_has_no_table(tmp_path: Path) -> None:
    run = make_complexity_run(tmp_path / "run", chat=False)
    change(run, "evaluation.json", robustness=[])
    assert len(run_complexity_scoring.text(run_complexity_scoring.results(run))) == 2
