"""Credentials and personal data replaced by typed markers such as `<EMAIL>` and `<SECRET:AWS_KEY>`.

Left as they are: phone numbers (in code nearly every match is another number), names of authors (a licence may ask for
them), example addresses and documentation ranges (nobody's), private and loopback networks.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator

from codefit.corpus.credentials import Span, credentials

# Top-level domains that addresses in code have. A list: `a@b.mean` multiplies matrices and `icon@2x.png` is a file.
_TOP_LEVEL = "com|org|net|edu|gov|mil|int|info|biz|name|dev|app|io|ai|me|co|tv|cc|xyz|online|site|tech|[a-z]{2}"
_EMAIL = re.compile(
    rf"(?<![\w.%+/-])[A-Za-z0-9][\w.%+-]{{0,63}}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\.){{1,8}}(?:{_TOP_LEVEL})"
    rf"(?![\w(\[]|[.-]\w)",
)
# Domains that RFC 2606 and RFC 6761 reserve for documentation; accounts of services; SSH's names of algorithms.
_EXAMPLE_EMAIL = re.compile(
    r"(?:git|hg|svn|noreply|no-reply)@|.*@(?:openssh\.com|libssh\.org|(?:[\w-]+\.)*example\.(?:com|org|net|edu))\Z",
    re.IGNORECASE,
)

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV4_TAIL = re.compile(r"\.\d{1,3}\.\d{1,3}\.\d")  # begins with a literal, so that the search skips from dot to dot
# Global unicast is 2000::/3 (RFC 4291): the first group decides, so `ad::be` in C++ and times of day never match.
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9a-fA-F]{3}:(?:[0-9a-fA-F]{0,4}:){1,6}[0-9a-fA-F]{0,4}(?![\w:])")
_IPV6_GROUP = re.compile(r":[0-9a-fA-F]{1,4}:")
# What stands before a version or section number.
_NUMBER_BEFORE = re.compile(r"(?:version\w*|release|\bv|[=<>~^!]=|§|section|chapter)[\"'\s:=(]*\Z", re.IGNORECASE)
_CONTEXT = 24  # characters before a number in which such a word counts
# Three of four numbers below 32 make a version or a section: a random address is so once in a hundred and forty times.
_SMALL_PART = 32
# Public resolvers: known to everyone, standing for "some address" in code.
_WELL_KNOWN = frozenset({"1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9"})


def redact(text: str) -> tuple[str, dict[str, int]]:
    """The text with its credentials and personal data replaced, and how many of each kind there were.

    Kinds are `EMAIL`, `IP` and `SECRET:` with the kind of credential. Redacting again changes nothing.
    """
    counts: Counter[str] = Counter()
    while True:
        # Again until nothing is found: with a key gone, what stood against it may become an address of its own.
        text, found = _replace(text)
        if not found:
            return text, dict(counts)
        counts.update(found)


def _replace(text: str) -> tuple[str, Counter[str]]:
    pieces: list[str] = []
    found: Counter[str] = Counter()
    done = 0
    for span in sorted(_spans(text), key=lambda span: (span.start, -span.end)):
        if span.start < done:  # inside a stretch that is already gone
            continue
        pieces += [text[done : span.start], f"<{span.kind}>"]
        found[span.kind] += 1
        done = span.end
    return ("".join([*pieces, text[done:]]) if found else text), found


def _spans(text: str) -> Iterator[Span]:
    for span in credentials(text):
        yield span._replace(kind=f"SECRET:{span.kind}")
    if "@" in text:
        yield from _emails(text)
    if _IPV4_TAIL.search(text):
        yield from _ipv4(text)
    if _IPV6_GROUP.search(text):
        yield from _ipv6(text)


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text):
        if not _EXAMPLE_EMAIL.match(match[0]):
            yield Span(*match.span(), "EMAIL")


def _ipv4(text: str) -> Iterator[Span]:
    for match in _IPV4.finditer(text):
        address = match[0]
        if address in _WELL_KNOWN or not _is_global(address):
            continue
        if sum(int(part) < _SMALL_PART for part in address.split(".")) >= 3:
            continue
        if not _NUMBER_BEFORE.search(text, max(0, match.start() - _CONTEXT), match.start()):
            yield Span(*match.span(), "IP")


def _ipv6(text: str) -> Iterator[Span]:
    for match in _IPV6.finditer(text):
        if _is_global(match[0]):
            yield Span(*match.span(), "IP")


def _is_global(address: str) -> bool:
    """Whether it is an address of the public network: not private, loopback, reserved or for documentation."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
