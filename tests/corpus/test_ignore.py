"""Ignore files are read as git reads them: git itself is the oracle."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codefit.corpus.documents.folder import read_folder
from codefit.corpus.manifest import Receipt

FILES = [
    "a.py",
    "b.py",
    "build/a.py",
    "build/keep.py",
    "lib/a.py",
    "lib/build/b.py",
    "lib/deep/er/a.py",
    "lib/deep/b.py",
    "#odd.py",
    "with space.py",
]
LINES = st.sampled_from(
    [
        "build/",
        "/build",
        "/build/*",
        "!build/keep.py",
        "!/build/",
        "*.py",
        "!a.py",
        "!*/",
        "a.py",
        "/a.py",
        "lib/**/a.py",
        "**/deep",
        "deep/**",
        "lib/*/b.py",
        "*",
        "!lib/",
        "\\#odd.py",
        "with space.py",
        "with space.py  ",
        "[ab].py",
        "[!a].py",
        "?.py",
        "# a comment",
        "",
        "!",
        "b\\",
        "a.py\\",
        "b.py\\ ",
        "/lib/",
        "!/lib/",
        "!b.py",
        "!deep/",
        "lib/deep/**",
        "lib/**/",
        "**",
        "**/",
        "**/er/",
        "/*",
        "/*/",
        "!/lib/deep",
        "!lib/*/b.py",
        "lib/**/deep/b.py",
        "l*b/*",
        "[]a].py",
        "[a",
        "//",
        "/",
    ]
)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "core.excludesFile=/dev/null", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def checkout(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    for name in FILES:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x = 1\n")
    return folder


def read(folder: Path) -> set[str]:
    return {document.path for document in read_folder(folder, languages=None, receipt=Receipt())}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(top=[], lib=["!*/"], exclude=["*.py"])
@example(top=["a.py"], lib=["!a.py"], exclude=[])
@example(top=["a.py\\"], lib=[], exclude=[])
@example(top=["lib/deep/**", "!b.py"], lib=[], exclude=[])
@example(top=["lib/deep/**", "!lib/deep/er/"], lib=[], exclude=[])
@given(top=st.lists(LINES, max_size=5), lib=st.lists(LINES, max_size=4), exclude=st.lists(LINES, max_size=2))
def test_the_same_files_are_left_out_as_by_git(
    tmp_path_factory: pytest.TempPathFactory, top: list[str], lib: list[str], exclude: list[str]
) -> None:
    folder = checkout(tmp_path_factory.mktemp("oracle") / "repo")
    (folder / ".gitignore").write_text("\n".join(top))
    (folder / "lib" / ".gitignore").write_text("\n".join(lib))
    (folder / ".git" / "info" / "exclude").write_text("\n".join(exclude))
    untracked = git(folder, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    assert read(folder) == {name for name in untracked if name.endswith(".py")}


def test_codefitignore_overrides_ignore_and_ignore_overrides_gitignore(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "repo")
    (folder / ".gitignore").write_text("a.py\nb.py\nlib/\n")
    (folder / ".ignore").write_text("!a.py\n!b.py\n")
    (folder / ".codefitignore").write_text("b.py\nbuild/\n")
    assert read(folder) == {"a.py", "#odd.py", "with space.py"}


def test_the_rules_of_the_folders_above_count_in_a_checkout(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "repo")
    (folder / ".gitignore").write_text("b.py\n")
    (folder / "lib" / ".ignore").write_text("er/\n")
    assert read(folder / "lib" / "deep") == set()
    assert read(folder / "lib") == {"lib/a.py"}


def test_an_ignored_folder_that_is_named_is_read(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "repo")
    (folder / ".gitignore").write_text("build/\n")
    assert read(folder / "build") == {"build/a.py", "build/keep.py"}


def test_ignore_files_count_without_git(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("x = 1\n")
    (tmp_path / ".gitignore").write_bytes(b"b.py\n\xff\xfe\n")
    assert read(tmp_path) == {"a.py"}
