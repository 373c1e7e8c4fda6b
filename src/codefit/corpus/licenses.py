"""Licences as SPDX expressions, from whatever package metadata says, and an allow-list that a recipe enforces."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache, lru_cache
from typing import Any

from codefit.errors import InputError

# In an allow-list: rows whose licence nobody stated.
UNKNOWN = "unknown"

# What the recipes allow by default: licences that ask for no more than that their notice stays.
PERMISSIVE = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "HPND", "ISC",
        "LicenseRef-BSD", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib", "ZPL-2.1",
    }
)  # fmt: skip

# Names as people write them, as the set of their words without "the", "license", "version" and the like. A family
# without its variant (all the BSD licences permit use) has no SPDX identifier, so it gets a LicenseRef of its own.
_NAMES: dict[frozenset[str], str] = {
    frozenset(words.split()): spdx
    for spdx, names in {
        "MIT": ("mit", "expat", "mit expat", "mit x11"),
        "MIT-0": ("mit 0", "mit no attribution"),
        "HPND": (
            "hpnd",
            "historical permission notice and disclaimer",
            "historical permission notice and disclaimer hpnd",
        ),
        "Apache-2.0": (
            "apache",
            "apache 2.0",
            "apache 2",
            "apache software",
            "apache software 2.0",
            "asl 2.0",
            "asl 2",
        ),
        "BSD-3-Clause": (
            "bsd 3 clause",
            "bsd 3",
            "bsd new",
            "bsd modified",
            "bsd revised",
            "bsd new simplified 3 clause",
        ),
        "BSD-2-Clause": ("bsd 2 clause", "bsd 2", "bsd simplified", "freebsd"),
        "LicenseRef-BSD": ("bsd", "bsd style", "bsd like", "bsd derived"),
        "0BSD": ("0bsd", "zero clause bsd", "bsd zero clause 0bsd"),
        "ISC": ("isc", "isc iscl"),
        "MPL-2.0": ("mpl 2.0", "mpl 2", "mozilla public 2.0", "mozilla public 2.0 mpl"),
        "PSF-2.0": ("psf", "psf 2.0", "psf 2", "python software foundation", "psfl"),
        "Unlicense": ("unlicense", "unlicense unlicense"),
        "Zlib": ("zlib", "zlib libpng"),
        "BSL-1.0": ("boost software 1.0", "bsl 1.0", "boost software 1.0 bsl"),
        "CC0-1.0": ("cc0", "cc0 1.0", "cc0 1.0 universal", "cc0 1.0 universal public domain dedication"),
        "ZPL-2.1": ("zpl 2.1", "zope public 2.1", "zope public"),
        "LicenseRef-Public-Domain": ("public domain",),
        "LicenseRef-Proprietary": ("proprietary", "other proprietary", "commercial", "all rights reserved"),
    }.items()
    for words in names
}
_NOISE = frozenset({"the", "a", "an", "license", "licence", "licensed", "under", "version", "v", "terms", "of"})
_NOTHING_SAID = frozenset(
    {"", "unknown", "none", "n/a", "noassertion", "license", "osi approved", "other", "dual license"}
)

# "GNU Lesser General Public License v3 or later (LGPLv3+)", "GPL-2.0", "AGPL 3": the kind, the version, and later ones.
_GNU = re.compile(r"(?:gnu\s+)?\b(affero|lesser|library|l|a)?\s*(?:general\s+public|gpl)\b", re.IGNORECASE)
_GNU_KINDS = {"affero": "AGPL", "a": "AGPL", "lesser": "LGPL", "library": "LGPL", "l": "LGPL", "": "GPL"}
# Without a version the recipient may choose any that was ever published (GPL-2.0, section 9).
_GNU_ANY_VERSION = {"GPL": "GPL-1.0-or-later", "LGPL": "LGPL-2.0-or-later", "AGPL": "AGPL-1.0-or-later"}
_GNU_VERSION = re.compile(r"(?<!\d)([123])(?:\.([01]))?(?!\d)")
_OR_LATER = re.compile(r"or[\s-]+(?:later|newer|above|greater)|\+|or any later", re.IGNORECASE)

# The sentence by which a whole licence text is known, looked for without regard to case and line breaks.
_BSD = "redistribution and use in source and binary forms"
_ISC = "permission to use, copy, modify,? and/?(?:or )?distribute this software"
_TEXTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("Apache-2.0", re.compile(r"apache license,? version 2\.0")),
    ("MPL-2.0", re.compile(r"mozilla public license,? (?:version|v\.) 2\.0")),
    ("MIT", re.compile("permission is hereby granted, free of charge, to any person obtaining a copy")),
    ("BSD-4-Clause", re.compile(f"{_BSD}.*all advertising materials")),
    ("BSD-3-Clause", re.compile(f"{_BSD}.*(?:neither the names? of|the names? of .{{0,80}}may not be used)")),
    ("BSD-2-Clause", re.compile(_BSD)),
    ("ISC", re.compile(f"{_ISC} .{{0,60}}provided that the above")),
    ("0BSD", re.compile(_ISC)),
    ("Unlicense", re.compile("this is free and unencumbered software released into the public domain")),
    ("PSF-2.0", re.compile("python software foundation license")),
    ("Zlib", re.compile("altered source versions must be plainly marked")),
)
# The longer form of a text holds the sentence of the shorter one too.
_IMPLIED = {"BSD-4-Clause": {"BSD-3-Clause", "BSD-2-Clause"}, "BSD-3-Clause": {"BSD-2-Clause"}, "ISC": {"0BSD"}}
_GNU_TITLE = re.compile(r"gnu (?:affero |lesser |library )?general public license version \d(?:\.\d)?")
_MAX_NAME = 200  # characters; what is longer is the text of a licence, not its name
_OPERATOR = re.compile(r"([()]|\b(?:AND|OR|WITH)\b)", re.IGNORECASE)
_JOINED = re.compile(r"\b(?:and|or|with)\b", re.IGNORECASE)
# What follows in a wheel's licence file is about libraries that were compiled into it, not about the package's source.
_BUNDLED = re.compile(r"\b(?:also )?bundle[sd]?\b|third[- ]party")


@lru_cache(maxsize=4096)
def spdx(text: str) -> str | None:
    """The SPDX expression that `text` stands for, or None where it says nothing or nothing known.

    `text` is a value of package metadata: an SPDX expression, a name in common use ("Apache Software License",
    "BSD 3-Clause"), a trove classifier ("License :: OSI Approved :: MIT License") or a whole licence text.
    """
    said = text.rsplit("::", 1)[-1].strip()
    if said.lower() in _NOTHING_SAID:
        return None
    if len(said) > _MAX_NAME or said.count("\n") > 1:
        return _from_text(said)
    return _parsed(said) or _name(said) or _parsed(_with_known_names(said)) or _from_text(said)


def is_allowed(expression: str | None, allowed: Collection[str]) -> bool:
    """Whether an SPDX expression can be met with the licences in `allowed` (SPDX identifiers, or "unknown").

    All sides of an AND must be allowed and one side of an OR; an exception (WITH) only adds permissions, so what is
    allowed without it is allowed with it. Raises `InputError` for a name in `allowed` that is no licence.
    """
    listed = _allow_list(frozenset(allowed))
    if expression is None:
        return UNKNOWN in listed
    return _is_met(expression, listed)


@lru_cache(maxsize=64)
def _allow_list(allowed: frozenset[str]) -> frozenset[str]:
    listed = set()
    for name in allowed:
        known = UNKNOWN if name == UNKNOWN else spdx(name)
        if known is None:
            raise InputError(f"{name!r} in the licence allow-list is no licence", fix="use an identifier such as MIT")
        listed.add(known)
    return frozenset(listed)


@lru_cache(maxsize=4096)
def _is_met(expression: str, listed: frozenset[str]) -> bool:
    known = spdx(expression)
    # What was stated but is not understood is not what the list allows, not even as unknown.
    return known is not None and _walk(_licensing().parse(known, validate=False), listed)


def _walk(node: Any, listed: frozenset[str]) -> bool:
    if str(node) in listed:
        return True
    from license_expression import LicenseWithExceptionSymbol

    if isinstance(node, LicenseWithExceptionSymbol):
        return str(node.license_symbol) in listed
    if isinstance(node, _licensing().AND):
        return all(_walk(part, listed) for part in node.args)
    if isinstance(node, _licensing().OR):
        return any(_walk(part, listed) for part in node.args)
    return False


@cache
def _licensing() -> Any:
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


def _name(said: str) -> str | None:
    """The identifier of one licence by its name, whatever the order of the words and the signs between them."""
    words = frozenset(re.findall(r"\d+(?:\.\d+)*|[a-z]+\d*|\d+[a-z]+", re.sub(r"v(?=\d)", " ", said.lower()))) - _NOISE
    return _NAMES.get(words) or _gnu(said)


def _gnu(said: str) -> str | None:
    if _JOINED.search(_OR_LATER.sub("", said)):
        return None
    found = _GNU.search(re.sub(r"v(?=\d)", " ", said, flags=re.IGNORECASE).replace("-", " "))
    if found is None:
        return None
    kind = _GNU_KINDS[(found[1] or "").lower()]
    version = _GNU_VERSION.search(said)
    later = "or-later" if _OR_LATER.search(said) else "only"
    named = version and _parsed(f"{kind}-{version[1]}.{version[2] or '0'}-{later}")
    return named or _GNU_ANY_VERSION[kind]


def _with_known_names(said: str) -> str:
    """An expression whose parts are identifiers where their names are known; a slash, as in Cargo, means OR."""
    parts = (part.strip() for part in _OPERATOR.split(said.replace("/", " OR ")))
    return " ".join(part.upper() if _OPERATOR.fullmatch(part) else _name(part) or part for part in parts if part)


def _parsed(said: str) -> str | None:
    """The expression in SPDX's own spelling; None where it is none, or one of its identifiers is unknown."""
    from license_expression import ExpressionError, ExpressionParseError

    try:
        parsed = _licensing().parse(said, validate=False)
    except (ExpressionError, ExpressionParseError, IndexError, AssertionError, TypeError):
        return None  # the last three are what the library raises for "MIT AND" and "( OR MIT"
    unknown = _licensing().unknown_license_keys(parsed)
    return None if any(not key.startswith("LicenseRef-") for key in unknown) else str(parsed)


def _from_text(text: str) -> str | None:
    """All licences whose text, or whose title for the GNU ones, stands in `text`, joined by AND."""
    flat = _BUNDLED.split(" ".join(text.lower().split()), maxsplit=1)[0]
    title = _GNU_TITLE.search(flat)
    if title is not None:
        return _gnu(title[0])
    found = [identifier for identifier, pattern in _TEXTS if pattern.search(flat)]
    implied = {other for identifier in found for other in _IMPLIED.get(identifier, ())}
    return " AND ".join(identifier for identifier in found if identifier not in implied) or None
