"""What `doctor` finds missing on machines that lack it, and the command that it gives."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from codefit.cli.main import main
from codefit.errors import CodefitError
from codefit.run import doctor, machine
from codefit.run.machine import Gpu


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[Collection[str]], None]:
    """A function that makes packages look as if they were not installed."""

    def hide(packages: Collection[str]) -> None:
        real = metadata.version

        def version(name: str) -> str:
            if name in packages:
                raise metadata.PackageNotFoundError(name)
            return real(name)

        monkeypatch.setattr(metadata, "version", version)

    return hide


def checks(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    rows = {check["name"]: check for check in found["checks"]}
    assert len(rows) == len(found["checks"])
    return rows


def test_on_this_machine_the_core_is_ready_and_every_lack_has_its_command() -> None:
    found = doctor.diagnose()
    assert found["ready"] is True
    rows = checks(found)
    assert {"memory", "disk", "graphics card", "core", "git", "jdk", "npm"} <= set(rows)
    assert {f"extra {name}" for name in ("train", "serve", "repair", "complexity", "mcp")} <= set(rows)
    assert rows["core"]["state"] == "ok"
    for name, row in rows.items():
        assert row["state"] in ("ok", "missing", "warning")
        assert (row["fix"] is None) == (row["state"] == "ok"), name
    assert set(machine.machine_facts()) <= set(found["machine"])


def test_a_missing_extra_names_its_packages_and_the_command(without: Callable[[Collection[str]], None]) -> None:
    without({"torch", "onnx"})
    found = doctor.diagnose()
    row = checks(found)["extra train"]
    assert row["state"] == "missing"
    assert row["found"] == "not installed: torch, onnx"
    assert row["fix"].endswith("-m pip install -c constraints.txt -e '.[train]'")
    assert found["machine"]["torch"] is None
    assert found["ready"] is True


def test_what_learned_scores_need_is_an_extra(without: Callable[[Collection[str]], None]) -> None:
    without({"lightgbm", "llguidance"})
    row = checks(doctor.diagnose())["extra complexity"]
    assert row["state"] == "missing"
    assert row["serves"] == "learned scores of how complex functions are"
    assert sorted(row["found"].removeprefix("not installed: ").split(", ")) == ["lightgbm", "llguidance"]
    assert row["fix"].endswith("-e '.[complexity]'")


def test_a_missing_package_of_the_core_is_a_failure(
    without: Callable[[Collection[str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    without({"tree-sitter-go"})
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["ready"] is False
    assert checks(found)["core"]["found"] == "not installed: tree-sitter-go"


def test_an_installed_package_is_mended_from_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.codefit, "__file__", str(tmp_path / "lib" / "codefit" / "__init__.py"))
    assert doctor.install_command("serve").endswith("-m pip install 'codefit[serve]'")
    assert doctor.install_command("core").endswith("-m pip install 'codefit'")


def test_missing_programs_are_mended_by_the_systems_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(doctor.platform, "system", lambda: "Linux")
    rows = checks(doctor.diagnose())
    packages = {"git": "git", "bubblewrap": "bubblewrap", "chromium": "chromium", "jdk": "default-jdk-headless"}
    packages |= {"npm": "nodejs npm"}
    for name, package in packages.items():
        assert rows[name]["state"] == "missing"
        assert "apt-get install" in rows[name]["fix"]
        assert package in rows[name]["fix"]
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 1000)
    assert checks(doctor.diagnose())["git"]["fix"].startswith("sudo apt-get")


@pytest.mark.parametrize(
    ("gpu", "torch", "state", "said"),
    [
        (Gpu(None), "2.13.0+cpu", "ok", "none"),
        (Gpu("NVIDIA L4, 22 GiB"), "2.13.0", "ok", "NVIDIA L4"),
        (Gpu("NVIDIA L4, 22 GiB"), "2.13.0+cpu", "warning", "cannot use it"),
        (Gpu(None, "Driver mismatch"), "2.13.0", "warning", "Driver mismatch"),
    ],
)
def test_a_card_that_cannot_be_used_is_worth_a_word(gpu: Gpu, torch: str, state: str, said: str) -> None:
    check = doctor._gpu_check(gpu, torch)
    assert (check.state, said in check.found) == (state, True)
    if "cannot use" in said:
        assert check.fix is not None
        assert "torch==2.13.0" in check.fix
        assert "+cpu" not in check.fix


def test_little_memory_or_disk_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NEEDED_MEMORY", 1 << 60)
    monkeypatch.setattr(doctor, "NEEDED_DISK", 1 << 60)
    rows = checks(doctor.diagnose())
    assert rows["memory"]["state"] == rows["disk"]["state"] == "warning"
    assert "data.train_rows" in rows["memory"]["fix"]


def test_ready_pairs_are_looked_for_where_the_variable_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEFIT_DATA", str(tmp_path))
    assert checks(doctor.diagnose())["ready pairs"]["state"] == "missing"
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "a__b.jsonl.gz").write_bytes(b"")
    row = checks(doctor.diagnose())["ready pairs"]
    assert (row["state"], row["found"]) == ("ok", f"1 files in {tmp_path / 'pairs'}")


def test_a_module_that_a_command_needs_is_said_with_the_command_that_installs_it() -> None:
    doctor.check_installed("serve", ["json", "re"])
    with pytest.raises(CodefitError, match=r"no_such_module is not installed; .* -e '\.\[mcp\]'"):
        doctor.check_installed("mcp", ["json", "no_such_module"])


def test_a_runtime_without_a_compiler_is_no_jdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "java").write_text("#!/bin/sh\n")
    (tmp_path / "java").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checks(doctor.diagnose())["jdk"]["state"] == "missing"
    (tmp_path / "javac").symlink_to(tmp_path / "java")
    assert checks(doctor.diagnose())["jdk"]["state"] == "ok"


def test_code_that_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    with pytest.raises(CodefitError, match="pip install"):
        doctor.requirements()


def test_the_command_prints_a_table_and_what_to_type(
    without: Callable[[Collection[str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    without({"fastapi"})
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert machine.cpu_name() in shown
    assert "--    extra serve" in shown
    mend = shown.split("to mend:")[1]
    assert "'.[serve]'" in mend
    assert shutil.which("git") is None or "  git " not in mend
