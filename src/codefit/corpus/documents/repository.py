"""What a folder says of itself: the checkout it is in, its name, its licence."""

from __future__ import annotations

import re
from pathlib import Path

from codefit.corpus.licenses import spdx

REMOTE_URL = re.compile(r'^\[remote "origin"\][^\[]*?^\s*url\s*=\s*(\S+)', re.MULTILINE | re.DOTALL)
OWNER_AND_NAME = re.compile(r"([^/:\s]+/[^/:\s]+?)(?:\.git)?/?$")  # leaves out host, user name and any token
LICENSE_FILE = re.compile(r"(?:un)?licen[sc]e|copying", re.IGNORECASE)
# "LICENSE-MIT" beside "LICENSE-APACHE": the custom of offering a choice, one file a licence.
CHOICE_FILE = re.compile(r"licen[sc]e-\w[\w.-]*", re.IGNORECASE)
LICENSE_BYTES = 1 << 16  # the longest licence texts, the GNU ones, take half of it


def checkout_of(folder: Path) -> Path | None:
    """The top of the git checkout that `folder` is in: the nearest folder with `.git` (a file in a worktree)."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)


def repository_name(top: Path) -> str:
    """`owner/name` from the origin in a checkout's configuration, else the folder's name."""
    try:
        config = (top / ".git" / "config").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return top.name
    url = REMOTE_URL.search(config)
    name = OWNER_AND_NAME.search(url[1]) if url else None
    return name[1] if name else top.name


def license_of(top: Path) -> str | None:
    """The SPDX expression of the licence file in `top`; of several that offer a choice, the expression with OR."""
    files = [path for path in sorted(top.iterdir()) if LICENSE_FILE.fullmatch(path.stem)]
    if not files:
        files = [path for path in sorted(top.iterdir()) if CHOICE_FILE.fullmatch(path.name)]
    known = [expression for path in files if (expression := _license_in(path)) is not None]
    return " OR ".join(dict.fromkeys(known)) or None


def _license_in(path: Path) -> str | None:
    try:
        with open(path, "rb") as stream:
            return spdx(stream.read(LICENSE_BYTES).decode("utf-8", "replace"))
    except OSError:
        return None
