"""Ordering a thousand repairs: codefit's exported ranker beside a sentence-transformers CrossEncoder of the same size.

    python -m benchmarks.repair_speed [--quick] [--model DIR]

Both get the same broken snippets with the same thousand candidates and give each candidate a score. The CrossEncoder is
a BERT of the same width, depth, heads and feed-forward part with random weights, a token a lexical token, and reads
snippet and candidate together, as the original's ranker does; codefit's reads the snippet once and of a candidate its
edits alone. Timed is from candidates that were found to their scores, on as many threads as either takes by itself.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import data_folder, interleaved, ratio, store_result, timing
from codefit.models.repair import RepairModel, default_repair_model, load_repair_model, read_repair_info
from codefit.progress import say
from codefit.records import Repair, load_rows
from codefit.source.syntax.terminals import TERMINALS, to_names
from codefit.tasks.repairs.candidates import Candidates
from codefit.tasks.repairs.instances import RepairPair, pair_of
from codefit.tasks.repairs.ranking import ranking_list

CANDIDATES = 1_000
SNIPPETS, QUICK_SNIPPETS = 6, 2
ROUNDS, QUICK_ROUNDS = 3, 1
BATCHES = (32, 128)  # of the CrossEncoder; the faster counts
AIMS = {"times the CrossEncoder": 20.0, "p50 ms": 300.0}
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
MOST_TOKENS = 256


def main() -> None:
    """Time both and store the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two snippets, one round; nothing is stored")
    parser.add_argument("--model", type=Path, help="folder of a repair model; else the one in the package")
    arguments = parser.parse_args()
    data = data_folder()
    if data is None:
        raise SystemExit("this benchmark needs the development data: set CODEFIT_DATA to its folder")
    model = load_repair_model(arguments.model) if arguments.model else default_repair_model()
    rows = load_rows(data / "repair" / "validation.jsonl.gz", Repair)
    count, rounds = (QUICK_SNIPPETS, QUICK_ROUNDS) if arguments.quick else (SNIPPETS, ROUNDS)
    found = with_candidates(model, [pair_of(row) for row in rows], count)
    result = compare(model, found, rounds)
    packages = ["sentence-transformers", "transformers", "torch", "onnxruntime"]
    store_result("repair_speed", result, packages=packages, quick=arguments.quick)


def with_candidates(model: RepairModel, pairs: list[RepairPair], count: int) -> list[tuple[list[int], Candidates]]:
    """The first snippets that have a thousand candidates."""
    found = []
    for pair in pairs:
        candidates = model.candidates(pair.broken, limit=CANDIDATES, seconds=10)
        if len(candidates.strings) == CANDIDATES:
            found.append((pair.broken, candidates))
        if len(found) == count:
            return found
    raise SystemExit(f"of {len(pairs)} snippets {len(found)} have {CANDIDATES} candidates, {count} are wanted")


def compare(model: RepairModel, found: list[tuple[list[int], Candidates]], rounds: int) -> dict[str, Any]:
    """Seconds of both sides, snippet by snippet in turns."""
    assert model.ranker is not None
    shape = read_repair_info(model.ranker.parent).recipe["model"]
    with tempfile.TemporaryDirectory() as temporary:
        encoder = cross_encoder(shape, Path(temporary))
        batch = fastest_batch(encoder, found[0])
        ours: list[float] = []
        theirs: list[float] = []
        of_all: list[float] = []
        for number, (broken, candidates) in enumerate(found):
            one = ranking_list(broken, candidates, model.edits.weight)
            sides = {
                "codefit": partial(score, model, broken, candidates),
                "cross_encoder": partial(
                    encoder.predict, pairs_of(broken, candidates), batch_size=batch, show_progress_bar=False
                ),
            }
            seconds = interleaved(sides, rounds)
            ours += seconds["codefit"]
            theirs += seconds["cross_encoder"]
            of_all.append(float(np.median(seconds["codefit"])))
            edits = len(np.unique(one.edits[one.edits >= 0]))
            say(f"snippet {number + 1}: {len(broken)} tokens, {edits} edits, {1000 * of_all[-1]:.0f} ms")
        parameters = sum(p.numel() for p in encoder.model.parameters())
    compared = ratio(theirs, ours)
    return {
        "shape": shape,
        "snippets": len(found),
        "candidates": CANDIDATES,
        "cross_encoder": {"parameters": parameters, "batch_size": batch, "seconds": timing(theirs).median},
        "codefit": {
            "seconds": timing(ours).median,
            "p50_ms": float(np.quantile(of_all, 0.5) * 1000),
            "p95_ms": float(np.quantile(of_all, 0.95) * 1000),
        },
        "ratio": compared,
        "aims": AIMS,
    }


def score(model: RepairModel, broken: list[int], candidates: Candidates) -> None:
    """From candidates to their scores, as a user's call has it."""
    model.score(ranking_list(broken, candidates, model.edits.weight))


def pairs_of(broken: list[int], candidates: Candidates) -> list[list[str]]:
    """What the CrossEncoder reads."""
    query = to_names(broken)
    return [[query, to_names(string)] for string in candidates.strings]


def cross_encoder(shape: dict[str, Any], folder: Path) -> Any:
    """A CrossEncoder of the ranker's sizes from random weights, a token a lexical token."""
    from sentence_transformers import CrossEncoder
    from tokenizers import Tokenizer, pre_tokenizers, processors
    from tokenizers.models import WordLevel
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    vocabulary = {token: number for number, token in enumerate((*SPECIAL, *TERMINALS))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=shape["hidden"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        intermediate_size=shape["ffn"],
        max_position_embeddings=MOST_TOKENS,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return CrossEncoder(str(folder), max_length=MOST_TOKENS, device="cpu")


def fastest_batch(encoder: Any, first: tuple[list[int], Candidates]) -> int:
    """The batch size of `BATCHES` with which the CrossEncoder is fastest."""
    asked = pairs_of(*first)
    sides = {str(size): partial(encoder.predict, asked, batch_size=size, show_progress_bar=False) for size in BATCHES}
    seconds = interleaved(sides, 1)
    return min(BATCHES, key=lambda size: seconds[str(size)][0])


if __name__ == "__main__":
    main()
