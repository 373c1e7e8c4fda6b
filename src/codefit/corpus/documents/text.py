"""Reading one source file: small enough, a regular file, UTF-8 text; else the reason why not."""

from __future__ import annotations

import stat
from pathlib import Path

# Hand-written source rarely reaches this; what is above is generated, minified or data, and is never read into memory.
MAX_SOURCE_BYTES = 1_000_000


def too_large(most: int) -> str:
    """The reason why a file of more than `most` bytes is left out."""
    return f"larger than {most // 1_000_000} MB"


TOO_LARGE = too_large(MAX_SOURCE_BYTES)


class NotSourceError(Exception):
    """Why a file does not become a document; the message is the reason that its receipt counts it by."""


def read_source(path: Path) -> str:
    """The text of a source file with `\\n` line ends and no byte-order mark; raises `NotSourceError`."""
    return decode_source(read_source_bytes(path))


def read_source_bytes(path: Path, most: int = MAX_SOURCE_BYTES) -> bytes:
    """The bytes of a regular file of at most `most` bytes, a whole number of megabytes; raises `NotSourceError`.

    The size and the kind are looked at before the file is opened: a pipe would block, a huge file would fill memory.
    """
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise NotSourceError("symbolic link")
        if not stat.S_ISREG(status.st_mode):
            raise NotSourceError("not a regular file")
        if status.st_size > most:
            raise NotSourceError(too_large(most))
        return path.read_bytes()
    except OSError as error:
        raise NotSourceError(f"unreadable ({error.strerror})") from error


def decode_source(data: bytes) -> str:
    """Bytes of a source file as text; raises `NotSourceError` where they are no UTF-8 text."""
    if b"\0" in data:
        raise NotSourceError("binary")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotSourceError("not UTF-8") from None
    if not text.strip():
        raise NotSourceError("empty")
    return text.replace("\r\n", "\n")
