"""What `codefit run` says of a language model: perplexity before and after, and the forms that were shipped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codefit.cli.output import table

ABSENT = "–"


def places(folder: Path) -> dict[str, str]:
    """Where the run's results are; a full training has no adapter."""
    there = {name: folder / name for name in ("adapter", "model")}
    return {name: str(place) for name, place in there.items() if place.exists()}


def results(folder: Path) -> dict[str, Any]:
    """What was measured, and the forms where the recipe ships some."""
    from codefit.files import read_json

    shipped = folder / "shipped.json"
    return {
        "evaluation": read_json(folder / "evaluation.json")["sets"],
        "shipped": read_json(shipped)["forms"] if shipped.exists() else None,
    }


def text(found: Mapping[str, Any]) -> list[str]:
    """The same in words, a paragraph each."""
    return [_figures(found["evaluation"]), *([_forms(found["shipped"])] if found["shipped"] else [])]


def places_text(folder: Path) -> str:
    """Where the model is and how it is put to use."""
    return f"model   {folder / 'model'}\nwrite   codefit lm generate --model {folder / 'model'}"


def _figures(sets: list[dict[str, Any]]) -> str:
    adapted = any(entry["before"] for entry in sets)
    if adapted:
        header = ["perplexity", "before", "after", "change", "95 %", "bits/byte", "files"]
    else:
        header = ["perplexity", "", "95 %", "bits/byte", "files"]
    return table([_figures_row(entry, adapted=adapted) for entry in sets], header)


def _figures_row(entry: dict[str, Any], *, adapted: bool) -> list[str]:
    after, before, change = entry["after"], entry["before"], entry["change"]
    rest = [f"{after['bits_per_byte']:.3f}", f"{after['documents']:,}"]
    if not adapted:
        low, high = after["ci95"]["perplexity"]
        return [entry["name"], f"{after['perplexity']:.3f}", f"{low:.3f}–{high:.3f}", *rest]
    span = "{} to {}".format(*map(_percent, change["ci95"])) if change else ABSENT
    return [
        entry["name"],
        f"{before['perplexity']:.3f}" if before else ABSENT,
        f"{after['perplexity']:.3f}",
        _percent(change["perplexity"]) if change else ABSENT,
        span,
        *rest,
    ]


def _forms(forms: list[dict[str, Any]]) -> str:
    rows = [
        [
            form["form"],
            f"{form['bytes'] / 2**20:,.1f} MiB",
            f"{form['perplexity']:.3f}" if form["perplexity"] is not None else ABSENT,
            _percent(form["change"], digits=2) if form["change"] is not None else ABSENT,
            f"{100 * form['bound']:.2f} %" if form["bound"] is not None else ABSENT,
            ("published" if form["published"] else "refused") + (f": {form['note']}" if form["note"] else ""),
        ]
        for form in forms
    ]
    return table(rows, ["form", "size", "perplexity", "change", "bound", ""])


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:+.{digits}f} %".replace("-", "−")
