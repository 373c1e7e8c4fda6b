"""The shapes of the files in the run of a ranker of repairs, as far as a page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from codefit.run.report.shapes import Interval, Receipt, Shape

METRICS: Mapping[str, str] = {"p@1": "P@1", "p@10": "P@10", "p@100": "P@100", "p@all": "P@all", "mrr": "MRR"}
# The order in which a page tells them: what was trained, what there was before, and what nothing at all would give.
ORDERS: Mapping[str, str] = {
    "model": "Model",
    "edits": "n-grams and edits",
    "ngrams": "n-grams alone",
    "random": "Chance",
}


class Ranked(Shape, frozen=True):
    """Means of every metric over some strings, and their 95 % intervals; `count` is how many strings."""

    mrr: float
    p_1: float = msgspec.field(name="p@1")
    p_10: float = msgspec.field(name="p@10")
    p_100: float = msgspec.field(name="p@100")
    p_all: float = msgspec.field(name="p@all")
    ci95: dict[str, Interval]
    count: int | None = None

    def value(self, metric: str) -> float:
        """The mean of a metric of `METRICS`."""
        by_name = dict(zip(METRICS, (self.p_1, self.p_10, self.p_100, self.p_all, self.mrr), strict=True))
        return by_name[metric]


class ByOrder(Shape, frozen=True):
    """The same candidates in each order."""

    model: Ranked
    edits: Ranked
    ngrams: Ranked
    random: Ranked

    def of(self, order: str) -> Ranked:
        """The figures of an order of `ORDERS`."""
        return {"model": self.model, "edits": self.edits, "ngrams": self.ngrams, "random": self.random}[order]


class Difference(Shape, frozen=True):
    """A difference of mean reciprocal ranks, string by string, with its interval."""

    mean: float
    low: float
    high: float

    @property
    def interval(self) -> Interval:
        """Its ends."""
        return self.low, self.high


class Latency(Shape, frozen=True):
    """Milliseconds that half of the strings take at most, and 95 of 100."""

    p50: float
    p95: float


class Recall(Shape, frozen=True):
    """How many strings have a repair within reach of the search, of how many of these it was found."""

    in_reach: float
    median: float
    recall_in_reach: float | None = None
    recall_in_reach_ci95: Interval | None = None


class RepairEvaluation(Shape, frozen=True):
    """`evaluation.json`: end to end, so that a repair which was not found is a miss."""

    n: int
    orders: ByOrder
    curve: dict[str, list[tuple[int, float]]]
    by_distance: dict[str, Ranked]
    by_length: dict[str, Ranked]
    candidates: Recall
    over_edits: Difference
    latency_ms: Latency
    search_ms: Latency
    rank_ms: Latency
    complete: float
    limit: int
    seconds: float
    retrieved: dict[str, Ranked] = {}


class Round(Shape, frozen=True):
    """One of the rounds in which the model of edits is fitted: lists learned from, the weight of the n-grams."""

    lists: int
    weight: float


class Proposer(Shape, frozen=True):
    """`proposer.json`; perplexities are of the repairs to choose by, under n-grams of different code."""

    pairs: int
    synthetic: int
    rounds: list[Round]
    perplexity: dict[str, float]


class NameWeights(Shape, frozen=True):
    """`names.json`: what names tell, by kind of clue, and of how many pairs.

    `loss` is nats a list, without the weights and with them.
    """

    pairs: int
    telling: int
    lists: int
    weights: dict[str, float]
    loss: dict[str, float | None]


class ListFigures(Shape, frozen=True):
    """Figures on the lists that choose the model, without intervals."""

    mrr: float
    p_1: float = msgspec.field(name="p@1")
    p_10: float = msgspec.field(name="p@10")
    p_100: float = msgspec.field(name="p@100")


class Lists(Shape, frozen=True):
    """`lists/report.json`: `candidates` of a list on average, `found` the share of those to choose by with the truth.

    `edits` are the figures of the lists to choose by in the order of n-grams and edits.
    """

    train: int
    synthetic: int
    validation: int
    candidates: float
    found: float
    edits: ListFigures


class ListsRow(Shape, frozen=True, tag_field="kind", tag="eval"):
    """A look at the lists that choose the model."""

    step: int
    mrr: float
    p_1: float = msgspec.field(name="p@1")


class VariantDifference(Shape, frozen=True):
    """How much better than the recipe itself, list by list."""

    mean: float
    ci95: Interval


class Variant(Shape, frozen=True):
    """A ranker that was trained otherwise; `changed` says in what."""

    name: str
    mrr: float
    ci95: Interval
    p_1: float = msgspec.field(name="p@1")
    difference: VariantDifference
    lists: int
    changed: dict[str, Any] = {}
    parameters: int | None = None
    steps: int | None = None


class Variants(Shape, frozen=True):
    """`variants.json`: first the recipe itself."""

    variants: list[Variant]


class Graph(Shape, frozen=True):
    """The ranker as ONNX in one precision: bytes, figures on the lists to choose by, median milliseconds a list."""

    bytes: int
    mrr: float
    p_1: float = msgspec.field(name="p@1")
    median_ms: float


class RepairExport(Shape, frozen=True):
    """`export.json`; `largest_difference` is that of any score to the network's own, in single precision."""

    precision: str
    lists: int
    largest_difference: float
    fp32: Graph
    int8: Graph
    folder_bytes: int

    def graphs(self) -> dict[str, Graph]:
        """Both, by precision."""
        return {"fp32": self.fp32, "int8": self.int8}


class Agreement(Shape, frozen=True):
    """Of how many rows with their source codefit's lexer gives the same tokens."""

    rows: int
    same: int


class InputFolder(Shape, frozen=True):
    """What was read that is no single file."""

    documents: int
    sha256: str


class RepairManifest(Receipt, frozen=True, kw_only=True):
    """`data/manifest.json` of a run that learns from repairs."""

    inputs: dict[str, str | InputFolder] = {}
    lexing: dict[str, Agreement] = {}
