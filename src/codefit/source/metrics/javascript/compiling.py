"""How the scanner is compiled.

Counting references to an array on every call would take most of the time of a step, so numba's runtime is left out:
Python allocates all arrays. Only what Python calls is called through a wrapper and kept on disk.
"""

from __future__ import annotations

from numba import njit

compiled = njit(_nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
entry = njit(cache=True, _nrt=False)
