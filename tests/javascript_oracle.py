"""ESLint and eslint-plugin-sonarjs for tests: what the metrics of JavaScript and TypeScript are held against."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "source" / "metrics" / "javascript_oracle"
HELP = "sh scripts/javascript-oracle.sh (it needs Node.js 20 or newer with npm)"


def oracle_figures(sources: Sequence[tuple[str, str]]) -> list[list[dict[str, int]] | dict[str, str]]:
    """Of each (file name, code) the figures of its functions in the order of their places, or `{"error": …}`.

    A function is `start`, `end` (UTF-16 offsets), `complexity`, `cognitive`, `depth`. Where Node.js or the packages are
    not there the test is skipped, and in CI it fails.
    """
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / "eslint-plugin-sonarjs").is_dir():
        message = f"ESLint is not installed; install it with: {HELP}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    question = json.dumps([{"name": name, "code": code} for name, code in sources])
    done = subprocess.run(
        [node, "figures.mjs"], cwd=FOLDER, input=question, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return [each if "error" in each else sorted(each, key=lambda own: (own["start"], -own["end"])) for each in answers]
