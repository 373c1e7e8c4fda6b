"""Training speed of a causal language model beside TRL's own trainer: LoRA and full training, from the same start.

    python -m benchmarks.causal_training_speed [--quick] [--rounds N]

All sides load the same model and learn from the same pieces of the same files (as `CausalData` cuts them) once over,
with the same AdamW, rate and clipping, single precision, 8 rows of at most 512 tokens a step, in a process each, in
turns. Files are whole: Rust of the development data, else Python's standard library. Sides:

    codefit      rows packed by codefit, four at a time
    trl_packed   SFTTrainer, packing=True with bfd_split, batch 1 x accumulation 8
    trl_padded   SFTTrainer without packing, batch 8 x accumulation 1, padded to its longest: what one does by default
    trl_single   SFTTrainer without packing, batch 1 x accumulation 8, with nothing to pad; run once, beside the aims

Speed is tokens that were predicted (neither padding nor a piece's first) over the seconds after the first step. Packing
is done before on all sides and not timed. Without packing a step has 8 pieces instead of 8 rows, so that those sides
make more steps of the same data; their loss is theirs to gain. TRL recomputes activations by default, which is off
here, as codefit has it off where memory is no concern. TRL reports each trainer that is made to the hub: the
environment variables below stop that.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.causal_training_sides import (
    CASES,
    LENGTH,
    OURS,
    PACKED,
    PADDED,
    ROWS_A_STEP,
    SHAPE,
    SIDES,
    SINGLE,
    VOCABULARY,
    run_one,
)
from benchmarks.common import MIB, data_folder, in_turns, ratio, run_side, store_result
from codefit.corpus.documents.environment import read_environment
from codefit.corpus.hashing import seeded_hash
from codefit.corpus.manifest import Receipt
from codefit.evaluate.intervals import bootstrap_ratio
from codefit.models.language_model import (
    SPECIAL_TOKENS,
    encode_texts,
    load_lm_tokenizer,
    new_language_model,
    save_language_model,
)
from codefit.models.tokenizer import train_tokenizer
from codefit.progress import say
from codefit.records import Document, read_rows, write_rows

SEED = 0
# What TRL 1.16 and the hub's client heed (trl/trainer/base_trainer.py, `_send_telemetry`); nothing is looked up either.
ENVIRONMENT = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
ROUNDS, QUICK_ROUNDS = 3, 1
CANDIDATES = 200  # files of which some are trained on and some held out; the tokenizer learns from others
TOKENIZER_CHARACTERS = 3_000_000
MIN_LINES, MAX_LINES = 25, 4_000  # of a file, as in the recipe extended-pretraining-cpu
TRAIN_TOKENS, QUICK_TRAIN_TOKENS = 84_000, 9_000  # 21 and 3 steps of packed rows
HELD_OUT_TOKENS = 15_000
HELD_OUT_CHARACTERS = 6_000  # of a held-out file: the loss is then over many files
AIMS = {PACKED: 1.0, PADDED: 2.0}


@dataclass(frozen=True, slots=True)
class Files:
    """What all sides read: where it lies and what it is."""

    folder: Path
    facts: dict[str, Any]


def main() -> None:
    """Run every case, or one side of one where that is asked for."""
    os.environ.update(ENVIRONMENT)
    arguments = _arguments()
    if arguments.side:
        outcome = run_one(arguments.case, arguments.side, arguments.folder, arguments.seed)
        sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
        return
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    with tempfile.TemporaryDirectory() as temporary:
        files = make_files(Path(temporary), QUICK_TRAIN_TOKENS if arguments.quick else TRAIN_TOKENS)
        cases = {name: _compare(name, files, rounds) for name in arguments.cases}
    result = {
        "data": files.facts,
        "model": {**asdict(SHAPE), "vocabulary": VOCABULARY},
        "length": LENGTH,
        "rows_a_step": ROWS_A_STEP,
        "environment": ENVIRONMENT,
        **cases,
    }
    packages = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers")
    whole = not arguments.quick and arguments.cases == list(CASES)
    store_result("causal_training_speed", result, packages=packages, quick=not whole)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer tokens, one round, nothing stored")
    parser.add_argument("--rounds", type=int, help=f"how often each side runs (default {ROUNDS})")
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES), help="what is trained")
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def make_files(folder: Path, train_tokens: int) -> Files:
    """Files to train on and others that are held out, a tokenizer of the rest, and the model that all sides load."""
    source, everything = _documents()
    documents, others = everything[:CANDIDATES], everything[CANDIDATES:]
    texts = _first_characters((document.text for document in others), TOKENIZER_CHARACTERS)
    tokenizer = train_tokenizer(texts, VOCABULARY, special_tokens=SPECIAL_TOKENS, splitting="qwen2")
    model = folder / "model"
    model.mkdir()
    save_language_model(new_language_model(SHAPE, tokenizer, seed=SEED), model)
    pretrained = load_lm_tokenizer(str(model))
    sizes = [len(ids) for ids in encode_texts(pretrained, [document.text for document in documents])]
    short = [n for n, document in enumerate(documents) if len(document.text) <= HELD_OUT_CHARACTERS]
    held_out = _fill(short, sizes, HELD_OUT_TOKENS)
    training = _fill([n for n in range(len(documents)) if n not in held_out], sizes, train_tokens)
    write_rows(folder / "training.jsonl", [documents[n] for n in training])
    write_rows(folder / "held_out.jsonl", [documents[n] for n in sorted(held_out)])
    facts = {
        "source": source,
        "files": len(training),
        "tokens": sum(sizes[n] for n in training),
        "held_out_files": len(held_out),
        "held_out_tokens": sum(sizes[n] for n in held_out),
        "vocabulary": tokenizer.get_vocab_size(),
    }
    say(f"{facts['files']} files of {source}, {facts['tokens']:,} tokens; {facts['held_out_files']} files held out")
    return Files(folder, facts)


def _documents() -> tuple[str, list[Document]]:
    """What the files are called, and those of a usual length in a fixed random order."""
    data = data_folder()
    rows = data / "documents" / "hyperswitch.jsonl.gz" if data else None
    if rows is not None and rows.exists():
        source, found = "hyperswitch, Rust", [d for d in read_rows(rows, Document) if d.language == "rust"]
    else:
        everything = read_environment(exclude=[], receipt=Receipt())
        source = "Python's standard library"
        found = [document for document in everything if document.repo == "python"]
    usual = [d for d in found if MIN_LINES <= d.text.count("\n") + 1 <= MAX_LINES]
    return source, sorted(usual, key=lambda document: seeded_hash(SEED, document.path))


def _first_characters(texts: Iterable[str], most: int) -> list[str]:
    chosen: list[str] = []
    for text in texts:
        if most <= 0:
            break
        chosen.append(text)
        most -= len(text)
    return chosen


def _fill(numbers: Iterable[int], sizes: Sequence[int], room: int) -> list[int]:
    """The numbers in order whose sizes still fit, so that one long file cannot be most of the data."""
    chosen = []
    for number in numbers:
        if sizes[number] <= room:
            chosen.append(number)
            room -= sizes[number]
    return chosen


def _compare(name: str, files: Files, rounds: int) -> dict[str, Any]:
    """Run a case's sides in turns and hold their speed and loss against each other."""
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for side in [*in_turns((OURS, PACKED, PADDED), rounds), SINGLE]:
        flags = (f"--case={name}", f"--side={side}", f"--folder={files.folder}", f"--seed={len(runs[side])}")
        run = run_side("benchmarks.causal_training_speed", *flags)
        speed = f"{run['timed_tokens'] / run['seconds']:,.0f} tokens/s"
        say(f"{name}, {side}: {run['steps']} steps, {speed}, held-out loss {_loss(run):.4f}")
        runs[side].append(run)
    _check_same_work(runs)
    seconds = {side: [run["seconds"] / run["timed_tokens"] for run in runs[side]] for side in SIDES}
    ratios = {side: ratio(seconds[side], seconds[OURS][: len(seconds[side])]) for side in SIDES if side != OURS}
    losses = {side: _against(runs[OURS], runs[side]) for side in SIDES if side != OURS}
    return {
        "tokens": runs[OURS][0]["tokens"],
        "pieces": runs[OURS][0]["pieces"],
        "learning_rate": CASES[name].learning_rate,
        "trained_parameters": runs[OURS][0]["trained_parameters"],
        "flops_per_token": runs[OURS][0]["flops_per_token"],
        **{side: _side_summary(runs[side]) for side in SIDES},
        "ratio": {side: asdict(found) for side, found in ratios.items()},
        "loss_difference": losses,
        "figure": {
            side: {
                "ratio": aim,
                # Where there are rounds enough for an interval, all of it must be above the aim.
                "met": (ratios[side].median if (low := ratios[side].low) is None else low) >= aim,
                "loss_not_above": losses[side]["not_above"],
            }
            for side, aim in AIMS.items()
        },
    }


