"""General code: apart by repository, without copies, no more bytes than asked for and evenly over languages."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.corpus.draw import draw_bytes
from codefit.corpus.gather import BEYOND, KNOWN_ELSEWHERE, Gathered, GatherSettings, clean_sides, gather_documents
from codefit.corpus.manifest import Receipt
from codefit.errors import CodefitError, InputError
from codefit.records import Document
from document_examples import document, repository


def gathered(documents: list[Document], **settings: object) -> tuple[Gathered, dict[str, str]]:
    receipt = Receipt()
    result = gather_documents(documents, GatherSettings(**settings), receipt, workers=0)  # type: ignore[arg-type]
    assert receipt.kept + len(receipt.dropped) == len(documents)
    return result, {row.where: row.reason for row in receipt.dropped}


def three() -> list[Document]:
    return [
        msgspec.structs.replace(each, repo=f"owner/r{place}", path=f"r{place}/{each.path}")
        for place in range(3)
        for each in repository(10)[place * 10 : place * 10 + 10]
    ]


def test_repositories_are_on_one_side() -> None:
    result, dropped = gathered(three(), evaluation_sources=("owner/r1",), validation_sources=("owner/r2",))
    sources = [{each.repo for each in side} for side in (result.train, result.evaluation, result.validation)]
    assert sources == [{"owner/r0"}, {"owner/r1"}, {"owner/r2"}]
    assert not dropped
    assert result.report["leakage"]["by"] == "source"
    assert "functions" not in result.report["train"]
    assert result.report["train"]["bytes"] == sum(len(each.text) for each in result.train)


def test_copies_leave_the_held_out_side_and_are_named() -> None:
    documents = three()
    copy = msgspec.structs.replace(documents[0], repo="owner/r1", path="vendored.py")
    near = msgspec.structs.replace(
        documents[11], repo="owner/r2", path="near.py", text=documents[11].text.replace("return", "yield", 1)
    )
    again = msgspec.structs.replace(documents[1], path="again.py")
    result, dropped = gathered(
        [*documents, copy, near, again], evaluation_sources=("owner/r1",), validation_sources=("owner/r2",)
    )
    assert len(result.train) == len(result.evaluation) == len(result.validation) == 10
    assert dropped == {
        "owner/r1/vendored.py": "near duplicate of a training file, in evaluation",
        "owner/r2/near.py": "near duplicate of a training or evaluation file, in validation",
        "owner/r0/again.py": "exact duplicate",
    }


def test_bytes_are_kept_to_whatever_goes_as_copies() -> None:
    documents = [document(f"f{index}.py", index) for index in range(60)]
    documents += [msgspec.structs.replace(documents[0], path=f"copy{index}.py") for index in range(10)]
    size = sum(len(each.text) for each in documents)
    result, dropped = gathered(documents, train_bytes=size // 3)
    total = sum(len(each.text) for each in result.train)
    assert size // 3 - 2 * len(documents[0].text) < total <= size // 3
    assert set(dropped.values()) <= {BEYOND, "exact duplicate"}
    assert result.train == gathered(documents, train_bytes=size // 3)[0].train
    assert result.train != gathered(documents, train_bytes=size // 3, seed=1)[0].train


def test_languages_get_the_same_bytes_and_what_one_lacks_goes_to_the_others() -> None:
    documents = [
        Document(path=f"{i}.x", text="x" * 10, language=("a", "b", "b", "c", "c", "c")[i % 6]) for i in range(600)
    ]
    chosen = Counter(documents[row].language for row in draw_bytes(documents, 4_500, seed=0))
    assert chosen == {"a": 100, "b": 175, "c": 175}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50)), max_size=40), st.integers(0, 2_000))
def test_a_draw_is_never_more_than_asked_for_and_all_where_there_is_room(
    files: list[tuple[str, int]], total: int
) -> None:
    documents = [Document(path=str(i), text="x" * size, language=name) for i, (name, size) in enumerate(files)]
    chosen = draw_bytes(documents, total, seed=0)
    assert sum(len(documents[row].text) for row in chosen) <= total
    assert chosen == sorted(set(chosen))
    if sum(size for _, size in files) <= total:
        assert chosen == list(range(len(files)))


def test_what_the_repository_itself_holds_is_not_mixed_in() -> None:
    own = repository(3)
    others = [*repository(2, repo="lib/lib"), document("g.py", 900, repo="lib/lib")]
    receipt = Receipt()
    result = clean_sides(others, ["train"] * len(others), GatherSettings(), receipt, others=own, workers=0)
    assert [each.path for each in result.train] == ["g.py"]
    assert receipt.by_reason() == {KNOWN_ELSEWHERE: 6}


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"evaluation_sources": ("owner/r9",)}, InputError, "did you mean 'owner/r"),
        ({"evaluation_sources": ("owner/r1",), "validation_sources": ("owner/r1",)}, InputError, "owner/r1 cannot be"),
        ({"allowed_licenses": ("Zlib",)}, CodefitError, "'licence not allowed': 30"),
        ({"evaluation_sources": ("owner/r0", "owner/r1", "owner/r2")}, CodefitError, "no file is left to train on"),
    ],
)
def test_what_cannot_be_is_said(settings: dict[str, object], kind: type[CodefitError], message: str) -> None:
    with pytest.raises(kind) as error:
        gathered(three(), **settings)
    assert type(error.value) is kind
    assert message in error.value.line()


def test_a_missing_source_may_be_allowed() -> None:
    result, _ = gathered(three(), evaluation_sources=("owner/r9",), allow_missing_sources=True)
    assert len(result.train) == 30
    assert not result.evaluation
