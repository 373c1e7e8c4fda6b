"""A command as a user runs it: its output, its seconds, and the most memory that it and its children held together."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import ROOT
from codefit.run.memory import resident_bytes

LOOK_SECONDS = 0.1  # between two looks at the processes' memory


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """What came of it; memory is summed over processes, what they share counted once a process."""

    stdout: bytes
    seconds: float
    peak_bytes: int


def run_measured(command: Sequence[str]) -> MeasuredRun:
    """Run a command to its end; `SystemExit` where it fails."""
    peak = 0
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stdout"
        started = time.perf_counter()
        with out.open("wb") as stream:
            process = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=subprocess.DEVNULL)
            while process.poll() is None:
                peak = max(peak, resident_bytes(process.pid))
                time.sleep(LOOK_SECONDS)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise SystemExit(f"{' '.join(command[1:])} ended with {process.returncode}")
        return MeasuredRun(out.read_bytes(), seconds, peak)
