"""Exact and near duplicates.

Near duplicates are found as in Broder 1997 ("On the resemblance and containment of documents") and Leskovec,
Rajaraman and Ullman, "Mining of Massive Datasets", 3.4: MinHash signatures are cut into bands, texts that agree on a
band are candidates, and each candidate pair is then checked by the exact Jaccard index of its shingle sets, so that a
cluster is never held together by an estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import rensa

from codefit.corpus.hashing import fingerprint
from codefit.corpus.shingles import SHINGLE_TOKENS, UInt64Array, jaccard, powers, shingle_sets
from codefit.errors import InputError
from codefit.progress import track

IntArray = npt.NDArray[np.int64]
UInt32Array = npt.NDArray[np.uint32]

# The threshold of Allamanis 2019 and of CodeSearchNet (Husain et al. 2019, arXiv:1909.09436, section 2).
DEFAULT_THRESHOLD = 0.8

PERMUTATIONS = 128  # the estimate's standard error at Jaccard 0.8 is then 0.035
SEED = 42

# Of the pairs that lie exactly at the threshold, banding may miss one in a thousand; pairs above it, fewer.
MAX_MISSED = 1e-3

# A pair whose estimate lies this far below the threshold, nearly three standard errors, is not worth the exact check.
ESTIMATE_MARGIN = 0.10

# In a bucket larger than this, a text is compared only with that many neighbours (per band): thousands of getters of
# one shape share their buckets, and comparing all with all would be quadratic. On 100,000 real functions 400
# neighbours found no pair that 8 did not; in a crowd made for it, 8 find 96 of 100 pairs.
MAX_NEIGHBOURS = 8

SIGNATURE_CHUNK = 10_000  # texts whose signatures are Python integers at one time: 60 MB


def exact_duplicates(texts: Iterable[str]) -> list[int | None]:
    """For each text the index of the first one that is the same but for layout, or None where it is the first."""
    first: dict[bytes, int] = {}
    found: list[int | None] = []
    for index, text in enumerate(texts):
        known = first.setdefault(fingerprint(text), index)
        found.append(None if known == index else known)
    return found


def near_duplicate_clusters(
    texts: Sequence[str], threshold: float = DEFAULT_THRESHOLD, *, width: int = SHINGLE_TOKENS
) -> IntArray:
    """Clusters of texts whose shingle sets have a Jaccard index of `threshold` or more, joined transitively.

    Returns (n,) the smallest index in each text's cluster; a text that stands alone has its own. The partition does
    not depend on the order of the texts. Texts without any token are alike. Time grows linearly with the number of
    texts. Raises `InputError` for a threshold outside (0, 1].
    """
    _check(threshold)
    return near_duplicate_sets(track(shingle_sets(texts, width), "shingles", len(texts), "texts"), threshold)


def near_duplicate_sets(shingles: Iterable[UInt64Array], threshold: float = DEFAULT_THRESHOLD) -> IntArray:
    """`near_duplicate_clusters` of texts whose sets are at hand, sorted and distinct as `shingle_sets` gives them."""
    _check(threshold)
    sets, member = _distinct_sets(shingles)
    if not sets:
        return np.zeros(0, np.int64)
    labels = _connect(sets, threshold)[member]
    smallest = np.full(len(sets), len(member), np.int64)
    np.minimum.at(smallest, labels, np.arange(len(member)))
    return smallest[labels]


def _check(threshold: float) -> None:
    if not 0 < threshold <= 1:
        raise InputError(f"the near-duplicate threshold {threshold} is not above 0 and at most 1")


def _distinct_sets(given: Iterable[UInt64Array]) -> tuple[list[UInt64Array], IntArray]:
    """The distinct shingle sets in the order of their hashes, and (n,) each text's place among them.

    That order is what makes the outcome independent of the order of the texts, also where a bucket is too large to
    be compared in full.
    """
    sets: dict[bytes, UInt64Array] = {}
    keys = []
    for shingles in given:
        key = blake2b(shingles.tobytes(), digest_size=16).digest()
        sets.setdefault(key, shingles)
        keys.append(key)
    ordered = sorted(sets)
    place = {key: position for position, key in enumerate(ordered)}
    member = np.fromiter((place[key] for key in keys), np.int64, len(keys))
    return [sets[key] for key in ordered], member


def minhash_signatures(sets: Sequence[UInt64Array]) -> UInt32Array:
    """(n, `PERMUTATIONS`) signatures; the share of equal columns of two rows estimates their Jaccard index.

    rensa's R-MinHash is the fast similarity sketch of Dahlgaard, Knudsen and Thorup 2017 (arXiv:1704.04370). Its
    "rho" variant, which samples tokens by their position, is not used: its result depends on their order.
    """
    signatures = np.empty((len(sets), PERMUTATIONS), np.uint32)
    for start in range(0, len(sets), SIGNATURE_CHUNK):
        part = sets[start : start + SIGNATURE_CHUNK]
        offsets = np.zeros(len(part) + 1, np.uint64)
        np.cumsum([shingles.size for shingles in part], out=offsets[1:])
        matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(np.concatenate(part), offsets, PERMUTATIONS, SEED)
        signatures[start : start + len(part)] = matrix.to_rows()
    return signatures


def rows_per_band(threshold: float) -> int:
    """The longest band that still misses at most `MAX_MISSED` of the pairs at the threshold: 5 rows for 0.8."""
    fitting = [
        rows for rows in range(1, PERMUTATIONS + 1) if (1 - threshold**rows) ** (PERMUTATIONS // rows) <= MAX_MISSED
    ]
    return max(fitting, default=1)


def _band_keys(signatures: UInt32Array, rows: int) -> UInt64Array:
    """(bands, n) one hash for each band of each signature; a chance collision costs a check, never a result."""
    bands = PERMUTATIONS // rows
    keys = np.zeros((bands, len(signatures)), np.uint64)
    for row, weight in enumerate(powers(rows)):
        keys += signatures[:, row : bands * rows : rows].T * weight
    return keys


def _connect(sets: list[UInt64Array], threshold: float) -> IntArray:
    """(n,) a label for each set, equal for sets that are connected by pairs at or above the threshold."""
    signatures = minhash_signatures(sets)
    keys = _band_keys(signatures, rows_per_band(threshold))
    sizes = np.fromiter((shingles.size for shingles in sets), np.int64, len(sets))
    labels = np.arange(len(sets))
    for band in track(range(len(keys)), "near duplicates", total=len(keys), unit="bands"):
        order, end = _buckets(keys[band], keys[(band + 1) % len(keys)])
        here = np.arange(len(order))
        for distance in range(1, MAX_NEIGHBOURS + 1):
            here = here[here + distance < end[here]]
            if not here.size:
                break
            first, second = order[here], order[here + distance]
            open_pairs = labels[first] != labels[second]
            first, second = first[open_pairs], second[open_pairs]
            likely = _likely(signatures, sizes, first, second, threshold)
            pairs = _verified(sets, first[likely], second[likely], threshold)
            _merge(labels, *pairs)
    return labels


def _buckets(keys: UInt64Array, next_keys: UInt64Array) -> tuple[IntArray, IntArray]:
    """The indices in the order of their band's key, and for each place in that order where its bucket ends.

    Inside a bucket the next band's key decides, so that in a large bucket the most alike are neighbours.
    """
    order = np.lexsort((next_keys, keys))
    borders = np.flatnonzero(np.diff(keys[order])) + 1
    ends = np.append(borders, len(keys))
    return order, np.repeat(ends, np.diff(ends, prepend=0))


def _likely(
    signatures: UInt32Array, sizes: IntArray, first: IntArray, second: IntArray, threshold: float
) -> npt.NDArray[np.bool_]:
    """Which pairs can reach the threshold by their sizes and are near it by the signatures' estimate."""
    small, large = np.minimum(sizes[first], sizes[second]), np.maximum(sizes[first], sizes[second])
    likely = small >= threshold * large
    estimate = (signatures[first[likely]] == signatures[second[likely]]).mean(axis=1)
    likely[likely] = estimate >= threshold - ESTIMATE_MARGIN
    return likely


def _verified(
    sets: list[UInt64Array], first: IntArray, second: IntArray, threshold: float
) -> tuple[IntArray, IntArray]:
    """The pairs whose exact Jaccard index reaches the threshold."""
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    kept = np.fromiter((jaccard(sets[a], sets[b]) >= threshold for a, b in pairs), np.bool_, len(first))
    return first[kept], second[kept]


def _merge(labels: IntArray, first: IntArray, second: IntArray) -> None:
    """Give connected texts the smallest label, in place: hooking and shortcutting (Shiloach and Vishkin 1982)."""
    while (labels[first] != labels[second]).any():
        low = np.minimum(labels[first], labels[second])
        high = np.maximum(labels[first], labels[second])
        np.minimum.at(labels, high, low)
        while (labels != labels[labels]).any():
            labels[:] = labels[labels]
