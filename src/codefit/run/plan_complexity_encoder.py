"""How dense functions are in tokens and how fast the encoder learns from them: a tokenizer of a part, a few real steps.

Nothing is trained for keeps: steps are taken at a rate of nought, which changes no weight.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from codefit.models.score_windows import Chunk, CodeTokens, Tokens, chunks_of
from codefit.models.tokenizer import PAD, train_tokenizer
from codefit.recipe.complexity_scoring import ComplexityScoring
from codefit.records import ScoredFunction
from codefit.run.complexity_data import ONE_BROKEN_OF, STYLES
from codefit.run.complexity_training import encoder_steps, scoring_settings
from codefit.run.plan_complexity_data import FunctionsFound

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from codefit.train.scoring import ScoredText, ScoringLearner

TOKENIZED_CHARACTERS = 1_500_000  # of functions, that a tokenizer is learned from and that are cut into tokens
MEASURED_STEPS = 3  # after one that warms up
STEP_SECONDS = 6.0  # that they may take
EXAMPLE_CHARACTERS = 400  # about so long is the function whose targets are shown
TOKEN_BYTES = 4 * 4 + 3 * 4  # its id with its nesting, and what it counts for
NUMBER_BYTES = 4 * 4  # a number that learns: itself, its gradient and Adam's two moments


@dataclass(frozen=True, slots=True)
class EncoderFound:
    """What the encoder reads, and how fast it learns.

    `tokens` are of a function on average, `longer` is the share of functions that are longer than a window,
    `activations` are the bytes of the largest batch. Padding is a share of positions: as batches are cut up, and where
    a batch is as long as its longest function.
    """

    steps: int
    parameters: int
    tokens: float
    counted: bool
    tokenized: int
    longer: float
    activations: int
    padding: float
    padding_whole: float
    tokenizing: float
    seconds_a_token: float
    scoring: float  # seconds a token, to read without learning
    example: dict[str, Any]


def measure_encoder(recipe: ComplexityScoring, found: FunctionsFound) -> EncoderFound:
    """A tokenizer of a part of the functions, their batches, and a few steps."""
    part = _part(found.sides.train)
    started = time.monotonic()
    tokenizer = train_tokenizer((row.code for row in part), recipe.model.vocab_size)
    characters = sum(len(row.code) for row in part)
    tokenizing = (time.monotonic() - started) / characters * found.characters * (1 + variants(recipe))
    texts = CodeTokens(tokenizer)([row.code for row in part])
    lengths = np.array([len(text) for text in texts])
    sections = encoder_steps(recipe)
    batches = _batches(texts, recipe.train.batch_size, recipe.seed)
    chunks = [chunks_of(batch, recipe.model.window, _pad(tokenizer)) for batch in batches]
    positions = [sum(chunk.tokens.size for chunk in own) for own in chunks]
    real = [sum(len(text) for text in batch) for batch in batches]
    whole = [len(batch) * max(len(text) for text in batch) for batch in batches]
    learner, shown = _learner(recipe, found.scored, tokenizer)
    return EncoderFound(
        steps=sections.count(found.train),
        parameters=_parameters(learner, recipe.model.vocab_size, tokenizer.get_vocab_size()),
        tokens=float(lengths.mean()),
        counted=found.counted and len(part) == len(found.sides.train) and not variants(recipe),
        tokenized=len(part),
        longer=float((lengths > recipe.model.window).mean()),
        activations=max(_activations(recipe, own) for own in chunks),
        padding=1 - sum(real) / sum(positions),
        padding_whole=1 - sum(real) / sum(whole),
        tokenizing=tokenizing,
        seconds_a_token=_learning(learner, recipe.train.batch_size),
        scoring=_scoring(learner, shown),
        example=_example(found.scored, shown, tokenizer),
    )


def variants(recipe: ComplexityScoring) -> float:
    """How many variants a function has, that are learned from beside it."""
    return STYLES + 1 / ONE_BROKEN_OF if recipe.train.variant_share else 0.0


def memory_of(recipe: ComplexityScoring, encoder: EncoderFound, functions: int) -> int:
    """Bytes that training the encoder holds besides what a process holds anyway: numbers, activations, functions."""
    held = round((1 + variants(recipe)) * functions * encoder.tokens * TOKEN_BYTES)
    return NUMBER_BYTES * encoder.parameters + encoder.activations + held


def _activations(recipe: ComplexityScoring, chunks: Sequence[Chunk]) -> int:
    """Bytes that the encoder keeps of a batch for the backward pass, in single precision.

    Korthikanti et al. (2022, equation 2), without recomputation: in half precision 34 bytes a token and unit of width
    and layer, and 5 bytes a head and pair of positions.
    """
    model = recipe.model
    parts = (chunk.tokens.size * (34 * model.hidden + 5 * model.heads * chunk.tokens.shape[1]) for chunk in chunks)
    return 2 * model.layers * int(sum(parts))


def _part(rows: Sequence[ScoredFunction]) -> list[ScoredFunction]:
    """Functions up to `TOKENIZED_CHARACTERS`, spread over all."""
    size = sum(len(row.code) for row in rows)
    every = max(1, -(-size // TOKENIZED_CHARACTERS))
    return list(rows[::every])


def _batches(texts: Sequence[Tokens], batch_size: int, seed: int) -> list[list[Tokens]]:
    """The batches of a pass, as training draws them."""
    from codefit.train.scoring import ScoredText, ScoringData

    none = np.zeros(3, np.float32)
    data = ScoringData([ScoredText(text, 0.0, none, None, "") for text in texts])
    batches = data.batches(batch_size, seed=seed, first_step=0)
    return [[text.tokens for text in next(batches)] for _ in range(max(1, len(texts) // batch_size))]


def _learner(
    recipe: ComplexityScoring, rows: Sequence[ScoredFunction], tokenizer: Tokenizer
) -> tuple[ScoringLearner, list[ScoredText]]:
    """A learner of the recipe's sizes over the few functions that are measured, and how it is shown them."""
    import torch

    from codefit.models.score_network import ScoreNetwork, ScoreShape
    from codefit.train.score_encoder import scored_texts
    from codefit.train.scoring import ScoringData, ScoringLearner

    shape = ScoreShape(
        vocabulary=tokenizer.get_vocab_size(),
        pad=_pad(tokenizer),
        **recipe.model.sizes(),  # type: ignore[arg-type]
    )
    torch.manual_seed(recipe.seed)
    texts = scored_texts(rows, tokenizer)
    return ScoringLearner(ScoreNetwork(shape), ScoringData(texts), scoring_settings(recipe), seed=recipe.seed), texts


