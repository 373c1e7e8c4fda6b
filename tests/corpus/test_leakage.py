"""Each kind of leak stops the run by name; a shared description does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from codefit.corpus.leakage import (
    NEAR_CODE,
    SAME_CODE,
    SAME_GROUP,
    SAME_QUESTION,
    check_leakage,
    check_leakage_files,
    find_leaks,
)
from codefit.errors import CodefitError, InputError
from codefit.records import Pair, write_rows

BODY = """def read_rows(path, kind, rejects=None):
    decoder = Decoder(kind)
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        yield decoder.decode(line)
"""
OTHER = """def area(width, height):
    if width < 0 or height < 0:
        raise ValueError(width)
    return width * height
"""
PORT = BODY.replace("decoder", "parser").replace("line", "row")


def pair(code: str, source: str, anchor: str = "Reads all rows of a file.", path: str | None = None) -> Pair:
    return Pair(anchor=anchor, positive=code, source=source, path=path, line=7)


TRAIN = [pair(OTHER, "train/other", "Area of a rectangle."), pair(BODY, "train/repo", path="a.py")]


@pytest.mark.parametrize(
    ("leaking", "kind"),
    [
        (pair(BODY.replace("    ", "\t"), "eval/repo", "Another description."), SAME_CODE),
        (pair(BODY.replace("read_rows", "load_rows"), "eval/repo", "Another description."), NEAR_CODE),
        (pair(PORT, "eval/repo", "reads  all rows of a file."), SAME_QUESTION),
        (pair("def f(x):\n    return x + 1\n", "train/repo", "Adds one to a number."), SAME_GROUP),
    ],
)  # fmt: skip
def test_a_leak_stops_the_run_with_its_kind_its_count_and_where_it_is(leaking: Pair, kind: str) -> None:
    fair = pair("fn min(a: u8, b: u8) -> u8 {\n    if a < b { a } else { b }\n}", "eval/fair", "The smaller number.")
    with pytest.raises(CodefitError) as caught:
        check_leakage(TRAIN, [fair, leaking])
    assert f"1 by {kind} ({leaking.source}:7 ~ train/repo:a.py:7)" in caught.value.line()
    assert not isinstance(caught.value, InputError)


def test_a_row_is_counted_once_and_two_examples_are_enough() -> None:
    report = find_leaks(TRAIN, [pair(BODY, "train/repo") for _ in range(5)])
    assert [(leak.kind, leak.count, len(leak.examples)) for leak in report.leaks] == [(SAME_CODE, 5, 2)]


def test_a_description_alone_is_no_leak_but_is_counted() -> None:
    report = check_leakage(TRAIN, [pair("fn rows() -> u8 {\n    table.rows.len() as u8\n}", "eval/repo")])
    assert (report.shared_anchors, report.leaks, report.train_rows, report.eval_rows) == (1, (), 2, 1)


def test_what_must_not_be_on_both_sides_can_be_files_or_nothing() -> None:
    evaluation = [pair("def f(x):\n    return x + 1\n", "train/repo", "Adds one to a number.", "b.py")]
    assert check_leakage(TRAIN, evaluation, by="path").leaks == ()
    assert check_leakage(TRAIN, evaluation, by=None).leaks == ()
    with pytest.raises(CodefitError, match=SAME_GROUP):
        check_leakage(TRAIN, [pair(OTHER[::-1], "train/repo", "Nothing much at all.", "a.py")], by="path")


def test_duplicates_within_one_side_are_no_leak() -> None:
    evaluation = [
        pair(OTHER.replace("area", "size"), "eval/repo", "Size of it."),
        pair(BODY[::-1], "eval/repo", "Odd."),
    ]
    twice = [*evaluation, *evaluation]
    assert check_leakage([TRAIN[1], TRAIN[1]], twice).leaks == ()
    assert check_leakage([], evaluation).leaks == check_leakage(TRAIN, []).leaks == ()


def test_files_are_named_in_the_error(tmp_path: Path) -> None:
    train, evaluation = tmp_path / "train.jsonl", tmp_path / "eval.jsonl.gz"
    write_rows(train, TRAIN)
    write_rows(evaluation, [pair(BODY, "eval/repo")])
    with pytest.raises(CodefitError, match=r"train\.jsonl and .*eval\.jsonl\.gz: evaluation rows are known"):
        check_leakage_files(train, evaluation)
    write_rows(evaluation, [pair("def f(x):\n    return x + 1\n", "eval/repo")])
    assert check_leakage_files(train, evaluation).eval_rows == 1
    with pytest.raises(FileNotFoundError):
        check_leakage_files(train, tmp_path / "absent.jsonl")
