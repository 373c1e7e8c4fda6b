"""Training speed beside sentence-transformers' own trainer: an encoder and a static table, from the same start.

    python -m benchmarks.training_speed [--quick] [--rounds N]

Both sides see the same pairs in the same batches for the same number of steps, with the same optimiser, symmetric loss
and number of threads, each in a process of its own, in turns. What is timed is training itself: theirs from the
trainer's first step to its last, which tokenises as it goes; ours with the tokenising, which it does before. Loss is
that of pairs that neither saw, by one function for both.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from benchmarks.common import MIB, in_turns, peak_memory, ratio, run_side, store_result, timing
from codefit.corpus.documents.environment import read_environment
from codefit.corpus.hashing import seeded_hash
from codefit.corpus.manifest import Receipt
from codefit.models.encoder import PRESETS, count_parameters, new_encoder
from codefit.models.static import new_table, weigh_by_rarity
from codefit.models.tokenizer import encode_batch, load_tokenizer, save_tokenizer, train_tokenizer
from codefit.progress import say
from codefit.records import Pair, read_rows, write_rows
from codefit.tasks.pairs import mine_pairs
from codefit.train.contrastive import info_nce
from codefit.train.embedding import STATIC_MAX_TOKENS, plain_ids, tokenize_pairs
from codefit.train.encoder import EncoderLearner, EncoderSettings
from codefit.train.pair_batches import TokenizedPairs
from codefit.train.static import StaticLearner, StaticSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.integer]

SEED = 0
OURS, PEER = "codefit", "sentence_transformers"
TEMPERATURE = 0.05
WEIGHT_DECAY = 0.01
ROUNDS, QUICK_ROUNDS = 3, 1
HELD_OUT = 1_024  # pairs of the loss that is reported
VOCABULARY = 16_000
DOCUMENT_SHARE = 3  # one file in so many is read, so that the pairs come from many packages
LOSS_TOLERANCE = 0.02  # of the losses' ratio: what two orders of dropout differ by


@dataclass(frozen=True, slots=True)
class Case:
    """One model trained by all sides. Rates are each side's own where the models learn differently."""

    sides: tuple[str, ...]
    pairs: int
    steps: int
    batch_size: int
    rates: dict[str, float]
    figure: float
    preset: str | None = None
    dimensions: int = 256


ENCODER = Case(
    sides=(OURS, PEER),
    pairs=10_000,
    steps=20,
    batch_size=64,
    rates=dict.fromkeys((OURS, PEER), 1e-3),
    figure=1.5,
    preset="small",
)
# 0.2 is the rate that sentence-transformers' own guide to static models trains with.
STATIC = Case(
    sides=(OURS, PEER),
    pairs=20_000,
    steps=60,
    batch_size=1_024,
    rates={OURS: StaticSettings().learning_rate, PEER: 0.2},
    figure=3.0,
)
CASES = {"encoder": ENCODER, "static": STATIC}
QUICK_STEPS = {"encoder": 6, "static": 15}
QUICK_PAIRS = {"encoder": 3_000, "static": 6_000}


def main() -> None:
    arguments = _arguments()
    if arguments.side:
        _run_one(arguments.case, arguments.side, arguments.folder, arguments.steps)
        return
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        result = {name: _compare(name, Path(folder, name), arguments.quick, rounds) for name in arguments.cases}
    packages = ("torch", "transformers", "sentence-transformers", "tokenizers", "scipy")
    store_result("training_speed", result, packages=packages, quick=arguments.quick or arguments.cases != list(CASES))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer pairs and steps, one round, nothing stored")
    parser.add_argument("--rounds", type=int, help=f"how often each side runs (default {ROUNDS})")
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES), help="what is trained")
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    parser.add_argument("--side", choices=ENCODER.sides, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(name: str, folder: Path, quick: bool, rounds: int) -> dict[str, Any]:
    """Run a case's sides in turns and hold their speed and loss against each other."""
    case = CASES[name]
    steps = QUICK_STEPS[name] if quick else case.steps
    count = QUICK_PAIRS[name] if quick else case.pairs
    made = _make_files(folder, count)
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in case.sides}
    for side in in_turns(case.sides, rounds):
        flags = (f"--case={name}", f"--side={side}", f"--folder={folder}", f"--steps={steps}")
        run = run_side("benchmarks.training_speed", *flags)
        speed = f"{run['tokens'] / run['seconds']:,.0f} tokens/s"
        say(f"{name}, {side}: {run['seconds']:.1f} s, {speed}, loss {run['loss_before']:.3f} -> {run['loss']:.3f}")
        runs[side].append(run)
    seconds = {side: [run["seconds"] for run in runs[side]] for side in case.sides}
    ratios = {side: ratio(seconds[side], seconds[OURS]) for side in case.sides if side != OURS}
    slowest_gain = min(ratios.values(), key=lambda found: found.median)
    losses = {side: runs[side][0]["loss"] for side in case.sides}
    reached = all(losses[OURS] <= losses[side] * (1 + LOSS_TOLERANCE) for side in case.sides)
    # Where there are rounds enough for an interval, all of it must be above the figure.
    certain = slowest_gain.low if slowest_gain.low is not None else slowest_gain.median
    return {
        **made,
        "steps": steps,
        "batch_size": case.batch_size,
        "model": case.preset or f"static, {case.dimensions} dimensions",
        "tokens": runs[OURS][0]["tokens"],
        **{side: _side_summary(runs[side], case.rates[side]) for side in case.sides},
        "ratio": {side: asdict(found) for side, found in ratios.items()},
        "same_loss": reached,
        "figure": {"ratio": case.figure, "met": reached and certain >= case.figure},
    }


