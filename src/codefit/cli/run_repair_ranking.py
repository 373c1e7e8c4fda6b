"""What `codefit run` says of a ranker of repairs: how often the true repair is where, and how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codefit.cli.output import table
from codefit.cli.repair import figures_text


def places(folder: Path) -> dict[str, str]:
    """Where the model is."""
    return {"model": str(folder / "model")}


def results(folder: Path) -> dict[str, Any]:
    """What was measured, and the variants where the recipe has some."""
    from codefit.files import read_json

    variants = folder / "variants.json"
    return {
        "evaluation": read_json(folder / "evaluation.json"),
        "export": read_json(folder / "export.json"),
        "variants": read_json(variants)["variants"] if variants.exists() else [],
    }


def text(found: Mapping[str, Any]) -> list[str]:
    """The same in words, a paragraph each."""
    return [figures_text(found["evaluation"]), *([_variants(found["variants"])] if found["variants"] else [])]


def places_text(folder: Path) -> str:
    """Where the model is and how it is put to use."""
    model = folder / "model"
    return f"model   {model}\nmend    codefit repair fix FILE --model {model}\nserve   codefit serve --model {model}"


def _variants(variants: list[dict[str, Any]]) -> str:
    rows = []
    for row in variants:
        low, high = row["difference"]["ci95"]
        difference = f"{row['difference']['mean']:+.3f}", f"{low:+.3f} to {high:+.3f}"
        rows.append([row["name"], f"{row['mrr']:.3f}", f"{row['p@1']:.3f}", *difference])
    return table(rows, ["on validation", "MRR", "P@1", "difference", "95 %"])
