"""Run every benchmark, one after another, each in a process of its own; then make the tables anew.

python -m benchmarks [NAME ...]
"""

from __future__ import annotations

import subprocess
import sys

from benchmarks.common import ROOT
from benchmarks.tables import LINES
from codefit.progress import say


def main() -> None:
    """Run those named, else all; end with 1 where one failed."""
    names = sys.argv[1:] or list(LINES)
    unknown = [name for name in names if name not in LINES]
    if unknown:
        raise SystemExit(f"no benchmark is called {unknown[0]}; known: {', '.join(LINES)}")
    failed = []
    for name in names:
        say(f"benchmark: {name}")
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, check=False).returncode != 0:
            failed.append(name)
    subprocess.run([sys.executable, "-m", "benchmarks.tables"], cwd=ROOT, check=True)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
