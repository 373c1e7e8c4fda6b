"""Benchmark rows are found in training text by thirteen words in a row, or whole where they are shorter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.corpus.decontaminate import NGRAM_WORDS, Benchmarks
from codefit.errors import InputError

HUMANEVAL = {
    "task_id": "HumanEval/7",
    "prompt": 'def total(xs: list) -> int:\n    """ Sum of the even numbers among those that are given in the list.\n'
    '    >>> total([1, 2])\n    2\n    """\n',
    "canonical_solution": "    return sum(x for x in xs if x % 2 == 0)\n",
}
MBPP = {
    "task_id": 12,
    "text": "Write a function to sort a matrix.",
    "code": "def sort_matrix(m):\r\n    return sorted(m)",
}
MBPP_LONG = {
    "task_id": 13,
    "prompt": "Write a python function to count the number of squares in a rectangle with given sides.",
    "code": "def squares(m, n):\n    return (m * (m + 1) * (2 * m + 1)) // 6",
}
COSQA_QUERY = {"anchor": "python sort matrix by column", "positive_id": 4, "source": "cosqa"}
COSQA_POOL = {"id": 4, "code": 'def by_column(m, k):\n    """Sort by it."""\n    return sorted(m, key=itemgetter(k))'}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, tuple[Path, ...]]:
    def write(name: str, *rows: dict[str, object]) -> Path:
        path = tmp_path / name
        path.write_text("\n\n".join(map(json.dumps, rows)), encoding="utf-8")
        return path

    return {
        "HumanEval": (write("humaneval.jsonl", HUMANEVAL),),
        "MBPP": (write("mbpp.jsonl", MBPP, MBPP_LONG),),
        "CoSQA": (write("queries.jsonl", COSQA_QUERY), write("pool.jsonl", COSQA_POOL)),
    }


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Computes the sum of the even numbers, among those that are given in the list; fast.", "HumanEval/7"),
        ("def total(xs: list) -> int:\n    return sum(x for x in xs if x % 2 == 0)", "HumanEval/7"),
        ("def sort_matrix(m):\n    # sorted\n    return sorted(m)", None),
        ("def sort_matrix(m):\n    return sorted(m)", "MBPP/12"),
        ("write a function to sort a matrix", "MBPP/12"),
        ("Helps to count the number of squares in a rectangle with given sides, in python.", None),
        ("The python function to count the number of squares in a rectangle with given sides.", "MBPP/13"),
        ("The python function to count the squares of number in a rectangle with given sides.", None),
        ("Python: sort matrix by column?", "CoSQA/4"),
        ("python sort matrix by row", None),
        ("def by_column(m, k):\n    return sorted(m, key=itemgetter(k))", "CoSQA/4"),
        ("Sum of the even numbers among those in the list.", None),
        ("", None),
        ("...", None),
    ],
)
def test_contaminated_text_is_named_by_its_benchmark_row(
    files: dict[str, tuple[Path, ...]], text: str, name: str | None
) -> None:
    assert Benchmarks.read(files).contaminated(text) == name


words = st.lists(st.sampled_from(["for", "x", "in", "y", "return", "1"]), max_size=40)


@given(words, words)
def test_the_verdict_is_that_of_comparing_all_runs(benchmark: list[str], text: list[str]) -> None:
    def runs(of: list[str]) -> set[tuple[str, ...]]:
        return {tuple(of[i : i + NGRAM_WORDS]) for i in range(len(of) - NGRAM_WORDS + 1)}

    short = len(benchmark) < NGRAM_WORDS
    expected = benchmark == text != [] if short else bool(runs(benchmark) & runs(text))
    found = Benchmarks([("row", " ".join(benchmark))]).contaminated(" ".join(text))
    assert (found == "row") is expected


def test_without_benchmarks_nothing_is_contaminated() -> None:
    assert Benchmarks.read({}).contaminated("word " * 30) is None
    assert Benchmarks.read({}).contaminated("word") is None


def test_a_file_of_something_else_is_the_users_error(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"question": "what"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="none of text, prompt, code"):
        Benchmarks.read({"MBPP": (path,)})
    path.write_text("[1]\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"x\.jsonl:1"):
        Benchmarks.read({"MBPP": (path,)})
    with pytest.raises(InputError, match="choose from HumanEval"):
        Benchmarks.read({"APPS": (path,)})