def _parameters(learner: ScoringLearner, vocabulary: int, pieces: int) -> int:
    """A part's tokenizer may be smaller than the recipe's: its missing rows are added."""
    own = sum(int(parameter.numel()) for parameter in learner.network.parameters())
    return own + max(0, vocabulary - pieces) * int(learner.network.shape.hidden)


def _pad(tokenizer: Tokenizer) -> int:
    pad = tokenizer.token_to_id(PAD)
    assert pad is not None  # it was learned with this token
    return pad


def _learning(learner: ScoringLearner, batch_size: int) -> float:
    """Seconds a token over a few steps after the first."""
    batches = learner.data.batches(batch_size, seed=0, first_step=0)
    learner.learn(next(batches), 0.0)
    started = time.monotonic()
    tokens = 0
    for _ in range(MEASURED_STEPS):
        batch = next(batches)
        learner.learn(batch, 0.0)
        tokens += learner.data.tokens(batch)
        if time.monotonic() - started > STEP_SECONDS:
            break
    return (time.monotonic() - started) / max(1, tokens)


def _scoring(learner: ScoringLearner, texts: Sequence[ScoredText]) -> float:
    started = time.monotonic()
    learner.score([text.tokens for text in texts])
    return (time.monotonic() - started) / max(1, sum(len(text.tokens) for text in texts))


def _example(rows: Sequence[ScoredFunction], texts: Sequence[ScoredText], tokenizer: Tokenizer) -> dict[str, Any]:
    """A function with what each of its tokens counts for: `[text, branches, tokens, lines]`, where that is known."""
    known = [(row, text) for row, text in zip(rows, texts, strict=True) if text.places is not None]
    branching = [pair for pair in known if pair[1].sums[0] > 0]
    chosen = branching or known or list(zip(rows, texts, strict=True))
    row, text = min(chosen, key=lambda pair: abs(len(pair[0].code) - EXAMPLE_CHARACTERS))
    places = text.places.tolist() if text.places is not None else [[None] * 3] * len(text.tokens)
    return {
        "source": row.source,
        "path": row.path,
        "score": row.score,
        "branches": int(text.sums[0]),
        "counted": [int(each) for each in text.sums[1:].tolist()],
        "tokens": [
            [tokenizer.decode([token]), *own] for token, own in zip(text.tokens[:, 0].tolist(), places, strict=True)
        ],
    }
