"""What this machine has, what is missing for what, and the command that mends it."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import codefit
from codefit.errors import CodefitError
from codefit.run.machine import Gpu, find_gpu, installed_version, instructions, machine_facts
from codefit.run.pair_data import DATA_VARIABLE, expanded

State = Literal["ok", "missing", "warning"]

GIB = 2**30
# The quickstart's bound, with an environment beside it; less than this and the first run ends in the kernel's killer.
NEEDED_MEMORY = 4 * GIB
# A run keeps its pairs, two checkpoints, the model and its exports.
NEEDED_DISK = 2 * GIB

CORE = "core"
# What an extra of the package is for, in the order of a newcomer's needs.
EXTRAS: Mapping[str, str] = {
    CORE: "mining, searching, exported models",
    "train": "training, export, datasets in the hub's layout",
    "serve": "the HTTP service",
    "repair": "mending code that does not parse",
    "complexity": "learned scores of how complex functions are",
    "mcp": "tools for coding agents",
    "scale": "many machines, many vectors",
    "quantize": "language models in int8, NF4 and GGUF",
    "dev": "the tests",
}


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the system: the names it goes by, what needs it, and its Debian and Homebrew packages."""

    name: str
    commands: tuple[str, ...]
    serves: str
    debian: str
    brew: str | None = None


