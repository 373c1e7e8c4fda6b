"""Languages balanced by a temperature: a language of n rows gets a share that grows with n^(1/T).

T = 1 keeps the shares as they are, a higher T evens them out (Devlin et al., multilingual BERT, exponent 0.7, T = 1.43;
Conneau et al. 2020, XLM-R, arXiv:1911.02116, section 3.1, exponent 0.3, T = 3.33).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from codefit.corpus.hashing import seeded_hash
from codefit.errors import InputError


def temperature_counts(
    counts: Mapping[str, int], temperature: float, total: int | None = None, *, max_repeat: float = 1.0
) -> dict[str, int]:
    """How many rows of each language to train on, in the order of `counts`.

    Shares are proportional to n^(1/`temperature`), but no language gets more than `max_repeat` times its rows; what it
    may not have goes to the others in proportion. `total` is the sum (at most what the caps allow); without it the
    largest for which no language reaches its cap before the shares are exact. Raises `InputError` for a temperature or
    `max_repeat` that is not above 0 or a negative total.
    """
    if temperature <= 0 or max_repeat <= 0:
        raise InputError(f"temperature {temperature} and max_repeat {max_repeat} must be above 0")
    if total is not None and total < 0:
        raise InputError(f"a total of {total} rows is negative")
    weights = {name: n ** (1 / temperature) for name, n in counts.items() if n > 0}
    caps = {name: math.floor(counts[name] * max_repeat) for name in weights}
    if not weights:
        return dict.fromkeys(counts, 0)
    if total is None:
        scale = min(caps[name] / weights[name] for name in weights)
        shares = {name: scale * weights[name] for name in weights}
    else:
        shares = _filled(weights, caps, min(total, sum(caps.values())))
    whole = _rounded(shares)
    return {name: whole.get(name, 0) for name in counts}


def _filled(weights: Mapping[str, float], caps: Mapping[str, int], total: int) -> dict[str, float]:
    """Shares of `total` in proportion to `weights`, none above its cap: those that would overflow are fixed first."""
    shares: dict[str, float] = {}
    left, weight_left = float(total), sum(weights.values())
    for name in sorted(weights, key=lambda name: (caps[name] / weights[name], name)):
        shares[name] = min(float(caps[name]), left * weights[name] / weight_left)
        left -= shares[name]
        weight_left -= weights[name]
    return shares


def _rounded(shares: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers with the same sum, the largest remainders rounded up; a cap, being whole, is never passed."""
    whole = {name: math.floor(share) for name, share in shares.items()}
    missing = round(sum(shares.values())) - sum(whole.values())
    by_remainder = sorted(shares, key=lambda name: (whole[name] - shares[name], name))
    for name in by_remainder[: max(missing, 0)]:
        whole[name] += 1
    return whole


def choose_rows(keys: Sequence[str], count: int, seed: int) -> list[int]:
    """Indices of `count` rows, ascending: those whose keys hash lowest, so that a row added displaces at most one.

    Where `count` is more than there are rows, each is taken as often as it divides, and the rest by hash.
    """
    if not keys:
        return []
    times, rest = divmod(count, len(keys))
    order = sorted(range(len(keys)), key=lambda i: (seeded_hash(seed, keys[i]), i))
    return sorted([*range(len(keys))] * times + order[:rest])
