"""What `codefit --help` costs, beside an interpreter that does nothing, and what `import codefit` loads.

    python -m benchmarks.startup [--quick] [--runs N]

The sides run in turns, each time in a new process. Before a cold run the file cache is asked to forget the files of
the environment that the command reads, as after the machine was started; where that is not possible, `cold` is null.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import in_turns, ratio, store_result, timing
from codefit.progress import say

HELP, PASS, VERSION = "codefit --help", "python -c pass", "codefit --version"
SCRIPT = str(Path(sys.executable).with_name("codefit"))
COMMANDS = {HELP: [SCRIPT, "--help"], PASS: [sys.executable, "-c", "pass"], VERSION: [SCRIPT, "--version"]}
RUNS, QUICK_RUNS = 40, 5
COLD_RUNS, QUICK_COLD_RUNS = 5, 1
SECONDS_ALLOWED = 0.3  # for codefit --help, at the median of warm runs
HEAVY = ("torch", "transformers", "sentence_transformers", "onnxruntime", "datasets", "scipy", "numpy", "pydantic")


def main() -> None:
    arguments = _arguments()
    runs = arguments.runs or (QUICK_RUNS if arguments.quick else RUNS)
    cold_runs = QUICK_COLD_RUNS if arguments.quick else COLD_RUNS
    for command in COMMANDS.values():
        _seconds(command)  # the first run writes bytecode
    warm: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for name in in_turns(list(COMMANDS), runs):
        warm[name].append(_seconds(COMMANDS[name]))
    cold = _cold_seconds(COMMANDS[HELP], cold_runs)
    loaded = {
        code: modules_of(code) for code in ("import codefit", "import codefit.cli.main", "import codefit.records")
    }
    quickest = float(np.median(warm[HELP]))
    result = {
        **{name: {**asdict(timing(seconds)), **_percentiles(seconds)} for name, seconds in warm.items()},
        "cold": {"median": float(np.median(cold)), "max": max(cold), "runs": len(cold)} if cold else None,
        "ratio_to_python": ratio(warm[HELP], warm[PASS]),
        "loads": {
            code: {"modules": len(modules), "heavy": sorted(set(HEAVY) & modules)} for code, modules in loaded.items()
        },
        "figure": {
            "seconds": SECONDS_ALLOWED,
            "met": quickest <= SECONDS_ALLOWED and not any(set(HEAVY) & modules for modules in loaded.values()),
        },
    }
    for name, seconds in warm.items():
        say(f"{name}: {np.median(seconds):.3f} s")
    store_result("startup", result, packages=("typer",), quick=arguments.quick)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs, nothing stored")
    parser.add_argument("--runs", type=int, help=f"how often each side runs (default {RUNS})")
    return parser.parse_args()


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def _percentiles(seconds: list[float]) -> dict[str, float]:
    return {"p50": float(np.percentile(seconds, 50)), "p95": float(np.percentile(seconds, 95))}


def _cold_seconds(command: list[str], runs: int) -> list[float]:
    """Seconds of runs whose files had to come from the disk."""
    if sys.platform != "linux":
        return []
    files = _files_read()
    cold = []
    for _ in range(runs):
        for file in files:
            _forget(file)
        cold.append(_seconds(command))
    return cold


def _files_read() -> list[Path]:
    """The files that the modules of the command come from, bytecode and libraries among them."""
    code = (
        "import sys; from codefit.cli.main import main; main(['--help'])\n"
        "for m in list(sys.modules.values()):\n"
        "    for name in ('__file__', '__cached__'):\n"
        "        print(getattr(m, name, None) or '', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [Path(line) for line in sorted(set(done.stderr.splitlines())) if line and Path(line).exists()]


def _forget(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def modules_of(code: str) -> set[Any]:
    """What is loaded once `code` has run in a new interpreter."""
    program = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


if __name__ == "__main__":
    main()
