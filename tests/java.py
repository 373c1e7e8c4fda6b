"""A Java Development Kit for tests: it runs a source file, which a runtime alone cannot."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

HELP = "sh scripts/system-packages.sh"


def java() -> str:
    """The path of `java` beside a compiler; where there is none the test is skipped, and in CI it fails."""
    compiler = shutil.which("javac")
    if compiler is not None:
        return str(Path(compiler).with_name("java"))
    message = f"a Java Development Kit is not installed; install it with: {HELP}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
