"""Held-out places that a model writes on from, before and after: what figures mean, to be read by a person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from codefit.files import write_json
from codefit.progress import track
from codefit.recipe import Complete
from codefit.records import Document, load_rows
from codefit.source.functions import units_of
from codefit.train.language_model import spread

if TYPE_CHECKING:
    from codefit.models.language_model import LanguageModel

SAMPLES = "samples.json"
PREFIX_CHARACTERS = 1_500  # some 400 tokens: what a small model looks back on
TRUTH_LINES = 6  # of a completion; an answer is cut to as many
MIN_LINES = 8  # of a function: a shorter one has nothing between its head and its end
MAX_LINES = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model writes: after `prefix`, and before `suffix` where it fills a hole; `truth` is what stands there."""

    path: str
    kind: Literal["completion", "infill"]
    prefix: str
    suffix: str | None
    truth: str


def write_samples(complete: Complete, documents: str, before: str | None, after: str, run: Path) -> str:
    """Let the models at `before` and `after` (below the run, or anywhere) write on from places in held-out files."""
    from codefit.models.language_model import fim_tokens, load_language_model

    model = load_language_model(run / after)
    places = find_places(
        load_rows(run / documents, Document), complete.samples, fim_tokens(model.tokenizer) is not None
    )
    written = _write(model, places, complete.max_new_tokens)
    earlier: list[str | None] = [None] * len(places)
    if before is not None:
        earlier = list(_write(load_language_model(before), places, complete.max_new_tokens))
    samples = [
        {
            "path": place.path,
            "kind": place.kind,
            "prefix": place.prefix,
            "suffix": place.suffix,
            "truth": place.truth,
            "before": was,
            "after": now,
        }
        for place, was, now in zip(places, earlier, written, strict=True)
    ]
    write_json(run / SAMPLES, {"samples": samples})
    return f"{len(samples)} places in held-out files"


def find_places(documents: list[Document], count: int, has_holes: bool) -> list[Place]:
    """Places in functions of different files: after a head, and every second one a hole of a few lines in a body."""
    found: list[Place] = []
    for document in spread(documents, 4 * count):
        place = _place(document, "infill" if has_holes and len(found) % 2 else "completion")
        if place is not None:
            found.append(place)
        if len(found) == count:
            break
    return found


def _place(document: Document, kind: Literal["completion", "infill"]) -> Place | None:
    lines = document.text.split("\n")
    for unit in units_of(document.text, str(document.language)):
        if unit.kind == "type" or not MIN_LINES <= unit.end_line - unit.start_line + 1 <= MAX_LINES:
            continue
        start = unit.start_line - 1
        middle = (start + unit.end_line) // 2
        end = min(middle + (2 if kind == "infill" else TRUTH_LINES), unit.end_line)
        prefix = "\n".join(lines[:middle]) + "\n"
        suffix = "\n".join(lines[end:])[:PREFIX_CHARACTERS] if kind == "infill" else None
        return Place(document.path, kind, prefix[-PREFIX_CHARACTERS:], suffix, "\n".join(lines[middle:end]) + "\n")
    return None


def _write(model: LanguageModel, places: list[Place], max_new_tokens: int) -> list[str]:
    from codefit.models.generation import GenerationRequest, generate

    texts = []
    for place in track(places, "complete", unit="places"):
        request = GenerationRequest(prefix=place.prefix, suffix=place.suffix, max_new_tokens=max_new_tokens)
        text = "".join(piece.text for piece in generate(model, request))
        texts.append("".join(text.splitlines(keepends=True)[:TRUTH_LINES]))
    return texts
