"""The shapes of the files in a language model's run, as far as a page shows them."""

from __future__ import annotations

from typing import Literal

from codefit.run.report.shapes import Interval, Receipt, Shape, Side


class Perplexity(Shape, frozen=True):
    """How surprising some files are to a model: a token's perplexity, and the same in bits a byte of text."""

    perplexity: float
    bits_per_byte: float
    tokens: int
    bytes: int
    documents: int
    ci95: dict[str, Interval] = {}

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the perplexity."""
        return self.ci95.get("perplexity")


class Change(Shape, frozen=True):
    """The ratio of two perplexities less one, with its interval, paired file by file."""

    perplexity: float
    ci95: Interval


class Comparison(Shape, frozen=True, kw_only=True):
    """Perplexity of the same files before training and after; a model from scratch has no before."""

    before: Perplexity | None = None
    after: Perplexity


class PerplexitySet(Comparison, frozen=True, kw_only=True):
    """A set of files that both models were measured on."""

    name: str
    role: Literal["domain", "general", "training"]
    description: str = ""
    language: str | None = None
    change: Change | None = None
    by_directory: dict[str, Comparison] = {}


class PerplexityEvaluation(Shape, frozen=True):
    """`evaluation.json`; `window` and `stride` are in tokens."""

    sets: list[PerplexitySet]
    window: int
    stride: int

    def of_role(self, role: str) -> list[PerplexitySet]:
        """The sets of a role, in order."""
        return [entry for entry in self.sets if entry.role == role]

    @property
    def main(self) -> PerplexitySet | None:
        """The set that the run is about: the repository's held-out files, or the first where there is none."""
        return next(iter([*self.of_role("domain"), *self.sets]), None)


class PerplexityRow(Shape, frozen=True, tag_field="kind", tag="eval"):
    """A look at the validation files."""

    step: int
    perplexity: float


class Form(Shape, frozen=True):
    """A form of the model that was made to be used; `change` and `bound` are shares of the adapter's perplexity."""

    form: str
    place: str
    bytes: int
    published: bool
    perplexity: float | None = None
    change: float | None = None
    bound: float | None = None
    note: str | None = None


class Shipped(Shape, frozen=True):
    """`shipped.json`; `domain` is what the forms are held against."""

    forms: list[Form]
    domain: Perplexity


class Sample(Shape, frozen=True):
    """A place in a held-out file, what stands there, and what each model writes there."""

    path: str
    kind: Literal["completion", "infill"]
    prefix: str
    truth: str
    after: str
    before: str | None = None
    suffix: str | None = None


class Samples(Shape, frozen=True):
    """`samples.json`."""

    samples: list[Sample]


class DocumentSide(Side, frozen=True):
    """The files of a side, and what they hold."""

    directories: dict[str, int] = {}
    functions: int | None = None
    types: int | None = None
    lines: int | None = None
    bytes: int | None = None


class DocumentLeakage(Shape, frozen=True):
    """The check for held-out files that training knows; a run with leaks stops, so the list is empty."""

    train_documents: int
    eval_documents: int
    leaks: list[object]
    by: str | None = None


class DocumentManifest(Receipt, frozen=True, kw_only=True):
    """`data/manifest.json` of a run that learns from whole files."""

    train: DocumentSide
    evaluation: DocumentSide
    validation: DocumentSide | None = None
    general: DocumentSide | None = None
    replay: DocumentSide | None = None
    leakage: DocumentLeakage | None = None

    def sides(self) -> dict[str, DocumentSide]:
        """The sides that there are, by what they are for."""
        named = {
            "trained on": self.train,
            "mixed in against forgetting": self.replay,
            "chooses the checkpoint": self.validation,
            "measured on": self.evaluation,
            "measured on, general code": self.general,
        }
        return {name: side for name, side in named.items() if side is not None and side.rows}
