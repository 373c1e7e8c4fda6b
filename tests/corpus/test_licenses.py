"""Licences as packages state them, and what an allow-list lets through."""

from __future__ import annotations

import importlib.metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.corpus.licenses import PERMISSIVE, is_allowed, spdx
from codefit.errors import InputError

MIT_TEXT = (
    "MIT License\n\nCopyright (c) 2024 A. Person\n\nPermission is hereby granted, free of charge, to any person\n"
    'obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software\n'
)
BSD_TEXT = (
    "Copyright (c) 2015\nAll rights reserved.\n\nRedistribution and use in source and binary forms, with or without\n"
    "modification, are permitted provided that the following conditions are met:\n"
)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("MIT", "MIT"),
        ("mit license", "MIT"),
        ("The MIT License (MIT)", "MIT"),
        ("MIT/X11", "MIT"),
        ("License :: OSI Approved :: MIT License", "MIT"),
        ("Apache", "Apache-2.0"),
        ("Apache Software License", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("BSD 3-Clause License", "BSD-3-Clause"),
        ("3-Clause BSD License", "BSD-3-Clause"),
        ("New BSD License", "BSD-3-Clause"),
        ("Simplified BSD", "BSD-2-Clause"),
        ("License :: OSI Approved :: BSD License", "LicenseRef-BSD"),
        ("0BSD", "0BSD"),
        ("ISC License (ISCL)", "ISC"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("Python Software Foundation License", "PSF-2.0"),
        ("GPLv3", "GPL-3.0-only"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("GPLv2+", "GPL-2.0-or-later"),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"),
        ("GNU Affero General Public License v3", "AGPL-3.0-only"),
        ("License :: OSI Approved :: GNU General Public License (GPL)", "GPL-1.0-or-later"),
        ("License :: Other/Proprietary License", "LicenseRef-Proprietary"),
        ("apache-2.0 or bsd-2-clause", "Apache-2.0 OR BSD-2-Clause"),
        ("MIT or Apache 2.0", "MIT OR Apache-2.0"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("(MIT AND Apache-2.0) OR ISC", "(MIT AND Apache-2.0) OR ISC"),
        ("GPL-2.0 WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("MIT AND LicenseRef-ours", "MIT AND LicenseRef-ours"),
        (MIT_TEXT, "MIT"),
        (BSD_TEXT, "BSD-2-Clause"),
        (BSD_TEXT + "Neither the name of the project nor", "BSD-3-Clause"),
        (BSD_TEXT + "This binary distribution also bundles:\nGNU GENERAL PUBLIC LICENSE\nVersion 3", "BSD-2-Clause"),
        (BSD_TEXT + MIT_TEXT, "MIT AND BSD-2-Clause"),
        ("                    GNU GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007\n\n" + "x " * 200, "GPL-3.0-only"),
    ],
)
def test_what_metadata_says_becomes_spdx(said: str, expected: str) -> None:
    assert spdx(said) == expected


@pytest.mark.parametrize(
    "said", ["", "UNKNOWN", "see LICENSE", "Dual License", "Custom", "NOASSERTION", "MIT AND", "()"]
)
def test_what_says_nothing_is_unknown(said: str) -> None:
    assert spdx(said) is None


parts = st.sampled_from(
    ["MIT", "AND", "OR", "WITH", "(", ")", "Apache 2.0", "GPL", "v2", "+", "or later", "/", "::", "\n"]
)


@given(st.lists(parts, max_size=8).map(" ".join) | st.text(max_size=30))
def test_normalising_again_changes_nothing(said: str) -> None:
    known = spdx(said)
    assert known is None or spdx(known) == known


def test_the_packages_of_this_environment_are_understood() -> None:
    expected = {"numpy": "BSD-3-Clause", "pytest": "MIT", "detect-secrets": "Apache-2.0"}
    for package, identifier in expected.items():
        metadata = importlib.metadata.metadata(package)
        said = [
            metadata.get("License-Expression"),
            metadata.get("License"),
            *(c for c in metadata.get_all("Classifier", []) if c.startswith("License")),
        ]
        assert identifier in " ".join(spdx(text) or "" for text in said if text)


@pytest.mark.parametrize(
    ("expression", "allowed", "verdict"),
    [
        ("MIT", {"MIT"}, True),
        ("MIT", {"mit license"}, True),
        ("MIT", {"ISC"}, False),
        ("MIT OR GPL-3.0-only", {"MIT"}, True),
        ("MIT AND GPL-3.0-only", {"MIT"}, False),
        ("MIT AND (GPL-3.0-only OR ISC)", {"MIT", "ISC"}, True),
        ("Apache-2.0 WITH LLVM-exception", {"Apache-2.0"}, True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", {"GPL-2.0-only WITH Classpath-exception-2.0"}, True),
        ("GPL-2.0-only", {"GPL-2.0-only WITH Classpath-exception-2.0"}, False),
        ("GPL-3.0", {"GPL-3.0-only"}, True),
        ("GPL-3.0-or-later", {"GPL-3.0-only"}, False),
        ("BSD", PERMISSIVE, True),
        ("MPL-2.0", PERMISSIVE, False),
        ("Our own terms", {"MIT", "unknown"}, False),
        (None, {"MIT"}, False),
        (None, {"MIT", "unknown"}, True),
        ("MIT", set(), False),
    ],
)
def test_the_allow_list_reads_and_or_and_with(expression: str | None, allowed: set[str], verdict: bool) -> None:
    assert is_allowed(expression, allowed) is verdict


def test_every_licence_allowed_by_default_is_spdx() -> None:
    assert all(spdx(identifier) == identifier for identifier in PERMISSIVE)


def test_a_misspelt_licence_in_the_allow_list_is_the_users_error() -> None:
    with pytest.raises(InputError, match="Apche"):
        is_allowed("MIT", {"Apche-2.0"})
