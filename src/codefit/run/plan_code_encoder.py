"""What a run will cost, before anything is spent: counted where that is quick, else measured on a sample.

Files are read and their bytes counted, a sample of them is mined and prepared, a tokenizer is learned from it, and the
learner takes a few steps. What is measured is scaled up to the whole; the result says what is counted and what is not.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from codefit.corpus.documents.read import read_documents
from codefit.corpus.manifest import Receipt
from codefit.corpus.prepare import prepare_pairs
from codefit.errors import InputError
from codefit.models.tokenizer import train_tokenizer
from codefit.recipe import CodeEncoder, Data
from codefit.records import Document, Pair, read_rows
from codefit.run.embedding import train_settings, trainable
from codefit.run.machine import machine_facts
from codefit.run.pair_data import find_files, prepare_settings
from codefit.run.plan_sample import BASE_BYTES, LowestHashes
from codefit.tasks.pairs import CALLABLE_KINDS, mine_document

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from codefit.train.embedding import Job

SAMPLED_DOCUMENTS = 300  # about three seconds of mining on one core
SAMPLED_READY_PAIRS = 3000
MEASURED_STEPS = 3
MEASURED_PAIRS = 1024  # a step is measured on no more than these: an encoder's costs in proportion to its pairs
# Bytes that one pair holds while it is prepared and trained on: its texts, their shingles, its counts of words.
BYTES_A_PAIR = 12_000
# What a BPE takes for each byte that it learns from.
TOKENIZER_BYTES_A_BYTE = 12


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is to learn from. Documents and ready pairs are counted, `mined` is scaled up from the sample."""

    documents: int
    bytes: int
    reading_seconds: float
    mining_seconds: float
    mined: int
    ready: int
    held_out: int
    sample: list[Pair]
    missing: list[str]


def plan_code_encoder(recipe: CodeEncoder) -> dict[str, Any]:
    """Rows, tokens, padding share, parameters, memory in bytes, seconds of each stage, and an example as it is seen."""
    from codefit.train.embedding import new_job

    found = _survey(recipe.data, recipe.seed)
    if not found.sample:
        raise InputError("a sample of the documents and pairs gives no pair to train on", where=recipe.name)
    kept, preparing = _prepared(found.sample, recipe)
    rows = round((found.mined + found.ready - found.held_out) * len(kept) / len(found.sample))
    rows = min(rows, recipe.data.train_rows or rows)
    settings = train_settings(recipe.train, rows, recipe.seed)

    started = time.monotonic()
    texts = [text for pair in kept for text in (pair.anchor, pair.positive)]
    tokenizer = train_tokenizer(texts, recipe.tokenizer.vocab_size)
    sampled_bytes = sum(len(text.encode()) for text in texts)
    corpus_bytes = min(recipe.tokenizer.max_bytes, round(sampled_bytes / len(kept) * rows))
    learning = (time.monotonic() - started) / sampled_bytes * corpus_bytes * (2 if recipe.tokenizer.compare else 1)

    job = new_job(trainable(recipe.model, recipe.train), kept[:MEASURED_PAIRS], tokenizer, recipe.seed)
    step_seconds, tokens_a_pair = _measured_step(job, settings.batch_size)
    machine = machine_facts()
    parameters = _parameters(recipe, job)
    seconds = {
        "data": found.reading_seconds
        + found.mining_seconds / machine["cores"]
        + preparing / len(found.sample) * (found.mined + found.ready),
        "tokenizer": learning,
        "train": step_seconds * settings.max_steps,
    }
    return {
        "recipe": recipe.name,
        "system": recipe.system,
        "data": {
            "documents": found.documents,
            "bytes": found.bytes,
            "mined_pairs": found.mined,
            "ready_pairs": found.ready,
            "held_out_pairs": found.held_out,
            "missing": found.missing,
        },
        "rows": rows,
        "steps": settings.max_steps,
        "batch_size": settings.batch_size,
        "tokens": {
            "per_pair": tokens_a_pair,
            "per_epoch": round(tokens_a_pair * rows),
            "total": round(tokens_a_pair * settings.batch_size * settings.max_steps),
            **_padding(recipe, job),
        },
        "parameters": parameters,
        "memory_bytes": _memory(recipe, parameters, found, corpus_bytes),
        "seconds": {**seconds, "total": sum(seconds.values())},
        "machine": machine,
        "example": _example(recipe, kept, tokenizer),
    }


def _survey(data: Data, seed: int) -> _Found:
    """Count documents and ready pairs, and mine a sample."""
    held_out = {*data.evaluation_sources, *data.validation_sources}
    started = time.monotonic()
    documents, size = 0, 0
    sampled: list[Document] = []
    if data.documents:
        receipt = Receipt()
        stream = read_documents(data.documents, languages=data.languages, exclude=data.exclude, receipt=receipt)
        documents, size, sampled = _sampled_documents(stream, seed)
    reading = time.monotonic() - started
    started = time.monotonic()
    mined = [pair for document in sampled for pair in mine_document(document, kinds=CALLABLE_KINDS).pairs]
    scale = size / max(1, sum(len(document.text) for document in sampled))
    mining = (time.monotonic() - started) * scale
    files, missing = find_files(data.pairs)
    ready, counts = _ready_pairs((pair for path in files for pair in read_rows(path, Pair)), data.exclude, seed)
    apart = sum(counts[source] for source in held_out) + scale * sum(pair.source in held_out for pair in mined)
    return _Found(
        documents=documents,
        bytes=size,
        reading_seconds=reading,
        mining_seconds=mining,
        mined=round(scale * len(mined)),
        ready=counts.total(),
        held_out=round(apart),
        sample=[pair for pair in (*mined, *ready) if pair.source not in held_out],
        missing=missing,
    )


