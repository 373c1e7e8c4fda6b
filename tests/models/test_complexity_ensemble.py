"""The ensemble: weights and interval from functions set apart, members that are missing, answers that are none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from codefit.errors import InputError
from codefit.models import complexity
from codefit.models.complexity import (
    BOOSTED_NAME,
    ENCODER,
    LANGUAGE_MODEL,
    Calibration,
    Ensemble,
    Fitted,
    fit_ensemble,
    half_width,
    load_complexity_model,
    save_calibration,
    simplex_weights,
    with_interval,
)
from codefit.models.metric_scorers import (
    BOOSTED,
    FEATURES,
    BoostedModel,
    ExactScorer,
    FormulaScorer,
    MetricScorer,
    load_linear,
    save_linear,
)
from codefit.models.scorers import Estimate, score_by_language
from codefit.tasks.complexity.label import label_of_code
from codefit.train.metric_scorers import fit_boosted, fit_constant, fit_linear
from tasks.complexity.complexity_examples import scored_functions


class Fixed:
    """A scorer that says the same of every function, or nothing."""

    def __init__(self, name: str, estimate: Estimate) -> None:
        self.name = name
        self.estimate = estimate

    def score(self, codes: Sequence[str], language: str) -> list[Estimate]:
        return [self.estimate for _ in codes]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_weights_are_the_best_that_are_not_negative_and_make_one(seed: int, members: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1, 10, 30)
    scores = truth[:, None] + rng.normal(0, 2, (30, members)) + rng.normal(0, 1, members)
    weights = simplex_weights(scores, truth)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)

    def error(own: np.ndarray) -> float:
        return float(((scores @ own - truth) ** 2).sum())

    found = minimize(
        error,
        np.full(members, 1 / members),
        bounds=[(0, 1)] * members,
        constraints={"type": "eq", "fun": lambda own: own.sum() - 1},
        method="SLSQP",
    )
    assert error(weights) <= found.fun + 1e-6


def test_the_interval_holds_nine_in_ten_unseen_functions() -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(200):
        errors = rng.normal(0, 1, 120)
        half = half_width(np.zeros(100), errors[:100])
        held.append((np.abs(errors[100:]) <= half).mean())
    assert 0.88 < np.mean(held) < 0.93
    assert half_width(np.zeros(3), np.array([1.0, 5.0, 2.0])) == 5.0  # too few to leave one out


def test_an_interval_stays_on_the_scale() -> None:
    assert with_interval(9.8, 1.0) == Estimate(9.8, 8.8, 10.0)
    assert with_interval(0.5, 1.0) == Estimate(1.0, 1.0, 1.5)


def test_a_member_that_cannot_answer_leaves_the_function_without_a_score() -> None:
    members = {"a": Fixed("a", Estimate(2.0)), "b": Fixed("b", Estimate(error="no number"))}
    weighed = Ensemble(members, Fitted({"a": 0.5, "b": 0.5}, 1.0), {})
    assert weighed.score(["x"], "javascript") == [Estimate(error="b: no number")]
    alone = Ensemble(members, Fitted({"a": 1.0, "b": 0.0}, 1.0), {})
    assert alone.score(["x", "y"], "javascript") == [Estimate(2.0, 1.0, 3.0)] * 2


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with boosted trees alone, and what three members are said to have said."""
    folder = tmp_path_factory.mktemp("model")
    rows = scored_functions(80)
    fit_boosted(rows[:60], rows[60:], folder / BOOSTED, seed=0)
    truths = [row.score for row in rows[60:]]
    boosted = MetricScorer("boosted", BoostedModel(folder / BOOSTED).predict).score_metrics(
        [row.metrics for row in rows[60:]]
    )
    scores = {ENCODER: truths, BOOSTED_NAME: boosted, LANGUAGE_MODEL: [5.0] * len(truths)}
    fitted = save_calibration(Calibration(truths, scores), folder)
    assert fitted.weights[ENCODER] == pytest.approx(1)
    return folder


