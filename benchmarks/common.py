"""What every benchmark needs: timings in turns, ratios with intervals, honest peak memory, results that say whence.

Two sides are compared in one go, A B B A A B ..., so that a machine that warms up or is busy for a while slows both.
A ratio is taken round by round and its interval is over rounds; a side whose memory counts runs in its own process.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from codefit.files import write_json
from codefit.progress import say

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
RESAMPLES = 10_000  # of the rounds' ratios: the interval's ends are then steady in the third digit
CONFIDENCE = 0.95
MIB = 1 << 20
FOLDER_FLAGS = ("--run", "--runs", "--model")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of the rounds of one side."""

    median: float
    min: float
    max: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as long one side takes as the other: the median of the rounds' ratios and its interval.

    `low` and `high` are None where there are fewer than three rounds, since nothing can be said then.
    """

    median: float
    low: float | None
    high: float | None


def timing(seconds: Sequence[float]) -> Timing:
    """The summary of a side's rounds."""
    return Timing(statistics.median(seconds), min(seconds), max(seconds), len(seconds))


def ratio(slower: Sequence[float], faster: Sequence[float]) -> Ratio:
    """The ratio of paired rounds with a percentile bootstrap interval over the rounds (Efron 1979)."""
    ratios = [a / b for a, b in zip(slower, faster, strict=True)]
    if len(ratios) < 3:
        return Ratio(statistics.median(ratios), None, None)
    draw = random.Random(0)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    cut = int(RESAMPLES * (1 - CONFIDENCE) / 2)
    return Ratio(statistics.median(ratios), medians[cut], medians[-1 - cut])


def in_turns(sides: Sequence[str], rounds: int) -> list[str]:
    """The order in which to run the sides: each round runs all, every second round backwards."""
    return [side for number in range(rounds) for side in (sides if number % 2 == 0 else reversed(sides))]


def interleaved(sides: Mapping[str, Callable[[], object]], rounds: int, *, warm_up: int = 1) -> dict[str, list[float]]:
    """Wall-clock seconds of each side's calls in this process, run in turns after `warm_up` untimed calls of each.

    Garbage is collected before each call and not during it.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for call in sides.values():
        for _ in range(warm_up):
            call()
    for name in in_turns(list(sides), rounds):
        gc.collect()
        gc.disable()
        try:
            started = time.perf_counter()
            sides[name]()
            seconds[name].append(time.perf_counter() - started)
        finally:
            gc.enable()
    return seconds


def run_side(module: str, *arguments: str) -> dict[str, Any]:
    """Run `python -m module arguments` in a process of its own and return the JSON object that it prints last."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[1:])} ended with {done.returncode}")
    return msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=dict[str, Any])


def peak_memory() -> int:
    """The most memory in bytes that this process has held.

    On Linux from `VmHWM`: `ru_maxrss` of a child process begins at what its parent held when it was started.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def data_folder() -> Path | None:
    """The development data: `$CODEFIT_DATA`, else `../shared/data` beside the repository, where present."""
    folder = Path(os.environ.get("CODEFIT_DATA", ROOT.parent / "shared" / "data"))
    return folder if folder.is_dir() else None


def with_circumstances(name: str, result: Mapping[str, Any], packages: Sequence[str] = ()) -> dict[str, Any]:
    """The result with what it depends on: command, date, commit, machine and package versions."""
    return {
        "benchmark": name,
        "command": " ".join(["python", "-m", f"benchmarks.{name}", *_without_folders(sys.argv[1:])]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": machine(),
        "packages": {package: importlib.metadata.version(package) for package in ("codefit", "numpy", *packages)},
        **{key: asdict(value) if isinstance(value, Timing | Ratio) else value for key, value in result.items()},
    }


def _without_folders(arguments: Sequence[str]) -> list[str]:
    """A command's arguments without the folder that its runs were kept in: it says nothing to anybody else."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if not skip and argument not in FOLDER_FLAGS:
            kept.append(argument)
        skip = argument in FOLDER_FLAGS
    return kept


def store_result(name: str, result: Mapping[str, Any], *, packages: Sequence[str] = (), quick: bool = False) -> None:
    """Print the result with its circumstances as JSON and, unless it is of a quick run, write `results/NAME.json`."""
    whole = with_circumstances(name, result, packages)
    print(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
    if not quick:
        write_json(RESULTS / f"{name}.json", whole)
        say(f"wrote benchmarks/results/{name}.json")


def machine() -> dict[str, Any]:
    """What the numbers depend on: processor, cores that this process may use, memory, system, and how busy it is."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30), 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    """The commit that was measured, with "+" where the checkout differs from it; None outside of a checkout."""

    def git(*arguments: str) -> str | None:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "--short=12", "HEAD")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "benchmarks/*.py")
    return commit and (f"{commit}+" if changed else commit)
