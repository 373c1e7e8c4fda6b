"""`make quickstart` after installation: seconds, memory, and whether the fused model beats BM25 on unseen packages.

    python -m benchmarks.quickstart [--rounds N]

Runs the command that the Makefile runs, in a process of its own and an empty folder, and samples the memory of that
process and all its children. Use the environment that `make install` makes: its packages are the training data.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common import MIB, store_result, timing
from codefit.files import read_json
from codefit.run.memory import resident_bytes

SECONDS_ALLOWED, MEMORY_ALLOWED = 300.0, 4_096.0  # seconds and MiB
INTERVAL = 0.2  # seconds between looks at the memory


def main() -> None:
    """Run the quickstart and store what it came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    rounds = [run_once() for _ in range(arguments.rounds)]
    seconds = [entry["seconds"] for entry in rounds]
    store_result(
        "quickstart",
        {
            "seconds": timing(seconds),
            "seconds_allowed": SECONDS_ALLOWED,
            "peak_mib": max(entry["peak_mib"] for entry in rounds),
            "mib_allowed": MEMORY_ALLOWED,
            "rounds": rounds,
        },
        packages=["torch", "tokenizers", "onnxruntime"],
    )


def run_once() -> dict[str, Any]:
    """One run from nothing."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "quickstart"
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "codefit", "run", "quickstart", "--out", str(out)])
        peak = 0
        while process.poll() is None:
            peak = max(peak, resident_bytes(process.pid))
            time.sleep(INTERVAL)
        seconds = time.perf_counter() - started
        if process.returncode != 0:
            raise SystemExit(f"the quickstart ended with {process.returncode}")
        evaluation = read_json(out / "evaluation.json")["sets"][0]
        record = read_json(out / "run.json")
        manifest = read_json(out / "data" / "manifest.json")
    return {
        "seconds": seconds,
        "peak_mib": peak / MIB,
        "stages": {stage["name"]: stage["seconds"] for stage in record["stages"]},
        "pairs": {name: output["rows"] for name, output in manifest["outputs"].items()},
        "questions": evaluation["n"],
        "mrr@10": {system: evaluation[system]["mrr@10"] for system in ("bm25", "model", "hybrid")},
        "mean_over_sources": evaluation["mean_over_sources"],
        "difference_to_bm25": evaluation["difference_to_bm25"],
    }


if __name__ == "__main__":
    main()
