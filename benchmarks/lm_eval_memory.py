"""The most memory that `codefit lm eval` holds, on a corpus and on one eight times as large.

    python -m benchmarks.lm_eval_memory [--quick] [--rounds N] [--documents N] [--model M]

The corpus is files of Python's standard library, the larger one the same files eight times under other names, so that
only the number differs. Each run is the command itself in a process of its own, in turns. Without --model the model
has random weights and a vocabulary as large as a real one's, since logits are what could fill memory.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.common import MIB, ROOT, in_turns, ratio, store_result, timing
from codefit.corpus.hashing import seeded_hash
from codefit.progress import say
from codefit.records import Document, write_rows

COPIES = 8
DOCUMENTS, QUICK_DOCUMENTS = 14, 1  # the smaller corpus must fill the buffers: above 65,536 tokens
ROUNDS, QUICK_ROUNDS = 3, 1
SEED = 0
VOCABULARY = 32_000  # rows of the embedding; the tokenizer has fewer, as that of Qwen2.5 has
WINDOW, STRIDE = 512, 256
SIDES = ("once", "eight times")
# Peaks vary from run to run by how the allocator lays its blocks; a corpus held in memory would multiply them.
GROWTH_ALLOWED = 1.05
# The command, and on the last line of stderr the most memory that it held (see `common.peak_memory`).
MEASURED = """
import sys
from benchmarks.common import peak_memory
from codefit.cli.main import main
code = main(sys.argv[1:])
print(peak_memory(), file=sys.stderr)
sys.exit(code)
"""


def main() -> None:
    arguments = _arguments()
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn = standard_documents(arguments.documents or (QUICK_DOCUMENTS if arguments.quick else DOCUMENTS))
        files = {side: folder / f"{side.replace(' ', '_')}.jsonl" for side in SIDES}
        for side, copies in zip(SIDES, (1, COPIES), strict=True):
            write_rows(files[side], copied(drawn, copies))
        model = arguments.model or str(_write_model(folder / "model", [document.text for document in drawn]))
        for side in in_turns(SIDES, rounds):
            runs[side].append(_run(model, files[side]))
            say(f"{side}: {runs[side][-1]['peak'] / MIB:,.0f} MiB, {runs[side][-1]['seconds']:.1f} s")
    peaks = {side: [run["peak"] for run in runs[side]] for side in SIDES}
    growth = ratio(peaks[SIDES[1]], peaks[SIDES[0]])
    result = {
        "model": arguments.model or f"hidden 128, 2 layers, vocabulary {VOCABULARY:,}, random weights",
        "window": WINDOW,
        "stride": STRIDE,
        **{side: _summary(runs[side]) for side in SIDES},
        "ratio_of_peaks": growth,
        "figure": {"ratio_allowed": GROWTH_ALLOWED, "met": growth.median <= GROWTH_ALLOWED},
    }
    store_result("lm_eval_memory", result, packages=("torch", "transformers", "tokenizers"), quick=arguments.quick)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_DOCUMENTS} documents, one round, nothing stored")
    parser.add_argument("--rounds", type=int, help=f"how often each side runs (default {ROUNDS})")
    parser.add_argument("--documents", type=int, help=f"files of the smaller corpus (default {DOCUMENTS})")
    parser.add_argument("--model", help="a model's folder, instead of random weights")
    return parser.parse_args()


def standard_documents(count: int) -> list[Document]:
    """`count` files of the standard library, the same ones each time for one version of Python."""
    folder = Path(sysconfig.get_path("stdlib"))
    names = sorted((path.name for path in folder.glob("*.py")), key=lambda name: seeded_hash(SEED, name))
    return [Document(name, (folder / name).read_text(encoding="utf-8"), "python", "cpython") for name in names[:count]]


def copied(documents: list[Document], copies: int) -> Iterator[Document]:
    """Every document `copies` times, each copy in a folder of its own."""
    for number in range(copies):
        for document in documents:
            yield msgspec.structs.replace(document, path=f"copy{number}/{document.path}")


def _write_model(folder: Path, texts: list[str]) -> Path:
    from codefit.models.language_model import SPECIAL_TOKENS, LanguageModelShape, new_language_model
    from codefit.models.language_model import save_language_model as save
    from codefit.models.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(texts, 8192, special_tokens=SPECIAL_TOKENS, splitting="qwen2")
    made = new_language_model(LanguageModelShape(hidden=128, layers=2, ffn=352, context=WINDOW), tokenizer, seed=SEED)
    made.model.resize_token_embeddings(VOCABULARY, mean_resizing=False)  # as in Qwen2.5, rows without a token
    folder.mkdir()
    save(made, folder)
    return folder


def _run(model: str, documents: Path) -> dict[str, Any]:
    """One run of the command: its JSON, and its peak in bytes as `peak`."""
    flags = ["--window", str(WINDOW), "--stride", str(STRIDE), "--device", "cpu", "--json"]
    command = [sys.executable, "-c", MEASURED, "lm", "eval", "--model", model, "--documents", str(documents), *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"codefit lm eval ended with {done.returncode}: {done.stderr}")
    return msgspec.json.decode(done.stdout, type=dict[str, Any]) | {"peak": int(done.stderr.split()[-1])}


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = timing([run["seconds"] for run in runs])
    return {
        "documents": runs[0]["documents"],
        "bytes": runs[0]["bytes"],
        "tokens": runs[0]["tokens"],
        "peak_mib": [round(run["peak"] / MIB, 1) for run in runs],
        "seconds": {"median": seconds.median, "min": seconds.min, "max": seconds.max, "rounds": seconds.rounds},
        "tokens_per_second": runs[0]["tokens"] / seconds.median,
    }


if __name__ == "__main__":
    main()
