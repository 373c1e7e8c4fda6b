"""A tiny language model that learns chats of scored functions, for the tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from chat_examples import CHATML, chat_format, chat_model, scored_chats
from codefit.models.language_model import LanguageModel
from codefit.records import Rejects
from codefit.train.causal import AdapterSettings, CausalLearner, CausalSettings
from codefit.train.chat_data import ChatData, encode_chats

CHATS = 20
SEED = 0


@cache
def chat_data() -> ChatData:
    """Scored functions in the frame of ChatML; made once, since nothing in it changes."""
    return ChatData(encode_chats(scored_chats(CHATS), chat_format(chat_model(CHATML)), Rejects()))


def chat_learner(language_model: LanguageModel | None = None, **settings: Any) -> CausalLearner:
    """A tiny model on the CPU, with an adapter that has learned nothing."""
    made = CausalSettings(
        **{"device": "cpu", "learning_rate": 5e-2, "adapter": AdapterSettings(rank=4, alpha=8), **settings}
    )
    return CausalLearner(language_model or chat_model(CHATML), chat_data(), made, seed=SEED)


def learn_chats(learner: CausalLearner, steps: int, *, first_step: int = 0) -> list[float]:
    """Losses of some steps of eight chats at the full rate."""
    batches = learner.data.batches(8, seed=SEED, first_step=first_step)
    return [learner.learn(batch, 1.0) for batch, _ in zip(batches, range(steps), strict=False)]
