"""Near-duplicate search over 100,000 functions, beside datasketch's MinHash LSH: seconds, peak memory, what is found.

    python -m benchmarks.near_duplicates [--quick] [--rows N] [--rounds N]

Each side runs in its own process, in turns, on the same functions, from texts in memory to a cluster for each. What
they found is held against the exact Jaccard index of a sample of functions with all others.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from benchmarks.common import MIB, in_turns, peak_memory, ratio, run_side, store_result, timing
from benchmarks.functions import SEED, gather_functions
from codefit.corpus.dedup import DEFAULT_THRESHOLD, PERMUTATIONS, near_duplicate_clusters, rows_per_band
from codefit.corpus.shingles import SHINGLE_TOKENS, TOKEN, shingle_sets
from codefit.progress import say, track

IntArray = npt.NDArray[np.int64]
# datasketch as its documentation has it, and with codefit's bands, which miss fewer pairs and cost more.
OURS, PEER, PEER_SAME_BANDS = "codefit", "datasketch", "datasketch_same_bands"
SIDES = (OURS, PEER, PEER_SAME_BANDS)
ROWS, QUICK_ROWS = 100_000, 10_000
ROUNDS, QUICK_ROUNDS = 3, 1
SAMPLE = 5_000  # functions that are compared with all others exactly
SECONDS_ALLOWED, MEMORY_ALLOWED = 60.0, 2_048.0  # for codefit, on 100,000 functions: seconds and MiB


def main() -> None:
    arguments = _arguments()
    if arguments.side:
        _run_one(arguments.side, arguments.texts, arguments.clusters)
        return
    functions, origin = gather_functions(arguments.rows or (QUICK_ROWS if arguments.quick else ROWS))
    say(f"{len(functions):,} functions: {origin}")
    runs, clusters = _run_all(functions, arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS))
    seconds = {side: [run["seconds"] for run in runs[side]] for side in SIDES}
    memory = {side: max(run["peak_mib"] for run in runs[side]) for side in SIDES}
    exact = exact_pairs(functions, min(SAMPLE, len(functions)))
    within = timing(seconds[OURS]).median <= SECONDS_ALLOWED and memory[OURS] <= MEMORY_ALLOWED
    result = {
        "n": len(functions),
        "megabytes": round(sum(len(text.encode("utf-8", "surrogatepass")) for text in functions) / 1e6, 1),
        "origin": origin,
        "threshold": DEFAULT_THRESHOLD,
        "shingle_tokens": SHINGLE_TOKENS,
        "permutations": PERMUTATIONS,
        "sample": {"functions": exact.sample.size, "exact_pairs": exact.count()},
        **{
            side: {
                "seconds": asdict(timing(seconds[side])),
                "peak_mib": round(memory[side], 1),
                "mib_before": round(max(run["mib_before"] for run in runs[side]), 1),
                **exact.judge(clusters[side]),
            }
            for side in SIDES
        },
        "ratio": ratio(seconds[PEER], seconds[OURS]),
        "ratio_same_bands": ratio(seconds[PEER_SAME_BANDS], seconds[OURS]),
        "figure": {"seconds": SECONDS_ALLOWED, "peak_mib": MEMORY_ALLOWED, "met": within and len(functions) >= ROWS},
    }
    store_result("near_duplicates", result, packages=("rensa", "datasketch"), quick=arguments.quick)


def _run_all(functions: list[str], rounds: int) -> tuple[dict[str, list[dict[str, Any]]], dict[str, IntArray]]:
    """Run the sides in turns: what each run printed, and the clusters of each side's last run."""
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        texts = Path(folder, "texts.json")
        texts.write_bytes(msgspec.json.encode(functions))
        for side in in_turns(SIDES, rounds):
            clusters = str(Path(folder, f"{side}.npy"))
            run = run_side("benchmarks.near_duplicates", f"--side={side}", f"--texts={texts}", f"--clusters={clusters}")
            say(f"{side}: {run['seconds']:.1f} s, {run['peak_mib']:,.0f} MiB")
            runs[side].append(run)
        return runs, {side: np.load(Path(folder, f"{side}.npy")) for side in SIDES}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} functions, one round, nothing stored")
    parser.add_argument("--rows", type=int, help=f"how many functions (default {ROWS:,})")
    parser.add_argument("--rounds", type=int, help=f"how often each side runs (default {ROUNDS})")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--texts", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--clusters", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_one(side: str, texts_path: Path, clusters_path: Path) -> None:
    """One side in this process: prints seconds and memory as JSON, writes the clusters."""
    texts = msgspec.json.decode(texts_path.read_bytes(), type=list[str])
    if side != OURS:
        import datasketch  # noqa: F401 - neither side pays for its imports
    mib_before = peak_memory() / MIB
    started = time.perf_counter()
    if side == OURS:
        clusters = near_duplicate_clusters(texts)
    else:
        rows = rows_per_band(DEFAULT_THRESHOLD)
        clusters = datasketch_clusters(texts, (PERMUTATIONS // rows, rows) if side == PEER_SAME_BANDS else None)
    seconds = time.perf_counter() - started
    np.save(clusters_path, clusters)
    outcome = {"seconds": seconds, "peak_mib": peak_memory() / MIB, "mib_before": mib_before}
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")


def datasketch_clusters(texts: Sequence[str], bands: tuple[int, int] | None) -> IntArray:
    """The peer: the same shingles, signatures in bulk, each text joined to what the index returns for it."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=DEFAULT_THRESHOLD, num_perm=PERMUTATIONS, params=bands)
    parent = list(range(len(texts)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for position, signature in enumerate(MinHash.generator(map(_shingle_bytes, texts), num_perm=PERMUTATIONS)):
        for other in index.query(signature):
            low, high = sorted((root(position), root(other)))
            parent[high] = low
        index.insert(position, signature, check_duplication=False)
    return np.fromiter(map(root, range(len(texts))), np.int64, len(texts))


def _shingle_bytes(text: str) -> set[bytes]:
    border = [""] * (SHINGLE_TOKENS - 1)
    tokens = TOKEN.findall(text)
    padded = [*border, *tokens, *border] if tokens else []
    windows = zip(*(padded[offset:] for offset in range(SHINGLE_TOKENS)), strict=False)
    return {"\0".join(window).encode("utf-8", "surrogatepass") for window in windows}


@dataclass(frozen=True, slots=True)
class ExactPairs:
    """A sample of the functions, and each one's near duplicates among all functions by the exact Jaccard index."""

    sample: IntArray
    neighbours: list[IntArray]

    def judge(self, clusters: IntArray) -> dict[str, Any]:
        """How the clusters of a side stand to the exact pairs.

        `recall` is the share of exact pairs whose two functions are in one cluster. `precision` is the share of those
        functions with company in their cluster that have an exact near duplicate in it; the others were joined by an
        estimate alone.
        """
        sizes = np.bincount(clusters, minlength=len(clusters))
        together = [clusters[near] == clusters[own] for own, near in zip(self.sample, self.neighbours, strict=True)]
        joined = sizes[clusters[self.sample]] > 1
        rightly = np.array([same.any() for same in together], np.bool_)
        return {
            "removed": int(len(clusters) - np.unique(clusters).size),
            "recall": float(np.concatenate(together).mean()) if self.count() else None,
            "precision": float(rightly[joined].mean()) if joined.any() else None,
        }

    def count(self) -> int:
        """The number of exact pairs."""
        return sum(near.size for near in self.neighbours)


def exact_pairs(functions: Sequence[str], count: int) -> ExactPairs:
    """Compare `count` functions with all by their shingle sets, through an inverted index, so that none is left out."""
    sets = list(shingle_sets(functions))
    sizes = np.array([shingles.size for shingles in sets])
    shingle_of = np.unique(np.concatenate(sets), return_inverse=True)[1]
    order = np.argsort(shingle_of, kind="stable")
    holders = np.repeat(np.arange(len(sets)), sizes)[order]
    starts = np.concatenate(([0], np.cumsum(np.bincount(shingle_of))))
    own_shingles = np.split(shingle_of, np.cumsum(sizes)[:-1])
    sample = np.sort(np.random.default_rng(SEED).choice(len(sets), count, replace=False))
    neighbours = []
    for own in track(sample.tolist(), "exact", total=count, unit="functions"):
        lists = [holders[starts[shingle] : starts[shingle + 1]] for shingle in own_shingles[own]]
        shared = np.bincount(np.concatenate(lists), minlength=len(sets)) if lists else np.where(sizes == 0, 1, 0)
        union = np.maximum(sizes + sizes[own] - shared, 1)
        near = np.flatnonzero(shared / union >= DEFAULT_THRESHOLD)
        neighbours.append(near[near != own])
    return ExactPairs(sample, neighbours)


if __name__ == "__main__":
    main()
