"""Files are whole or absent, whatever happens while they are written; compressed ones are the same bytes each time."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from codefit import files
from codefit.errors import CodefitError, InputError, from_os_error
from codefit.files import (
    atomic_folder,
    atomic_path,
    check_writable,
    hash_bytes,
    hash_file,
    hash_folder,
    open_write,
    read_json,
    read_lines,
    write_json,
    write_text,
)
from codefit.records import write_rows

SUFFIXES = ["", ".gz", ".zst"]
LINES = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"").rstrip(b"\r")), max_size=20)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.json"
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == path.parent
        assert temporary.name.endswith("a.json")
    assert path.read_text() == "new"
    assert names(path.parent) == ["a.json"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail_halfway() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail_halfway()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_a_block_that_writes_nothing_is_an_error_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), atomic_path(path):
        pass
    assert path.read_text() == "old"


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with atomic_path(path) as one, atomic_path(path) as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert path.read_text() == "one"
    assert names(tmp_path) == ["a"]


def test_what_takes_the_name_is_on_the_disk_before_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        done.append(f"sync {Path(os.readlink(f'/proc/self/fd/{handle}')).name[:4]}")
        fsync(handle)

    def replaced(old: Path, new: Path) -> None:
        done.append("rename")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    write_text(tmp_path / "a.json", "x")
    assert done == ["sync .tmp", "rename", f"sync {tmp_path.name[:4]}"]


def test_a_folder_takes_the_place_of_the_old_one_whole(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with atomic_folder(folder) as temporary:
        (temporary / "sub").mkdir()
        (temporary / "sub" / "a").write_text("1")
        assert not folder.exists()
    with atomic_folder(folder) as temporary:
        (temporary / "b").write_text("2")
        assert names(folder) == ["sub"]
    assert names(folder) == ["b"]
    with pytest.raises(ZeroDivisionError), atomic_folder(folder) as temporary:
        (temporary / str(1 / 0)).write_text("3")
    assert names(folder) == ["b"]
    assert names(tmp_path) == ["model"]


WRITER = """
import sys, time
from pathlib import Path
from codefit.files import atomic_folder, atomic_path, open_write
path = Path(sys.argv[1])
def fill(file):
    with open_write(file) as stream:
        for number in range(10**9):
            stream.write(b"half of the new one\\n" * 1000)
            stream.flush()
            if number == 3:
                print("writing", flush=True)
if sys.argv[2] == "folder":
    with atomic_folder(path) as temporary:
        fill(temporary / "a.jsonl")
else:
    with atomic_path(path) as temporary:
        fill(temporary)
"""


@pytest.mark.parametrize("kind", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "folder"])
def test_a_kill_while_writing_leaves_the_old_file_whole(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
        (path / "a.jsonl").write_bytes(b"old")
    else:
        path.write_bytes(b"old")
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path), kind], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert (path / "a.jsonl" if kind == "folder" else path).read_bytes() == b"old"
    left = [name for name in names(tmp_path) if name != kind]
    assert len(left) == 1
    assert left[0].startswith(".tmp-")


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(lines=LINES)
def test_lines_come_back_from_every_compression(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, lines: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("lines") / f"a.txt{suffix}"
    with open_write(path) as stream:
        for line in lines:
            stream.write(line + b"\n")
    assert list(read_lines(path)) == lines


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files_are_the_same_bytes_each_time_and_others_can_read_them(tmp_path: Path, suffix: str) -> None:
    data = b"one line\n" * 50_000
    for name in ("one", "other-name"):
        with open_write(tmp_path / f"{name}{suffix}") as stream:
            stream.write(data)
    one, other = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("one", "other-name"))
    assert one == other
    assert suffix == ".zst" or one[4:8] == bytes(4)  # no time in the header
    assert len(one) < len(data) / 50
    assert (gzip.decompress(one) if suffix == ".gz" else zstandard.ZstdDecompressor().stream_reader(one).read()) == data


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_line_ends_and_a_missing_last_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with open_write(path) as stream:
        stream.write(b"a\r\n\n\xff\xfe\rb\nlast")
    assert list(read_lines(path)) == [b"a", b"", b"\xff\xfe\rb", b"last"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_line_above_the_limit_is_cut_and_passed_over(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    lines = [b"x" * size for size in (0, 9, 10, 11, 12, 22, 23, 100_000, 3)]
    with open_write(path) as stream:
        stream.write(b"\n".join(lines))
    assert list(read_lines(path, 10)) == [line[:11] for line in lines]
    assert list(read_lines(path)) == lines
    with open_write(path) as stream:
        stream.write(b"0123456789\r\n" + b"0123456789\r1\n" + b"0123456789\r\r\r\r\r\r\r\r\r\r\r\r\rx\n" + b"last")
    assert list(read_lines(path, 10)) == [b"0123456789", b"0123456789\r", b"0123456789\r", b"last"]


def test_files_of_several_members_are_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    (tmp_path / "a.zst").write_bytes(zstandard.compress(b"one\n") + zstandard.compress(b"two\n"))
    for name in ("a.gz", "a.zst"):
        assert list(read_lines(tmp_path / name)) == [b"one", b"two"], name


DATA = bytes(range(256)) * 400


def damaged(suffix: str, damage: str) -> bytes:
    checked = zstandard.ZstdCompressor(write_checksum=True)
    whole = gzip.compress(DATA, mtime=0) if suffix == ".gz" else checked.compress(DATA)
    half = len(whole) // 2
    return {
        "cut in the middle": whole[:half],
        "cut at the end": whole[:-2],
        "another byte": whole[: len(whole) // 2]
        + bytes([whole[len(whole) // 2] ^ 0xFF])
        + whole[len(whole) // 2 + 1 :],
        "plain text": b'{"a": 1}\n' * 10,
        "rubbish after it": whole + b"rubbish that is no member",
    }[damage]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize(
    "damage", ["cut in the middle", "cut at the end", "another byte", "plain text", "rubbish after it"]
)
def test_broken_compression_is_one_clear_error(tmp_path: Path, suffix: str, damage: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(damaged(suffix, damage))
    before = open_files()
    with pytest.raises(InputError, match="the compressed data is broken after line") as caught:
        list(read_lines(path))
    assert caught.value.where == str(path)
    assert open_files() == before


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_damage_to_what_codefit_wrote_is_seen(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with open_write(path) as stream:
        stream.write(DATA[::-1] + os.urandom(5000))
    whole = bytearray(path.read_bytes())
    whole[-2000] ^= 1  # among what cannot be compressed, which stands in the file as it is
    path.write_bytes(whole)
    with pytest.raises(InputError, match="the compressed data is broken"):
        list(read_lines(path))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_plain_file_has_no_lines_and_an_empty_compressed_one_is_no_crash(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(b"")
    assert list(read_lines(tmp_path / f"a{suffix}")) == []


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which what is written to a temporary name finds the disk full: the name is a link to /dev/full."""
    folder = tmp_path / "full"
    folder.mkdir()
    monkeypatch.setattr(files.secrets, "token_hex", lambda size: "0" * size)
    for name in ("a.json", "a.jsonl", "a.jsonl.gz", "a.jsonl.zst"):
        (folder / f".tmp-0000-{name}").symlink_to("/dev/full")
        (folder / name).write_text("old")
    return folder


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_is_one_clear_error_and_leaves_the_old_file(full_disk: Path, suffix: str) -> None:
    path = full_disk / f"a.jsonl{suffix}"
    before = open_files()
    rows = ({"text": str(hashlib.sha256(str(number).encode()).digest()) * 1000} for number in range(200))
    with pytest.raises(OSError, match="No space left") as caught:
        write_rows(path, rows)
    error = from_os_error(caught.value)
    assert (error.what, error.where, error.exit_code) == ("the disk is full", str(path), 1)
    assert path.read_text() == "old"
    assert not (full_disk / f".tmp-0000-{path.name}").is_symlink()
    del caught
    assert open_files() == before


