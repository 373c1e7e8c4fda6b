"""The steps together: the richest stay, every other file is named with its rule, and what is held out is unseen."""

from __future__ import annotations

import json
import random

import msgspec
import pytest

from codefit.corpus.curate import Curated, CurationSettings, curate_documents
from codefit.corpus.document_leakage import find_document_leaks
from codefit.corpus.hold_out import directory_of
from codefit.corpus.manifest import Receipt
from codefit.errors import CodefitError, InputError
from codefit.records import Document
from document_examples import document, repository


def curated(documents: list[Document], **settings: object) -> tuple[Curated, dict[str, str]]:
    receipt = Receipt()
    chosen = CurationSettings(**settings)  # type: ignore[arg-type]
    result = curate_documents(iter(documents), chosen, receipt, workers=0)
    assert receipt.kept == len(result.train) + len(result.evaluation) + len(result.validation)
    assert receipt.kept + len(receipt.dropped) == len(documents)
    return result, {row.where: row.reason for row in receipt.dropped}


def test_the_richest_files_of_each_language_stay_and_ties_go_by_name() -> None:
    documents = [document(f"d/f{index}.py", index, functions=1 + index, types=0) for index in range(3, 9)]
    documents += [document("d/twin_b.py", 50, functions=5, types=3), document("d/twin_a.py", 51, functions=5, types=3)]
    go = "package p\n" + "".join(f"\nfunc F{i}(a int) int {{\n\tb{i} := a * {i}\n\treturn b{i}\n}}\n" for i in range(6))
    documents.append(Document(path="d/a.go", text=go, language="go", repo="owner/name"))
    result, dropped = curated(documents, top=3, hold_out_share=0)
    assert [each.path for each in result.train] == ["d/f7.py", "d/f8.py", "d/twin_a.py", "d/a.go"]
    assert dropped["owner/name/d/twin_b.py"] == "below the top 3"
    assert set(dropped.values()) == {"below the top 3"}
    assert len(dropped) == 5


def test_what_is_held_out_is_whole_directories_and_does_not_depend_on_the_top() -> None:
    documents = repository(30)
    sides = []
    for top in (5, None):
        result, _ = curated(documents, top=top, hold_out_share=0.2, validation_share=0.3)
        sides.append((result.evaluation, result.validation))
        held_out = {directory_of(each) for each in (*result.evaluation, *result.validation)}
        assert held_out.isdisjoint({directory_of(each) for each in result.train})
        assert {directory_of(e) for e in result.evaluation}.isdisjoint({directory_of(e) for e in result.validation})
        assert result.validation
        assert len(result.train) == (5 if top else 90 - len(result.evaluation) - len(result.validation))
        assert not find_document_leaks(result.train, result.evaluation).leaks
    assert sides[0] == sides[1]


def test_a_near_duplicate_across_directories_leaves_the_held_out_side() -> None:
    documents = repository(30)
    plain, _ = curated(documents, hold_out_share=0.2)
    victim, twin = plain.evaluation[0], plain.train[-1]
    changed = twin.text.replace("return", "yield", 1)
    leaking = [msgspec.structs.replace(e, text=changed) if e == victim else e for e in documents]
    result, dropped = curated(leaking, hold_out_share=0.2)
    assert dropped == {f"owner/name/{victim.path}": "near duplicate of a training file, in evaluation"}
    assert result.train == plain.train
    assert result.evaluation == plain.evaluation[1:]


def test_of_copies_on_one_side_the_richest_stays() -> None:
    documents = [document("a/one.py", 1, functions=9), document("b/other.py", 2, functions=9)]
    richer = msgspec.structs.replace(documents[0], path="z/more.py", text=documents[0].text + "\ndef g():\n    pass\n")
    again = msgspec.structs.replace(documents[1], path="b/again.py", text=documents[1].text.replace("    ", "\t"))
    result, dropped = curated([*documents, richer, again], hold_out_share=0)
    assert [each.path for each in result.train] == ["z/more.py", "b/again.py"]
    assert dropped == {"owner/name/a/one.py": "near duplicate", "owner/name/b/other.py": "exact duplicate"}


