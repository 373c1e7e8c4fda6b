"""Scoring complexity: functions with their labels, what learns from them, and how the scorers are measured."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from codefit.recipe.language_model import Adapter
from codefit.recipe.sections import SHORTEST_SEQUENCE, Schedule, Section, one_of_epochs_and_steps

Reading = Literal["expectation", "constrained", "regex"]


class ComplexityData(Section):
    """Functions to learn from and to measure on; the two must be of other repositories."""

    functions: list[str] = []
    documents: list[str] = []
    exclude: list[str] = []
    evaluation: list[str] = Field(min_length=1)
    human: list[str] = []
    validation_share: float = Field(0.08, gt=0, lt=1)
    near_duplicate_threshold: float = Field(0.8, gt=0, le=1)
    train_functions: int | None = Field(None, gt=0)

    def model_post_init(self, context: Any) -> None:
        if not self.functions and not self.documents:
            raise ValueError("give functions, documents or both")


class ScoreModel(Section):
    """The encoder that counts: see `codefit.models.score_network.ScoreShape`; the tokenizer's pieces."""

    vocab_size: int = Field(4_000, ge=300)
    hidden: int = Field(128, gt=0)
    layers: int = Field(2, gt=0)
    heads: int = Field(4, gt=0)
    ffn: int = Field(512, gt=0)
    amounts: int = Field(64, ge=4)
    window: int = Field(1_024, ge=SHORTEST_SEQUENCE)
    dropout: float = Field(0.0, ge=0, lt=1)

    def model_post_init(self, context: Any) -> None:
        if self.hidden % self.heads or self.hidden % 2:
            raise ValueError(f"hidden ({self.hidden}) must be even and heads ({self.heads}) must divide it")

    def sizes(self) -> dict[str, int | float]:
        """The fields that are the network's."""
        return {name: value for name, value in self.model_dump().items() if name != "vocab_size"}


class ScoreTrain(Section):
    """How the encoder is trained; `counting` weighs what each token counts for beside the score."""

    epochs: float | None = Field(None, gt=0)
    max_steps: int | None = Field(None, gt=0)
    batch_size: int = Field(32, gt=0)
    learning_rate: float = Field(1e-3, gt=0)
    warmup_steps: int = Field(50, ge=0)
    schedule: Schedule = "cosine"
    weight_decay: float = Field(0.01, ge=0)
    counting: float = Field(10.0, ge=0)
    variant_share: float = Field(0.4, ge=0, lt=1)
    save_every: int = Field(250, ge=0)
    eval_every: int = Field(250, ge=0)
    device: str = "auto"

    def model_post_init(self, context: Any) -> None:
        one_of_epochs_and_steps(self.epochs, self.max_steps)


class ScoreLanguageModel(Section):
    """A language model that is asked, tuned on chats: its base, the adapter, how long, and how it is read."""

    base: str
    revision: str | None = None
    quantize: Literal["nf4"] | None = None
    adapter: Adapter = Adapter(rank=32, alpha=16)
    max_tokens: int = Field(3_072, ge=128)
    answer_tokens: int = Field(64, gt=0)
    epochs: float | None = Field(None, gt=0)
    max_steps: int | None = Field(None, gt=0)
    batch_size: int = Field(1, gt=0)
    accumulation: int = Field(16, gt=0)
    learning_rate: float = Field(1e-4, gt=0)
    warmup_steps: int = Field(20, ge=0)
    schedule: Schedule = "cosine"
    weight_decay: float = Field(0.0, ge=0)
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    gradient_checkpointing: Literal["auto", True, False] = "auto"
    save_every: int = Field(100, ge=0)
    eval_every: int = Field(100, ge=0)
    validation_chats: int | None = Field(300, gt=0)
    readings: list[Reading] = ["expectation", "constrained", "regex"]
    evaluation_functions: int | None = Field(None, gt=0)
    device: str = "auto"

    def model_post_init(self, context: Any) -> None:
        one_of_epochs_and_steps(self.epochs, self.max_steps)
        if "expectation" not in self.readings:
            raise ValueError("readings: expectation must be one of them, since the ensemble takes it")


class ScoreExport(Section):
    """The encoder's numbers as they are shipped."""

    precision: Literal["int8", "fp32"] = "fp32"


class ScoreEvaluate(Section):
    """How many of the functions to measure on are written otherwise, to see what changes."""

    variant_functions: int = Field(400, gt=0)
    max_functions: int | None = Field(None, gt=0)


class ComplexityScoring(Section):
    """Scorers of functions, each measured beside the formula that made the labels."""

    system: Literal["complexity-scoring"]
    name: str
    description: str
    seed: int = 0
    data: ComplexityData
    model: ScoreModel = ScoreModel()
    train: ScoreTrain
    language_model: ScoreLanguageModel | None = None
    export: ScoreExport = ScoreExport()
    evaluate: ScoreEvaluate = ScoreEvaluate()