def test_members_that_are_not_there_are_named_and_the_rest_is_weighed_anew(model: Path) -> None:
    loaded = load_complexity_model(model)
    assert list(loaded.members) == [BOOSTED_NAME]
    assert set(loaded.missing) == {ENCODER, LANGUAGE_MODEL}
    assert "holds no encoder" in loaded.missing[ENCODER]
    assert loaded.fitted.weights == {BOOSTED_NAME: 1.0}
    codes = [row.code for row in scored_functions(5, seed=3)]
    for code, answer in zip(codes, loaded.score(codes, "javascript"), strict=True):
        assert answer.score is not None
        assert answer.low is not None
        assert answer.high is not None
        assert 1 <= answer.low <= answer.score <= answer.high <= 10
        assert abs(answer.score - label_of_code(code, "javascript").score) < 3


def test_a_folder_without_an_ensemble_or_any_member_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no ensemble\.json"):
        load_complexity_model(tmp_path)
    (tmp_path / "ensemble.json").write_bytes((model / "ensemble.json").read_bytes())
    with pytest.raises(InputError, match="no member can be loaded"):
        load_complexity_model(tmp_path)
    (tmp_path / "ensemble.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        load_complexity_model(tmp_path)
    stored = json.loads((model / "ensemble.json").read_text())
    stored["calibration"]["scores"]["encoder"].pop()
    (tmp_path / "ensemble.json").write_text(json.dumps(stored))
    with pytest.raises(InputError, match="calibration does not fit"):
        load_complexity_model(tmp_path)
    with pytest.raises(InputError, match="no member"):
        fit_ensemble(Calibration([1.0], {}), [])


def test_trees_are_the_same_for_the_same_seed_and_over_known_metrics(tmp_path: Path) -> None:
    rows = scored_functions(60)
    for name in ("one.txt", "two.txt"):
        fit_boosted(rows[:40], rows[40:], tmp_path / name, seed=3)
    text = (tmp_path / "one.txt").read_text()
    assert text == (tmp_path / "two.txt").read_text()
    (tmp_path / "other.txt").write_text(text.replace(" ".join(FEATURES), " ".join(reversed(FEATURES))))
    with pytest.raises(InputError, match="over other metrics"):
        complexity.load_booster(tmp_path / "other.txt")
    (tmp_path / "other.txt").write_text("no trees")
    with pytest.raises(InputError, match="damaged"):
        complexity.load_booster(tmp_path / "other.txt")


def test_baselines_are_ordered_as_they_should_be(tmp_path: Path) -> None:
    rows, unseen = scored_functions(150), scored_functions(40, seed=9)
    truth = np.array([row.score for row in unseen])
    errors = {}
    for name, fitted in (
        ("constant", fit_constant(rows)),
        ("lines", fit_linear(rows, ("lines",))),
        ("linear", fit_linear(rows)),
    ):
        save_linear(fitted, tmp_path / f"{name}.json")
        scorer = load_linear(tmp_path / f"{name}.json", name)
        scores = scorer.score_metrics([row.metrics for row in unseen])
        assert scores == pytest.approx([e.score for e in scorer.score([row.code for row in unseen], "javascript")])
        errors[name] = np.abs(np.array(scores) - truth).mean()
    assert errors["linear"] < errors["lines"] < errors["constant"]


def test_the_formula_and_the_exact_score_where_there_is_a_function_and_where_there_is_none() -> None:
    codes = ["function f(a) {\n  if (a) b();\n}", "x = 1", "function ("]
    formula, exact = FormulaScorer().score(codes, "javascript"), ExactScorer().score(codes, "javascript")
    assert [each.score for each in formula] == [1.8, 1.0, 1.0]  # 0.5 · 2 · log2(3) + 0.3 · 14 / 40 + 0.2 · 3 / 8
    assert exact[0].score == 1.8
    assert all(each.score is not None for each in exact)
    assert FormulaScorer().score(["x"], "cobol")[0].error is not None
    assert MetricScorer("m", fit_constant(scored_functions(3)).predict).score(["x"], "cobol")[0].score is None


def test_functions_in_several_languages_are_answered_in_their_order() -> None:
    class Tells:
        name = "tells"

        def score(self, codes: Sequence[str], language: str) -> list[Estimate]:
            return [Estimate(error=f"{language} {code}") for code in codes]

    found = score_by_language(Tells(), ["a", "b", "c"], ["go", "java", "go"])
    assert [each.error for each in found] == ["go a", "java b", "go c"]
