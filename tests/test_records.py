"""Rows survive the trip to disk; what does not fit is counted, kept and, above the limit, fatal."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.errors import CodefitError, InputError
from codefit.records import (
    Pair,
    RankingInstance,
    Rejects,
    load_rows,
    read_ranking_blocks,
    read_rows,
    write_ranking_blocks,
    write_rows,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PAIRS = st.builds(
    Pair,
    anchor=TEXT,
    positive=TEXT,
    source=TEXT,
    negative=st.none() | TEXT | st.lists(TEXT),
    language=st.none() | TEXT,
    line=st.none() | st.integers(1, 10**6),
)
BLOCK_LINE = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x85"), min_size=1)


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@given(rows=st.lists(PAIRS, min_size=1, max_size=5))
def test_pairs_survive_the_trip_through_every_compression(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, rows: list[Pair]
) -> None:
    path = tmp_path_factory.mktemp("rows") / f"pairs.jsonl{suffix}"
    assert write_rows(path, rows) == len(rows)
    assert list(read_rows(path, Pair)) == rows


@given(st.lists(st.builds(RankingInstance, BLOCK_LINE, BLOCK_LINE, st.lists(BLOCK_LINE)), max_size=5))
def test_ranking_blocks_survive_the_trip(
    tmp_path_factory: pytest.TempPathFactory, instances: list[RankingInstance]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "instances.txt"
    write_ranking_blocks(path, instances)
    assert list(read_ranking_blocks(path)) == instances


def test_a_ranking_text_with_a_line_break_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(CodefitError, match="line break"):
        write_ranking_blocks(tmp_path / "x.txt", [RankingInstance("a\nb", "c", [])])
    assert list(tmp_path.iterdir()) == []


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.jsonl.gz", "two.jsonl.gz"):
        write_rows(tmp_path / name, [Pair("a", "b", "s")])
    assert (tmp_path / "one.jsonl.gz").read_bytes() == (tmp_path / "two.jsonl.gz").read_bytes()


def test_unknown_fields_are_ignored_and_defaults_left_out_but_for_the_split() -> None:
    row = msgspec.json.decode(b'{"anchor":"a","positive":"b","source":"s","later":1}', type=Pair)
    assert msgspec.json.encode(row) == b'{"anchor":"a","positive":"b","source":"s","split":"train"}'


def test_a_row_of_the_wrong_shape_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"anchor":"a","positive":"b","source":"s"}\n\n{"anchor":1}\n')
    with pytest.raises(InputError, match=r"pairs\.jsonl:3: not a Pair row"):
        list(read_rows(path, Pair))


def test_rejected_rows_are_kept_with_their_reason(tmp_path: Path) -> None:
    path, rejected = tmp_path / "pairs.jsonl", tmp_path / "rejected.jsonl"
    path.write_bytes(b'{"anchor":"a","positive":"b","source":"s"}\n' * 99 + b"\xff\xfe not json\n")
    assert len(load_rows(path, Pair, rejected=rejected)) == 99
    (kept,) = [msgspec.json.decode(line) for line in rejected.read_bytes().splitlines()]
    assert kept["where"].endswith("pairs.jsonl:100")
    assert "not a Pair row" in kept["reason"]


def test_too_many_rejected_rows_fail_the_stage_and_are_kept(tmp_path: Path) -> None:
    path, rejected = tmp_path / "pairs.jsonl", tmp_path / "rejected.jsonl"
    path.write_text('{"anchor":"a","positive":"b","source":"s"}\n' * 9 + "[]\n")
    with pytest.raises(InputError, match="1 of 10 rows"):
        load_rows(path, Pair, rejected=rejected)
    assert rejected.exists()


def test_rejects_count_by_reason() -> None:
    rejects = Rejects(max_rejected=1.0)
    for reason in ("short", "short", "binary"):
        rejects.add("x", reason)
    assert rejects.by_reason() == {"short": 2, "binary": 1}


@pytest.mark.parametrize("damage", ["cut", "not gzip"])
def test_a_broken_gzip_is_one_clear_error(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "pairs.jsonl.gz"
    whole = gzip.compress(b'{"anchor":"a","positive":"b","source":"s"}\n' * 1000)
    path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"plain text")
    with pytest.raises(InputError, match="compressed data is broken"):
        list(read_rows(path, Pair))


def test_a_broken_zst_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl.zst"
    path.write_bytes(b"plain text")
    with pytest.raises(InputError, match="compressed data is broken"):
        list(read_rows(path, Pair))


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(InputError, match="holds no Pair rows"):
        load_rows(tmp_path / "empty.jsonl", Pair)
