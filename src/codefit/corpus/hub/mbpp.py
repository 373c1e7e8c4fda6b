"""MBPP: short Python problems written by people, with a reference solution (Austin et al. 2021, arXiv:2108.07732).

Tasks 11-510 (test) are what published figures are measured on; tasks 1-10 (`prompt`) are shown to models as examples
in that measurement, so neither is trained on. The validation split serves to choose models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codefit.corpus.hub.source import HubSource, Part, text_of
from codefit.records import Pair

LICENSE = "CC-BY-4.0"
CONFIG = "full"
TRAINING_TASKS = range(601, 975)  # task ids of the train split


def example(row: Mapping[str, Any], part: Part) -> Pair:
    """The task's text, and its reference solution."""
    return Pair(
        anchor=" ".join(text_of(row, "text").split()),
        positive=text_of(row, "code").strip("\n"),
        source=SOURCE.name,
        language="python",
        name=f"mbpp/{row['task_id']}",
        license=LICENSE,
    )


def is_benchmark(row: Mapping[str, Any], part: Part) -> bool:
    """The test split is."""
    return part.split == "test"


SOURCE = HubSource(
    name="mbpp",
    dataset="google-research-datasets/mbpp",
    revision="4bb6404fdc6cacfda99d4ac4205087b89d32030c",
    license=LICENSE,
    parts=(
        Part(config=CONFIG, split="train", role="train"),
        Part(config=CONFIG, split="validation", role="eval"),
        Part(config=CONFIG, split="test", role="eval"),
    ),
    columns=("task_id", "text", "code"),
    example=example,
    is_benchmark=is_benchmark,
)
