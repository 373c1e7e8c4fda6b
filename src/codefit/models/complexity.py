"""Several scorers as one: a weighted mean with an interval, whose weights and width come from functions set apart.

The weights are those of the least squared error on validation, none negative, with the sum 1 (stacking: Breiman, 1996).
The interval is split conformal (Lei et al., JASA 2018): as wide as nine in ten absolute errors on validation were. What
every member said of the validation functions is kept beside the model, so that a member which cannot be loaded is left
out with weights and interval fitted anew to the others, and named.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError, InputError
from codefit.files import write_json
from codefit.models.metric_scorers import BOOSTED, BoostedModel, MetricScorer, load_booster
from codefit.models.score_encoder import load_encoder_scorer
from codefit.models.scorers import Estimate, Scorer
from codefit.source.metrics.figures import HIGHEST, LOWEST

FloatArray = npt.NDArray[np.float64]

ENSEMBLE, INFO = "ensemble.json", "codefit.json"
ENCODER, LANGUAGE_MODEL, BOOSTED_NAME = "encoder", "language model", "boosted"
ENCODER_FOLDER, ADAPTER_FOLDER = "encoder", "adapter"
COVERED = 0.9  # of truths that the interval is to hold


class Calibration(msgspec.Struct, frozen=True):
    """The true scores of the validation functions, and what each member said of them."""

    truths: list[float]
    scores: dict[str, list[float]]


class ComplexityInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model comes from: the resolved recipe, seed, revision, hashes of data, packages; and its figures."""

    kind: Literal["complexity"] = "complexity"
    recipe: dict[str, Any] = {}
    seed: int | None = None
    code_revision: str | None = None
    data: dict[str, str] = {}
    packages: dict[str, str] = {}
    metrics: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights of members by name, and half the width of the interval."""

    weights: Mapping[str, float]
    half_width: float


def fit_ensemble(calibration: Calibration, members: Sequence[str]) -> Fitted:
    """Weights and interval for the members that are there; `InputError` where there is none."""
    if not members:
        raise InputError("no member of the ensemble is there")
    truth = np.array(calibration.truths)
    table = np.stack([np.array(calibration.scores[name]) for name in members], axis=1)
    weights = simplex_weights(table, truth)
    return Fitted(dict(zip(members, weights.tolist(), strict=True)), half_width(truth, table @ weights))


def simplex_weights(scores: FloatArray, truth: FloatArray) -> FloatArray:
    """The weights (members,) of `scores` (n, members) with the least squared error, none below 0, together 1.

    Exact: of a few members every subset is tried, in which the best weights are those of a linear system.
    """
    count = scores.shape[1]
    best, least = np.full(count, 1 / count), float("inf")
    for size in range(1, count + 1):
        for chosen in itertools.combinations(range(count), size):
            own = scores[:, chosen]
            # The last weight is what the others leave, so the sum is 1.
            last = own[:, -1]
            free = np.linalg.lstsq(own[:, :-1] - last[:, None], truth - last, rcond=None)[0]
            weights = np.append(free, 1 - free.sum())
            error = float(((own @ weights - truth) ** 2).sum())
            if (weights >= -1e-12).all() and error < least - 1e-12:
                least = error
                best = np.zeros(count)
                best[list(chosen)] = weights.clip(0)
    return best


def half_width(truth: FloatArray, scores: FloatArray, covered: float = COVERED) -> float:
    """The absolute error that so many of the functions stay within, with the correction for a finite sample."""
    errors = np.sort(np.abs(scores - truth))
    rank = min(len(errors), int(np.ceil((len(errors) + 1) * covered)))
    return float(errors[rank - 1])


@dataclass(frozen=True)
class Ensemble:
    """The members that are there as one scorer; `missing` says of each other why it is not."""

    members: Mapping[str, Scorer]
    fitted: Fitted
    missing: Mapping[str, str]
    name: str = "ensemble"

    def score(self, codes: Sequence[str], language: str) -> list[Estimate]:
        """An estimate a function; one that a member of weight cannot answer has none."""
        weighed = {name: own for name, own in self.members.items() if self.fitted.weights[name] > 0}
        answers = {name: own.score(codes, language) for name, own in weighed.items()}
        return [self._joined({name: found[number] for name, found in answers.items()}) for number in range(len(codes))]

    def _joined(self, answers: Mapping[str, Estimate]) -> Estimate:
        total = 0.0
        for name, answer in answers.items():
            if answer.score is None:
                return Estimate(error=f"{name}: {answer.error}")
            total += self.fitted.weights[name] * answer.score
        return with_interval(total, self.fitted.half_width)


def with_interval(score: float, half: float) -> Estimate:
    """A score with an interval on both sides, inside the scale."""
    low, high = max(LOWEST, score - half), min(HIGHEST, score + half)
    return Estimate(score=min(HIGHEST, max(LOWEST, score)), low=low, high=high)


def save_calibration(calibration: Calibration, folder: Path) -> Fitted:
    """Write what the members said and the weights that follow; the weights."""
    fitted = fit_ensemble(calibration, list(calibration.scores))
    write_json(
        folder / ENSEMBLE,
        {
            "weights": dict(fitted.weights),
            "half_width": fitted.half_width,
            "covered": COVERED,
            "calibration": msgspec.to_builtins(calibration),
        },
    )
    return fitted


def load_complexity_model(folder: Path, *, device: str = "auto", base: str | None = None) -> Ensemble:
    """The ensemble of a folder that `complexity train` or a run wrote.

    A member whose library, base or files are missing is left out, and `missing` says why. `base` is where the language
    model's base is, if not where it was in training. Raises `InputError` where the folder holds no ensemble or none of
    its members can be loaded.
    """
    calibration = _read_calibration(folder)
    loaders: dict[str, Callable[[], Scorer]] = {
        ENCODER: lambda: load_encoder_scorer(folder / ENCODER_FOLDER),
        BOOSTED_NAME: lambda: _load_boosted(folder),
        LANGUAGE_MODEL: lambda: _load_language_model(folder / ADAPTER_FOLDER, base, device),
    }
    members: dict[str, Scorer] = {}
    missing: dict[str, str] = {}
    for name in calibration.scores:
        try:
            members[name] = loaders[name]()
        except CodefitError as error:
            missing[name] = error.line()
    if not members:
        raise InputError(f"no member can be loaded ({'; '.join(missing.values())})", where=str(folder))
    return Ensemble(members, fit_ensemble(calibration, list(members)), missing)


def _load_boosted(folder: Path) -> Scorer:
    load_booster(folder / BOOSTED)
    return MetricScorer(BOOSTED_NAME, BoostedModel(folder / BOOSTED).predict)


def _load_language_model(adapter: Path, base: str | None, device: str) -> Scorer:
    from importlib.util import find_spec

    for library in ("torch", "transformers", "peft", "llguidance"):
        if find_spec(library) is None:
            raise CodefitError(f"{library} is not installed", fix="pip install 'codefit[train,complexity]'")
    from codefit.models.score_answers import load_language_model_scorer

    return load_language_model_scorer(adapter, base=base, device=device)


def _read_calibration(folder: Path) -> Calibration:
    class Stored(msgspec.Struct):
        calibration: Calibration

    try:
        calibration = msgspec.json.decode((folder / ENSEMBLE).read_bytes(), type=Stored).calibration
    except FileNotFoundError as error:
        raise InputError(
            f"holds no {ENSEMBLE}", where=str(folder), fix="give the model folder of a run of complexity-scoring"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"damaged ({error})", where=str(folder / ENSEMBLE)) from error
    known = {ENCODER, BOOSTED_NAME, LANGUAGE_MODEL}
    unknown = sorted(calibration.scores.keys() - known)
    if unknown or any(len(own) != len(calibration.truths) for own in calibration.scores.values()):
        raise InputError("the calibration does not fit", where=str(folder / ENSEMBLE), fix="train the model anew")
    return calibration


def write_complexity_info(folder: Path, info: ComplexityInfo) -> None:
    """Write `codefit.json` into a model's folder."""
    write_json(folder / INFO, info)
