"""CodeXGLUE code-to-text: CodeSearchNet functions of six languages with their docs, filtered, split by repository.

Lu et al. 2021 (arXiv:2102.04664), from Husain et al. 2019 (arXiv:1909.09436). The card's licence is C-UDA; that of
the repository a function comes from is not in the dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codefit.corpus.hub.source import HubSource, Part, UnfitError, python_units, text_of
from codefit.records import Pair
from codefit.source.functions import first_paragraph

LANGUAGES = ("python", "javascript", "go", "java", "ruby", "php")
LICENSE = "C-UDA-1.0"


def example(row: Mapping[str, Any], part: Part) -> Pair:
    """The first paragraph of the doc, and the function without it: for Python the `code` column still holds it."""
    code = text_of(row, "code")
    anchor = first_paragraph(text_of(row, "docstring"))
    if part.language == "python":
        code = _without_docstring(code)
    if anchor and " ".join(anchor.split()) in " ".join(code.split()):
        raise UnfitError("the description is still inside the code")
    return Pair(
        anchor=anchor,
        positive=code,
        source=SOURCE.name,
        language=part.language,
        # The repository stays visible, so that a later stage can split by it.
        path=f"{row['repo']}/{row['path']}",
        name=row["func_name"],
        license=LICENSE,
    )


def _without_docstring(code: str) -> str:
    units = python_units(code)
    if not units or not units[0].doc:
        raise UnfitError("no docstring that could be taken out of the code")
    return units[0].code


SOURCE = HubSource(
    name="codexglue",
    dataset="google/code_x_glue_ct_code_to_text",
    # "Delete loading script" of the conversion to parquet (pull request 5): the files that main holds since.
    revision="87eae9979d842618e595029c495f1829cace5040",
    license=LICENSE,
    parts=tuple(
        part
        for language in LANGUAGES
        for part in (
            Part(config=language, language=language, split="train", role="train"),
            Part(config=language, language=language, split="validation", role="eval"),
        )
    ),
    columns=("code", "docstring", "repo", "path", "func_name"),
    example=example,
)
