"""A language model's plan as one self-contained page: facts, curriculum, and a row of each length in colour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codefit.files import check_writable, write_text
from codefit.run.plan_language_text import COLUMNS, basis, language_facts, stage_cells, visible
from codefit.run.plan_rows import BORDER, JOINED, MEANINGS
from codefit.run.plan_words import heading
from codefit.run.report.page import render

CLASSES = {JOINED: "joined"}  # a kind is its own class, but for the one whose name is none


def write_plan_page(plan: dict[str, Any], output: Path) -> Path:
    """Write the page to `output`; returns it."""
    check_writable(output.parent)
    write_text(output, plan_page(plan))
    return output


def plan_page(plan: dict[str, Any]) -> str:
    """The HTML of a plan's page."""
    present = {kind for row in plan["rows"] for _, kind in row["tokens"]}
    view = {
        "plan": plan,
        "heading": heading(plan),
        "basis": basis(plan),
        "facts": language_facts(plan),
        "columns": COLUMNS,
        "cells": stage_cells(plan),
        "legend": [(_class(kind), meaning) for kind, meaning in MEANINGS.items() if kind in present],
        "rows": [{"length": row["length"], "documents": _documents(row["tokens"])} for row in plan["rows"]],
    }
    return render("plan.html", view)


def _documents(tokens: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """The tokens of a row by the document that they come from."""
    documents: list[dict[str, Any]] = []
    for text, kind in tokens:
        if kind == BORDER:
            documents.append({"path": text, "tokens": []})
        else:
            documents[-1]["tokens"].append((visible(text, kind), _class(kind)))
    return documents


def _class(kind: str) -> str:
    return CLASSES.get(kind, kind)
