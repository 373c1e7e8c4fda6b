"""What of this machine decides how a model is run on it: physical cores, and whether int8 products are exact."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

_VNNI_FLAGS = frozenset({"avx512_vnni", "avx_vnni"})


def physical_cores() -> int:
    """Cores that this process may use, hyper-threads counted once: matrix products gain nothing from the second."""
    import psutil

    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))


@cache
def int8_saturates() -> bool:
    """Whether products of 8-bit weights overflow here: x86 without VNNI adds pairs of them in 16 bits.

    Weights of 7 bits (`reduce_range`) cannot overflow. ARM adds in 32 bits.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    return not _VNNI_FLAGS & _flags()


def _flags() -> frozenset[str]:
    """The processor's features as Linux names them; none elsewhere, where the safe answer is taken."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return frozenset()
    for line in cpuinfo.read_text(errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


def describe_machine() -> dict[str, Any]:
    """What timings depend on."""
    return {
        "cpu": _processor_name(),
        "cores": physical_cores(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "int8_saturates": int8_saturates(),
    }


def _processor_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