def _side_summary(runs: Sequence[dict[str, Any]], rate: float) -> dict[str, Any]:
    seconds = timing([run["seconds"] for run in runs])
    return {
        "learning_rate": rate,
        "parameters": runs[0]["parameters"],
        "seconds": asdict(seconds),
        "tokens_per_second": round(runs[0]["tokens"] / seconds.median),
        "loss_before": runs[0]["loss_before"],
        "loss": runs[0]["loss"],
        "peak_mib": round(max(run["peak_mib"] for run in runs)),
    }


def _make_files(folder: Path, count: int) -> dict[str, Any]:
    """Pairs mined from this Python environment, in a fixed random order, and a tokenizer of their texts."""
    folder.mkdir(parents=True)
    # networkx is reserved for evaluation.
    documents = (
        document
        for document in read_environment(exclude=["networkx"], receipt=Receipt(), languages=["python"])
        if seeded_hash(SEED, document.path) % DOCUMENT_SHARE == 0
    )
    mined = list(islice(mine_pairs(documents, receipt=Receipt()), 2 * (count + HELD_OUT)))
    pairs = sorted(mined, key=lambda pair: seeded_hash(SEED, pair.positive))[: count + HELD_OUT]
    write_rows(folder / "pairs.jsonl", pairs)
    tokenizer = train_tokenizer([text for pair in pairs for text in (pair.anchor, pair.positive)], VOCABULARY)
    save_tokenizer(tokenizer, folder / "tokenizer.json")
    say(f"{len(pairs):,} pairs of {len({pair.source for pair in pairs})} packages")
    return {"pairs": len(pairs) - HELD_OUT, "held_out": HELD_OUT, "vocabulary": tokenizer.get_vocab_size()}


def _run_one(name: str, side: str, folder: Path, steps: int) -> None:
    """Train one side in this process; prints what came of it as JSON."""
    case = CASES[name]
    pairs = list(read_rows(folder / "pairs.jsonl", Pair))
    held_out, training = pairs[:HELD_OUT], pairs[HELD_OUT:]
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    tokens = _tokenize(training, tokenizer, case)
    batches = list(islice(tokens.batches(case.batch_size, seed=SEED, first_step=0), steps))
    kinds = {
        ("encoder", True): _encoder,
        ("encoder", False): _peer_encoder,
        ("static", True): _static,
        ("static", False): _peer_static,
    }
    subject = kinds[name, side == OURS](case, side, tokenizer, training)
    before = _loss(subject, held_out)
    seconds = subject.train(batches)
    outcome = {
        "seconds": seconds,
        "tokens": sum(tokens.tokens(batch) for batch in batches),
        "parameters": subject.parameters,
        "loss_before": before,
        "loss": _loss(subject, held_out),
        "peak_mib": peak_memory() / MIB,
    }
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")


@dataclass(frozen=True, slots=True)
class Subject:
    """A model to be trained: `train` takes the batches and returns seconds."""

    parameters: int
    train: Callable[[Sequence[IntArray]], float]
    embed: Callable[[Sequence[str]], FloatArray]


def _loss(subject: Subject, pairs: Sequence[Pair]) -> float:
    """The symmetric loss of unseen pairs, in batches as large as they come."""
    import torch

    queries = torch.from_numpy(subject.embed([pair.anchor for pair in pairs]))
    codes = torch.from_numpy(subject.embed([pair.positive for pair in pairs]))
    return float(info_nce(queries, codes, temperature=TEMPERATURE))


def _tokenize(pairs: Sequence[Pair], tokenizer: Tokenizer, case: Case) -> TokenizedPairs:
    ids = plain_ids(tokenizer, PRESETS[case.preset].max_tokens if case.preset else STATIC_MAX_TOKENS)
    return tokenize_pairs(pairs, ids, ids)


