"""A folder becomes documents in a fixed order; what is no source text is counted with its reason."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from codefit.corpus.documents.folder import read_file, read_folder
from codefit.corpus.documents.repository import checkout_of, license_of, repository_name
from codefit.corpus.documents.text import MAX_SOURCE_BYTES, NotSourceError, decode_source, read_source
from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.records import Document


def documents(folder: Path, receipt: Receipt | None = None, **options: object) -> list[Document]:
    chosen = {"languages": None, **options}
    return list(read_folder(folder, receipt=receipt or Receipt(), **chosen))  # type: ignore[arg-type]


def test_files_come_in_a_fixed_order_with_their_language(tmp_path: Path) -> None:
    for name in ("z.py", "a.rs", "b/a.ts", "b/a.tsx", "b/c/a.go", "Rakefile", "notes.txt", "a b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    receipt = Receipt()
    found = [(d.path, d.language) for d in documents(tmp_path, receipt)]
    assert found == [
        ("Rakefile", "ruby"),
        ("a b.py", "python"),
        ("a.rs", "rust"),
        ("z.py", "python"),
        ("b/a.ts", "typescript"),
        ("b/a.tsx", "typescript"),
        ("b/c/a.go", "go"),
    ]
    assert receipt.to_dict() == {"kept": 7, "dropped": {}}
    assert [d.path for d in documents(tmp_path, languages=["go", "rust"])] == ["a.rs", "b/c/a.go"]


def test_what_is_no_source_text_is_counted_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\r\n")
    (tmp_path / "binary.py").write_bytes(b"x = 1\0\0")
    (tmp_path / "latin.py").write_bytes("# é\n".encode("latin-1"))
    (tmp_path / "blank.py").write_text(" \n")
    (tmp_path / "cut.py").write_bytes("def f(): return 'é'".encode()[:-2])
    (tmp_path / "link.py").symlink_to("good.py")
    os.mkfifo(tmp_path / "pipe.py")
    with open(tmp_path / "line.js", "wb") as stream:  # 200 MB on one line, which takes no room on the disk
        stream.truncate(200 * 1024 * 1024)
    receipt = Receipt()
    (good,) = documents(tmp_path, receipt)
    assert (good.path, good.text) == ("good.py", "x = 1\ny = 2\n")
    assert receipt.by_reason() == {
        "not UTF-8": 2,
        "binary": 1,
        "empty": 1,
        "symbolic link": 1,
        "not a regular file": 1,
        "larger than 1 MB": 1,
    }
    assert {row.where for row in receipt.dropped} >= {f"{tmp_path.name}/cut.py", f"{tmp_path.name}/latin.py"}


def test_a_huge_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "big.py").write_bytes(b"#" * (MAX_SOURCE_BYTES + 1))
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("it was read"))
    with pytest.raises(NotSourceError, match="larger than 1 MB"):
        read_source(tmp_path / "big.py")


def test_a_loop_of_links_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.py").symlink_to("self.py")
    receipt = Receipt()
    assert [d.path for d in documents(tmp_path, receipt)] == ["a.py"]
    assert receipt.by_reason() == {"symbolic link": 1}


def test_what_vanishes_while_it_is_read_is_counted(tmp_path: Path) -> None:
    for name in ("a.py", "b.py", "sub/c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    receipt = Receipt()
    reading = read_folder(tmp_path, languages=None, receipt=receipt)
    assert next(reading).path == "a.py"
    (tmp_path / "b.py").unlink()
    shutil.rmtree(tmp_path / "sub")
    assert list(reading) == []
    assert receipt.by_reason() == {
        "unreadable (No such file or directory)": 1,
        "unreadable folder (No such file or directory)": 1,
    }


def test_a_file_name_that_is_not_utf8_is_counted(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff.py", "wb") as stream:
        stream.write(b"x = 1\n")
    receipt = Receipt()
    assert documents(tmp_path, receipt) == []
    assert receipt.by_reason() == {"file name is not UTF-8": 1}
    receipt.dropped[0].where.encode()


def test_a_missing_folder_is_the_inputs_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        documents(tmp_path / "none")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/apache/arrow.git", "apache/arrow"),
        ("git@github.com:psf/requests.git", "psf/requests"),
        ("https://user:token@git.example.org/team/tool/", "team/tool"),
        ("ssh://git@example.org:22/team/tool", "team/tool"),
    ],
)
def test_a_checkout_is_called_by_its_origin_without_credentials(tmp_path: Path, url: str, name: str) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "remote", "add", "upstream", "https://x.org/other/one"], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "remote", "add", "origin", url], check=True)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("x = 1\n")
    assert checkout_of(tmp_path / "src") == tmp_path
    (document,) = documents(tmp_path / "src")
    assert (document.repo, document.path) == (name, "src/a.py")


def test_a_folder_without_origin_is_called_by_its_name(tmp_path: Path) -> None:
    assert repository_name(tmp_path) == tmp_path.name


def test_the_licence_file_at_the_top_counts_for_every_document(tmp_path: Path) -> None:
    text = "MIT License\n\nCopyright (c) 2020 Someone\n\n" + MIT
    (tmp_path / "LICENSE").write_text(text)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.py").write_text("x = 1\n")
    assert [d.license for d in documents(tmp_path)] == ["MIT"]
    (tmp_path / "LICENSE").write_text("Do what you think is right.\n")
    assert [d.license for d in documents(tmp_path)] == [None]


def test_licence_files_that_offer_a_choice_give_an_expression(tmp_path: Path) -> None:
    (tmp_path / "LICENSE-MIT").write_text(MIT)
    (tmp_path / "LICENSE-APACHE").write_text("Apache License\nVersion 2.0, January 2004\n" + "\n" * 3)
    (tmp_path / "LICENSES").mkdir()
    assert license_of(tmp_path) == "Apache-2.0 OR MIT"
    (tmp_path / "COPYING").write_text(MIT)
    assert license_of(tmp_path) == "MIT"


def test_one_file_is_one_document(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("x = 1\n")
    (tmp_path / "two.py").write_text("x = 2\n")
    (document,) = read_file(tmp_path / "one.py", languages=None, receipt=Receipt())
    assert (document.path, document.repo, document.language) == ("one.py", tmp_path.name, "python")
    assert list(read_file(tmp_path / "one.py", languages=["go"], receipt=Receipt())) == []
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"notes\.txt: neither a source file"):
        list(read_file(tmp_path / "notes.txt", languages=None, receipt=Receipt()))


def test_utf16_is_binary() -> None:
    with pytest.raises(NotSourceError, match="binary"):
        decode_source("x = 1\n".encode("utf-16"))


MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
