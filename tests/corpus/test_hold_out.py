"""Whole directories on one side, files by date, no near duplicate across, and the check that stops a run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.corpus.document_leakage import check_document_leakage, find_document_leaks
from codefit.corpus.hold_out import SIDES, directory_of, hold_out_directories, hold_out_files, known_files
from codefit.errors import CodefitError, InputError
from document_examples import document, repository

DIRECTORIES = [f"repo/d{index % 40}" for index in range(400)]


def test_directories_stay_whole_and_about_the_share_is_held_out() -> None:
    sides = hold_out_directories(DIRECTORIES, share=0.25, validation_share=0.3, seed=0)
    by_directory: dict[str, set[str]] = {}
    for name, side in zip(DIRECTORIES, sides, strict=True):
        by_directory.setdefault(name, set()).add(side)
    assert all(len(found) == 1 for found in by_directory.values())
    counts = {side: sum(found == {side} for found in by_directory.values()) for side in SIDES}
    held_out = counts["evaluation"] + counts["validation"]
    assert 5 <= held_out <= 16
    assert counts["validation"] == round(0.3 * held_out)


def test_a_directory_stays_on_its_side_when_others_come_and_another_seed_holds_out_others() -> None:
    before = dict(zip(DIRECTORIES, hold_out_directories(DIRECTORIES, share=0.2, seed=1), strict=True))
    more = [*DIRECTORIES, *(f"repo/e{index}" for index in range(100))]
    after = dict(zip(more, hold_out_directories(more, share=0.2, seed=1), strict=True))
    assert before.items() <= after.items()
    assert before != dict(zip(DIRECTORIES, hold_out_directories(DIRECTORIES, share=0.2, seed=2), strict=True))


def test_the_seed_chooses_what_is_for_validation() -> None:
    places = [f"f{index}" for index in range(20)]
    are_new = [index > 4 for index in range(20)]
    chosen = {tuple(hold_out_files(places, are_new, validation_share=0.4, seed=seed)) for seed in range(4)}
    assert len(chosen) == 4


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=2), st.floats(0.01, 0.9), st.integers(0, 9))
def test_both_sides_have_files_whatever_there_is(directories: list[str], share: float, seed: int) -> None:
    if len(set(directories)) == 1:
        with pytest.raises(InputError, match="all files are in the directory"):
            hold_out_directories(directories, share=share, seed=seed)
        return
    assert set(hold_out_directories(directories, share=share, seed=seed)) == {"train", "evaluation"}


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_out_of_range_is_an_error(share: float) -> None:
    with pytest.raises(InputError, match="share"):
        hold_out_directories(DIRECTORIES, share=share, seed=0)
    with pytest.raises(InputError, match="validation share"):
        hold_out_directories(DIRECTORIES, share=0.1, validation_share=share, seed=0)


def test_files_by_date_need_old_and_new_ones() -> None:
    places = [f"f{index}" for index in range(10)]
    sides = hold_out_files(places, [index > 4 for index in range(10)], validation_share=0.4, seed=0)
    assert sides[:5] == ["train"] * 5
    assert sorted(sides[5:]) == ["evaluation"] * 3 + ["validation"] * 2
    for value, message in ((False, "no file"), (True, "every file")):
        with pytest.raises(InputError, match=message):
            hold_out_files(places, [value] * 10, seed=0)
    with pytest.raises(InputError, match="evaluation both"):
        hold_out_files(places, [index == 0 for index in range(10)], validation_share=0.4, seed=0)


def test_a_held_out_file_is_known_by_a_near_duplicate_on_an_earlier_side() -> None:
    sides = ["evaluation", "train", "evaluation", "validation", "evaluation", "validation", "train"]
    clusters = np.array([0, 0, 2, 2, 4, 5, 0])
    assert known_files(sides, clusters) == [True, False, False, True, False, False, False]  # type: ignore[arg-type]


def test_the_directory_is_the_one_that_holds_the_file() -> None:
    assert directory_of(document("a/b/c.py", 1)) == "owner/name/a/b"
    assert directory_of(document("c.py", 1)) == "owner/name/."


def test_clean_sides_have_no_leak() -> None:
    documents = repository(4)
    report = check_document_leakage(documents[:6], documents[6:])
    assert (report.train_documents, report.eval_documents, report.leaks) == (6, 6, ())


def test_each_kind_of_leak_stops_and_names_the_files() -> None:
    train = [document("a/f.py", 1), document("b/f.py", 2, functions=6), document("c/f.py", 3)]
    changed = train[1].text.replace("return", "yield", 1)
    evaluation = [
        document("x/copy.py", 1),
        document("c/f.py", 9),
        type(train[1])(path="y/near.py", text=changed, language="python", repo="owner/name"),
        document("a/other.py", 5),
        document("z/f.py", 6),
    ]
    report = find_document_leaks(train, evaluation)
    assert [(leak.kind, leak.examples) for leak in report.leaks] == [
        ("same text", ("owner/name/x/copy.py ~ owner/name/a/f.py",)),
        ("same file", ("owner/name/c/f.py ~ owner/name/c/f.py",)),
        ("near-duplicate text", ("owner/name/y/near.py ~ owner/name/b/f.py",)),
        ("same directory", ("owner/name/a/other.py ~ owner/name/a/f.py",)),
    ]
    with pytest.raises(CodefitError, match=r"y/near.py ~ owner/name/b/f.py") as error:
        check_document_leakage(train, evaluation)
    assert "\n" not in error.value.line()
    assert error.value.exit_code == 1
    by_date = find_document_leaks(train, evaluation, by=None)
    assert "same directory" not in {leak.kind for leak in by_date.leaks}


def test_general_code_must_be_of_other_repositories() -> None:
    train = [document("a.py", 1, repo="one/one"), document("b.py", 2, repo="two/two")]
    others = [document("c.py", 3, repo="two/two"), document("d.py", 4, repo="three/three")]
    with pytest.raises(CodefitError, match=r"general files are known from training: 1 by same repository \(two/two/c"):
        check_document_leakage(train, others, by="source", names=("training", "general"))
    assert not check_document_leakage(train, others[1:], by="source").leaks
