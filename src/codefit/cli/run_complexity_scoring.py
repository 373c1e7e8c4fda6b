"""What `codefit run` says of scorers of complexity: what each is worth beside the formula, and broken code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codefit.cli.complexity_train import scorers_table
from codefit.cli.output import table

KINDS = ("broken", "renamed", "laid out anew")


def places(folder: Path) -> dict[str, str]:
    """Where the model is."""
    return {"model": str(folder / "model")}


def results(folder: Path) -> dict[str, Any]:
    """What was measured, and the weights of the ensemble."""
    from codefit.files import read_json

    return {"evaluation": read_json(folder / "evaluation.json"), "export": read_json(folder / "export.json")}


def text(found: Mapping[str, Any]) -> list[str]:
    """The same in words, a paragraph each."""
    evaluation = found["evaluation"]
    paragraphs = [scorers_table(evaluation["scorers"])]
    if evaluation["robustness"]:
        paragraphs.append(_varied(evaluation["robustness"]))
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in found["export"]["weights"].items())
    half = found["export"]["half_width"]
    lines = [f"the ensemble weighs {weights}", f"nine in ten of its errors on the functions to choose by: {half:.2f}"]
    lines += [f"{name} is left out: {reason}" for name, reason in evaluation["missing"].items()]
    return [*paragraphs, "\n".join(lines)]


def places_text(folder: Path) -> str:
    """Where the model is and how it is put to use."""
    model = folder / "model"
    return f"model   {model}\nserve   codefit serve --complexity {model}"


def _varied(rows: list[dict[str, Any]]) -> str:
    """The error against the score that a function had before it was changed, a line a scorer."""
    errors = {(row["name"], row["kind"]): row["mae"][0] for row in rows}
    kinds = [kind for kind in KINDS if any(known == kind for _, known in errors)]
    cells = [
        [name, *(f"{errors[name, kind]:.3f}" if (name, kind) in errors else "" for kind in kinds)]
        for name in dict.fromkeys(row["name"] for row in rows)
    ]
    return table(cells, ["MAE against the score before", *kinds])
