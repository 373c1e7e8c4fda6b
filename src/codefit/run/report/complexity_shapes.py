"""The shapes of the files in the run of scorers of complexity, as far as a page shows them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from codefit.records import Row
from codefit.run.report.shapes import Interval, Receipt, Shape

Measure = tuple[float, float, float]  # a figure with the ends of its 95 % interval

METRICS: Mapping[str, str] = {
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "r²",
    "spearman": "Spearman",
    "kendall": "Kendall",
}
FORMULA, SCORE, ENCODER, ENSEMBLE = "formula", "complexity score", "encoder", "ensemble"
LINES = "lines of code"
MODEL_PREFIX = "language model"
BROKEN = "broken"


class Scored(Shape, frozen=True):
    """A scorer on the functions to measure on: what it reads, milliseconds a function, and its figures.

    `n` functions were asked about, `invalid` of them have no answer; with none answered there is no figure at all.
    `within_half` is the share of scores that are at most half a point off.
    `coverage` is the share of truths inside its intervals, `width` how wide these are on average.
    """

    name: str
    reads: str
    n: int
    invalid: int
    ms: float
    mae: Measure | None = None
    rmse: Measure | None = None
    r2: Measure | None = None
    spearman: Measure | None = None
    kendall: Measure | None = None
    within_half: Measure | None = None
    coverage: Measure | None = None
    width: float | None = None

    def figure(self, metric: str) -> Measure | None:
        """A figure of `METRICS`."""
        found = (self.mae, self.rmse, self.r2, self.spearman, self.kendall)
        return dict(zip(METRICS, found, strict=True))[metric]

    @property
    def is_exact(self) -> bool:
        """Whether it computes the label, or what `codefit complexity score` says."""
        return self.name in (FORMULA, SCORE)

    @property
    def reads_code(self) -> bool:
        """Whether it is learned and reads code, as the members and the ensemble of them."""
        return self.name in (ENCODER, ENSEMBLE) or self.name.startswith(MODEL_PREFIX)


class Varied(Shape, frozen=True):
    """A scorer on functions that are written otherwise: how far it moved, its error against the original's label."""

    name: str
    kind: str
    n: int
    invalid: int
    moved: Measure
    mae: Measure


class Person(Shape, frozen=True):
    """A scorer beside people: its rank correlation with their share of wrong answers, and with their time."""

    name: str
    n: int
    error_rate: Measure | None = None
    time: Measure | None = None


class People(Shape, frozen=True):
    """All scorers beside people, of so many snippets."""

    n: int
    scorers: list[Person]


class Published(Shape, frozen=True):
    """What another work reports of its own functions."""

    name: str
    mae: float
    r2: float


class ComplexityEvaluation(Shape, frozen=True):
    """`evaluation.json`; `missing` says of each member of the ensemble that is not there why."""

    n: int
    scorers: list[Scored]
    robustness: list[Varied] = []
    people: People | None = None
    published: list[Published] = []
    missing: dict[str, str] = {}

    def scorer(self, name: str) -> Scored | None:
        """The scorer of that name that has figures."""
        return next((one for one in self.scorers if one.name == name and one.mae is not None), None)

    def varied(self, name: str, kind: str) -> Varied | None:
        """A scorer on functions written otherwise in one way."""
        return next((one for one in self.robustness if (one.name, one.kind) == (name, kind)), None)


class ScoresRow(Row, frozen=True):
    """A function of `scores.jsonl.gz`: its true score, and what each scorer says with its interval.

    None stands for a scorer that was not asked, a None in the place of the score for an answer that is none.
    """

    truth: float
    scores: dict[str, tuple[float | None, float | None, float | None] | None]


class ScoreRow(Shape, frozen=True, tag_field="kind", tag="eval"):
    """A look at the functions that choose the encoder."""

    step: int
    mae: float
    rmse: float


class AnswerRow(Shape, frozen=True, tag_field="kind", tag="eval"):
    """A look at the chats that choose the adapter: the loss of an answer's token, in nats."""

    step: int
    loss: float


class Baselines(Shape, frozen=True):
    """`baselines.json`: the functions that they were fitted to, and how many trees were kept."""

    functions: int
    trees: int


class Graph(Shape, frozen=True):
    """The encoder as ONNX in one precision, on the functions that choose: bytes, error, and the time of a function.

    `largest_difference` is that of any score to the trained network's own.
    """

    bytes: int
    mae: float
    largest_difference: float
    median_ms: float


class ComplexityExport(Shape, frozen=True):
    """`export.json`: the encoder's graphs, the weights of the ensemble, and half of each interval."""

    precision: str
    functions: int
    fp32: Graph
    int8: Graph
    weights: dict[str, float]
    half_width: float
    half_widths: dict[str, float] = {}

    def graphs(self) -> dict[str, Graph]:
        """Both, by precision."""
        return {"fp32": self.fp32, "int8": self.int8}


class Agreement(Shape, frozen=True):
    """How many of the scores that rows bring are those of the formula, and how far they are from it on average."""

    rows: int
    same: int
    difference: float = msgspec.field(name="mean_absolute_difference")


class Spread(Shape, frozen=True):
    """The scores of a side."""

    mean: float
    deviation: float
    median: float


class ComplexityManifest(Receipt, frozen=True, kw_only=True):
    """`data/manifest.json` of a run that learns scores; `sources` are the repositories of each side."""

    inputs: dict[str, str] = {}
    documents: list[str] = []
    labels: dict[str, Agreement] = {}
    sources: dict[str, list[str]] = {}
    scores: dict[str, Spread] = {}


def interval(measure: Measure) -> Interval:
    """The ends of a figure's interval."""
    return measure[1], measure[2]