def _sampled_documents(stream: Iterable[Document], seed: int) -> tuple[int, int, list[Document]]:
    """How many there are, their characters, and a sample."""
    sample: LowestHashes[Document] = LowestHashes(SAMPLED_DOCUMENTS, seed)
    size = 0
    for document in stream:
        size += len(document.text)
        sample.add(f"{document.repo}/{document.path}", document)
    return sample.seen, size, sample.items()


def _ready_pairs(pairs: Iterable[Pair], exclude: Sequence[str], seed: int) -> tuple[list[Pair], Counter[str]]:
    """A sample, and how many rows each source has."""
    counts: Counter[str] = Counter()
    sample: LowestHashes[Pair] = LowestHashes(SAMPLED_READY_PAIRS, seed)
    for pair in pairs:
        if pair.source not in exclude:
            counts[pair.source] += 1
            sample.add(pair.positive, pair)
    return sample.items(), counts


def _prepared(sample: list[Pair], recipe: CodeEncoder) -> tuple[list[Pair], float]:
    started = time.monotonic()
    kept = prepare_pairs(sample, prepare_settings(recipe.data, recipe.seed), Receipt()).train
    return kept, time.monotonic() - started


def _measured_step(job: Job, batch_size: int) -> tuple[float, float]:
    """Seconds of a step of `batch_size` pairs, the median of a few after the first; and tokens of a pair."""
    data = job.learner.data
    rows = np.arange(min(len(data), batch_size, MEASURED_PAIRS if _is_static(job) else 64))
    times = []
    for _ in range(MEASURED_STEPS + 1):
        started = time.monotonic()
        job.learner.learn(rows, 0.0)
        times.append(time.monotonic() - started)
    return float(np.median(times[1:])) * batch_size / len(rows), data.tokens(np.arange(len(data))) / len(data)


def _is_static(job: Job) -> bool:
    from codefit.train.static import StaticLearner

    return isinstance(job.learner, StaticLearner)


def _padding(recipe: CodeEncoder, job: Job) -> dict[str, float]:
    """The share of positions that are padding: as codefit batches, and where a batch is as long as its longest text."""
    if recipe.model.kind == "static":
        return {"padding_share": 0.0, "padding_share_unsorted": 0.0}  # a bag of words has no positions
    from codefit.models.length_chunks import length_chunks

    lengths = np.array([len(ids) for ids in (*job.learner.data.anchors, *job.learner.data.positives)])
    chunks = length_chunks(lengths, recipe.train.memory_tokens)
    padded = sum(len(chunk) * int(lengths[chunk].max()) for chunk in chunks)
    batch = min(len(lengths), recipe.train.batch_size)
    blocks = np.array_split(lengths, max(1, len(lengths) // batch))
    unsorted = sum(len(block) * int(block.max()) for block in blocks)
    real = int(lengths.sum())
    return {"padding_share": 1 - real / padded, "padding_share_unsorted": 1 - real / unsorted}


def _parameters(recipe: CodeEncoder, job: Job) -> int:
    """The sample's tokenizer may be smaller than the recipe's: its missing rows are added."""
    missing = recipe.tokenizer.vocab_size - job.vocabulary
    width = recipe.model.dimensions + 1 if recipe.model.kind == "static" else recipe.model.hidden
    return job.parameters + max(0, missing) * width


def _memory(recipe: CodeEncoder, parameters: int, found: _Found, corpus_bytes: int) -> int:
    """Bytes at the peak: the larger of what preparing, the tokenizer and training hold."""
    pairs = (found.mined + found.ready) * BYTES_A_PAIR
    weights = parameters * 4 * 4  # weights, gradients and Adam's two moments, in single precision
    activations = 0
    if recipe.model.kind == "encoder":
        # Korthikanti et al. (2022, equation 2) without recomputation: 34 bytes a token and unit of width, per layer,
        # and attention scores of 5 bytes a head and pair of positions, in half precision; twice that in single.
        shape = recipe.model
        tokens = min(recipe.train.memory_tokens, 2 * recipe.train.batch_size * shape.max_tokens)
        activations = 2 * tokens * shape.layers * (34 * shape.hidden + 5 * shape.heads * shape.max_tokens)
    return BASE_BYTES + max(pairs + weights + activations, corpus_bytes * TOKENIZER_BYTES_A_BYTE)


def _example(recipe: CodeEncoder, pairs: Sequence[Pair], tokenizer: Tokenizer) -> dict[str, Any]:
    """A pair as it stands and as the model sees it: each token of the query and the code with how often it counts."""
    pair = min(pairs, key=lambda p: abs(len(p.positive) - 300))
    words = trainable(recipe.model, recipe.train)
    weights = getattr(words, "words", None)
    query = weights.query_text(pair.anchor) if weights else pair.anchor
    code = weights.code_text(pair.positive) if weights else pair.positive

    def tokens(text: str) -> list[list[Any]]:
        pieces = [tokenizer.decode([i]) for i in tokenizer.encode(text, add_special_tokens=False).ids]
        return [[piece, count] for piece, count in Counter(pieces).items()] if weights else [[p, 1] for p in pieces]

    return {
        "source": pair.source,
        "anchor": pair.anchor,
        "positive": pair.positive,
        "query_tokens": tokens(query),
        "code_tokens": tokens(code),
    }
