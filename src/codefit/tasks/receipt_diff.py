"""What changed between two folders of documents: which files came, went, changed sides, reason or content."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from codefit.corpus.examine import place_of
from codefit.corpus.hashing import seeded_hash
from codefit.errors import InputError
from codefit.files import hash_file, read_json, read_lines
from codefit.records import Document, read_rows
from codefit.tasks.document_files import (
    DROPPED_NAME,
    EVAL_NAME,
    GENERAL_NAME,
    MANIFEST_NAME,
    REPLAY_NAME,
    TRAIN_NAME,
    VALIDATION_NAME,
)

SIDE_OF = {
    TRAIN_NAME: "train",
    EVAL_NAME: "evaluation",
    VALIDATION_NAME: "validation",
    GENERAL_NAME: "general",
    REPLAY_NAME: "replay",
}
LEFT_OUT = "left out"
Change = Literal["came", "went", "moved", "other reason", "other content"]
CHANGES: tuple[Change, ...] = ("came", "went", "moved", "other reason", "other content")
# What a manifest says that decides which files are chosen; versions and counts follow from the files.
COMPARED = ("command", "codefit", "sources", "languages", "leave_out_languages", "exclude", "only_sources")


class _Drop(msgspec.Struct):
    """A line of `dropped.jsonl`."""

    stage: str
    reason: str
    where: str
    count: int


@dataclass(frozen=True, slots=True)
class _State:
    """Where a file stands: a side, or left out for a reason; `content` tells texts apart."""

    side: str
    reason: str | None = None
    content: int | None = None


def diff_receipts(before: Path, after: Path) -> dict[str, Any]:
    """Compare what two runs of `data documents` (or of a recipe's data stage) wrote into their folders.

    Returns `{"files": [{"file", "change", "before", "after", "content_changed"}], "counts": {change: n},
    "unchanged": n, "settings": {name: [before, after]}, "inputs": {name: [before, after]}}`. `before` and `after`
    name a side or say `left out: REASON`, and are None where a folder does not know the file. A file that changed sides
    is `moved`, whether its content changed too or not. Raises `InputError` where a folder is none that these commands
    write, or its files are not those that its manifest describes.
    """
    first, second = _load(before), _load(after)
    old, new = _states(before, first), _states(after, second)
    files: list[dict[str, Any]] = []
    unchanged = 0
    for name in sorted(old.keys() | new.keys()):
        one, two = old.get(name), new.get(name)
        change = _change(one, two)
        if change is None:
            unchanged += 1
            continue
        texts = [state.content for state in (one, two) if state is not None and state.content is not None]
        files.append(
            {
                "file": name,
                "change": change,
                "before": _said(one),
                "after": _said(two),
                "content_changed": len(texts) == 2 and texts[0] != texts[1],
            }
        )
    found = Counter(row["change"] for row in files)
    return {
        "files": files,
        "counts": {change: found[change] for change in CHANGES},
        "unchanged": unchanged,
        "settings": _differences(_settings(first), _settings(second)),
        "inputs": _differences(_hashes(first), _hashes(second)),
    }


def _change(before: _State | None, after: _State | None) -> Change | None:
    if before is None:
        return "came"
    if after is None:
        return "went"
    if before.side != after.side:
        return "moved"
    if before.reason != after.reason:
        return "other reason"
    return "other content" if before.content != after.content else None


def _said(state: _State | None) -> str | None:
    if state is None:
        return None
    return state.side if state.reason is None else f"{state.side}: {state.reason}"


def _load(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise InputError(
            f"holds no {MANIFEST_NAME}", where=str(folder), fix="give a folder that `data documents` wrote"
        )
    manifest: dict[str, Any] = read_json(path)
    outputs = manifest.get("outputs") if isinstance(manifest, dict) else None
    if not isinstance(outputs, dict) or DROPPED_NAME not in outputs or not (outputs.keys() & set(SIDE_OF)):
        raise InputError(
            "not the receipt of documents", where=str(path), fix="give a folder that `data documents` wrote"
        )
    for name in sorted(outputs.keys() & {DROPPED_NAME, *SIDE_OF}):
        file = folder / name
        if not file.is_file():
            raise InputError("is named by manifest.json but missing", where=str(file), fix="make the folder again")
        described = outputs[name]
        if not isinstance(described, dict) or described.get("sha256") != hash_file(file):
            raise InputError(
                "is not the file that manifest.json describes", where=str(file), fix="make the folder again"
            )
    return manifest


def _states(folder: Path, manifest: dict[str, Any]) -> dict[str, _State]:
    """Every file that the folder knows, by name; one that was given twice stands in its side, not among the dropped."""
    states: dict[str, _State] = {}
    for line in read_lines(folder / DROPPED_NAME):
        try:
            row = msgspec.json.decode(line, type=_Drop)
        except msgspec.DecodeError as error:
            raise InputError(f"not a row of dropped files ({error})", where=str(folder / DROPPED_NAME)) from error
        states.setdefault(row.where, _State(LEFT_OUT, row.reason))
    for name in SIDE_OF:
        if name in manifest["outputs"]:
            for document in read_rows(folder / name, Document):
                states[place_of(document)] = _State(SIDE_OF[name], content=seeded_hash(0, document.text))
    return states


def _settings(manifest: dict[str, Any]) -> dict[str, Any]:
    """The settings by dotted name, and what else decides."""
    flat = {name: manifest.get(name) for name in COMPARED}
    for section in ("settings", "general_settings"):
        flat |= _flat(section.removesuffix("settings").replace("_", "."), manifest.get(section))
    return flat


def _flat(prefix: str, value: Any) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, each in value.items() if isinstance(value, dict) else ():
        flat |= _flat(f"{prefix}{name}.", each) if isinstance(each, dict) else {f"{prefix}{name}": each}
    return flat


def _hashes(manifest: dict[str, Any]) -> dict[str, Any]:
    inputs = manifest.get("inputs")
    return {k: v.get("sha256") for k, v in inputs.items() if isinstance(v, dict)} if isinstance(inputs, dict) else {}


def _differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    names = sorted(before.keys() | after.keys())
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}
