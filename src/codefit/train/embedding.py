"""Train an embedding model from files to a folder: pairs and a tokenizer in, a sentence-transformers model out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.evaluate.pools import pools_by_source
from codefit.evaluate.retrieval import METRICS, RetrievalSet, fit_model_weight, rank
from codefit.files import hash_file
from codefit.models.fusion import DEFAULT_MODEL_WEIGHT
from codefit.models.info import ModelInfo, write_info
from codefit.models.piece_tokens import PieceTokens
from codefit.models.static import StaticTable, new_table, weigh_by_rarity
from codefit.models.tokenizer import load_tokenizer
from codefit.models.word_tokens import WordTokens
from codefit.models.words import WordWeights
from codefit.records import Pair, load_rows
from codefit.train.pair_batches import TokenizedPairs, number_groups, positive_keys
from codefit.train.static import StaticLearner, StaticSettings
from codefit.train.trainer import TrainResult, TrainSettings, train

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from codefit.evaluate.retrieval import Embedder
    from codefit.models.encoder import EncoderShape
    from codefit.train.encoder import EncoderLearner, EncoderSettings

FloatArray = npt.NDArray[np.float32]
TokenIds = npt.NDArray[np.int32]
EncodeTexts = Callable[[Sequence[str]], list[TokenIds]]

STATIC_MAX_TOKENS = 4096  # a bound on the longest text: weighted words seldom make more than a few hundred tokens


@dataclass(frozen=True, slots=True)
class TrainFiles:
    """What training reads and where it writes. Without `evaluation` the last model is kept, not the best."""

    train: Path
    evaluation: Path | None
    tokenizer: Path
    out: Path
    rejected: Path | None = None


@dataclass(frozen=True, slots=True)
class StaticModel:
    """A table of `dimensions`; `words` says how its texts are written, None that they are taken as they are."""

    dimensions: int
    words: WordWeights | None
    learning: StaticSettings


@dataclass(frozen=True, slots=True)
class EncoderModel:
    """A BERT-style encoder from random initialisation."""

    shape: EncoderShape
    learning: EncoderSettings


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it: the trainer's result, the fusion weight fitted on the evaluation pairs, and sizes."""

    result: TrainResult
    model_weight: float
    parameters: int
    pairs: int
    validation: Mapping[str, float] = field(default_factory=dict)


def train_embedding_model(
    files: TrainFiles, model: StaticModel | EncoderModel, settings: Callable[[int], TrainSettings], *, pool_size: int
) -> Trained:
    """Train `model` and write it to `files.out/model`; `settings` is asked with the number of training pairs.

    Evaluation pairs choose the best checkpoint and the weight of the fusion with BM25: what is reported must be other
    pairs. Raises `InputError` where files are missing, empty or of the wrong shape.
    """
    pairs = load_rows(files.train, Pair, rejected=files.rejected)
    tokenizer = load_tokenizer(files.tokenizer)
    schedule = settings(len(pairs))
    pools = _validation_pools(files.evaluation, pool_size)
    job = new_job(model, pairs, tokenizer, schedule.seed)

    def evaluate() -> dict[str, float]:
        found = [rank(job.embedder, pool, DEFAULT_MODEL_WEIGHT) for pool in pools]
        mrr = METRICS["mrr@10"]
        return {
            "mrr@10": float(np.mean([mrr(f.model).mean() for f in found])),
            "bm25 mrr@10": float(np.mean([mrr(f.bm25).mean() for f in found])),
        }

    def describe(folder: Path) -> None:
        weight = fit_model_weight(job.embedder, pools) if pools else DEFAULT_MODEL_WEIGHT
        fitted["weight"] = weight
        write_info(folder, job.info(folder, weight, schedule.seed))

    fitted = {"weight": DEFAULT_MODEL_WEIGHT}
    result = train(job.learner, schedule, files.out, evaluate=evaluate if pools else None, describe=describe)
    return Trained(
        result=result,
        model_weight=fitted["weight"],
        parameters=job.parameters,
        pairs=len(pairs),
        validation=result.best,
    )


def _validation_pools(file: Path | None, size: int) -> list[RetrievalSet]:
    if file is None:
        return []
    pools = list(pools_by_source(load_rows(file, Pair), size=size).values())
    if not pools:
        raise InputError("no source has pairs enough for a pool", where=str(file), fix="add evaluation pairs")
    return pools


