"""Receipts count, and remember where."""

from __future__ import annotations

import json
from pathlib import Path

from codefit.corpus.manifest import Receipt, describe_file, describe_pairs, describe_texts, write_dropped
from codefit.files import hash_file
from codefit.records import Document, Pair, TextRow, write_rows


def test_a_receipt_counts_by_reason_the_most_frequent_first() -> None:
    receipt = Receipt()
    receipt.keep()
    receipt.keep(4)
    receipt.drop("rare", "a")
    receipt.drop("often", "b", 5)
    receipt.drop("often", "c")
    assert receipt.to_dict() == {"kept": 5, "dropped": {"often": 6, "rare": 1}}
    assert list(receipt.by_reason()) == ["often", "rare"]


def test_dropped_things_are_written_with_their_stage(tmp_path: Path) -> None:
    read, mined = Receipt(), Receipt()
    read.drop("binary", "a.py")
    mined.drop("no doc comment", "b.py", 7)
    path = tmp_path / "dropped.jsonl"
    assert write_dropped(path, {"read": read, "mine": mined}) == 2
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"stage": "read", "reason": "binary", "where": "a.py", "count": 1},
        {"stage": "mine", "reason": "no doc comment", "where": "b.py", "count": 7},
    ]


def test_a_file_is_described_by_what_pins_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = write_rows(path, [Pair("a", "b", "s")])
    assert describe_file(path, rows) == {"rows": 1, "bytes": path.stat().st_size, "sha256": hash_file(path)}


def test_rows_are_counted_by_language_source_and_licence() -> None:
    pairs = [
        Pair("a", "b", "one", language="go", license="MIT"),
        Pair("a", "b", "two", language="rust"),
        Pair("a", "b", "two", language="rust", license="MIT"),
    ]
    assert describe_pairs(pairs) == {
        "languages": {"rust": 2, "go": 1},
        "sources": {"two": 2, "one": 1},
        "licenses": {"MIT": 2, "unknown": 1},
    }
    documents = [Document(path="a", text="b", repo="one")]
    assert describe_pairs(documents)["sources"] == {"one": 1}


def test_raw_text_is_counted_by_source_and_licence() -> None:
    texts = [TextRow("a", "one", license="MIT"), TextRow("b", "two"), TextRow("c", "two", license="MIT")]
    assert describe_texts(texts) == {"sources": {"two": 2, "one": 1}, "licenses": {"MIT": 2, "unknown": 1}}
