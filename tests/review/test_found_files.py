"""Which files a review takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.review.files import Choice, Ignored, find_files, shown_path
from git_checkout import Checkout

EVERY = Choice()
SOURCE = "def f():\n    return 1\n"


def lay_out(top: Path, *names: str) -> None:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(SOURCE)


def found(*paths: Path | str, choice: Choice = EVERY) -> list[str]:
    return [file.path for file in find_files([str(path) for path in paths], choice, Receipt())]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_ignored_and_vendored_files_are_left_out_and_folders_named(folder: Path) -> None:
    lay_out(
        folder, "a.py", "src/b.js", "node_modules/x/c.js", "src/vendor/d.go", "build/e.py", "notes.txt", "keep/f.py"
    )
    (folder / ".gitignore").write_text("build/\n")
    (folder / ".codefitignore").write_text("keep/f.py\n")
    receipt = Receipt()
    assert [file.path for file in find_files(["."], Choice(), receipt)] == ["a.py", "src/b.js"]
    assert {(each.reason, each.where) for each in receipt.dropped} == {
        ("vendored", "node_modules/"),
        ("vendored", "src/vendor/"),
    }
    assert found(".", choice=Choice(everything=True)) == ["a.py", "node_modules/x/c.js", "src/b.js", "src/vendor/d.go"]
    assert found("node_modules") == ["node_modules/x/c.js"]  # who names it wants it


def test_paths_are_shown_from_the_current_folder_and_each_file_once(folder: Path, tmp_path: Path) -> None:
    lay_out(folder, "src/a.py", "src/deep/b.py")
    assert found("src/deep", "src", "src/a.py", folder / "src") == ["src/deep/b.py", "src/a.py"]
    assert found("./src/../src/a.py") == ["src/a.py"]
    other = Path("/") / "somewhere" / "c.py"
    assert shown_path(other) == "/somewhere/c.py"
    (folder / "link").symlink_to(folder / "src", target_is_directory=True)
    assert found("link") == ["link/a.py", "link/deep/b.py"]


def test_globs_and_languages_choose(folder: Path) -> None:
    lay_out(folder, "src/a.py", "src/b.js", "tests/test_a.py")
    assert found(".", choice=Choice(exclude=("tests/",))) == ["src/a.py", "src/b.js"]
    assert found(".", choice=Choice(globs=("src/*.py",))) == ["src/a.py"]
    assert found(".", choice=Choice(languages=("javascript",))) == ["src/b.js"]
    assert found("src/a.py", "src/b.js", choice=Choice(languages=("javascript",))) == ["src/b.js"]
    with pytest.raises(InputError, match="'klingon' is not a language that is measured; one of python"):
        Choice(languages=("klingon",)).check()


def test_a_named_file_says_its_language_by_name_or_first_line(folder: Path) -> None:
    lay_out(folder, "data.txt", "odd.inc", "page.wsgi")
    (folder / "tool").write_text("#!/usr/bin/env python3\n" + SOURCE)
    (folder / "empty").write_text("")
    languages = {name: find_files([name], Choice(), Receipt())[0].language for name in ("tool", "page.wsgi")}
    assert languages == {"tool": "python", "page.wsgi": "python"}
    for name in ("data.txt", "odd.inc", "empty"):
        with pytest.raises(InputError, match=rf"{name}: the name of this file does not say .*; say it with --language"):
            found(name)
    said = Choice(languages=("php",))
    assert find_files(["odd.inc"], said, Receipt())[0].language == "php"
    lay_out(folder, "head.h")
    assert find_files(["head.h"], Choice(languages=("cpp",)), Receipt())[0].language == "cpp"  # one file: said is said
    assert found("head.h", "odd.inc", choice=said) == ["odd.inc"]  # of several it is a filter


def test_what_is_not_there_is_an_error(folder: Path) -> None:
    (folder / "dangling.py").symlink_to("nowhere.py")
    with pytest.raises(InputError, match=r"gone\.py: no such file or folder"):
        found("gone.py")
    with pytest.raises(InputError, match=r"dangling\.py: a link that leads nowhere"):
        found("dangling.py")


def test_ignore_rules_asked_by_path_are_those_of_the_walk(folder: Path, checkout: Checkout) -> None:
    names = ["a.py", "b/c.py", "b/d/e.py", "b/d/kept.py", "out/f.py", "b/out/g.py", "h/i.py", "h/j.js"]
    lay_out(checkout.top, *names)
    (checkout.top / ".gitignore").write_text("out/\n*.js\n/h/i.py\n")
    (checkout.top / "b" / ".ignore").write_text("d/*\n!d/kept.py\n")
    walked = {Path(path).relative_to(checkout.top.relative_to(folder)).as_posix() for path in found(checkout.top)}
    ignored = Ignored(checkout.top)
    assert {name for name in names if name not in ignored} == walked == {"a.py", "b/c.py", "b/d/kept.py"}
    # Below a folder that is named although it is ignored, the rules above it are not asked.
    assert "out/f.py" not in Ignored(checkout.top, "out/")
    assert found(checkout.top / "out") == ["checkout/out/f.py"]
