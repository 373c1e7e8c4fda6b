"""How a row of each source becomes an example, read by `datasets` from files laid out as the hub lays them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codefit.corpus.hub import coderag, codexglue, humaneval, leetcode, mbpp
from codefit.corpus.hub.catalogue import SOURCES
from codefit.corpus.hub.load import COMMIT, Place, SourceError, hub_place, local_place, rows_of
from codefit.corpus.hub.source import HubSource, Part, UnfitError
from codefit.records import Pair, TextRow
from hub_layout import CODEXGLUE, FUNCTIONS, codexglue_row, write_card, write_parquet

PYTHON = Part(split="train", role="train", config="python", language="python")


def examples(source: HubSource, root: Path, cache: Path, *, seed: int = 0) -> dict[str, list[Pair | TextRow]]:
    """Every example of every part of a source, in the order of their numbers."""
    place = local_place(source, root, source.revision)
    return {
        part.where(): [
            source.example(row, part)
            for _, row in sorted(rows_of(place, source, part, seed=seed, cache=cache), key=lambda pair: pair[0])
        ]
        for part in source.parts
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from hub_layout import lay_out

    return lay_out(tmp_path_factory.mktemp("layout") / "hub")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_every_source_is_pinned_to_a_commit() -> None:
    assert list(SOURCES) == [source.name for source in SOURCES.values()]
    assert all(COMMIT.fullmatch(source.revision) for source in SOURCES.values())


def test_codexglue_gives_the_first_paragraph_and_the_code_without_its_doc(root: Path, cache: Path) -> None:
    found = examples(codexglue.SOURCE, root, cache)
    assert list(found) == [f"{name}/{split}" for name in codexglue.LANGUAGES for split in ("train", "validation")]
    for language in FUNCTIONS:
        for number, pair in enumerate(found[f"{language}/train"]):
            row = codexglue_row(language, "train", number)
            assert isinstance(pair, Pair)
            assert pair.anchor == row["docstring"].split("\n")[0]
            assert pair.anchor not in pair.positive
            assert row["func_name"] in pair.positive
            assert (pair.language, pair.license, pair.source) == (language, "C-UDA-1.0", "codexglue")
            assert pair.path == f"{row['repo']}/{row['path']}"
    python = found["python/train"][0]
    assert isinstance(python, Pair)
    assert '"""' not in python.positive
    assert ":param" not in python.positive
    assert python.positive.endswith("return total")


def test_a_description_that_stays_in_the_code_is_refused() -> None:
    row = codexglue_row("python", "train", 1)
    undocumented = "def f(x):\n    return x"
    with pytest.raises(UnfitError, match="no docstring that could be taken out"):
        codexglue.example({**row, "code": undocumented}, PYTHON)
    inside = row["code"] + "\n\n# Return the median number 1 for\ttrain in python of the given values."
    go = Part(split="train", role="train", config="go", language="go")
    with pytest.raises(UnfitError, match="still inside the code"):
        codexglue.example({**codexglue_row("go", "train", 1), "docstring": row["docstring"], "code": inside}, go)


@pytest.mark.parametrize("value", [None, 7, " \n"])
def test_a_row_without_text_is_refused(value: object) -> None:
    with pytest.raises(UnfitError, match=r"docstring is (not text|empty)"):
        codexglue.example({**codexglue_row("python", "train", 1), "docstring": value}, PYTHON)


def test_leetcode_gives_the_statement_up_to_its_examples(root: Path, cache: Path) -> None:
    found = examples(leetcode.SOURCE, root, cache)
    pair = found["train"][2]
    assert isinstance(pair, Pair)
    assert pair.anchor == "You are given an array nums. Return its variance train 2 times."
    assert pair.positive.startswith("class Solution:\n    def solve(self, nums):\n        start = ")
    assert (pair.name, pair.language, pair.license) == ("train-task-2", "python", "Apache-2.0")
    assert len(found["test"]) == 3


def test_mbpp_gives_the_full_configuration_and_knows_its_benchmark(root: Path, cache: Path) -> None:
    found = examples(mbpp.SOURCE, root, cache)
    assert {where: len(pairs) for where, pairs in found.items()} == {
        "full/train": 12,
        "full/validation": 3,
        "full/test": 4,
    }
    pair = found["full/train"][0]
    assert isinstance(pair, Pair)
    assert pair.name == "mbpp/601"
    assert "\r" not in pair.positive
    benchmark = {part.where(): mbpp.SOURCE.is_benchmark({}, part) for part in mbpp.SOURCE.parts}
    assert benchmark == {"full/train": False, "full/validation": False, "full/test": True}


