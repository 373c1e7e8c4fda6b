"""Groups whole on one side, the same side when others come, and no near duplicate on both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.corpus.split import group_of, split_by_group
from codefit.errors import InputError
from codefit.records import Pair

GROUPS = [f"owner/repository-{i}" for i in range(200)]


def alone(groups: list[str]) -> np.ndarray:
    return np.arange(len(groups))


rows = st.lists(st.tuples(st.sampled_from(GROUPS[:12]), st.integers(0, 8)), min_size=2, max_size=60)


@given(rows.filter(lambda rows: len({group for group, _ in rows}) > 1), st.floats(0, 0.99), st.integers(0, 5))
def test_no_group_and_no_cluster_is_on_both_sides(rows: list[tuple[str, int]], share: float, seed: int) -> None:
    groups, clusters = [group for group, _ in rows], np.array([cluster for _, cluster in rows])
    split = split_by_group(groups, clusters, eval_share=share, seed=seed)
    sides: dict[str, set[bool]] = {}
    for group, is_evaluation in zip(groups, split.evaluation.tolist(), strict=True):
        sides.setdefault(group, set()).add(is_evaluation)
    assert all(len(side) == 1 for side in sides.values())
    of_evaluation = clusters[split.evaluation & ~split.removed]
    assert not np.isin(of_evaluation, clusters[~split.evaluation]).any()
    assert (~split.evaluation).any()
    assert split.evaluation.any() == (share > 0)
    assert not split.removed[~split.evaluation].any()


def test_the_share_is_of_the_groups() -> None:
    split = split_by_group(GROUPS, alone(GROUPS), eval_share=0.3, seed=1)
    assert 40 <= split.evaluation.sum() <= 80


def test_a_group_keeps_its_side_when_groups_and_rows_are_added() -> None:
    few = GROUPS[:150]
    before = split_by_group(few, alone(few), eval_share=0.2, seed=3).evaluation
    more = [*GROUPS, *few]
    after = split_by_group(more, alone(more), eval_share=0.2, seed=3).evaluation
    assert np.array_equal(before, after[:150])
    assert np.array_equal(before, after[200:])
    assert not np.array_equal(before, split_by_group(few, alone(few), eval_share=0.2, seed=4).evaluation)


def test_a_group_larger_than_the_share_stays_in_training() -> None:
    for seed in range(20):
        groups = [*GROUPS[:10], *["giant"] * 10]
        split = split_by_group(groups, alone(groups), eval_share=0.2, seed=seed)
        assert not split.evaluation[10:].any()
        assert split.evaluation.any()


def test_named_groups_win_and_a_misspelt_one_is_the_users_error() -> None:
    groups = ["a/x", "a/y", "b/z"]
    split = split_by_group(groups, alone(groups), eval_share=0.9, seed=0, eval_groups=["a/y"])
    assert split.evaluation.tolist() == [False, True, False]
    with pytest.raises(InputError, match="did you mean 'b/z'"):
        split_by_group(groups, alone(groups), eval_share=0, seed=0, eval_groups=["b/zz"])


def test_a_shared_cluster_stays_in_training_and_leaves_evaluation() -> None:
    groups, clusters = ["a", "a", "b", "b"], np.array([0, 1, 0, 3])
    split = split_by_group(groups, clusters, eval_share=0, seed=0, eval_groups=["b"])
    assert split.evaluation.tolist() == [False, False, True, True]
    assert split.removed.tolist() == [False, False, True, False]


def test_a_single_group_cannot_be_divided() -> None:
    with pytest.raises(InputError, match="split by path"):
        split_by_group(["a", "a"], np.arange(2), eval_share=0.1, seed=0)
    assert not split_by_group(["a", "a"], np.arange(2), eval_share=0, seed=0).evaluation.any()


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_outside_its_range_is_the_users_error(share: float) -> None:
    with pytest.raises(InputError, match="share"):
        split_by_group(["a", "b"], np.arange(2), eval_share=share, seed=0)


def test_what_keeps_together_is_a_source_or_a_file() -> None:
    pair = Pair(anchor="a", positive="b", source="owner/name", path="x/y.py")
    assert group_of(pair, "source") == "owner/name"
    assert group_of(pair, "path") == "owner/name:x/y.py"
    assert group_of(Pair(anchor="a", positive="b", source="owner/name"), "path") == "owner/name"
