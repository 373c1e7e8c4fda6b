"""When files were added, in real git repositories."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from codefit.corpus.documents.history import Additions, parse_date
from codefit.errors import CodefitError, InputError
from document_examples import source

Git = Callable[..., None]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Runs git in `tmp_path`/checkout, at a date where one is given, whatever the machine's own configuration."""
    top = tmp_path / "checkout"
    top.mkdir()

    def run(*arguments: str, date: str = "2020-01-01T00:00:00+00:00") -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
        }
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *identity, *arguments], cwd=top, env=environment, check=True, capture_output=True)

    run("init")
    return run


def write(top: Path, name: str, index: int) -> None:
    (top / name).parent.mkdir(parents=True, exist_ok=True)
    (top / name).write_text(source(index))


def test_files_are_as_old_as_their_first_commit(tmp_path: Path, git: Git) -> None:
    top = tmp_path / "checkout"
    for index, name in enumerate(["old.py", "moved.py", "gone and back.py", "é.py"]):
        write(top, name, index)
    git("add", ".")
    git("commit", "-m", "first", date="2020-01-01T12:00:00+00:00")
    write(top, "old.py", 20)  # changed, not added
    (top / "gone and back.py").unlink()
    write(top, "pkg/new.py", 21)
    git("mv", "moved.py", "pkg/under another name.py")
    git("add", "-A")
    git("commit", "-m", "second", date="2024-05-01T12:00:00+00:00")
    write(top, "gone and back.py", 2)
    git("add", "-A")
    git("commit", "-m", "third", date="2025-05-01T12:00:00+00:00")
    write(top, "not committed.py", 30)
    additions = Additions([str(top)], "2024-01-01")
    new = {name: additions.is_new("checkout", name) for name in ("old.py", "é.py", "gone and back.py", "pkg/new.py")}
    assert new == {"old.py": False, "é.py": False, "gone and back.py": False, "pkg/new.py": True}
    assert not additions.is_new("checkout", "pkg/under another name.py")
    assert additions.is_new("checkout", "not committed.py")
    assert additions.is_new("another", "old.py")
    assert not Additions([str(top / "pkg"), str(top / "old.py")], "2024-06-01").is_new("checkout", "pkg/new.py")


def test_the_hour_and_the_zone_of_a_date_count(tmp_path: Path, git: Git) -> None:
    top = tmp_path / "checkout"
    write(top, "a.py", 1)
    git("add", ".")
    git("commit", "-m", "first", date="2024-01-01T01:00:00+02:00")  # still 2023 in UTC
    assert not Additions([str(top)], "2024-01-01").is_new("checkout", "a.py")
    assert Additions([str(top)], "2023-12-31T23:00:00").is_new("checkout", "a.py")
    assert not Additions([str(top)], "2023-12-31T23:00:01").is_new("checkout", "a.py")


def test_files_of_a_merged_branch_are_as_old_as_in_the_branch(tmp_path: Path, git: Git) -> None:
    top = tmp_path / "checkout"
    write(top, "a.py", 1)
    git("add", ".")
    git("commit", "-m", "first")
    git("checkout", "-b", "side")
    write(top, "side.py", 2)
    git("add", ".")
    git("commit", "-m", "side", date="2021-01-01T00:00:00+00:00")
    git("checkout", "main")
    git("merge", "--no-ff", "-m", "merge", "side", date="2025-01-01T00:00:00+00:00")
    assert not Additions([str(top)], "2023-01-01").is_new("checkout", "side.py")


def test_what_git_cannot_date_is_refused(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    top = tmp_path / "checkout"
    (tmp_path / "plain").mkdir()
    (top / "rows.jsonl").write_text("")
    for place in (str(tmp_path / "plain"), "env", str(top / "rows.jsonl")):
        with pytest.raises(InputError, match="not in a git checkout"):
            Additions([place], "2024-01-01")
    with pytest.raises(InputError, match="no commit yet"):
        Additions([str(top)], "2024-01-01")
    for index in range(2):
        write(top, f"f{index}.py", index)
        git("add", ".")
        git("commit", "-m", "x")
    subprocess.run(
        ["git", "clone", "--depth", "1", top.as_uri(), tmp_path / "shallow"], check=True, capture_output=True
    )
    with pytest.raises(InputError, match="shallow clone"):
        Additions([str(tmp_path / "shallow")], "2024-01-01")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CodefitError, match="git is not installed"):
        Additions([str(top)], "2024-01-01")


@pytest.mark.parametrize("text", ["yesterday", "2024-13-01", "", "01.02.2024"])
def test_a_date_that_is_none(text: str) -> None:
    with pytest.raises(InputError, match="not a date in ISO form"):
        parse_date(text)