def test_humaneval_gives_the_solved_function_without_its_docstring(root: Path, cache: Path) -> None:
    (pairs,) = examples(humaneval.SOURCE, root, cache).values()
    pair = pairs[0]
    assert isinstance(pair, Pair)
    assert pair.anchor.startswith("Add up the mean of every number in a list of 0 parts.")
    assert ">>>" not in pair.anchor + pair.positive
    assert pair.positive.startswith("def solve_0(numbers: List[int]) -> int:")
    assert pair.positive.endswith("return result")
    assert all(humaneval.SOURCE.is_benchmark({}, part) for part in humaneval.SOURCE.parts)
    row = {"prompt": "def other():\n", "canonical_solution": "    pass\n", "entry_point": "solve", "task_id": "x"}
    with pytest.raises(UnfitError, match="no documented function"):
        humaneval.example(row, humaneval.SOURCE.parts[0])


def test_the_raw_corpora_give_text(root: Path, cache: Path) -> None:
    (solutions,) = examples(coderag.PROGRAMMING_SOLUTIONS, root, cache).values()
    (tutorials,) = examples(coderag.ONLINE_TUTORIALS, root, cache).values()
    (posts,) = examples(coderag.STACKOVERFLOW_POSTS, root, cache).values()
    assert [len(solutions), len(tutorials), len(posts)] == [5, 12, 24]
    assert {row.license for row in (*solutions, *tutorials, *posts)} == {"CC-BY-SA-4.0"}
    texts = {row.text for row in tutorials if isinstance(row, TextRow)}
    assert "How to median 1\n\nFirst open page 1 and read it." in texts


@pytest.mark.parametrize(
    ("name", "task", "benchmark"),
    [
        ("humaneval", "HumanEval/3", True),
        ("humaneval", "HumanEval/700", True),
        ("mbpp", "11", True),
        ("mbpp", "600", True),
        ("mbpp", "601", False),
        ("mbpp", "mbpp/974", False),
        ("mbpp", "", True),
    ],
)
def test_only_mbpps_training_tasks_are_no_benchmark(name: str, task: str, benchmark: bool) -> None:
    row = {"text": "x", "meta": {"task_name": name, "task_id": task}}
    part = coderag.PROGRAMMING_SOLUTIONS.parts[0]
    assert coderag.is_solved_benchmark(row, part) is benchmark
    assert coderag.is_solved_benchmark({"text": "x"}, part) is True


def numbers(root: Path, cache: Path, source: HubSource, seed: int) -> list[int]:
    place = local_place(source, root, source.revision)
    return [number for number, _ in rows_of(place, source, source.parts[0], seed=seed, cache=cache)]


@pytest.mark.parametrize("source", [codexglue.SOURCE, coderag.STACKOVERFLOW_POSTS], ids=["downloaded", "streamed"])
def test_the_order_follows_from_the_seed(root: Path, cache: Path, source: HubSource) -> None:
    def texts(seed: int) -> list[Any]:
        place = local_place(source, root, source.revision)
        return [row[source.columns[0]] for _, row in rows_of(place, source, source.parts[0], seed=seed, cache=cache)]

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)
    assert sorted(texts(1)) == sorted(texts(2))


def test_a_missing_column_or_configuration_is_named(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / CODEXGLUE
    write_parquet(folder / "python" / "train-00000-of-00001.parquet", [{"code": "x", "repo": "a"}])
    write_card(folder, "c-uda", {"python": {"train": "python/train-*"}})
    place = local_place(codexglue.SOURCE, tmp_path, "main")
    with pytest.raises(SourceError, match="python/train has no column 'docstring', only code, repo"):
        list(rows_of(place, codexglue.SOURCE, PYTHON, seed=0, cache=cache))


def test_a_source_is_found_in_the_hubs_cache_layout_at_its_commit(
    tmp_path: Path, hub_folder: Callable[..., Path], cache: Path
) -> None:
    commit = mbpp.SOURCE.revision
    snapshots = tmp_path / "datasets--google-research-datasets--mbpp" / "snapshots"
    snapshots.mkdir(parents=True)
    (hub_folder() / mbpp.SOURCE.dataset).rename(snapshots / commit)
    assert local_place(mbpp.SOURCE, tmp_path, commit) == Place(str(snapshots / commit), commit)
    with pytest.raises(SourceError, match="holds no folder google-research-datasets/mbpp"):
        local_place(mbpp.SOURCE, tmp_path, "0" * 40)


def test_a_commit_needs_no_lookup_on_the_hub() -> None:
    assert hub_place(mbpp.SOURCE, "0" * 40) == Place(mbpp.SOURCE.dataset, "0" * 40)
