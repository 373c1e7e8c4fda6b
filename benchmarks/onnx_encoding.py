"""Encoding functions with an exported model, beside `SentenceTransformer.encode` of the same weights and texts.

    python -m benchmarks.onnx_encoding [--quick] [--rows N] [--rounds N]

Text to vector on the CPU, all sides in turns in one process. The encoder has the small preset's shape and random
weights, the static model a random table of 32,000 x 256: neither changes how long a text takes. Texts are given to
every side as they are. model2vec runs the same table beside the static model.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common import interleaved, ratio, store_result, timing
from benchmarks.functions import SEED, gather_functions
from codefit.export.embedder import export_embedder
from codefit.models.embedder import LoadedEmbedder, load_embedder
from codefit.models.export_info import FP32, INT8
from codefit.models.tokenizer import train_tokenizer
from codefit.progress import say

FloatArray = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], FloatArray]

VOCABULARY, DIMENSIONS = 32_000, 256
TOKENIZER_FUNCTIONS = 40_000  # that the tokenizer learns from: enough for all 32,000 tokens
ENCODER_ROWS, QUICK_ENCODER_ROWS = 2_000, 300
STATIC_ROWS, QUICK_STATIC_ROWS = 20_000, 4_000
ROUNDS, QUICK_ROUNDS = 7, 3
LIBRARY, PEER = "sentence_transformers", "model2vec"
ENCODER_AIM, STATIC_AIM = 1.5, 2.0  # times the functions a second of the library


def main() -> None:
    arguments = _arguments()
    encoder_rows = arguments.rows or (QUICK_ENCODER_ROWS if arguments.quick else ENCODER_ROWS)
    static_rows = 10 * arguments.rows if arguments.rows else QUICK_STATIC_ROWS if arguments.quick else STATIC_ROWS
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    functions, origin = gather_functions(QUICK_STATIC_ROWS if arguments.quick else TOKENIZER_FUNCTIONS)
    say(f"{len(functions):,} functions: {origin}")
    with tempfile.TemporaryDirectory() as folder:
        encoder, static = _models(functions, Path(folder))
        result = {
            "origin": origin,
            "encoder": measure(encoder, functions[:encoder_rows], rounds, ENCODER_AIM),
            "static": measure(static, functions[:static_rows], rounds, STATIC_AIM, peer=_model2vec(static)),
        }
    packages = ("onnxruntime", "tokenizers", "torch", "sentence-transformers", "model2vec")
    store_result("onnx_encoding", result, packages=packages, quick=arguments.quick)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few functions and rounds, nothing stored")
    parser.add_argument("--rows", type=int, help=f"functions for the encoder (default {ENCODER_ROWS:,}); static x 10")
    parser.add_argument("--rounds", type=int, help=f"how often each side runs (default {ROUNDS})")
    return parser.parse_args()


def _models(functions: Sequence[str], folder: Path) -> tuple[Path, Path]:
    """Checkpoints of the encoder and of the static model."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    from codefit.models.encoder import PRESETS, new_encoder, save_encoder

    tokenizer = train_tokenizer(functions, VOCABULARY)
    say(f"tokenizer of {tokenizer.get_vocab_size():,} tokens")
    (folder / "encoder").mkdir()
    save_encoder(new_encoder(PRESETS["small"], tokenizer, seed=SEED), folder / "encoder")
    table = np.random.default_rng(SEED).standard_normal((tokenizer.get_vocab_size(), DIMENSIONS)).astype(np.float32)
    static = StaticEmbedding(tokenizer, embedding_weights=torch.from_numpy(table))
    SentenceTransformer(modules=[static, Normalize()], device="cpu").save(
        str(folder / "static"), create_model_card=False
    )
    return folder / "encoder", folder / "static"


def _model2vec(checkpoint: Path) -> Encode:
    """model2vec on the same table and tokenizer; its own limit of 512 tokens is lifted, since no other side has it."""
    from model2vec import StaticModel
    from safetensors.numpy import load_file

    from codefit.models.tokenizer import load_tokenizer

    table = load_file(checkpoint / "model.safetensors")["embedding.weight"]
    model = StaticModel(vectors=table, tokenizer=load_tokenizer(checkpoint), normalize=True)

    def encode(texts: Sequence[str]) -> FloatArray:
        vectors: FloatArray = model.encode(list(texts), max_length=None)
        return vectors

    return encode


def measure(
    checkpoint: Path, texts: Sequence[str], rounds: int, aim: float, peer: Encode | None = None
) -> dict[str, Any]:
    """Functions a second of the library, of both exported files and of a peer; ratios are times as fast as the library.

    `exported` is the file that `auto` loads: the winner of the export's own benchmark.
    """
    from sentence_transformers import SentenceTransformer

    from codefit.models.quiet import quiet

    export = checkpoint.parent / f"{checkpoint.name}-export"
    said = export_embedder(checkpoint, export, benchmark=True)
    winner = load_embedder(export).backend
    with quiet():
        library = SentenceTransformer(str(checkpoint), device="cpu")
    sides: dict[str, Encode] = {LIBRARY: lambda rows: np.asarray(library.encode(list(rows)), dtype=np.float32)}
    sides |= {backend: _embedder(load_embedder(export, backend=backend)) for backend in (FP32, INT8)}
    if peer is not None:
        sides[PEER] = peer
    agreement = _agreement(sides, texts[: min(len(texts), 500)])
    seconds = interleaved({name: _call(encode, texts) for name, encode in sides.items()}, rounds)
    ratios = {name: ratio(seconds[LIBRARY], seconds[name]) for name in sides if name != LIBRARY}
    for name in sides:
        say(f"{checkpoint.name} {name}: {len(texts) / timing(seconds[name]).median:,.0f} functions/s")
    return {
        "n": len(texts),
        "winner": winner,
        "parity": said["parity"],
        "mean_cosine_to_library": agreement,
        "seconds": {name: asdict(timing(values)) for name, values in seconds.items()},
        "functions_per_second": {name: len(texts) / timing(values).median for name, values in seconds.items()},
        "times_as_fast": {name: asdict(value) for name, value in ratios.items()},
        "figure": {"times_as_fast": aim, "met": ratios[winner].median >= aim},
    }


def _embedder(embedder: LoadedEmbedder) -> Encode:
    return lambda texts: embedder.encode_codes(texts)


def _call(encode: Encode, texts: Sequence[str]) -> Callable[[], object]:
    return lambda: encode(texts)


def _agreement(sides: Mapping[str, Encode], texts: Sequence[str]) -> dict[str, float]:
    """Mean cosine of each side's vectors to the library's: a side that does other work would be no comparison."""
    reference = sides[LIBRARY](texts)
    return {name: float((encode(texts) * reference).sum(axis=1).mean()) for name, encode in sides.items()}


if __name__ == "__main__":
    main()