PROGRAMS = (
    Program("git", ("git",), "the revision in run.json, checkouts as sources", "git", "git"),
    Program("bubblewrap", ("bwrap",), "running code that nobody trusts", "bubblewrap"),
    Program(
        "chromium",
        ("chromium", "chromium-browser", "google-chrome"),
        "the browser tests of the report",
        "chromium fonts-dejavu-core",
        "--cask chromium",
    ),
    Program(
        # The compiler, which is what a runtime alone lacks.
        "jdk",
        ("javac",),
        "the tests of /rerank with Java's own client",
        "default-jdk-headless",
        "--cask temurin",
    ),
    Program(
        # npm, which brings ESLint and comes with Node.js; Node.js alone does not bring npm on Debian.
        "npm",
        ("npm",),
        "the tests of JavaScript's metrics beside ESLint's",
        "nodejs npm",
        "node",
    ),
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing: whether it is there, what it serves, what was found, and the command that mends it."""

    name: str
    state: State
    serves: str
    found: str
    fix: str | None = None


def diagnose(folder: Path = Path()) -> dict[str, Any]:
    """`{"machine", "checks", "ready"}`: facts of `machine_facts` and more, a row a `Check`, whether the core works.

    `folder` is where runs would be written: its disk is the one that counts.
    """
    gpu = find_gpu()
    machine = machine_facts(gpu) | {
        "instructions": instructions(),
        "memory_free_bytes": _free_memory(),
        "disk_free_bytes": shutil.disk_usage(folder).free,
        "torch": installed_version("torch"),
    }
    checks = [
        *_room_checks(machine),
        _gpu_check(gpu, machine["torch"]),
        *(_extra_check(name, packages) for name, packages in requirements().items() if name in EXTRAS),
        *map(_program_check, PROGRAMS),
        _data_check(),
    ]
    ready = all(check.state != "missing" for check in checks if check.name == CORE)
    return {"machine": machine, "checks": [asdict(check) for check in checks], "ready": ready}


def requirements() -> dict[str, list[str]]:
    """The packages that codefit asks for, by extra; `core` is what it always needs."""
    try:
        asked = metadata.requires("codefit") or []
    except metadata.PackageNotFoundError as error:
        raise CodefitError("codefit runs from its source without being installed", fix=install_command(CORE)) from error
    found: dict[str, list[str]] = {name: [] for name in EXTRAS}
    for requirement in asked:
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        extra = re.search(r"""extra\s*==\s*["']([^"']+)["']""", requirement)
        assert name is not None, requirement
        found.setdefault(extra[1] if extra else CORE, []).append(name[0])
    return found


def check_installed(extra: str, modules: Sequence[str]) -> None:
    """Raise `CodefitError` with the command to run where a module of an extra cannot be imported."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise CodefitError(f"{', '.join(missing)} is not installed", fix=install_command(extra))


def install_command(extra: str) -> str:
    """How to install an extra: from the checkout that codefit runs from, else from the package index."""
    checkout = Path(codefit.__file__).resolve().parents[2]
    suffix = "" if extra == CORE else f"[{extra}]"
    python = shlex.quote(sys.executable)
    if (checkout / "pyproject.toml").exists() and (checkout / "constraints.txt").exists():
        return f"cd {shlex.quote(str(checkout))} && {python} -m pip install -c constraints.txt -e '.{suffix}'"
    return f"{python} -m pip install 'codefit{suffix}'"


def _room_checks(machine: Mapping[str, Any]) -> list[Check]:
    memory, disk = machine["memory_bytes"], machine["disk_free_bytes"]
    return [
        Check(
            "memory",
            "ok" if memory >= NEEDED_MEMORY else "warning",
            "training on a CPU",
            f"{memory / GIB:.1f} GiB",
            None if memory >= NEEDED_MEMORY else "codefit run quickstart data.train_rows=20000",
        ),
        Check(
            "disk",
            "ok" if disk >= NEEDED_DISK else "warning",
            "a run's files",
            f"{disk / GIB:.1f} GiB free",
            None if disk >= NEEDED_DISK else "codefit run RECIPE --out /a/larger/disk",
        ),
    ]


def _gpu_check(gpu: Gpu, torch_version: str | None) -> Check:
    """A GPU is never asked for, but one that is there and cannot be used is worth a word."""
    name, serves = "graphics card", "training an encoder in hours, not days"
    if gpu.problem is not None:
        return Check(name, "warning", serves, gpu.problem, "nvidia-smi")
    if gpu.name is None:
        return Check(name, "ok", serves, "none; static models train well without")
    if torch_version is not None and torch_version.endswith("+cpu"):
        python = shlex.quote(sys.executable)
        fix = f"{python} -m pip install --force-reinstall torch=={torch_version.removesuffix('+cpu')}"
        return Check(name, "warning", serves, f"{gpu.name}, but torch {torch_version} cannot use it", fix)
    return Check(name, "ok", serves, gpu.name)


def _extra_check(extra: str, packages: list[str]) -> Check:
    name = extra if extra == CORE else f"extra {extra}"
    missing = [package for package in packages if installed_version(package) is None]
    if not missing:
        return Check(name, "ok", EXTRAS[extra], f"{len(packages)} packages")
    found = f"not installed: {', '.join(missing)}"
    return Check(name, "missing", EXTRAS[extra], found, install_command(extra))


def _program_check(program: Program) -> Check:
    path = next((path for command in program.commands if (path := shutil.which(command))), None)
    if path is not None:
        return Check(program.name, "ok", program.serves, path)
    return Check(program.name, "missing", program.serves, "not on the PATH", _program_fix(program))


def _program_fix(program: Program) -> str | None:
    """The command of this system's package manager; None where it has no such package."""
    if platform.system() == "Darwin":
        return program.brew and f"brew install {program.brew}"
    root = "" if os.geteuid() == 0 else "sudo "
    return f"{root}apt-get install -y --no-install-recommends {program.debian}"


def _data_check() -> Check:
    """Ready pairs are an addition: the recipes go on without, and say so."""
    folder = Path(expanded(f"${DATA_VARIABLE}")) / "pairs"
    count = len(list(folder.glob("*.jsonl*"))) if folder.is_dir() else 0
    serves = "the recipe code-encoder-cpu at its best"
    if count:
        return Check("ready pairs", "ok", serves, f"{count} files in {folder}")
    fix = f"{DATA_VARIABLE}=/folder/of/data codefit run code-encoder-cpu"
    return Check("ready pairs", "missing", serves, f"none in {folder}", fix)


def _free_memory() -> int:
    import psutil

    free: int = psutil.virtual_memory().available
    return free
