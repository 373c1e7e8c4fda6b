"""Documents from JSONL files, whatever their compression and whatever is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from codefit.corpus.documents.rows import is_row_file, read_document_rows
from codefit.corpus.documents.text import MAX_SOURCE_BYTES
from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.records import Document, write_rows

GOOD = Document(path="src/a.rs", text="fn a() {}", language="rust", repo="owner/name", license="MIT")


def read(path: Path, receipt: Receipt | None = None, **options: object) -> list[Document]:
    chosen = {"languages": None, **options}
    return list(read_document_rows(path, receipt=receipt or Receipt(), **chosen))  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_rows_are_read_in_every_compression(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"docs.jsonl{suffix}"
    write_rows(path, [GOOD, Document(path="b.py", text="x = 1")])
    assert is_row_file(path)
    first, second = read(path)
    assert first == GOOD
    assert (second.language, second.repo) == ("python", "docs")
    assert read(path, languages=["python"]) == [second]


def test_rows_that_give_no_document_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    huge = Document(path="c.py", text="#" * (MAX_SOURCE_BYTES + 1))
    write_rows(path, [GOOD] * 200 + [Document(path="a.txt", text="x"), Document(path="b.py", text=" "), huge])
    with open(path, "ab") as stream:
        stream.write(b'["a list"]\n')
    receipt = Receipt()
    assert len(read(path, receipt)) == 200
    assert receipt.to_dict() == {
        "kept": 200,
        "dropped": {"language not known": 1, "empty": 1, "larger than 1 MB": 1, "not a Document row": 1},
    }
    assert receipt.dropped[-1].where == f"{path}:204"


def test_a_file_of_another_shape_fails_with_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_text('{"anchor":"a","positive":"b"}\n' * 3)
    with pytest.raises(InputError, match=r"3 of 3 rows do not fit.*docs\.jsonl:1: not a Document row"):
        read(path)


def test_a_broken_gzip_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl.gz"
    write_rows(path, [GOOD] * 50)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="the compressed data is broken") as caught:
        read(path)
    assert "\n" not in caught.value.line()


def test_other_files_are_no_row_files() -> None:
    assert not is_row_file(Path("a.json"))
    assert not is_row_file(Path("a.py.gz"))
