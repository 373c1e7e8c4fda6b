"""Small trainings for the tests, also run in processes of their own that are killed."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from causal_examples import causal_learner
from tokenizers import Tokenizer

from codefit.models.encoder import EncoderShape, new_encoder
from codefit.models.static import new_table
from codefit.models.tokenizer import train_tokenizer
from codefit.records import Pair
from codefit.train.causal import AdapterSettings
from codefit.train.embedding import plain_ids, tokenize_pairs
from codefit.train.encoder import EncoderLearner, EncoderSettings
from codefit.train.pair_batches import TokenizedPairs
from codefit.train.static import StaticLearner, StaticSettings
from codefit.train.trainer import Learner, TrainResult, TrainSettings, train

VERBS = ["open", "close", "read", "write", "parse", "merge", "sort", "split", "find", "count"]
NOUNS = ["file", "socket", "list", "tree", "graph", "table", "token", "image"]
MAX_TOKENS = 48
STEPS = 40
SHAPE = EncoderShape(hidden=32, layers=2, heads=2, ffn=64, max_tokens=MAX_TOKENS, projection=16, dropout=0.1)


def make_pairs(count: int, *, negatives: int = 0, sources: int = 3, seed: int = 0) -> list[Pair]:
    """Pairs whose anchor names what its code does; codes are of very different lengths."""
    draw = random.Random(seed)
    pairs = []
    for number in range(count):
        verb, noun = draw.choice(VERBS), draw.choice(NOUNS)
        body = "\n".join(f"    {noun}.{draw.choice(VERBS)}({i})" for i in range(draw.randint(0, 8)))
        pairs.append(
            Pair(
                anchor=f"{verb} the {noun}",
                positive=f"def {verb}_{noun}({noun}):\n{body}\n    return {number}",
                source=f"source{number % sources}",
                split="train",
                negative=[f"def {draw.choice(VERBS)}_{noun}(): pass" for _ in range(negatives)] or None,
            )
        )
    return pairs


@functools.cache
def tokenizer() -> Tokenizer:
    """A tokenizer of the examples' texts."""
    return train_tokenizer([text for pair in make_pairs(200) for text in (pair.anchor, pair.positive)], 400)


def tokens(pairs: Sequence[Pair], max_tokens: int = MAX_TOKENS) -> TokenizedPairs:
    """The pairs as token ids."""
    ids = plain_ids(tokenizer(), max_tokens)
    return tokenize_pairs(pairs, ids, ids)


def static_learner(pairs: Sequence[Pair] | None = None, settings: StaticSettings | None = None) -> StaticLearner:
    """A table of 8 dimensions that has learned nothing."""
    table = new_table(tokenizer(), 8, seed=0)
    return StaticLearner(table, [tokens(pairs or make_pairs(60))], settings or StaticSettings())


def encoder_learner(
    pairs: Sequence[Pair] | None = None, shape: EncoderShape = SHAPE, **settings: object
) -> EncoderLearner:
    """A tiny encoder on the CPU that has learned nothing."""
    network = new_encoder(shape, tokenizer(), seed=0)
    return EncoderLearner(
        network,
        tokens(pairs or make_pairs(60), shape.max_tokens),
        EncoderSettings(**{"device": "cpu", **settings}),  # type: ignore[arg-type]
        seed=0,
    )


def make_learner(kind: str) -> Learner[Any]:
    """The learner `static`, `encoder` or `causal`, which has an adapter with dropout here."""
    if kind == "causal":
        return causal_learner(adapter=AdapterSettings(rank=4, alpha=8, dropout=0.1), rows_at_once=4)
    return static_learner() if kind == "static" else encoder_learner(memory_tokens=256)


def run_training(kind: str, out: Path, steps: int = STEPS, save_every: int = 3) -> TrainResult:
    """Train to `steps` with evaluations, in this process."""
    import torch

    torch.set_num_threads(1)
    learner = make_learner(kind)
    settings = TrainSettings(max_steps=steps, batch_size=8, warmup_steps=5, save_every=save_every, eval_every=4)

    def evaluate() -> dict[str, float]:
        # It rises and falls, so that the best step is none of the last.
        return {"mrr@10": float(np.sin(sum(float(np.abs(a).sum()) for a in learner.state().values())))}

    return train(learner, settings, out, evaluate=evaluate)
