"""Scorers that read a function's metrics: the formula itself, a constant, lines of code, a linear and a boosted model.

They are the baselines of every learned scorer, and the formula is the one to beat: the label is made with it. A linear
model is a line of JSON, a boosted one LightGBM's own text: nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError, InputError
from codefit.files import write_json
from codefit.models.scorers import Estimate
from codefit.source.metrics.figures import HIGHEST, LOWEST
from codefit.source.metrics.measure import measure
from codefit.tasks.complexity.functions import in_context, metrics_of_code
from codefit.tasks.complexity.label import label_of_code

if TYPE_CHECKING:
    from lightgbm import Booster

FloatArray = npt.NDArray[np.float64]
Metrics = Mapping[str, float]

LINEAR, BOOSTED = "linear.json", "boosted.txt"
# Of the metrics; each is taken with its logarithm, since the figures of functions spread over several powers of ten.
FEATURES = (
    *("cyclomatic", "cognitive", "nesting", "parameters", "lines", "tokens", "ccn", "halstead_volume"),
    *("halstead_difficulty", "halstead_effort", "maintainability", "variables", "functions", "characters"),
)


class LinearModel(msgspec.Struct, frozen=True):
    """Weights of features and their logarithms, of which means are taken away and which are divided by scales."""

    features: tuple[str, ...]
    means: list[float]
    scales: list[float]
    weights: list[float]
    bias: float

    def predict(self, rows: Sequence[Metrics]) -> FloatArray:
        """The scores of functions with these metrics, (rows,)."""
        table = (with_logarithms(rows, self.features) - np.array(self.means)) / np.array(self.scales)
        scores: FloatArray = table @ np.array(self.weights) + self.bias
        return scores


def with_logarithms(rows: Sequence[Metrics], features: Sequence[str]) -> FloatArray:
    """The features and their logarithms, (rows, 2 × features)."""
    table = np.array([[row[name] for name in features] for row in rows], dtype=np.float64).reshape(
        len(rows), len(features)
    )
    return np.concatenate([table, np.log1p(table.clip(min=0))], axis=1)


@dataclass(frozen=True)
class MetricScorer:
    """A scorer whose numbers come of a function's metrics by `predict`."""

    name: str
    predict: Callable[[Sequence[Metrics]], FloatArray]

    def score(self, codes: Sequence[str], language: str) -> list[Estimate]:
        """An estimate a function; code that cannot be measured has none."""
        found = [_measured(code, language) for code in codes]
        known = [metrics for metrics in found if not isinstance(metrics, str)]
        scores = iter(self.score_metrics(known))
        return [Estimate(error=each) if isinstance(each, str) else Estimate(score=next(scores)) for each in found]

    def score_metrics(self, rows: Sequence[Metrics]) -> list[float]:
        """Scores between 1 and 10 of functions with these metrics."""
        return self.predict(rows).clip(LOWEST, HIGHEST).tolist() if rows else []


def _measured(code: str, language: str) -> dict[str, float] | str:
    try:
        return metrics_of_code(code, language)
    except CodefitError as error:
        return error.line()


class FormulaScorer:
    """The label itself, computed: what every learned scorer is held against."""

    name = "formula"

    def score(self, codes: Sequence[str], language: str) -> list[Estimate]:
        """The label of each function's code."""
        return [_label(code, language) for code in codes]


def _label(code: str, language: str) -> Estimate:
    try:
        return Estimate(score=label_of_code(code, language).score)
    except CodefitError as error:
        return Estimate(error=error.line())


class ExactScorer:
    """What `codefit complexity score` says: the formula over figures as the language has them."""

    name = "complexity score"

    def score(self, codes: Sequence[str], language: str) -> list[Estimate]:
        """An estimate a function; code without a function is scored as a whole."""
        return [_exact(code, language) for code in codes]


def _exact(code: str, language: str) -> Estimate:
    try:
        found = measure(in_context(code, language), language)
    except CodefitError as error:
        return Estimate(error=error.line())
    return Estimate(score=(found.functions[0] if found.functions else found.module).score)


def save_linear(model: LinearModel, path: Path) -> None:
    """Write a linear model."""
    write_json(path, model)


def load_linear(path: Path, name: str) -> MetricScorer:
    """A linear model from its file."""
    try:
        model = msgspec.json.decode(path.read_bytes(), type=LinearModel)
    except FileNotFoundError as error:
        raise InputError("no such file", where=str(path), fix="train it with: codefit complexity train") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"damaged ({error})", where=str(path)) from error
    return MetricScorer(name, model.predict)


@dataclass(frozen=True)
class BoostedModel:
    """Trees of LightGBM (Ke et al., NIPS 2017) over the features."""

    path: Path

    def predict(self, rows: Sequence[Metrics]) -> FloatArray:
        """The scores of functions with these metrics, (rows,)."""
        table = np.array([[row[name] for name in FEATURES] for row in rows], dtype=np.float64)
        return np.asarray(self._booster.predict(table), dtype=np.float64)

    @cached_property
    def _booster(self) -> Booster:
        return load_booster(self.path)


def load_booster(path: Path) -> Booster:
    """Trees from LightGBM's text; `InputError` where there are none or they are over other features."""
    lightgbm = import_lightgbm()
    if not path.is_file():
        raise InputError("no such file", where=str(path), fix="train it with: codefit complexity train")
    try:
        booster: Booster = lightgbm.Booster(model_str=path.read_text(encoding="utf-8"))
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
        raise InputError(f"damaged ({error})", where=str(path)) from error
    if tuple(booster.feature_name()) != FEATURES:
        raise InputError("the trees are over other metrics", where=str(path), fix="train them anew")
    return booster


def import_lightgbm() -> Any:
    """The library; `CodefitError` with the command to run where it is missing."""
    try:
        import lightgbm
    except ImportError as error:
        raise CodefitError("lightgbm is not installed", fix="pip install 'codefit[complexity]'") from error
    return lightgbm
