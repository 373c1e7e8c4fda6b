"""LeetCodeDataset: LeetCode problems with checked Python solutions, split by date (Xia et al. 2025, arXiv:2504.14655).

The card's licence covers the collection; the problem statements are LeetCode's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from codefit.corpus.hub.source import HubSource, Part, text_of
from codefit.records import Pair

FIRST_EXAMPLE = re.compile(r"^\s*(?:\*\*)?Example\b.*", re.MULTILINE | re.DOTALL)
LICENSE = "Apache-2.0"


def example(row: Mapping[str, Any], part: Part) -> Pair:
    """The problem statement up to its first example, and the solution."""
    statement = FIRST_EXAMPLE.sub("", text_of(row, "problem_description"))
    return Pair(
        anchor=" ".join(statement.split()),
        positive=text_of(row, "completion").strip("\n"),
        source=SOURCE.name,
        language="python",
        name=row["task_id"],
        license=LICENSE,
    )


SOURCE = HubSource(
    name="leetcode",
    dataset="newfacade/LeetCodeDataset",
    revision="215604aeed660029df7de2fea5a4d7b6ed476a08",
    license=LICENSE,
    parts=(Part(split="train", role="train"), Part(split="test", role="eval")),
    columns=("task_id", "problem_description", "completion"),
    example=example,
)
