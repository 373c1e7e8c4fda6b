"""What an export must prove before it is written: the same vectors as the model in torch, on real and odd texts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError
from codefit.source.functions import units_of

FloatArray = npt.NDArray[np.float32]

MAX_ABSOLUTE = 1e-4  # of a component of a unit vector: sums of float32 in another order stay a hundred times below
MIN_COSINE = 0.9999
INT8_MIN_MEAN_COSINE = 0.98  # an int8 model below it ranks visibly otherwise
# Modules of the standard library whose functions are taken: short and long ones, with and without comments.
MODULES = ("textwrap", "heapq", "json.decoder", "shlex", "fractions")
FUNCTIONS = 48  # spread over those modules' lengths
ODD_TEXTS = (
    "",
    " ",
    "x",
    "\n",
    "read a file and count its lines",
    "größte Zahl in einer Liste finden",
    "計算兩個數字的和",
    "наибольший общий делитель",
    "🙂 emoji, \u200b zero width, e\u0301 combined",
    "a" * 3000,
    'if (a<b) { return !c ? d[e++] : f->g(h, "i\\n"); } // done\r\n',
)


def parity_texts(max_tokens: int) -> list[str]:
    """Functions of the standard library by length, odd texts, and one longer than the model's `max_tokens`."""
    functions: list[str] = []
    for name in MODULES:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        text = Path(spec.origin).read_text(encoding="utf-8")
        functions += [unit.definition for unit in units_of(text, "python") if unit.kind != "type"]
    functions.sort(key=lambda code: (len(code), code))
    chosen = [functions[round(i)] for i in np.linspace(0, len(functions) - 1, FUNCTIONS)]
    # A token has at least one character but for rare byte pieces; words of five letters are a token or more.
    longest = " ".join(f"value_{number}" for number in range(max_tokens))
    return [*ODD_TEXTS, *chosen, longest]


def compare_fp32(reference: FloatArray, vectors: FloatArray, where: str) -> dict[str, Any]:
    """Largest difference and lowest cosine, both (texts, d); `CodefitError` where they are too far apart."""
    difference = float(np.abs(reference - vectors).max())
    cosine = float(cosines(reference, vectors).min())
    # Written so that what is no number fails too.
    if not (difference <= MAX_ABSOLUTE and cosine >= MIN_COSINE):
        raise CodefitError(
            f"the exported model gives other vectors than torch: they differ by {difference:.1e}"
            f" (at most {MAX_ABSOLUTE:.0e}), cosine {cosine:.5f} (at least {MIN_COSINE}); nothing was written",
            where=where,
            fix="report it with the model's modules.json and config.json",
        )
    return {"texts": len(reference), "max_abs": difference, "min_cosine": cosine}


def compare_int8(reference: FloatArray, vectors: FloatArray, where: str) -> dict[str, Any]:
    """Mean and lowest cosine, both (texts, d); `CodefitError` where the mean is too low."""
    values = cosines(reference, vectors)
    mean = float(values.mean())
    if not mean >= INT8_MIN_MEAN_COSINE:
        raise CodefitError(
            f"int8 changes the model: mean cosine {mean:.4f} to torch, at least {INT8_MIN_MEAN_COSINE} is asked;"
            " nothing was written",
            where=where,
            fix="weights that are far larger than the rest break 8 bits: train with a lower rate or weight decay",
        )
    return {"texts": len(reference), "mean_cosine": mean, "min_cosine": float(values.min())}


def cosines(left: FloatArray, right: FloatArray) -> npt.NDArray[np.float64]:
    """Cosine of each pair of rows; 1 where both are zero, 0 where one is."""
    a, b = left.astype(np.float64), right.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    both_zero = ~a.any(axis=1) & ~b.any(axis=1)
    values: npt.NDArray[np.float64] = np.where(both_zero, 1.0, (a * b).sum(axis=1) / np.where(lengths > 0, lengths, 1))
    return values


def check_numbers(vectors: FloatArray, texts: Sequence[str], where: str) -> None:
    """Raise `CodefitError` where the model itself gives vectors that are no numbers or have no length."""
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        raise CodefitError(
            f"the model gives vectors that are no numbers, as for {texts[int(bad.argmax())][:40]!r}",
            where=where,
            fix="its weights are broken: train it again, or take an earlier checkpoint",
        )
    if not vectors.any():
        raise CodefitError("the model gives zero vectors for every text", where=where, fix="train it again")
