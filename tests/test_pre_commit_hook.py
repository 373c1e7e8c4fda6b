"""`.pre-commit-hooks.yaml`: each hook's fields, and its command line as pre-commit runs it, file names behind it."""

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
from codefit.source.languages import LANGUAGES
from git_checkout import branchy
from small_repairs import plain_edits, small_language

ROOT = Path(__file__).parents[1]
# Source to codefit but not to pre-commit; stubs (.pyi), which have no code, are a kind of their own there.
UNKNOWN_TO_PRE_COMMIT = (
    *(".pyi", ".pyw", ".es6", ".mts", ".cts", ".ru", ".podspec", ".thor", ".php5"),
    *(".h++", ".ipp", ".tpp", ".inl", ".cu", ".cuh"),
)
# Names of a kind that the hook asks for, which tell codefit no language by their ending.
GIVEN_BY_PRE_COMMIT = ("tool", "app.wsgi", "module.cppm", "tests.pyt")
BROKEN = "import os\n\ndef count(items, start=None)\n    return start + 1\n"


@pytest.fixture(scope="module")
def hooks() -> dict[str, dict[str, Any]]:
    """Every hook by its id."""
    return {each["id"]: each for each in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


def run(hook: dict[str, Any], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The entry with arguments; its program is the one beside this Python, as in the environment that pre-commit makes.

    The first arguments may be flags, as a configuration gives them in `args`; the others are file names.
    """
    variables = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    command = [*shlex.split(hook["entry"]), *arguments]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=120)


def test_their_fields_are_those_that_pre_commit_needs(hooks: dict[str, dict[str, Any]]) -> None:
    assert list(hooks) == ["codefit-repair-fix", "codefit-complexity"]
    for hook in hooks.values():
        assert hook.keys() >= {"id", "name", "description", "entry", "language"}
        assert hook.keys() & {"types", "types_or"}
        assert hook["language"] == "python"
    repair, complexity = hooks.values()
    assert (repair["entry"], repair["types"]) == ("codefit repair fix", ["python"])
    assert complexity["entry"] == "codefit complexity score --max 8.5"
    extras = [name[2:-1] for name in repair["additional_dependencies"]]
    assert repair["additional_dependencies"] == [f".[{name}]" for name in extras]
    assert "additional_dependencies" not in complexity  # the core is enough
    assert set(extras) <= set(metadata.metadata("codefit").get_all("Provides-Extra") or [])
    (script,) = [each for each in metadata.entry_points(group="console_scripts") if each.name == "codefit"]
    assert script.value == "codefit.cli.main:entry_point"


def test_sound_files_pass_and_a_broken_one_stops_the_commit_with_its_repairs(
    hooks: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    hook = hooks["codefit-repair-fix"]
    (tmp_path / "model").mkdir()
    save_repair_model(RepairModel(small_language(), plain_edits()), tmp_path / "model")
    (tmp_path / "broken.py").write_text(BROKEN)
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text("value = 1\n")
    flags = ("--model", "model", "--seconds", "30")  # a small model instead of the one in the package
    sound = run(hook, tmp_path, *flags, "one.py", "two.py")
    assert (sound.returncode, sound.stderr) == (0, "")
    stopped = run(hook, tmp_path, *flags, "one.py", "broken.py")
    assert (stopped.returncode, stopped.stderr) == (1, "")
    assert "broken.py:3: " in stopped.stdout
    assert "+def count(items, start=None):" in stopped.stdout
    assert (tmp_path / "broken.py").read_text() == BROKEN


def test_the_kinds_of_files_are_those_whose_language_is_measured(
    hooks: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    from identify.identify import tags_from_path

    kinds = set(hooks["codefit-complexity"]["types_or"])
    for language in LANGUAGES.values():
        for extension in language.extensions:
            file = tmp_path / f"a{extension}"
            file.write_text("x")
            if not tags_from_path(str(file)) & kinds:
                assert extension in UNKNOWN_TO_PRE_COMMIT, extension
    for number, name in enumerate(GIVEN_BY_PRE_COMMIT):
        file = tmp_path / str(number) / name
        file.parent.mkdir()
        file.write_text("#!/usr/bin/env python3\nx = 1\n" if "." not in name else "")
        file.chmod(0o755)
        assert tags_from_path(str(file)) & kinds
        passed = run(hooks["codefit-complexity"], tmp_path, f"{number}/{name}")
        assert (passed.returncode, passed.stderr) == (0, "")


def test_simple_functions_pass_and_a_critical_one_stops_the_commit(
    hooks: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    hook = hooks["codefit-complexity"]
    (tmp_path / "simple.py").write_text(branchy("simple", 2))
    (tmp_path / "hard.py").write_text("import os\n" + branchy("hard", 60))
    (tmp_path / "bundle.min.js").write_text("function f(a){return a}" * 200)
    passed = run(hook, tmp_path, "simple.py", "bundle.min.js")
    assert (passed.returncode, passed.stderr) == (0, "")
    assert passed.stdout.startswith("no function is above a limit\n")
    assert "left out, minified: bundle.min.js" in passed.stdout
    stopped = run(hook, tmp_path, "simple.py", "hard.py")
    assert (stopped.returncode, stopped.stderr) == (1, "")
    assert stopped.stdout.startswith("hard.py:2: hard: score ")
    stricter = run(hook, tmp_path, "--max", "1", "simple.py")  # `args` of a configuration come behind the entry
    assert stricter.returncode == 1
