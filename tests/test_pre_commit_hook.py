"""`.pre-commit-hooks.yaml`: its fields, and its command line as pre-commit runs it, with file names behind it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from codefit.models.repair import RepairModel, save_repair_model
from small_repairs import plain_edits, small_language

ROOT = Path(__file__).parents[1]
BROKEN = "import os\n\ndef count(items, start=None)\n    return start + 1\n"


@pytest.fixture(scope="module")
def hook() -> dict[str, Any]:
    (only,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return dict(only)


def run(hook: dict[str, Any], folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """The entry with files; its program is the one beside this Python, as in the environment that pre-commit makes."""
    program, *words = shlex.split(hook["entry"])
    variables = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    # A small model instead of the one in the package, by the flag that a configuration gives in `args`.
    command = [program, *words, "--model", "model", "--seconds", "30", *files]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=120)


def test_its_fields_are_those_that_pre_commit_needs(hook: dict[str, Any]) -> None:
    assert hook.keys() >= {"id", "name", "entry", "language", "types"}
    assert (hook["id"], hook["entry"]) == ("codefit-repair-fix", "codefit repair fix")
    assert (hook["language"], hook["types"]) == ("python", ["python"])
    extras = [name[2:-1] for name in hook["additional_dependencies"]]
    assert hook["additional_dependencies"] == [f".[{name}]" for name in extras]
    assert set(extras) <= set(metadata.metadata("codefit").get_all("Provides-Extra") or [])
    (script,) = [each for each in metadata.entry_points(group="console_scripts") if each.name == "codefit"]
    assert script.value == "codefit.cli.main:entry_point"


def test_sound_files_pass_and_a_broken_one_stops_the_commit_with_its_repairs(
    hook: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    save_repair_model(RepairModel(small_language(), plain_edits()), tmp_path / "model")
    (tmp_path / "broken.py").write_text(BROKEN)
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text("value = 1\n")
    sound = run(hook, tmp_path, "one.py", "two.py")
    assert (sound.returncode, sound.stderr) == (0, "")
    stopped = run(hook, tmp_path, "one.py", "broken.py")
    assert (stopped.returncode, stopped.stderr) == (1, "")
    assert "broken.py:3: " in stopped.stdout
    assert "+def count(items, start=None):" in stopped.stdout
    assert (tmp_path / "broken.py").read_text() == BROKEN
