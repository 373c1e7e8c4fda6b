"""What this machine is and what is installed on it: written into every `run.json`, and what `doctor` starts from."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

CPU_FILE = Path("/proc/cpuinfo")
# Where a container's limit stands (cgroup version 2, then 1); the machine's own memory says nothing about it.
MEMORY_LIMIT_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
CPU_LIMIT_FILE = Path("/sys/fs/cgroup/cpu.max")
GPU_QUERY = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
GPU_SECONDS = 20.0  # a driver that does not answer by then will not; a healthy one takes well under a second
# Instructions that decide how fast the CPU encodes: VNNI is what makes int8 pay.
INSTRUCTIONS = {
    "AVX2": "avx2",
    "AVX-512": "avx512f",
    "AVX-512 VNNI": "avx512_vnni",
    "AVX VNNI": "avx_vnni",
    "AMX int8": "amx_int8",
    "NEON dot product": "asimddp",
}
# What a run's numbers can depend on. `doctor` looks at every requirement; this is what stands in run.json.
PACKAGES = (
    "accelerate",
    "bm25s",
    "datasets",
    "numpy",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "peft",
    "regex",
    "rensa",
    "safetensors",
    "sentence-transformers",
    "tokenizers",
    "torch",
    "transformers",
    "tree-sitter",
    "tree-sitter-c",
    "tree-sitter-cpp",
    "tree-sitter-go",
    "tree-sitter-java",
    "tree-sitter-javascript",
    "tree-sitter-php",
    "tree-sitter-python",
    "tree-sitter-ruby",
    "tree-sitter-rust",
    "tree-sitter-typescript",
)


@dataclass(frozen=True, slots=True)
class Gpu:
    """The graphics cards in words, or None; `problem` where there is a driver that does not work."""

    name: str | None
    problem: str | None = None


def machine_facts(gpu: Gpu | None = None) -> dict[str, Any]:
    """`{"cpu", "cores", "memory_bytes", "gpu", "platform", "python"}`; cores and memory that this process may use.

    `gpu` is what `find_gpu` has found, where it has been asked already.
    """
    return {
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "memory_bytes": usable_memory(),
        "gpu": (gpu or find_gpu()).name,
        "platform": platform.platform(),
        "python": platform.python_version(),
    }


def package_versions() -> dict[str, str]:
    """Version by name of the installed packages that a run's numbers can depend on, and of codefit."""
    import codefit

    found = {name: installed_version(name) for name in PACKAGES}
    return {"codefit": codefit.__version__} | {name: version for name, version in found.items() if version is not None}


def installed_version(name: str) -> str | None:
    """The version of an installed distribution, without importing it."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def cpu_name() -> str:
    """The processor as its maker calls it, or its architecture where nothing says more."""
    if platform.system() == "Darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()
    return _cpu_field("model name") or platform.processor() or platform.machine()


def instructions() -> list[str] | None:
    """Which of `INSTRUCTIONS` the processor has; None where the system does not say."""
    flags = _cpu_field("flags") or _cpu_field("Features")
    if flags is None:
        return None
    known = set(flags.split())
    return [name for name, flag in INSTRUCTIONS.items() if flag in known]


def usable_cores() -> int:
    """Logical cores that this process may use: its affinity, and a container's limit rounded up."""
    cores = len(os.sched_getaffinity(0)) if platform.system() == "Linux" else os.cpu_count() or 1
    if CPU_LIMIT_FILE.exists():
        quota, period = CPU_LIMIT_FILE.read_text(encoding="ascii").split()
        if quota != "max":
            cores = min(cores, max(1, -(-int(quota) // int(period))))
    return cores


def usable_memory() -> int:
    """Bytes of memory of this machine, or of the container where that is less."""
    import psutil

    total: int = psutil.virtual_memory().total
    for file in MEMORY_LIMIT_FILES:
        if file.exists():
            limit = file.read_text(encoding="ascii").strip()
            return total if limit == "max" else min(total, int(limit))
    return total


def find_gpu() -> Gpu:
    """The graphics cards that training could use, asked of the driver: torch would take seconds to import."""
    if platform.system() == "Darwin":
        return Gpu("Apple GPU (MPS)" if platform.machine() == "arm64" else None)
    try:
        done = subprocess.run(GPU_QUERY, capture_output=True, text=True, check=False, timeout=GPU_SECONDS)
    except FileNotFoundError:
        return Gpu(None)
    except subprocess.TimeoutExpired:
        return Gpu(None, f"nvidia-smi does not answer within {GPU_SECONDS:.0f} s")
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()
        return Gpu(None, said[0] if said else f"nvidia-smi ends with {done.returncode}")
    return Gpu(_gpu_words(done.stdout))


def _gpu_words(listing: str) -> str | None:
    """`2 x NVIDIA H100 80GB HBM3, 80 GiB` from nvidia-smi's lines of name and MiB."""
    names: dict[str, int] = {}
    for line in listing.splitlines():
        name, _, memory = line.rpartition(",")
        if not name:
            continue
        size = f", {int(memory) / 1024:.0f} GiB" if memory.strip().isdigit() else ""
        names[name.strip() + size] = names.get(name.strip() + size, 0) + 1
    return "; ".join(f"{count} x {name}" if count > 1 else name for name, count in names.items()) or None


def _cpu_field(name: str) -> str | None:
    if not CPU_FILE.exists():
        return None
    with CPU_FILE.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            field, _, value = line.partition(":")
            if field.strip() == name:
                return value.strip()
    return None


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None
