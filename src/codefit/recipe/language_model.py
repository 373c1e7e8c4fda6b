"""Language models: one from scratch on general code, and one that is made at home in a repository."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field

from codefit.recipe.sections import CausalTrain, Complete, Section, Sources, refuse_common

QuantizedForm = Literal["int8", "nf4", "gguf"]


class BaseData(Sources):
    """General code: what is read, what is kept of it, and what is held out."""

    evaluation_sources: list[str] = []
    validation_sources: list[str] = []
    allowed_licenses: list[str] | None = None
    near_duplicate_threshold: float = Field(0.8, gt=0, le=1)
    train_bytes: int | None = Field(None, gt=0)

    def model_post_init(self, context: Any) -> None:
        super().model_post_init(context)
        refuse_common("evaluation_sources", self.evaluation_sources, "validation_sources", self.validation_sources)


class BaseTokenizer(Section):
    """The byte-level BPE of a base model."""

    vocab_size: int = Field(32_000, ge=300)
    max_bytes: int = Field(60_000_000, gt=0)


class DecoderModel(Section):
    """A Qwen2-shaped decoder from random weights: see `codefit.models.language_model.LanguageModelShape`."""

    hidden: int = Field(256, gt=0)
    layers: int = Field(4, gt=0)
    heads: int = Field(4, gt=0)
    kv_heads: int = Field(2, gt=0)
    ffn: int = Field(704, gt=0)
    context: int = Field(1536, ge=32)

    def model_post_init(self, context: Any) -> None:
        # Rotary positions turn pairs of a head's dimensions, so that a head must have an even number of them.
        if self.hidden % self.heads or self.hidden // self.heads % 2:
            raise ValueError(f"heads ({self.heads}) must divide hidden ({self.hidden}) into an even number")
        if self.heads % self.kv_heads:
            raise ValueError(f"kv_heads ({self.kv_heads}) must divide heads ({self.heads})")


class LanguageModelEvaluate(Section):
    """Perplexity by a sliding window as long as the longest training length; `stride` is in tokens.

    `max_documents` are the files of a set that are measured, `validation_documents` those looked at while training.
    """

    stride: int = Field(256, gt=0)
    max_documents: int | None = Field(None, gt=0)
    validation_documents: int | None = Field(None, gt=0)


class BaseLanguageModel(Section):
    """A causal language model from scratch, with a tokenizer of its own, on general code."""

    system: Literal["base-language-model"]
    name: str
    description: str
    seed: int = 0
    data: BaseData
    tokenizer: BaseTokenizer = BaseTokenizer()
    model: DecoderModel = DecoderModel()
    train: CausalTrain
    evaluate: LanguageModelEvaluate = LanguageModelEvaluate()
    complete: Complete | None = None

    def model_post_init(self, context: Any) -> None:
        if self.train.lengths[-1] > self.model.context:
            raise ValueError(
                f"train.lengths: {self.train.lengths[-1]} tokens are more than model.context, {self.model.context}"
            )
        if self.evaluate.stride > self.model.context:
            raise ValueError(
                f"evaluate.stride: {self.evaluate.stride} tokens are more than model.context, {self.model.context}"
            )


class HoldOut(Section):
    """Which files of the repository are kept out of training: a share of its directories, or those since a day.

    `validation_share` of what is held out chooses the checkpoint; figures come from the rest.
    """

    share: float = Field(0.1, gt=0, lt=1)
    since: date | None = None
    validation_share: float = Field(0.2, ge=0, lt=1)


class RepositoryData(Section):
    """The files of one repository, the general code that forgetting is measured on, and what is mixed in against it."""

    documents: list[str] = Field(min_length=1)
    languages: list[str] | None = None
    exclude: list[str] = []
    top: int | None = Field(300, gt=0)
    min_lines: int = Field(25, gt=0)
    max_lines: int = Field(4000, gt=0)
    hold_out: HoldOut = HoldOut()
    allowed_licenses: list[str] | None = None
    near_duplicate_threshold: float = Field(0.8, gt=0, le=1)
    general: Sources
    replay: Sources | None = None
    replay_share: float = Field(0.0, ge=0, lt=1)

    def model_post_init(self, context: Any) -> None:
        if self.min_lines > self.max_lines:
            raise ValueError(f"min_lines ({self.min_lines}) is more than max_lines ({self.max_lines})")
        if self.replay_share > 0 and self.replay is None:
            raise ValueError(f"replay_share is {self.replay_share:g}, and replay names nothing to take it from")


class Adapter(Section):
    """A low-rank adapter on every linear layer (Hu et al., 2021, arXiv:2106.09685)."""

    kind: Literal["lora", "dora", "rslora"] = "lora"
    rank: int = Field(16, gt=0)
    alpha: float = Field(32, gt=0)
    dropout: float = Field(0.0, ge=0, lt=1)


class AdaptedModel(Section):
    """The model to begin with, and what of it is trained: an adapter, or with null every weight."""

    base: str = Field(min_length=1)
    revision: str | None = None
    adapter: Adapter | None = Adapter()


class AdaptedEvaluate(LanguageModelEvaluate):
    """The same, and on how many of the files that were trained on."""

    training_documents: int = Field(30, ge=0)


class Ship(Section):
    """The forms that are made of the adapted model; bounds are the rise of perplexity at most, as a share."""

    forms: list[QuantizedForm] = []
    merged_bound: float = Field(0.001, ge=0)
    int8_bound: float = Field(0.01, ge=0)
    nf4_bound: float = Field(0.05, ge=0)
    gguf_bound: float = Field(0.005, ge=0)

    def model_post_init(self, context: Any) -> None:
        if len(set(self.forms)) < len(self.forms):
            raise ValueError(f"forms names one of them twice: {', '.join(self.forms)}")


class ExtendedPretraining(Section):
    """A causal language model that is trained on with the files of one repository."""

    system: Literal["extended-pretraining"]
    name: str
    description: str
    seed: int = 0
    data: RepositoryData
    model: AdaptedModel
    train: CausalTrain
    evaluate: AdaptedEvaluate = AdaptedEvaluate()
    ship: Ship = Ship()
    complete: Complete | None = None
