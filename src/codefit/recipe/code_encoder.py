"""The code embedding model from scratch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from codefit.recipe.sections import Schedule, Section, one_of_epochs_and_steps


class Data(Section):
    """Where pairs come from, what is kept of them, and what is held out."""

    documents: list[str] = []
    pairs: list[str] = []
    languages: list[str] | None = None
    exclude: list[str] = []
    evaluation_sources: list[str] = []
    validation_sources: list[str] = []
    allowed_licenses: list[str] | None = None
    near_duplicate_threshold: float = Field(0.8, gt=0, le=1)
    temperature: float | None = Field(None, gt=0)
    train_rows: int | None = Field(None, gt=0)
    max_anchor_words: int = Field(256, gt=0)
    benchmarks: dict[str, list[str]] = {}


class TokenizerSection(Section):
    """The byte-level BPE."""

    vocab_size: int = Field(32_000, ge=300)
    max_bytes: int = Field(60_000_000, gt=0)
    compare: bool = True


class Words(Section):
    """How a static model's text is written: see `codefit.models.words.WordWeights`."""

    repeat: float = Field(2.0, gt=0)
    max_words: int = Field(150, gt=0)
    head_words: int = Field(8, ge=0)
    head_bonus: float = Field(8.0, ge=0)
    name_bonus: float = Field(24.0, ge=0)


class StaticModel(Section):
    """A table of token vectors."""

    kind: Literal["static"]
    dimensions: int = Field(256, gt=0)
    words: Words | None = Words()


class EncoderModel(Section):
    """A BERT-style encoder from random initialisation."""

    kind: Literal["encoder"]
    hidden: int = Field(512, gt=0)
    layers: int = Field(8, gt=0)
    heads: int = Field(8, gt=0)
    ffn: int = Field(2048, gt=0)
    max_tokens: int = Field(256, gt=0)
    projection: int = Field(384, gt=0)
    dropout: float = Field(0.1, ge=0, lt=1)


class Train(Section):
    """The contrastive training."""

    epochs: float | None = Field(None, gt=0)
    max_steps: int | None = Field(None, gt=0)
    batch_size: int = Field(1024, gt=1)
    learning_rate: float = Field(1e-2, gt=0)
    warmup_steps: int = Field(0, ge=0)
    schedule: Schedule = "linear"
    temperature: float = Field(0.05, gt=0)
    sizes: list[int] = []
    hard_neg_weight: float = Field(1.0, ge=0)
    memory_tokens: int = Field(16_384, gt=0)
    save_every: int = Field(500, ge=0)
    eval_every: int = Field(0, ge=0)
    device: str = "auto"

    def model_post_init(self, context: Any) -> None:
        one_of_epochs_and_steps(self.epochs, self.max_steps)


class Evaluate(Section):
    """Retrieval on what was held out, repository by repository."""

    pool_size: int = Field(500, gt=1)
    min_pool: int = Field(50, gt=1)


class Export(Section):
    """The benchmark that names the fastest backend."""

    batch_size: int = Field(16, gt=0)
    seq_len: int = Field(128, gt=0)


class Ask(Section):
    """Questions put to the exported model at the end, over functions that it was not trained on."""

    source: str
    queries: list[str] = Field(min_length=1)
    results: int = Field(3, gt=0)


class CodeEncoder(Section):
    """A code embedding model from scratch: raw source to a measured, exported, searchable model."""

    system: Literal["code-encoder"]
    name: str
    description: str
    seed: int = 0
    data: Data
    tokenizer: TokenizerSection = TokenizerSection()
    model: Annotated[StaticModel | EncoderModel, Field(discriminator="kind")]
    train: Train
    evaluate: Evaluate = Evaluate()
    export: Export = Export()
    ask: Ask | None = None
