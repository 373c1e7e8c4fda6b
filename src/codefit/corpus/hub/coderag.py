"""The raw corpora of CodeRAG-Bench (Wang et al. 2024, arXiv:2406.14497): text for tokenizers and language models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from codefit.corpus.hub import mbpp
from codefit.corpus.hub.source import HubSource, Part, text_of
from codefit.records import TextRow

LICENSE = "CC-BY-SA-4.0"
LAST_NUMBER = re.compile(r"\d+$")
PARTS = (Part(split="train", role="raw"),)


def solution(row: Mapping[str, Any], part: Part) -> TextRow:
    """A problem with its solution."""
    return TextRow(text=text_of(row, "text"), source=PROGRAMMING_SOLUTIONS.name, license=LICENSE)


def is_solved_benchmark(row: Mapping[str, Any], part: Part) -> bool:
    """The corpus is HumanEval and MBPP with their answers: only the tasks of MBPP's train split are no benchmark."""
    meta = row.get("meta") or {}
    task = LAST_NUMBER.search(str(meta.get("task_id", "")))
    trained = meta.get("task_name") == "mbpp" and task is not None and int(task[0]) in mbpp.TRAINING_TASKS
    return not trained


def post(row: Mapping[str, Any], part: Part) -> TextRow:
    """A question with its answers."""
    return TextRow(text=text_of(row, "text"), source=STACKOVERFLOW_POSTS.name, license=LICENSE)


def tutorial(row: Mapping[str, Any], part: Part) -> TextRow:
    """A web page's title and text."""
    title = row.get("title") or ""
    return TextRow(text=f"{title}\n\n{text_of(row, 'text')}".lstrip(), source=ONLINE_TUTORIALS.name, license=LICENSE)


PROGRAMMING_SOLUTIONS = HubSource(
    name="programming-solutions",
    dataset="code-rag-bench/programming-solutions",
    revision="1064f7bba54d5400d4836f5831fe4c2332a566a6",
    license=LICENSE,
    parts=PARTS,
    columns=("text",),
    optional=("meta",),
    example=solution,
    is_benchmark=is_solved_benchmark,
)
ONLINE_TUTORIALS = HubSource(
    name="online-tutorials",
    dataset="code-rag-bench/online-tutorials",
    revision="095bb77130082e4690d6c3a031997b03487bf6e2",
    license=LICENSE,
    parts=PARTS,
    columns=("text",),
    optional=("title",),
    example=tutorial,
    stream=True,  # 1 GB of JSON
)
STACKOVERFLOW_POSTS = HubSource(
    name="stackoverflow-posts",
    dataset="code-rag-bench/stackoverflow-posts",
    revision="04e05d86cb0ac467b29a5d87f4c56eac99dfc0a4",
    license=LICENSE,
    parts=PARTS,
    columns=("text",),
    example=post,
    stream=True,  # 64 GB of JSON
)
