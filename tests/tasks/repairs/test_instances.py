"""Rows of repairs: what is kept, how they are divided, and that no snippet stands on two sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.records import RankingInstance, Repair, write_ranking_blocks, write_rows
from codefit.source.syntax.terminals import to_characters
from codefit.tasks.repairs.instances import (
    EMPTY,
    KNOWN,
    NOT_SOUND,
    NOT_TOKENS,
    divide,
    groups_of,
    load_instances,
    pair_of,
    problem_of,
    read_repairs,
    without_known,
)
from small_repairs import BROKEN, PAIRS, SOUND

ROWS = [Repair(broken, sound) for broken, sound in zip(BROKEN, SOUND, strict=True)]
LONG = "\n".join(f"value_{n} = compute_{n}(argument_{n}, other_{n})" for n in range(12))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (ROWS[0], None),
        (Repair("NAME walrus NAME", SOUND[0]), NOT_TOKENS),
        (Repair("", SOUND[0]), EMPTY),
        (Repair(BROKEN[0], BROKEN[0]), NOT_SOUND),
    ],
)
def test_a_row_is_refused_for_a_reason(row: Repair, problem: str | None) -> None:
    assert problem_of(row) == problem


def test_what_does_not_fit_is_in_the_receipt(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", [*ROWS, Repair("NAME", "NAME NAME")])
    receipt = Receipt()
    assert read_repairs([tmp_path / "rows.jsonl"], receipt) == ROWS
    assert receipt.by_reason() == {NOT_SOUND: 1}
    assert receipt.dropped[0].where.endswith("rows.jsonl:6")
    write_rows(tmp_path / "none.jsonl", [Repair("NAME", "NAME NAME")])
    with pytest.raises(InputError, match="no repair to learn from"):
        read_repairs([tmp_path / "none.jsonl"], Receipt())


def test_near_duplicates_stay_on_one_side_and_leave_what_is_measured_on() -> None:
    copy = LONG.replace("argument_3", "argument_of_it")
    one, other = (Repair(BROKEN[0], SOUND[0], fixed_source=text) for text in (LONG, copy))
    groups = groups_of([one, ROWS[1], other])
    assert groups[0] == groups[2] != groups[1]
    receipt = Receipt()
    assert without_known([ROWS[1], other], [one], receipt) == [ROWS[1]]
    assert receipt.by_reason() == {KNOWN: 1}
    for seed in range(8):
        divided = divide([one, other, *ROWS[1:]], 0.4, seed)
        assert len({one in side for side in (divided.train, divided.validation)}) == 2
        assert (one in divided.train) == (other in divided.train)
        assert len(divided.train) + len(divided.validation) == 6
    with pytest.raises(InputError, match="leaves one side empty"):
        divide([one, other], 0.4, 0)


def test_a_file_to_measure_on_is_of_either_kind(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", ROWS)
    assert load_instances(tmp_path / "rows.jsonl").pairs == [pair_of(row) for row in ROWS]
    query, relevant = (to_characters(string) for string in PAIRS[0])
    given = [RankingInstance(query, relevant, [query, relevant[1:]])] * 2
    write_rows(tmp_path / "given.jsonl", given)
    write_ranking_blocks(tmp_path / "given.txt", given)
    for name in ("given.jsonl", "given.txt"):
        found = load_instances(tmp_path / name)
        assert found.given == given
        assert not found.pairs
    write_rows(tmp_path / "odd.jsonl", [Repair("NAME walrus", "NAME")])
    with pytest.raises(InputError, match=r"no terminal 'walrus'.*") as error:
        load_instances(tmp_path / "odd.jsonl")
    assert str(error.value.where).endswith("odd.jsonl:1")
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(InputError, match="holds no ranking instance"):
        load_instances(tmp_path / "empty.txt")
