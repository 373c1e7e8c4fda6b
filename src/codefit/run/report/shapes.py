"""The shapes of the files in a run's folder, as far as a page shows them; fields that are not shown are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

METRICS: Mapping[str, str] = {
    "mrr@10": "MRR@10",
    "ndcg@10": "nDCG@10",
    "recall@1": "recall@1",
    "recall@5": "recall@5",
    "recall@10": "recall@10",
}
MAIN_METRIC = "mrr@10"
# The order in which a page tells them: what there was before, what was trained, both together.
SYSTEMS: Mapping[str, str] = {"bm25": "BM25", "model": "Model", "hybrid": "Hybrid"}
BASELINE = "bm25"

Interval = tuple[float, float]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a file; a field of the wrong type makes the file a damaged one."""


class Figures(Shape, frozen=True):
    """Means of every metric, and their 95 % intervals."""

    mrr: float = msgspec.field(name="mrr@10")
    ndcg: float = msgspec.field(name="ndcg@10")
    recall_1: float = msgspec.field(name="recall@1")
    recall_5: float = msgspec.field(name="recall@5")
    recall_10: float = msgspec.field(name="recall@10")
    ci95: dict[str, Interval]

    def value(self, metric: str) -> float:
        """The mean of a metric of `METRICS`."""
        by_name = dict(zip(METRICS, (self.mrr, self.ndcg, self.recall_1, self.recall_5, self.recall_10), strict=True))
        return by_name[metric]


class Difference(Shape, frozen=True):
    """How much better than BM25, question by question, with its paired interval."""

    mrr: float = msgspec.field(name="mrr@10")
    ci95: Interval


class Systems(Shape, frozen=True):
    """The three that are compared, on the same `n` questions."""

    n: int
    model: Figures
    bm25: Figures
    hybrid: Figures

    def of(self, system: str) -> Figures:
        """The figures of a system of `SYSTEMS`."""
        return {"model": self.model, "bm25": self.bm25, "hybrid": self.hybrid}[system]


class EvaluationSet(Systems, frozen=True):
    """Figures on one set of questions; `pool` is how many functions an answer is looked for among."""

    name: str
    description: str
    pool: int
    difference_to_bm25: dict[str, Difference]
    by: dict[str, dict[str, Systems]] = {}
    mean_over_sources: dict[str, float] = {}


class Evaluation(Shape, frozen=True):
    """`evaluation.json`."""

    sets: list[EvaluationSet]


class TrainRow(Shape, frozen=True, tag_field="kind", tag="train"):
    """A step of training; `rate` is the share of the peak learning rate, `length` the stage's tokens a sequence.

    `padding` is the share of the batch's positions that are filled up.
    """

    step: int
    loss: float
    rate: float | None = None
    tokens_per_second: float | None = None
    length: int | None = None
    padding: float | None = None


class EvalRow(Shape, frozen=True, tag_field="kind", tag="eval"):
    """A look at the validation pairs."""

    step: int
    model: float = msgspec.field(name="mrr@10")
    bm25: float | None = msgspec.field(name="bm25 mrr@10", default=None)


class StageReceipt(Shape, frozen=True):
    """What a step of data preparation kept, and what it dropped for which reason."""

    kept: int
    dropped: dict[str, int]


class Side(Shape, frozen=True):
    """The rows of training or of evaluation, counted in three ways."""

    rows: int
    languages: dict[str, int]
    sources: dict[str, int]
    licenses: dict[str, int]


class Leakage(Shape, frozen=True):
    """The check for evaluation rows that training knows; a run with leaks stops, so the list is empty."""

    train_rows: int
    eval_rows: int
    shared_anchors: int
    leaks: list[Any]


class DataFile(Shape, frozen=True):
    """A file that the data stage wrote; `tokens` where its rows are snippets."""

    rows: int
    bytes: int
    sha256: str
    tokens: int | None = None


class Receipt(Shape, frozen=True):
    """What every data receipt has: the steps, what was not there, and the files written."""

    stages: dict[str, StageReceipt]
    outputs: dict[str, DataFile]
    missing: list[str] = []
    redacted: dict[str, int] = {}


class Manifest(Receipt, frozen=True, kw_only=True):
    """`data/manifest.json` of a run that learns from pairs; `sources` and `pair_files` are what was read."""

    train: Side
    evaluation: Side
    sources: list[str] = []
    pair_files: dict[str, str] = {}
    leakage: Leakage | None = None


class Density(Shape, frozen=True):
    """Tokens a byte in one language; `plain_tokens_per_byte` is a plain byte-level BPE of the same size."""

    bytes: int
    tokens_per_byte: float
    plain_tokens_per_byte: float | None = None


class TokenizerReport(Shape, frozen=True):
    """`tokenizer/report.json`."""

    vocab_size: int
    languages: dict[str, Density]


class BackendRow(Shape, frozen=True):
    """How fast one backend encodes, in milliseconds a batch and texts a second."""

    backend: str
    p50_ms: float
    p95_ms: float
    texts_per_second: float


class Benchmark(Shape, frozen=True):
    """The same texts through every backend."""

    batch_size: int
    seq_len: int
    rows: list[BackendRow]
    machine: dict[str, Any] = {}


class Export(Shape, frozen=True):
    """`export/codefit-export.json`."""

    dimensions: int
    parity: dict[str, dict[str, float]]
    bytes: dict[str, int] = {}
    benchmark: Benchmark | None = None
    winner: str | None = None


class Result(Shape, frozen=True):
    """A function found. `snippet_lines` are the numbers of the snippet's lines, where some were left out between."""

    path: str
    start_line: int
    end_line: int
    name: str
    score: float
    signals: dict[str, float | None] = {}
    snippet: str = ""
    snippet_lines: list[int] = []

    def numbered(self) -> list[tuple[int | None, str]]:
        """The lines of the snippet, each with its number in the file where that is known."""
        lines = self.snippet.rstrip().split("\n") if self.snippet.strip() else []
        numbers = self.snippet_lines if len(self.snippet_lines) >= len(lines) else [None] * len(lines)
        return list(zip(numbers, lines, strict=False))


class Answer(Shape, frozen=True):
    """A question and what was found, best first."""

    query: str
    took_ms: float
    results: list[Result]


class Answers(Shape, frozen=True):
    """`answers.json`."""

    source: str
    functions: int
    queries: list[Answer]
