"""HumanEval: 164 Python functions to complete from their docstring (Chen et al. 2021, arXiv:2107.03374)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codefit.corpus.hub.source import HubSource, Part, UnfitError, python_units, text_of
from codefit.records import Pair
from codefit.source.functions import first_paragraph

LICENSE = "MIT"


def example(row: Mapping[str, Any], part: Part) -> Pair:
    """The first paragraph of the function's docstring, and the solved function without it."""
    entry_point = row["entry_point"]
    units = python_units(text_of(row, "prompt") + text_of(row, "canonical_solution"))
    solved = next((unit for unit in units if unit.name == entry_point and unit.doc), None)
    if solved is None:
        raise UnfitError("the prompt holds no documented function of the entry point's name")
    return Pair(
        anchor=first_paragraph(solved.doc),
        positive=solved.code,
        source=SOURCE.name,
        language="python",
        name=row["task_id"],
        license=LICENSE,
    )


def is_benchmark(row: Mapping[str, Any], part: Part) -> bool:
    """All of it is."""
    return True


SOURCE = HubSource(
    name="humaneval",
    dataset="openai/openai_humaneval",
    revision="7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544",
    license=LICENSE,
    parts=(Part(split="test", role="eval"),),
    columns=("task_id", "prompt", "canonical_solution", "entry_point"),
    example=example,
    is_benchmark=is_benchmark,
)
