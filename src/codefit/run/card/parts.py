"""What every model card has: where the data comes from, how to make the model again, and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from codefit.run.report.formats import count, share
from codefit.run.report.load import Run
from codefit.run.report.repeat import how_to_repeat
from codefit.run.report.shapes import Receipt, Side

MOST_NAMES = 12  # of sources and licences that are listed; the manifest has all


def card_text(front_matter: Mapping[str, Any], parts: Sequence[str]) -> str:
    """A README.md: the front matter is that of the Hugging Face Hub (docs: "Model Cards")."""
    front = yaml.safe_dump(dict(front_matter), sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n" + "\n\n".join(parts) + "\n"


def data_parts(receipt: Receipt, train: Side, rows_are: str, said: Sequence[str], leakage: str | None) -> list[str]:
    """What the model learned from: `said`, the licences, the check for leaks, and the hashes of the files."""
    rows = [["Licence", rows_are, "Share"]]
    rows += [[name, count(n), share(n / train.rows)] for name, n in list(train.licenses.items())[:MOST_NAMES]]
    parts = [
        "## What it learned from",
        *said,
        "Licences of the code that it was trained on. The model's own licence is for its owner to choose.",
        table(rows),
    ]
    if len(train.licenses) > MOST_NAMES:
        parts.append(f"{len(train.licenses) - MOST_NAMES} more licences are in the run's `data/manifest.json`.")
    if leakage is not None:
        parts.append(leakage)
    return [*parts, hashes(receipt)]


def hashes(receipt: Receipt) -> str:
    """The files that the data stage wrote, by which another run can be told to have the same."""
    rows = [["File", "Rows", "SHA-256"]]
    rows += [[f"`{name}`", count(file.rows), f"`{file.sha256}`"] for name, file in receipt.outputs.items()]
    return table(rows)


def repeating_parts(run: Run, revision: str | None, packages: Mapping[str, str]) -> list[str]:
    """How to make the model again."""
    repeat = how_to_repeat(run.record, run.folder.resolve().name)
    parts = ["## How to make it again", f"```sh\n{repeat.command}\n```"]
    if repeat.file is not None:
        parts.append(f"`{repeat.file}` is the resolved recipe, which stands in `codefit.json` as `recipe`.")
    code = f"revision {revision}" if revision else "the installed package"
    installed = ", ".join(f"{name} {version}" for name, version in packages.items())
    return [*parts, f"Code: {code}; seed {run.record.seed}.", f"Packages: {installed}."]


def named(counts: Mapping[str, int]) -> str:
    """The most frequent names with their counts, and how many more there are."""
    listed = ", ".join(f"{plain(name)} {count(n)}" for name, n in list(counts.items())[:MOST_NAMES])
    more = len(counts) - MOST_NAMES
    return f"{listed} and {more} more" if more > 0 else listed


def table(rows: list[list[str]]) -> str:
    """A Markdown table: the first row is the head."""
    head, *body = [[_cell(cell) for cell in row] for row in rows]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return plain(text).replace("|", "\\|")


def plain(text: str) -> str:
    """Text of data on one line, with what would be HTML written out."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