@dataclass(frozen=True, slots=True)
class Job:
    """A model in training: who learns, how it embeds now, its sizes, what is written beside it."""

    learner: StaticLearner | EncoderLearner
    embedder: Embedder
    parameters: int
    vocabulary: int
    info: Callable[[Path, float, int], ModelInfo]


def new_job(model: StaticModel | EncoderModel, pairs: Sequence[Pair], tokenizer: Tokenizer, seed: int) -> Job:
    """The model with its starting weights, and a learner that holds the pairs as token ids."""
    if isinstance(model, StaticModel):
        return _static_job(model, pairs, tokenizer, seed)
    return _encoder_job(model, pairs, tokenizer, seed)


def _static_job(model: StaticModel, pairs: Sequence[Pair], tokenizer: Tokenizer, seed: int) -> Job:
    table = new_table(tokenizer, model.dimensions, seed=seed)
    plain = plain_ids(tokenizer, STATIC_MAX_TOKENS)
    views = [tokenize_pairs(pairs, plain, plain)]
    queries = codes = plain
    if model.words is not None:
        # Every other step sees the texts as they are: the table then also serves programs that know no weighted words.
        weighted = WordTokens(tokenizer, model.words)
        queries = partial(weighted.queries, max_tokens=STATIC_MAX_TOKENS)
        codes = partial(weighted.codes, max_tokens=STATIC_MAX_TOKENS)
        views.insert(0, tokenize_pairs(pairs, queries, codes))
    weigh_by_rarity(table, table.bags(views[0].positives))
    embedder = _TableEmbedder(table, queries, codes)

    def info(folder: Path, model_weight: float, seed: int) -> ModelInfo:
        return ModelInfo(
            kind="static",
            dimensions=model.dimensions,
            max_tokens=STATIC_MAX_TOKENS,
            tokenizer_sha256=hash_file(folder / "tokenizer.json"),
            words=model.words,
            model_weight=model_weight,
            sizes=list(model.learning.sizes),
            seed=seed,
        )

    parameters = table.vectors.size + table.weights.size
    return Job(StaticLearner(table, views, model.learning), embedder, parameters, tokenizer.get_vocab_size(), info)


def _encoder_job(model: EncoderModel, pairs: Sequence[Pair], tokenizer: Tokenizer, seed: int) -> Job:
    from codefit.models.encoder import count_parameters, new_encoder
    from codefit.train.encoder import EncoderLearner

    network = new_encoder(model.shape, tokenizer, seed=seed)
    plain = plain_ids(tokenizer, model.shape.max_tokens)
    data = tokenize_pairs(pairs, plain, plain)
    learner = EncoderLearner(network, data, model.learning, seed=seed)

    def info(folder: Path, model_weight: float, seed: int) -> ModelInfo:
        return ModelInfo(
            kind="encoder",
            dimensions=model.shape.projection,
            max_tokens=model.shape.max_tokens,
            tokenizer_sha256=hash_file(folder / "tokenizer.json"),
            model_weight=model_weight,
            sizes=list(model.learning.sizes),
            seed=seed,
        )

    return Job(learner, learner, count_parameters(network), tokenizer.get_vocab_size(), info)


@dataclass(frozen=True, slots=True)
class _TableEmbedder:
    """The table as it is now, embedding questions and code."""

    table: StaticTable
    queries: EncodeTexts
    codes: EncodeTexts

    def encode_queries(self, queries: Sequence[str]) -> FloatArray:
        return self.table.embed(self.queries(queries))

    def encode_codes(self, codes: Sequence[str]) -> FloatArray:
        return self.table.embed(self.codes(codes))


def plain_ids(tokenizer: Tokenizer, max_tokens: int) -> EncodeTexts:
    """Texts as they are to their ids, at most `max_tokens` of each."""
    pieces = PieceTokens(tokenizer)
    return lambda texts: [np.array(ids, dtype=np.int32) for ids in pieces.ids(texts, max_tokens)]


def tokenize_pairs(pairs: Sequence[Pair], queries: EncodeTexts, codes: EncodeTexts) -> TokenizedPairs:
    """Pairs as token ids; `queries` and `codes` turn texts into ids."""
    negatives = [pair.negatives() for pair in pairs]
    flat = codes([text for own in negatives for text in own])
    ends = np.concatenate([[0], np.cumsum([len(own) for own in negatives])])
    return TokenizedPairs(
        anchors=queries([pair.anchor for pair in pairs]),
        positives=codes([pair.positive for pair in pairs]),
        negatives=[flat[start:end] for start, end in pairwise(ends)],
        group=number_groups(pairs),
        positive_key=positive_keys(pairs),
    )