def test_a_full_disk_stops_small_files_too(full_disk: Path) -> None:
    for write in (lambda path: write_json(path, {"a": 1}), lambda path: write_text(path, "x")):
        (full_disk / ".tmp-0000-a.json").unlink(missing_ok=True)
        (full_disk / ".tmp-0000-a.json").symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space left") as caught:
            write(full_disk / "a.json")
        assert caught.value.errno == errno.ENOSPC
        assert from_os_error(caught.value).where == str(full_disk / "a.json")
        assert (full_disk / "a.json").read_text() == "old"


LIMITED = """
import resource, sys
from pathlib import Path
from codefit.cli.main import main
from codefit.errors import from_os_error
from codefit.records import Pair, write_rows
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_rows(Path(sys.argv[1]), (Pair(f"a{i}", "b" * 100, "s") for i in range(100_000)))
except OSError as error:
    print(from_os_error(error).line())
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_limit_on_file_size_is_one_clear_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.jsonl{suffix}"
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{path}: the file is larger than this file system or process may write")
    assert done.stderr == ""
    assert names(tmp_path) == []


def test_a_file_that_cannot_be_made_is_named_by_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, atomic_path(tmp_path / "a.json") as temporary:
        (tmp_path / "sub" / temporary.name).write_text("x")
    assert caught.value.filename == str(tmp_path / "sub" / temporary.name)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner").write_text("x")
    with pytest.raises(IsADirectoryError) as stands, atomic_path(tmp_path / "folder") as temporary:
        temporary.write_text("x")
    assert (
        from_os_error(stands.value).line().startswith(f"{tmp_path / 'folder'}: a folder stands where a file is needed")
    )
    assert names(tmp_path) == ["folder"]


def test_what_cannot_be_written_is_known_before_the_work(tmp_path: Path) -> None:
    check_writable(tmp_path)
    check_writable(tmp_path / "not" / "there" / "yet")
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "below" / "it"):
        with pytest.raises(InputError, match="a file stands where a folder is needed") as caught:
            check_writable(place)
        assert caught.value.where == str(tmp_path / "file")
    assert names(tmp_path) == ["file"]


def test_a_folder_that_may_not_be_written_is_known_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o555)
    try:
        if os.geteuid() == 0:  # whom permissions do not stop: ask as another would be answered
            real = os.stat
            monkeypatch.setattr(os, "access", lambda path, mode: bool(real(path).st_mode & 0o222))
        with pytest.raises(CodefitError, match="the folder cannot be written to") as caught:
            check_writable(tmp_path / "new")
        assert caught.value.exit_code == 1
    finally:
        tmp_path.chmod(0o755)


def test_json_comes_back_and_what_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    value = {"b": [1, 2.5, None, "größe"], "a": {}}
    write_json(path, value)
    assert read_json(path) == value
    assert path.read_bytes().endswith(b"}\n")
    for wrong in (b"", b"{", b"\xff", b'{"a": 1} x'):
        path.write_bytes(wrong)
        with pytest.raises(InputError, match="not valid JSON") as caught:
            read_json(path)
        assert caught.value.where == str(path)


def test_hashes_are_sha256(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(DATA)
    (tmp_path / "a").write_bytes(b"")
    assert hash_bytes(DATA) == hash_file(tmp_path / "b" / "c") == hashlib.sha256(DATA).hexdigest()
    assert hash_folder(tmp_path) == {"a": hash_bytes(b""), "b/c": hash_bytes(DATA)}
    assert list(hash_folder(tmp_path)) == ["a", "b/c"]
