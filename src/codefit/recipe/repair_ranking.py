"""Ranking syntax repairs: what proposes them, the encoder that is pre-trained, the ranker, and its variants."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from codefit.recipe.sections import Schedule, Section, Sources, one_of_epochs_and_steps

MOST_EDITS = 3  # of a repair, see `codefit.tasks.repairs.packed`


class RepairData(Section):
    """Broken snippets with their repairs, and sound code to pre-train on."""

    repairs: list[str] = Field(min_length=1)
    evaluation: list[str] = Field(min_length=1)
    validation_share: float = Field(0.1, gt=0, lt=1)
    near_duplicate_threshold: float = Field(0.8, gt=0, le=1)
    snippets: Sources = Sources(documents=["env"])
    snippet_tokens: int = Field(4_000_000, gt=0)
    snippet_validation_sources: list[str] = []
    snippet_validation_tokens: int = Field(100_000, gt=0)
    counts: list[str] = []


class Propose(Section):
    """The n-grams and the model of edits: see `codefit.train.proposer.ProposerSettings`."""

    order: int = Field(5, ge=2, le=7)
    contexts: int = Field(20_000, gt=0)
    synthetic: int = Field(2_000, ge=0)
    shares: list[float] = Field([1.0, 1.0, 1.0], min_length=1, max_length=MOST_EDITS)
    folds: int = Field(4, ge=2)
    rounds: int = Field(2, ge=1)
    limit: int = Field(80, gt=1)
    steps: int = Field(1_000_000, gt=0)
    epochs: int = Field(6, gt=0)
    learning_rate: float = Field(0.05, gt=0)

    def model_post_init(self, context: Any) -> None:
        if min(self.shares) < 0 or not sum(self.shares):
            raise ValueError("shares are not negative, and not all nought")


class Lists(Section):
    """The lists that the ranker learns from and is chosen by."""

    synthetic: int = Field(8_000, ge=0)
    limit: int = Field(256, gt=1)
    steps: int = Field(2_000_000, gt=0)
    validation_limit: int = Field(1_000, gt=1)


class RankerModel(Section):
    """The network: see `codefit.models.ranker.RankerShape`."""

    hidden: int = Field(256, gt=0)
    layers: int = Field(4, gt=0)
    heads: int = Field(4, gt=0)
    ffn: int = Field(1024, gt=0)
    edit: int = Field(256, gt=0)
    dropout: float = Field(0.1, ge=0, lt=1)

    def model_post_init(self, context: Any) -> None:
        if self.hidden % self.heads or self.hidden % 2:
            raise ValueError(f"hidden ({self.hidden}) must be even and heads ({self.heads}) must divide it")


class RepairSteps(Section):
    """How a network of repairs is trained."""

    epochs: float | None = Field(None, gt=0)
    max_steps: int | None = Field(None, gt=0)
    batch_size: int = Field(32, gt=0)
    learning_rate: float = Field(5e-4, gt=0)
    warmup_steps: int = Field(0, ge=0)
    schedule: Schedule = "cosine"
    weight_decay: float = Field(0.01, ge=0)
    save_every: int = Field(500, ge=0)
    eval_every: int = Field(0, ge=0)
    device: str = "auto"

    def model_post_init(self, context: Any) -> None:
        one_of_epochs_and_steps(self.epochs, self.max_steps)


class Pretrain(RepairSteps):
    """The encoder's pre-training on the next token."""


class RankTrain(RepairSteps):
    """The ranker's training; `tau` divides the scores, of a list at most `candidates` are seen at a time."""

    candidates: int = Field(256, gt=1)
    tau: float = Field(1.0, gt=0)
    frozen_encoder: bool = False


class Variant(Section):
    """What a variant has otherwise: fields of `model` and of `train`, and whether its encoder is pre-trained."""

    pretrained: bool = True
    model: dict[str, Any] = {}
    train: dict[str, Any] = {}


class RepairExport(Section):
    """The ranker's numbers as they are shipped."""

    precision: Literal["int8", "fp32"] = "int8"


class RepairEvaluate(Section):
    """End to end: at most so many candidates of a snippet, in at most so many seconds."""

    limit: int = Field(1_000, gt=1)
    seconds: float = Field(1.0, gt=0)
    max_instances: int | None = Field(None, gt=0)


class RepairRanking(Section):
    """A ranker of syntax repairs: from broken snippets to a model that mends files and is served."""

    system: Literal["repair-ranking"]
    name: str
    description: str
    seed: int = 0
    data: RepairData
    propose: Propose = Propose()
    lists: Lists = Lists()
    model: RankerModel = RankerModel()
    pretrain: Pretrain | None = None
    train: RankTrain
    variants: dict[str, Variant] = {}
    export: RepairExport = RepairExport()
    evaluate: RepairEvaluate = RepairEvaluate()

    def model_post_init(self, context: Any) -> None:
        for name, variant in self.variants.items():
            if not name.replace("-", "").isalnum():
                raise ValueError(f"variants.{name}: a name is of letters, digits and dashes")
            self.with_variant(variant)  # raises where a field does not fit

    def with_variant(self, variant: Variant) -> RepairRanking:
        """This recipe with what the variant changes; it has no variants of its own."""
        model = RankerModel.model_validate({**self.model.model_dump(), **variant.model})
        train = RankTrain.model_validate(_steps_replaced(self.train.model_dump(), variant.train))
        pretrain = self.pretrain if variant.pretrained else None
        return self.model_copy(update={"model": model, "train": train, "pretrain": pretrain, "variants": {}})


def _steps_replaced(before: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """The fields with what is changed; one way to say how long takes the place of the other."""
    if {"epochs", "max_steps"} & changed.keys():
        before = {**before, "epochs": None, "max_steps": None}
    return {**before, **changed}
