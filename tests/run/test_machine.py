"""Facts of the machine: those of another library, a container's limits, drivers that work and that do not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import psutil
import pytest

import codefit
from codefit.run import machine
from codefit.run.doctor import CORE, requirements


def test_facts_are_those_of_the_machine_and_fit_into_json() -> None:
    facts = machine.machine_facts()
    assert set(facts) == {"cpu", "cores", "memory_bytes", "gpu", "platform", "python"}
    assert 1 <= facts["cores"] <= (psutil.cpu_count() or 1)
    assert 0 < facts["memory_bytes"] <= psutil.virtual_memory().total
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["cpu"]
    assert json.loads(json.dumps(facts)) == facts


def test_packages_have_the_versions_that_are_installed() -> None:
    found = machine.package_versions()
    assert found["codefit"] == codefit.__version__
    assert {"numpy", "tokenizers", "onnxruntime", "tree-sitter-python"} <= set(found)
    assert all(version == metadata.version(name) for name, version in found.items() if name != "codefit")


def test_what_numbers_depend_on_is_what_codefit_requires() -> None:
    asked = requirements()
    assert set(machine.PACKAGES) <= {*asked[CORE], *asked["train"]}
    assert set(asked["train"]) <= set(machine.PACKAGES)


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from codefit.run.machine import *; from codefit.run.doctor import diagnose; machine_facts(); "
        "package_versions(); diagnose(); "
        "import json; heavy = {'torch', 'transformers', 'onnxruntime', 'datasets'}; "
        "print(json.dumps(sorted(heavy & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize(("limit", "least"), [("1073741824\n", 1073741824), ("max\n", None), ("9" * 18, None)])
def test_a_containers_memory_limit_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, least: int | None
) -> None:
    file = tmp_path / "memory.max"
    file.write_text(limit)
    monkeypatch.setattr(machine, "MEMORY_LIMIT_FILES", (tmp_path / "no", file))
    assert machine.usable_memory() == (least or psutil.virtual_memory().total)


@pytest.mark.parametrize(("quota", "cores"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", 3)])
def test_a_containers_share_of_the_cores_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, cores: int
) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")
    monkeypatch.setattr(machine, "CPU_LIMIT_FILE", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    assert machine.usable_cores() == cores


def test_instructions_are_read_from_the_processors_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "CPU_FILE", file)
    assert machine.instructions() is None
    file.write_text("processor\t: 0\nmodel name\t: A CPU: fast\nflags\t\t: fpu avx2 avx512f avx512_vnni\n")
    assert machine.instructions() == ["AVX2", "AVX-512", "AVX-512 VNNI"]
    assert machine.cpu_name() == "A CPU: fast"
    file.write_text("processor : 0\nFeatures : fp asimd asimddp\n")
    assert machine.instructions() == ["NEON dot product"]
    file.write_text("flags : fpu avx2fake\n")
    assert machine.instructions() == []


def driver(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program called nvidia-smi first on the PATH: test machines have no GPU."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("listing", "name"),
    [
        ("NVIDIA H100 80GB HBM3, 81559", "NVIDIA H100 80GB HBM3, 80 GiB"),
        ("NVIDIA L4, 23034\\nNVIDIA L4, 23034", "2 x NVIDIA L4, 22 GiB"),
        ("NVIDIA Odd, [N/A]", "NVIDIA Odd"),
        ("", None),
    ],
)
def test_a_driver_names_its_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listing: str, name: str | None
) -> None:
    driver(tmp_path, monkeypatch, f"printf '{listing}\\n'")
    assert machine.find_gpu() == machine.Gpu(name)
    assert machine.machine_facts()["gpu"] == name


def test_a_driver_that_fails_or_hangs_is_a_problem_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver(tmp_path, monkeypatch, "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
    assert machine.find_gpu().problem == "Failed to initialize NVML: Driver/library version mismatch"
    driver(tmp_path, monkeypatch, "exec sleep 30")
    monkeypatch.setattr(machine, "GPU_SECONDS", 0.3)
    assert "does not answer" in (machine.find_gpu().problem or "")


def test_without_a_driver_there_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.find_gpu() == machine.Gpu(None)
