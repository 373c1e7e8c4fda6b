"""What `codefit run` says of a language model at the end."""

from __future__ import annotations

from pathlib import Path

from codefit.cli import run_language_model
from run.report.sample_language_run import AFTER, make_language_run


def test_a_table_of_sets_then_the_forms(tmp_path: Path) -> None:
    run = make_language_run(tmp_path / "run")
    (run / "adapter").mkdir()
    figures, forms = run_language_model.text(run_language_model.results(run))
    head, _, domain, *_ = figures.splitlines()
    assert head.split() == ["perplexity", "before", "after", "change", "95", "%", "bits/byte", "files"]
    assert domain.split()[:5] == ["hyperswitch", "14.620", "8.930", "−38.9", "%"]
    assert "−41.7 % to −36.1 %" in domain
    by_form = {line.split()[0]: line for line in forms.splitlines()[2:]}
    assert "refused: perplexity rises by 8.1 %" in by_form["nf4"]
    assert by_form["merged"].endswith("published")
    assert "+0.00 %" in by_form["merged"]
    assert "0.10 %" in by_form["merged"]
    assert run_language_model.places(run) == {"adapter": str(run / "adapter")}
    assert f"codefit lm generate --model {run / 'model'}" in run_language_model.places_text(run)


def test_a_base_model_has_no_before_and_ships_nothing(tmp_path: Path) -> None:
    run = make_language_run(tmp_path / "run", name="base-lm-cpu")
    (figures,) = run_language_model.text(run_language_model.results(run))
    assert figures.splitlines()[0].split() == ["perplexity", "95", "%", "bits/byte", "files"]
    assert [line.split()[:2] for line in figures.splitlines()[2:]] == [
        [name, f"{AFTER[name]:.3f}"] for name in ("docker/cli", "apache/commons-io", "networkx")
    ]
