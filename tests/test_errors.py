"""Errors are one line that says what, where and what to do; whose fault it was decides the exit code."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.errors import CodefitError, InputError, from_os_error

TEXT = st.text(min_size=1)


@pytest.mark.parametrize(
    ("where", "fix", "line"),
    [
        (None, None, "it broke"),
        ("a.jsonl:3", None, "a.jsonl:3: it broke"),
        (None, "mend it", "it broke; mend it"),
        ("a.jsonl:3", "mend it", "a.jsonl:3: it broke; mend it"),
    ],
)
def test_an_error_says_what_where_and_what_to_do(where: str | None, fix: str | None, line: str) -> None:
    error = CodefitError("it broke", where=where, fix=fix)
    assert error.line() == str(error) == line
    assert (error.what, error.where, error.fix) == ("it broke", where, fix)


@given(TEXT, st.none() | TEXT, st.none() | TEXT)
def test_an_error_is_always_one_line(what: str, where: str | None, fix: str | None) -> None:
    line = InputError(what, where=where, fix=fix).line()
    assert len(line.splitlines()) <= 1
    for part in (what, where, fix):
        assert " ".join((part or "").split()) in line


def test_whose_fault_it_was_is_the_exit_code() -> None:
    assert CodefitError("x").exit_code == 1
    assert InputError("x").exit_code == 2
    assert isinstance(InputError("x"), CodefitError)
    assert isinstance(InputError("x"), ValueError)


@pytest.mark.parametrize(
    ("code", "exit_code", "what"),
    [
        (errno.ENOSPC, 1, "the disk is full"),
        (errno.EDQUOT, 1, "the disk quota is used up"),
        (errno.EFBIG, 1, "the file is larger than this file system or process may write"),
        (errno.EROFS, 1, "the file system is read-only"),
        (errno.EACCES, 1, "permission denied"),
        (errno.ENOENT, 2, "no such file or folder"),
        (errno.ENOTDIR, 2, "not a folder"),
        (errno.EISDIR, 2, "a folder stands where a file is needed"),
        (errno.ENAMETOOLONG, 2, "the name is too long"),
        (errno.ELOOP, 2, "a link that leads back to itself"),
        (errno.EIO, 1, "Input/output error"),
    ],
)
def test_the_systems_errors_are_said_alike(code: int, exit_code: int, what: str) -> None:
    error = from_os_error(OSError(code, os.strerror(code), "out/model.json"))
    assert (error.what, error.where, error.exit_code) == (what, "out/model.json", exit_code)
    assert from_os_error(OSError(code, os.strerror(code))).where is None
    assert code == errno.EIO or error.fix


def test_an_error_without_a_number_keeps_its_text() -> None:
    assert from_os_error(OSError("the wire was cut")).line() == "the wire was cut"


def test_real_errors_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path, what in (
        (tmp_path / "missing", "no such file or folder"),
        (tmp_path / "file" / "inner", "not a folder"),
        (tmp_path, "a folder stands where a file is needed"),
        (tmp_path / "loop", "a link that leads back to itself"),
        (tmp_path / ("x" * 300), "the name is too long"),
    ):
        with pytest.raises(OSError) as caught:  # noqa: PT011 - which of its kinds is what from_os_error tells
            path.read_bytes()
        error = from_os_error(caught.value)
        assert (error.what, error.where) == (what, str(path))
        assert error.exit_code == 2
