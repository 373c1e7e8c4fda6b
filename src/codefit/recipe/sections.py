"""What recipes are made of, and the sections that several systems share."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Schedule = Literal["linear", "cosine", "constant"]
# A sequence of fewer tokens is not worth its place in a batch: attention has nothing to look at.
SHORTEST_SEQUENCE = 32


class Section(BaseModel):
    """Part of a recipe: immutable, and a field that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sources(Section):
    """Where documents come from, and which repositories and languages of them are read."""

    documents: list[str] = []
    pairs: list[str] = []
    languages: list[str] | None = None
    leave_out_languages: list[str] = []
    exclude: list[str] = []
    sources: list[str] | None = None

    def model_post_init(self, context: Any) -> None:
        if not self.documents and not self.pairs:
            raise ValueError("give documents, pairs or both")
        refuse_common("languages", self.languages, "leave_out_languages", self.leave_out_languages)
        refuse_common("sources", self.sources, "exclude", self.exclude)


class CausalTrain(Section):
    """The training of a language model; lengths are tokens, one stage of the curriculum each."""

    epochs: float | None = Field(None, gt=0)
    max_steps: int | None = Field(None, gt=0)
    lengths: list[int] = Field([768, 1024, 1536], min_length=1)
    batch_size: int = Field(1, gt=0)
    accumulation: int = Field(8, gt=0)
    learning_rate: float = Field(1e-3, gt=0)
    warmup_steps: int = Field(0, ge=0)
    schedule: Schedule = "cosine"
    weight_decay: float = Field(0.0, ge=0)
    fim_rate: float = Field(0.0, ge=0, le=1)
    spm_rate: float = Field(0.5, ge=0, le=1)
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    gradient_checkpointing: Literal["auto", True, False] = "auto"
    save_every: int = Field(500, ge=0)
    eval_every: int = Field(0, ge=0)
    device: str = "auto"

    def model_post_init(self, context: Any) -> None:
        one_of_epochs_and_steps(self.epochs, self.max_steps)
        if min(self.lengths) < SHORTEST_SEQUENCE:
            raise ValueError(f"lengths of fewer than {SHORTEST_SEQUENCE} tokens teach nothing")
        if sorted(self.lengths) != self.lengths:
            raise ValueError(f"lengths must not fall from one stage to the next, and {self.lengths} do")


class Complete(Section):
    """Held-out places that the model writes on from, before and after, for the report."""

    samples: int = Field(6, gt=0)
    max_new_tokens: int = Field(64, gt=0)


def one_of_epochs_and_steps(epochs: float | None, max_steps: int | None) -> None:
    """Raise `ValueError` unless just one of them says how long a training is."""
    if (epochs is None) == (max_steps is None):
        raise ValueError("give one of epochs and max_steps")


def refuse_common(first: str, some: list[str] | None, second: str, others: list[str] | None) -> None:
    """Raise `ValueError` where two fields, of which each says the opposite, name the same."""
    both = sorted({*(some or ())} & {*(others or ())})
    if both:
        raise ValueError(f"{', '.join(both)} stands in {first} and in {second}")
