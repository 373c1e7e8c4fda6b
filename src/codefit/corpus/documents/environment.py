"""Documents from this Python environment: the standard library and every installed distribution."""

from __future__ import annotations

import csv
import json
import os
import re
import sysconfig
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import Distribution, distributions
from pathlib import Path

from codefit.corpus.documents.text import NotSourceError, read_source
from codefit.corpus.licenses import spdx
from codefit.corpus.manifest import Receipt
from codefit.records import Document
from codefit.source.languages import language_of

STANDARD_LIBRARY = "python"  # what `repo` and `exclude` call it
STANDARD_LIBRARY_LICENSE = "Python-2.0"
LANGUAGES = ("python",)  # the headers and scripts that packages bring are copies of what lies elsewhere
ITSELF = "codefit"  # never mined: a model must not be measured on the program that trained it
NOT_STANDARD = ("site-packages", "dist-packages", "__pycache__")  # folders inside the library's that are not its own


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution: its normalised name, the folder it is installed in, its licence and its files within `root`."""

    name: str
    root: Path
    license: str | None
    files: tuple[str, ...]

    def import_names(self) -> set[str]:
        """The names that its files are imported by."""
        return {file.split("/", 1)[0].removesuffix(".py") for file in self.files}


def read_environment(
    *,
    exclude: Collection[str],
    receipt: Receipt,
    languages: Collection[str] | None = LANGUAGES,
) -> Iterator[Document]:
    """Source files of the standard library, then of each installed distribution by name, in a fixed order.

    `exclude` names distributions or import names that are left out, "python" for the standard library; `languages`
    None means every known one. `repo` is the distribution's name, `license` what its metadata says. Distributions
    without a list of their files, and editable ones (whose files lie in a checkout), are dropped with that reason.
    """
    left_out = {normalised(name) for name in exclude}
    packages = installed_distributions(receipt)
    if STANDARD_LIBRARY not in left_out:
        packages.insert(0, standard_library())
    seen: set[Path] = set()
    for package in packages:
        if left_out.isdisjoint({package.name, *map(normalised, package.import_names())}):
            yield from _documents(package, languages, seen, receipt)


def _documents(
    package: Installed, languages: Collection[str] | None, seen: set[Path], receipt: Receipt
) -> Iterator[Document]:
    for file in package.files:
        language = language_of(file)
        path = package.root / file
        # Distributions that share a namespace may both list a file of it.
        if language is None or (languages is not None and language not in languages) or path in seen:
            continue
        seen.add(path)
        try:
            text = read_source(path)
        except NotSourceError as reason:
            receipt.drop(str(reason), f"{package.name}/{file}")
            continue
        receipt.keep()
        yield Document(path=file, text=text, language=language, repo=package.name, license=package.license)


def normalised(name: str) -> str:
    """A distribution's name as the packaging standard compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def standard_library() -> Installed:
    """The standard library's own files."""
    root = Path(sysconfig.get_path("stdlib"))
    files = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - set(NOT_STANDARD))
        relative = Path(folder).relative_to(root)
        files += [(relative / name).as_posix() for name in sorted(names)]
    return Installed(STANDARD_LIBRARY, root, STANDARD_LIBRARY_LICENSE, tuple(files))


def installed_distributions(receipt: Receipt) -> list[Installed]:
    """Every distribution but codefit with its files, by name; where two have one name, the one that is imported."""
    found: dict[str, Installed] = {}
    for distribution in distributions():
        metadata = _headers(distribution)
        name = normalised(metadata.get("Name", ""))
        if not name or name == ITSELF or name in found:
            continue
        if _is_editable(distribution):
            receipt.drop("editable install: its files lie in a checkout, give that folder", name)
            continue
        files = _files(distribution)
        if files is None:
            receipt.drop("the distribution has no list of its files", name)
            continue
        found[name] = Installed(name, Path(str(distribution.locate_file(""))), license_of(metadata), files)
    return [found[name] for name in sorted(found)]


def license_of(metadata: Message) -> str | None:
    """The SPDX expression that core metadata gives: its expression, else its licence field, else its classifiers."""
    stated = [metadata.get("License-Expression"), metadata.get("License")]
    classifiers = [c for c in metadata.get_all("Classifier", []) if c.startswith("License ::")]
    stated += [classifier.rsplit("::", 1)[-1].strip() for classifier in classifiers]
    return next((known for text in stated if text and (known := spdx(text)) is not None), None)


def _headers(distribution: Distribution) -> Message:
    """The core metadata without the long description, which is most of the text and none of our business."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    return HeaderParser().parsestr(text.split("\n\n", 1)[0], headersonly=True)


def _is_editable(distribution: Distribution) -> bool:
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    return bool(origin.get("dir_info", {}).get("editable"))


def _files(distribution: Distribution) -> tuple[str, ...] | None:
    """The installed files below the distribution's folder, sorted; None where nothing lists them."""
    record = distribution.read_text("RECORD")
    if record is not None:
        # `Distribution.files` makes an object of every line, most of them bytecode: ten times slower.
        files = [row[0] for row in csv.reader(record.splitlines()) if row]
    elif distribution.files is not None:
        files = [str(file) for file in distribution.files]
    else:
        return None
    return tuple(sorted(file for file in files if not file.startswith(("../", "/"))))
