"""Temperature shares against their formula, caps, and which rows stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.corpus.balance import choose_rows, temperature_counts
from codefit.errors import InputError

COUNTS = {"java": 8_000, "go": 2_000, "c": 500}

counts_of = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5_000), min_size=1)


def test_shares_grow_with_the_root_of_the_rows() -> None:
    counts = temperature_counts(COUNTS, 2.0, 700)
    assert counts == {"java": 400, "go": 200, "c": 100}  # roots 89.4 : 44.7 : 22.4 = 4 : 2 : 1


def test_without_a_total_the_shares_are_exact_and_as_large_as_can_be() -> None:
    assert temperature_counts(COUNTS, 2.0) == {"java": 2_000, "go": 1_000, "c": 500}
    assert temperature_counts(COUNTS, 1.0) == COUNTS
    assert temperature_counts(COUNTS, 2.0, max_repeat=2.0) == {"java": 4_000, "go": 2_000, "c": 1_000}


def test_what_a_language_does_not_have_goes_to_the_others() -> None:
    assert temperature_counts(COUNTS, 2.0, 5_000) == {"java": 3_000, "go": 1_500, "c": 500}
    assert temperature_counts(COUNTS, 1e9, 4_500) == {"java": 2_000, "go": 2_000, "c": 500}


@given(counts_of, st.floats(0.5, 100), st.none() | st.integers(0, 20_000), st.floats(0.1, 3))
def test_targets_keep_to_caps_and_total(
    counts: dict[str, int], temperature: float, total: int | None, max_repeat: float
) -> None:
    targets = temperature_counts(counts, temperature, total, max_repeat=max_repeat)
    caps = {name: int(n * max_repeat) for name, n in counts.items()}
    assert list(targets) == list(counts)
    assert all(0 <= targets[name] <= caps[name] for name in counts)
    if total is not None:
        assert sum(targets.values()) == min(total, sum(caps.values()))


@given(counts_of, st.floats(1, 10), st.floats(1, 10))
def test_a_higher_temperature_evens_out(counts: dict[str, int], first: float, second: float) -> None:
    def largest_share(temperature: float) -> float:
        targets = temperature_counts(counts, temperature, sum(counts.values()) // 2)
        return max(targets.values()) / max(1, sum(targets.values()))

    low, high = sorted((first, second))
    slack = len(counts) / max(1, sum(counts.values()) // 2)  # rounding moves a share by a row
    assert largest_share(high) <= largest_share(low) + slack


@pytest.mark.parametrize(
    ("temperature", "total", "max_repeat"), [(0, None, 1), (-1, None, 1), (2, -1, 1), (2, None, 0)]
)
def test_wrong_numbers_are_the_users_error(temperature: float, total: int | None, max_repeat: float) -> None:
    with pytest.raises(InputError):
        temperature_counts(COUNTS, temperature, total, max_repeat=max_repeat)


def test_the_rows_that_stay_are_the_same_when_others_come() -> None:
    keys = [f"row {i}" for i in range(100)]
    chosen = {keys[i] for i in choose_rows(keys, 40, seed=1)}
    assert len(chosen) == 40
    more = [*keys, *(f"new {i}" for i in range(10))]
    again = {more[i] for i in choose_rows(more, 40, seed=1)}
    assert chosen - again <= chosen
    assert len(chosen - again) <= 10
    assert chosen != {keys[i] for i in choose_rows(keys, 40, seed=2)}


def test_rows_are_repeated_evenly() -> None:
    chosen = choose_rows(["a", "b", "c"], 8, seed=0)
    assert sorted(chosen) == chosen
    assert sorted(chosen.count(i) for i in range(3)) == [2, 3, 3]
    assert choose_rows([], 0, seed=0) == []