def _check_same_work(runs: dict[str, list[dict[str, Any]]]) -> None:
    """End the benchmark where a side did not learn from exactly the same pieces, each token once."""
    work = {(run["pieces"]["sha256"], run["tokens"]) for side in runs.values() for run in side}
    if len(work) != 1:
        raise SystemExit(f"the sides did not learn from the same tokens: {work}")
    trained = {run["trained_parameters"] for side in runs.values() for run in side}
    if len(trained) != 1:
        raise SystemExit(f"the sides did not train the same number of parameters: {trained}")


def _loss(run: dict[str, Any]) -> float:
    """Nats a token over the held-out files."""
    return float(sum(run["held_out"]["nats"]) / sum(run["held_out"]["tokens"]))


def _against(ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Our held-out loss less theirs in nats a token, the mean over rounds with its interval by bootstrap over files.

    Not above: by no more than the larger of that interval's half and what theirs differs by from one order of the data
    to another.
    """
    tokens = np.array(ours[0]["held_out"]["tokens"], dtype=np.float64)
    nats = [np.mean([run["held_out"]["nats"] for run in runs], axis=0) for runs in (ours, theirs)]
    found = bootstrap_ratio(nats[0] - nats[1], tokens)
    spread = max(_loss(run) for run in theirs) - min(_loss(run) for run in theirs)
    allowed = max((found.high - found.low) / 2, spread)
    return {
        "mean": found.mean,
        "ci95": [found.low, found.high],
        "their_spread_over_rounds": spread,
        "not_above": found.mean <= allowed,
    }


def _side_summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    def median(values: Iterable[float]) -> float:
        return statistics.median(values)

    return {
        "steps": runs[0]["steps"],
        "seconds": median(run["seconds"] for run in runs),
        "tokens_per_second": round(median(run["timed_tokens"] / run["seconds"] for run in runs)),
        "tokens_per_second_of_rounds": [round(run["timed_tokens"] / run["seconds"]) for run in runs],
        "padding_share": round(1 - runs[0]["pieces"]["positions"] / runs[0]["positions"], 4),
        "utilisation": round(
            median(
                run["flops_per_token"] * run["timed_tokens"] / run["seconds"] / run["matmul_flops_per_second"]
                for run in runs
            ),
            3,
        ),
        "matmul_gflops": round(median(run["matmul_flops_per_second"] for run in runs) / 1e9, 1),
        "threads": runs[0]["threads"],
        "loss_before": runs[0]["loss_before"],
        "loss": median(_loss(run) for run in runs),
        "loss_of_rounds": [round(_loss(run), 4) for run in runs],
        "peak_mib": round(max(run["peak_bytes"] for run in runs) / MIB),
        **({"documents_leak": runs[0]["documents_leak"]} if "documents_leak" in runs[0] else {}),
    }


if __name__ == "__main__":
    main()
