"""A small language model that learns a small corpus, for the tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from codefit.models.language_model import LanguageModel
from codefit.records import Document
from codefit.train.causal import CausalLearner, CausalSettings
from codefit.train.causal_data import CausalData, Curriculum, Tokenize
from small_models import standard_functions
from tiny_language_models import tiny_language_model

LENGTHS = (40, 64)
SEED = 0


@cache
def causal_documents() -> tuple[Document, ...]:
    """Files of some functions each."""
    functions = standard_functions()[:24]
    return tuple(
        Document(f"f{start // 3}.py", "\n\n".join(functions[start : start + 3]) + "\n", "python", "here")
        for start in range(0, len(functions), 3)
    )


@cache
def causal_data(lengths: tuple[int, ...] = LENGTHS, steps: int | None = 40, fim_rate: float = 0.3) -> CausalData:
    """The documents in a curriculum; made once, since nothing in it changes."""
    tokenize = Tokenize(tiny_language_model().tokenizer)
    return CausalData(causal_documents(), tokenize, Curriculum(lengths, steps=steps, fim_rate=fim_rate))


def causal_learner(
    data: CausalData | None = None, *, language_model: LanguageModel | None = None, **settings: Any
) -> CausalLearner:
    """A tiny model on the CPU that has learned nothing."""
    made = CausalSettings(**{"device": "cpu", "learning_rate": 3e-3, **settings})
    return CausalLearner(language_model or tiny_language_model(), data or causal_data(), made, seed=SEED)


def learn(learner: CausalLearner, steps: int, *, batch_size: int = 8, first_step: int = 0) -> list[float]:
    """Losses of some steps at the full rate."""
    batches = learner.data.batches(batch_size, seed=SEED, first_step=first_step)
    return [learner.learn(batch, 1.0) for batch, _ in zip(batches, range(steps), strict=False)]