def test_the_outcome_does_not_depend_on_the_order_of_the_files() -> None:
    documents = repository(20)
    documents += [msgspec.structs.replace(documents[3], path="pkg/d9/copy.py")]
    expected, dropped = curated(documents, top=20, hold_out_share=0.2)
    shuffled = random.Random(1).sample(documents, len(documents))
    result, dropped_too = curated(shuffled, top=20, hold_out_share=0.2)
    assert {each.path for each in result.train} == {each.path for each in expected.train}
    assert {each.path for each in result.evaluation} == {each.path for each in expected.evaluation}
    assert dropped == dropped_too


def test_new_files_are_held_out_wherever_they_lie() -> None:
    documents = repository(4)
    new = {documents[0].path, documents[7].path}
    receipt = Receipt()
    settings = CurationSettings(hold_out_since="2026-01-01", validation_share=0.5)
    result = curate_documents(documents, settings, receipt, is_new=lambda _, path: path in new, workers=0)
    assert {each.path for each in (*result.evaluation, *result.validation)} == new
    assert len(result.validation) == 1
    assert result.report["leakage"]["by"] is None
    with pytest.raises(InputError, match="date"):
        curate_documents(documents, settings, Receipt(), workers=0)


def test_the_report_tells_what_each_side_holds() -> None:
    documents = [document("a/f.py", 1, functions=4, types=2), document("a/g.py", 2, functions=5, types=0)]
    documents[0] = msgspec.structs.replace(documents[0], text=documents[0].text + "# mail jane.doe@company.com\n")
    result, _ = curated(documents, hold_out_share=0)
    report = json.loads(msgspec.json.encode(result.report))
    texts = [each.text for each in result.train]
    assert "<EMAIL>" in texts[0]
    assert report["redacted"] == {"EMAIL": 1}
    assert report["train"] == {
        "rows": 2,
        "languages": {"python": 2},
        "sources": {"owner/name": 2},
        "licenses": {"MIT": 2},
        "functions": 9,
        "types": 2,
        "lines": sum(text.count("\n") for text in texts),
        "bytes": sum(len(text.encode()) for text in texts),
        "directories": {"owner/name/a": 2},
    }
    assert report["evaluation"]["rows"] == 0
    assert report["settings"]["top"] == 300


def test_a_leak_that_the_split_lets_through_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = repository(6)
    one_side_each = ["train", "evaluation"] * 9  # directories torn apart
    monkeypatch.setattr("codefit.corpus.curate._sides", lambda *_: one_side_each)
    with pytest.raises(CodefitError, match=r"9 by same directory \(owner/name/pkg/d0/f1.py ~ owner/name/pkg/d0/f0.py"):
        curated(documents)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"min_lines": 900}, CodefitError, "no file is left after filtering; dropped: {'fewer than 900 lines': 36}"),
        ({"allowed_licenses": ("Zlib",)}, CodefitError, "licence not allowed': 36"),
        ({"top": 0}, InputError, "below 1"),
        ({"min_lines": 30, "max_lines": 20}, InputError, "leave no file"),
        ({"hold_out_share": 1.0}, InputError, "hold-out share"),
        ({"hold_out_share": 0.0, "validation_share": 0.5}, InputError, "validation share"),
        ({"near_duplicate_threshold": 0.0}, InputError, "threshold"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    settings: dict[str, object], kind: type[CodefitError], message: str
) -> None:
    with pytest.raises(kind) as error:
        curated(repository(), **settings)
    assert type(error.value) is kind
    assert message in error.value.line()


def test_one_directory_alone_cannot_be_divided() -> None:
    with pytest.raises(InputError, match="share 0"):
        curated(repository(1, files=5))


def test_every_training_file_a_copy_of_a_held_out_one_is_no_training() -> None:
    documents = [document(f"d{index}/f.py", 1) for index in range(6)]
    with pytest.raises(CodefitError, match="no evaluation file is left"):
        curated(documents, hold_out_share=0.3)
