"""Files that are either whole or absent: write to a temporary name, flush, rename; read plain, gzip or zstd alike."""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import io
import os
import secrets
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from codefit.errors import CodefitError, InputError

CHUNK = 1 << 20
# Compressed bytes taken at once: what 8 KiB of zstd unpack to is at most some hundred MB, whatever they were made for.
_ZSTD_CHUNK = 1 << 13
_WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write a file to; renamed over `path` only when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffixes stay, since some writers choose the format (.gz, .onnx) by them.
    temporary = path.with_name(f".tmp-{secrets.token_hex(4)}-{path.name}")
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    except OSError as error:
        _name(error, temporary, path)
        raise
    finally:
        # Gone where all went well; where a read-only disk keeps it from going, the first error is the one to tell.
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path`; it takes the place of `path` only when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{secrets.token_hex(4)}-{path.name}")
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            _flush(file)
        if path.exists():
            # A folder cannot be renamed over a full one, so the old one steps aside first.
            old = path.with_name(f".old-{secrets.token_hex(4)}-{path.name}")
            os.rename(path, old)
            os.rename(temporary, path)
            shutil.rmtree(old)
        else:
            os.rename(temporary, path)
        _flush(path.parent)
    except OSError as error:
        _name(error, temporary, path)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _name(error: OSError, temporary: Path, path: Path) -> None:
    """Let the error name the file that was to be written, not its temporary name, nor none, as `write` leaves it."""
    unnamed = error.filename is None and error.errno in _WRITE_ERRORS
    if unnamed or str(error.filename) == str(temporary):
        error.filename = str(path)


def check_writable(folder: Path) -> None:
    """Raise now what writing into `folder` would raise after the work: a file in the way, or no permission.

    The folder need not exist; the nearest one above it that does is looked at.
    """
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not place.is_dir():
        raise InputError("a file stands where a folder is needed", where=str(place), fix="choose another output")
    if not os.access(place, os.W_OK | os.X_OK):
        raise CodefitError("the folder cannot be written to", where=str(place), fix="choose another output")


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def read_json(path: Path) -> Any:
    """The JSON value in `path`; `InputError` with the place where it is not JSON."""
    data = path.read_bytes()
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise InputError(f"not valid JSON ({error})", where=str(path)) from error


def open_write(path: Path) -> IO[bytes]:
    """A byte stream into `path`, compressed as its name says (.gz, .zst); identical input gives identical bytes."""
    if path.suffix == ".gz":
        raw = open(path, "wb")  # noqa: SIM115 - closed together with the stream built on it
        stream = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
        return _ClosesBoth(stream, raw)
    if path.suffix == ".zst":
        import zstandard

        # With a checksum, without which damage would be read as other data.
        stream_out: IO[bytes] = zstandard.open(path, "wb", cctx=zstandard.ZstdCompressor(write_checksum=True))
        return stream_out
    return open(path, "wb")


class _ClosesBoth(io.BufferedWriter):
    """A gzip stream that closes the file under it too: `GzipFile` leaves a `fileobj` it was given open."""

    def __init__(self, stream: gzip.GzipFile, raw: IO[bytes]) -> None:
        super().__init__(stream, buffer_size=CHUNK)  # type: ignore[arg-type]
        self._raw_file = raw

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._raw_file.close()


def read_lines(path: Path, longest: int = -1) -> Iterator[bytes]:
    """Lines of a plain, gzip or zstd file without their newline; `InputError` where the compression is broken.

    Of a line of more than `longest` bytes (-1: no limit) only the first `longest` come, and one more that says so: it
    is passed over without being held in memory.
    """
    import zstandard

    number = 0
    try:
        with _open_read(path) as stream:
            limit = longest + 2 if longest >= 0 else -1  # what may stand on the line, and its end
            while line := stream.readline(limit):
                number += 1
                if len(line) != limit or line.endswith(b"\n"):
                    yield line.rstrip(b"\r\n")
                    continue
                rest = line
                while len(rest) == limit and not rest.endswith(b"\n"):
                    rest = stream.readline(limit)
                yield line[: longest + 1]
    except (gzip.BadGzipFile, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise InputError(
            f"the compressed data is broken after line {number} ({error})", where=str(path), fix="fetch the file again"
        ) from error


def _open_read(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return io.BufferedReader(gzip.open(path, "rb"), CHUNK)  # type: ignore[arg-type]
    if path.suffix == ".zst":
        return io.BufferedReader(_ZstdReader(path), CHUNK)
    return open(path, "rb")


class _ZstdReader(io.RawIOBase):
    """Every frame of a zstd file; where the file ends inside one it raises, which the library's own reader does not."""

    def __init__(self, path: Path) -> None:
        import zstandard

        super().__init__()
        self._file = open(path, "rb")  # noqa: SIM115 - closed with the reader
        self._decompressor = zstandard.ZstdDecompressor()
        self._frame: Any = None
        self._unread = b""
        self._unpacked = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._unpacked:
            data = self._unread or self._file.read(_ZSTD_CHUNK)
            if not data:
                if self._frame is not None:
                    raise EOFError("the file ends inside a frame")
                return 0
            if self._frame is None:
                self._frame = self._decompressor.decompressobj()
            self._unpacked = memoryview(self._frame.decompress(data))
            self._unread = b""
            if self._frame.eof:
                self._unread, self._frame = self._frame.unused_data, None
        count = min(len(buffer), len(self._unpacked))
        buffer[:count] = self._unpacked[:count]
        self._unpacked = self._unpacked[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def hash_bytes(data: bytes) -> str:
    """SHA-256 as hex."""
    return hashlib.sha256(data).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes as hex, read in pieces."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_folder(path: Path) -> dict[str, str]:
    """SHA-256 of every file under a folder, by relative path, in order."""
    return {str(p.relative_to(path)): hash_file(p) for p in sorted(path.rglob("*")) if p.is_file()}
