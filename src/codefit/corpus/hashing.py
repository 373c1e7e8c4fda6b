"""Hashes that mean the same in every process: of a text but for its layout, and of a name under a seed."""

from __future__ import annotations

from hashlib import blake2b

HASH_RANGE = 1 << 64  # `seeded_hash` is below this


def fingerprint(text: str) -> bytes:
    """A hash that ignores how much white space there is: equal for texts that are the same but for layout."""
    return blake2b(" ".join(text.split()).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def seeded_hash(seed: int, name: str) -> int:
    """A 64-bit number drawn for `name`: what is decided by it stays decided when other names come and go."""
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, key=str(seed).encode()).digest()
    return int.from_bytes(digest, "big")