def _encoder(case: Case, side: str, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> Subject:
    network = new_encoder(PRESETS[case.preset or ""], tokenizer, seed=SEED)
    settings = EncoderSettings(
        learning_rate=case.rates[side], temperature=TEMPERATURE, weight_decay=WEIGHT_DECAY, device="cpu"
    )
    learner = EncoderLearner(network, _tokenize(pairs[:1], tokenizer, case), settings, seed=SEED)

    def train(batches: Sequence[IntArray]) -> float:
        started = time.perf_counter()
        learner.data = _tokenize(pairs, tokenizer, case)
        for batch in batches:
            learner.learn(batch, 1.0)
        return time.perf_counter() - started

    return Subject(count_parameters(network), train, learner.encode_codes)


def _static(case: Case, side: str, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> Subject:
    table = new_table(tokenizer, case.dimensions, seed=SEED)

    def train(batches: Sequence[IntArray]) -> float:
        started = time.perf_counter()
        data = _tokenize(pairs, tokenizer, case)
        weigh_by_rarity(table, table.bags(data.positives))
        settings = StaticSettings(learning_rate=case.rates[side], temperature=TEMPERATURE)
        learner = StaticLearner(table, [data], settings)
        for batch in batches:
            learner.learn(batch, 1.0)
        return time.perf_counter() - started

    def embed(texts: Sequence[str]) -> FloatArray:
        return table.embed(encode_batch(tokenizer, texts, STATIC_MAX_TOKENS))

    return Subject(table.vectors.size + table.weights.size, train, embed)


def _peer_encoder(case: Case, side: str, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> Subject:
    return _peer(new_encoder(PRESETS[case.preset or ""], tokenizer, seed=SEED), case, side, pairs)


def _peer_static(case: Case, side: str, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> Subject:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(SEED)
    static = StaticEmbedding(tokenizer, embedding_dim=case.dimensions)
    return _peer(SentenceTransformer(modules=[static], device="cpu"), case, side, pairs)


def _peer(model: SentenceTransformer, case: Case, side: str, pairs: Sequence[Pair]) -> Subject:
    """sentence-transformers' trainer as its documentation has it, with its loss in both directions."""

    def train(batches: Sequence[IntArray]) -> float:
        from datasets import Dataset
        from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
        from sentence_transformers.sentence_transformer import losses
        from transformers import TrainerCallback

        clock: list[float] = []

        class Clock(TrainerCallback):  # type: ignore[misc]
            # After what the trainer does once, before its first batch is tokenised.
            def on_epoch_begin(self, *arguments: Any, **keywords: Any) -> None:
                clock.append(time.perf_counter())

            def on_train_end(self, *arguments: Any, **keywords: Any) -> None:
                clock.append(time.perf_counter())

        # A batch of 64 fits into memory: their cached loss would only take longer.
        loss = losses.MultipleNegativesRankingLoss(
            model,
            scale=1 / TEMPERATURE,
            directions=("query_to_doc", "doc_to_query"),
            partition_mode="per_direction",
        )
        columns = {"anchor": [pair.anchor for pair in pairs], "positive": [pair.positive for pair in pairs]}
        with tempfile.TemporaryDirectory() as output:
            settings = SentenceTransformerTrainingArguments(
                output_dir=output,
                max_steps=len(batches),
                per_device_train_batch_size=case.batch_size,
                batch_sampler=_sampler(batches),
                learning_rate=case.rates[side],
                lr_scheduler_type="constant",
                weight_decay=WEIGHT_DECAY,
                seed=SEED,
                use_cpu=True,
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
            )
            trainer = SentenceTransformerTrainer(
                model=model, args=settings, train_dataset=Dataset.from_dict(columns), loss=loss, callbacks=[Clock()]
            )
            with contextlib.redirect_stdout(sys.stderr):
                trainer.train()
        return clock[-1] - clock[0]

    def embed(texts: Sequence[str]) -> FloatArray:
        vectors: FloatArray = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return vectors

    return Subject(count_parameters(model), train, embed)


def _sampler(batches: Sequence[IntArray]) -> Callable[..., Any]:
    """What gives the trainer these batches in this order."""
    from sentence_transformers.base.sampler import DefaultBatchSampler
    from torch.utils.data import SequentialSampler

    class InOrder(DefaultBatchSampler):  # type: ignore[misc]
        def __iter__(self) -> Iterator[list[int]]:
            return iter([batch.tolist() for batch in batches])

        def __len__(self) -> int:
            return len(batches)

    def make(dataset: Any, **keywords: Any) -> InOrder:
        return InOrder(SequentialSampler(dataset), **keywords)

    return make


if __name__ == "__main__":
    main()
