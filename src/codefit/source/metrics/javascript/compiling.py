"""How the scanner is compiled.

Counting references to an array on every call would take most of the time of a step, so numba's runtime is left out:
Python allocates all arrays. Only what Python calls is called through a wrapper and kept on disk.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from numba import njit

compiled = njit(_nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
entry = njit(cache=True, _nrt=False)


def _stamp() -> int:
    here = Path(__file__).parent
    files = [*sorted(here.glob("*.py")), here.parent / "rules" / "javascript.py"]
    state = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.exists()]
    return int.from_bytes(hashlib.sha256(repr(state).encode()).digest()[:7], "big")


# numba keeps what it compiled until the file of that function changes, whatever becomes of the functions it calls. The
# values of variables around a function count too, so each entry is made by a function that is given this number.
STAMP = _stamp()
