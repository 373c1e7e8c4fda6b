"""Bad input through the real command line: a one-line error or a counted rejection, and nothing half-written."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from codefit.cli.main import main
from codefit.cli.output import Settings
from codefit.models.tokenizer import save_tokenizer, train_tokenizer
from codefit.records import MAX_ROW_BYTES, Document, Pair, write_rows

MIB = 1 << 20
ENTRY = "from codefit.cli.main import entry_point; entry_point()"
# The command, and on the last line of stderr the most memory that it held.
MEASURED = """
import sys
from pathlib import Path
from codefit.cli.main import main
code = main(sys.argv[1:])
line = next(line for line in Path('/proc/self/status').read_text().splitlines() if line.startswith('VmHWM:'))
print(int(line.split()[1]) * 1024, file=sys.stderr)
sys.exit(code)
"""


def function(number: int) -> str:
    """A documented function that no other resembles."""
    words = [f"{word}_{number * 13 + place}" for place, word in enumerate(("road", "river", "stone", "cloud"))]
    body = "".join(f"    {word} = graph.{words[place - 1]}_of({place})\n" for place, word in enumerate(words))
    doc = f"Walk the {words[1]} until a {words[2]} ends."
    return f'def walk_{words[0]}(graph):\n    """{doc}"""\n{body}    return graph\n'


def pairs(count: int) -> list[Pair]:
    return [Pair(f"Walk the road {i}", function(i), f"s{i % 12}", language="python") for i in range(count)]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder of three good files."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for number in range(3):
        (folder / f"f{number}.py").write_text(function(number))
    return folder


@pytest.fixture(autouse=True)
def _plain_settings() -> Iterator[None]:
    yield
    Settings.json = Settings.debug = False


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def start(*arguments: object, code: str = ENTRY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_files_that_are_no_source_are_counted_and_the_rest_is_mined(tmp_path: Path, sources: Path) -> None:
    whole = function(9).encode() + "# größer\n".encode()
    (sources / "truncated.py").write_bytes(whole[: whole.rindex("ö".encode()) + 1])
    (sources / "latin.py").write_bytes("# größer\n".encode("latin-1") + function(8).encode())
    (sources / "utf16.py").write_bytes(function(7).encode("utf-16"))
    (sources / "binary.py").write_bytes(os.urandom(5000) + b"\0")
    (sources / "empty.py").write_bytes(b"")
    (sources / "cut.py").write_text(function(6) + "def half(x):\n    return (x +")
    (sources / "deep.py").write_text("x = " + "(" * 50_000 + ")" * 50_000 + "\n")
    (sources / "pipe.py").touch()
    (sources / "pipe.py").unlink()
    os.mkfifo(sources / "pipe.py")
    (sources / "loop.py").symlink_to(sources / "loop.py")
    with open(sources / "huge.py", "wb") as stream:
        stream.truncate(200 * MIB)  # takes no room on the disk, and would take it all in memory
    output = tmp_path / "out" / "train_pairs.jsonl"
    started = time.monotonic()
    done = start("--json", "data", "pairs", sources, "--output", output, "--workers", "1", code=MEASURED)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 60
    assert int(done.stderr.splitlines()[-1]) < 400 * MIB
    manifest = json.loads(done.stdout)
    assert manifest["train"]["languages"] == {"python": 4}  # three good ones, and the sound part of the cut one
    assert manifest["stages"]["read"]["dropped"] == {
        "binary": 2,
        "not UTF-8": 2,
        "empty": 1,
        "larger than 1 MB": 1,
        "not a regular file": 1,
        "symbolic link": 1,
    }
    places = {json.loads(line)["where"] for line in (output.parent / "dropped.jsonl").read_text().splitlines()}
    assert {f"sources/{name}.py" for name in ("truncated", "latin", "utf16", "binary", "empty", "huge")} <= places


@pytest.fixture(scope="module")
def one_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of rows whose one line has 200 MB, as a file has that lost its line breaks."""
    path = tmp_path_factory.mktemp("long") / "rows.jsonl"
    with path.open("wb") as stream:
        stream.write(b'{"path": "a.py", "anchor": "Walk it", "source": "s", "positive": "", "text": "')
        for _ in range(200):
            stream.write(b"x = 1 # " * (MIB // 8))
        stream.write(b'"}\n')
    return path


@pytest.mark.parametrize(
    "command",
    [
        ["data", "pairs", "ROWS", "--output", "OUT/a.jsonl", "--workers", "1"],
        ["tokenizer", "train", "--input-file", "ROWS", "--output-dir", "OUT"],
    ],
)
def test_a_line_of_200_megabytes_is_refused_at_once_and_is_never_in_memory(
    tmp_path: Path, one_line: Path, command: list[str]
) -> None:
    given = [word.replace("ROWS", str(one_line)).replace("OUT", str(tmp_path / "out")) for word in command]
    started = time.monotonic()
    done = start(*given, code=MEASURED)
    assert time.monotonic() - started < 30
    *lines, memory = done.stderr.splitlines()
    assert done.returncode == 2
    assert int(memory) < 150 * MIB + 3 * MAX_ROW_BYTES
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert f"the line is longer than {MAX_ROW_BYTES // 1_000_000} MB" in lines[0]
    assert not (tmp_path / "out").exists() or {p.name for p in (tmp_path / "out").iterdir()} <= {"rejected.jsonl"}


def test_a_long_line_among_good_ones_is_a_counted_rejection(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    write_rows(rows, pairs(150))
    with rows.open("ab") as stream:
        stream.write(b'{"text": "' + b"x" * (MAX_ROW_BYTES + 1) + b'"}\n')
    out = tmp_path / "out"
    flags = ["--vocab-size", "400", "--no-compare"]
    assert run("tokenizer", "train", "--input-file", rows, "--output-dir", out, *flags) == 0
    (row,) = [json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines()]
    assert row["where"] == f"{rows}:151"
    assert "longer than" in row["reason"]
    assert len(row["row"]) == 500


@dataclass(frozen=True)
class Reader:
    """A command that reads a file of rows; IN and OUT stand for the file and a folder to write to."""

    name: str
    words: str


READERS = [
    Reader("pairs", "data pairs IN --output OUT/train.jsonl --workers 1"),
    Reader("tokenizer", "tokenizer train --input-file IN --output-dir OUT"),
    Reader(
        "embed train",
        "embed train --train-file IN --tokenizer-path TOKENIZER --output-dir OUT --max-steps 1 --batch-size 2",
    ),
]
SHAPES: dict[str, tuple[str, bytes, str]] = {
    "broken gzip": ("rows.jsonl.gz", gzip.compress(b'{"text": "abc"}\n' * 5000)[:-40], "compressed data is broken"),
    "no gzip": ("rows.jsonl.gz", b'{"text": "abc"}\n', "compressed data is broken"),
    "no zstd": ("rows.jsonl.zst", b'{"text": "abc"}\n', "compressed data is broken"),
    "a list": ("rows.jsonl", b'["a", "b"]\n' * 3, "3 of 3 rows do not fit"),
    "a number for a text": ("rows.jsonl", b'{"anchor": 1, "text": 2, "path": 3}\n', "1 of 1 rows do not fit"),
    "binary": ("rows.jsonl", bytes(range(256)) * 9, "rows do not fit"),
    "utf-16": ("rows.jsonl", '{"text": "abc"}\n'.encode("utf-16"), "rows do not fit"),
    "cut": ("rows.jsonl", b'{"anchor": "a", "text": "abc", "path": "a.p', "1 of 1 rows do not fit"),
    "empty": ("rows.jsonl", b"", ""),
    "blank lines": ("rows.jsonl", b"\n\n  \n", ""),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_file_of_another_shape_is_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reader: Reader, shape: str
) -> None:
    name, content, message = SHAPES[shape]
    (tmp_path / name).write_bytes(content)
    words = _words(reader, tmp_path, name)
    assert run(*words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith("error: ")
    assert message in captured.err
    left = [path.name for path in (tmp_path / "out").rglob("*")] if (tmp_path / "out").exists() else []
    assert set(left) <= {"rejected.jsonl"}


def _words(reader: Reader, folder: Path, name: str) -> list[str]:
    tokenizer = folder / "tokenizer.json"
    if "TOKENIZER" in reader.words:
        save_tokenizer(_tokenizer(), tokenizer)
    places = {"IN": folder / name, "OUT": folder / "out", "TOKENIZER": tokenizer}
    heads = [(word.partition("/"), word) for word in reader.words.split()]
    return [f"{places[head]}{slash}{rest}" if head in places else word for (head, slash, rest), word in heads]


@cache
def _tokenizer() -> Any:
    return train_tokenizer([function(i) for i in range(20)], 400)


@pytest.mark.parametrize("damage", ["cut", "other", "gone"])
def test_a_tokenizer_that_cannot_be_read_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    write_rows(tmp_path / "rows.jsonl", pairs(9))
    words = _words(READERS[2], tmp_path, "rows.jsonl")
    tokenizer = tmp_path / "tokenizer.json"
    content = tokenizer.read_bytes()
    tokenizer.unlink()
    if damage != "gone":
        tokenizer.write_bytes(content[: len(content) // 2] if damage == "cut" else b'{"version": "1.0"}')
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert ("no tokenizer there" if damage == "gone" else "not a tokenizer.json") in error
    assert not (tmp_path / "out" / "model").exists()


# A disk of its own, in a name space of its own: full or read-only, and gone with the command.
ON_A_DISK = 'mount -t tmpfs -o {options} tmpfs "$1" && shift && "$@"; code=$?; ls -A {disk} >&2; exit $code'


@cache
def _name_spaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--map-root-user", "--mount", "true"], check=False).returncode == 0


needs_disk = pytest.mark.skipif(
    not _name_spaces(),
    reason="mounting a small disk needs user name spaces: sysctl kernel.unprivileged_userns_clone=1, or root",
)


def on_a_disk(disk: Path, options: str, words: list[str]) -> tuple[int, list[str], list[str]]:
    """Exit code and stderr of a command, and what is on the disk when it has ended."""
    disk.mkdir()
    script = ON_A_DISK.format(options=options, disk=shlex.quote(str(disk)))
    shell = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(disk)]
    program = (
        "import sys; from codefit.cli.main import main; code = main(); print(chr(1), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [*shell, sys.executable, "-c", program, *words], capture_output=True, text=True, check=False, timeout=120
    )
    errors, _, left = done.stderr.partition("\1\n")
    return done.returncode, errors.splitlines(), left.splitlines()


@needs_disk
@pytest.mark.parametrize("reader", READERS[:2], ids=lambda reader: reader.name)
def test_a_full_disk_is_one_line_that_names_the_file(tmp_path: Path, reader: Reader) -> None:
    rows = [Document(f"f{i}.py", function(i), repo=f"r{i}") for i in range(400)]
    write_rows(tmp_path / "rows.jsonl", rows)
    words = _words(reader, tmp_path, "rows.jsonl")
    code, errors, left = on_a_disk(tmp_path / "out", "size=16k", words)
    assert (code, len(errors)) == (1, 1), errors
    assert errors[0].startswith(f"error: {tmp_path / 'out'}/")
    assert errors[0].endswith("the disk is full; free some space and run the same command again")
    assert ".tmp-" not in errors[0]
    assert left == []


@needs_disk
@pytest.mark.parametrize(
    "command",
    [*(reader.words for reader in READERS), "data pull --output-dir OUT", "recipes copy quickstart OUT/a.yaml"],
)
def test_a_read_only_folder_is_one_line_before_the_work(tmp_path: Path, command: str) -> None:
    write_rows(tmp_path / "rows.jsonl", pairs(9))
    words = _words(Reader("", command), tmp_path, "rows.jsonl")
    code, errors, left = on_a_disk(tmp_path / "out", "ro", words)
    assert (code, len(errors)) == (1, 1), errors
    assert "cannot be written to" in errors[0] or "the file system is read-only" in errors[0]
    assert str(tmp_path / "out") in errors[0]
    assert ".tmp-" not in errors[0]
    assert left == []


LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000)); " + ENTRY


@pytest.mark.parametrize("reader", READERS[:2], ids=lambda reader: reader.name)
def test_a_limit_on_file_size_is_one_line_and_leaves_nothing(tmp_path: Path, reader: Reader) -> None:
    rows = [Document(f"f{i}.py", function(i), repo=f"r{i}") for i in range(400)]
    write_rows(tmp_path / "rows.jsonl", rows)
    done = start(*_words(reader, tmp_path, "rows.jsonl"), code=LIMITED)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith(f"error: {tmp_path / 'out'}/")
    assert "the file is larger than this file system or process may write" in line
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_in_place_of_the_output_is_one_line(
    tmp_path: Path, sources: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out" / "train.jsonl"
    (output / "inner").mkdir(parents=True)
    assert run("data", "pairs", sources, "--output", output, "--workers", "1") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {output}: a folder stands where a file is needed")
    assert len(error.splitlines()) == 1
    assert [path.name for path in output.parent.iterdir()] == ["train.jsonl"]
