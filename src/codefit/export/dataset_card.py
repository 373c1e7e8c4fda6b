"""The card of a dataset folder: what is in each file, in which languages, from whom and under which licences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import yaml

from codefit.errors import InputError
from codefit.files import hash_file, read_json, read_lines

MANIFEST = "manifest.json"
ROW_ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst")
NO_DATA = ("dropped.jsonl", "rejected.jsonl")  # receipts
SPLITS = {"eval": "test"}  # the hub's name where it is another one than ours
MOST_NAMES = 12  # of repositories and licences that are listed; the rows have all
UNKNOWN = "unknown"
# Rows a set has, as the hub's size categories (docs: "Dataset Cards").
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)


@dataclass(slots=True)
class RowFile:
    """What is in a file of rows, counted from the rows themselves."""

    path: Path
    sha256: str
    rows: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)

    @property
    def split(self) -> str:
        """The split that the file's name begins with."""
        head = self.path.name.partition("_")[0].partition(".")[0]
        return SPLITS.get(head, head)


def data_folder(folder: Path) -> Path:
    """Where the rows and their manifest are: the folder itself, or `data` of a run; `InputError` where there are none.

    The manifest is wanted because it is the receipt: without it nobody can say how the rows came about.
    """
    for place in (folder, folder / "data"):
        if (place / MANIFEST).is_file():
            if not row_names(place):
                raise InputError("no rows there", where=str(place), fix="give a folder with .jsonl files")
            return place
    raise InputError(f"no {MANIFEST} there", where=str(folder), fix="give a run, or the data folder of one")


def row_names(folder: Path) -> list[str]:
    """Names of the files of rows in a data folder, in order."""
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(ROW_ENDINGS) and file.is_file())
    return [name for name in names if name not in NO_DATA and not name.startswith(".")]


def count_rows(folder: Path) -> list[RowFile]:
    """Read every row; `InputError` where a file is not the one that its manifest describes, or a row is no object."""
    outputs = read_json(folder / MANIFEST).get("outputs", {})
    found = []
    for name in row_names(folder):
        path = folder / name
        counted = RowFile(path, hash_file(path))
        if name in outputs and outputs[name].get("sha256") != counted.sha256:
            raise InputError(f"the file is not the one that {MANIFEST} describes", where=str(path), fix="make it again")
        for number, line in enumerate(read_lines(path), 1):
            if line.strip():
                _count(counted, line, number)
        found.append(counted)
    return found


def _count(counted: RowFile, line: bytes, number: int) -> None:
    try:
        row = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise InputError(f"not valid JSON ({error})", where=f"{counted.path}:{number}") from error
    if not isinstance(row, dict):
        raise InputError("the row is no object", where=f"{counted.path}:{number}")
    counted.rows += 1
    counted.languages[row.get("language") or UNKNOWN] += 1
    counted.sources[row.get("repo") or row.get("source") or UNKNOWN] += 1
    counted.licenses[row.get("license") or UNKNOWN] += 1


def license_of(files: Sequence[RowFile]) -> str | None:
    """The licence of every row as the hub spells it, None where there are several or rows without one."""
    names = {name for file in files for name in file.licenses}
    return names.pop().lower() if len(names) == 1 and UNKNOWN not in names else None


def write_dataset_card(name: str, files: Sequence[RowFile], license_name: str) -> str:
    """The card's text: front matter for the hub, then what the rows are."""
    rows = sum(file.rows for file in files)
    front = {
        "license": license_name,
        "task_categories": ["text-generation"],
        "tags": ["code", "codefit"],
        "size_categories": [next((size for limit, size in SIZES if rows < limit), "n>10M")],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": file.split, "path": f"data/{file.path.name}"} for file in files],
            }
        ],
    }
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
    table = [["File", "Split", "Rows", "SHA-256"]]
    table += [[f"`data/{file.path.name}`", file.split, f"{file.rows:,}", f"`{file.sha256}`"] for file in files]
    parts = [
        f"# {name}",
        f"{rows:,} rows of source code, made by codefit. How they were chosen, and what was dropped for which reason, "
        f"stands in `{MANIFEST}` and `dropped.jsonl`.",
        _table(table),
        *_listed("Languages", _sum(file.languages for file in files)),
        *_listed("Sources", _sum(file.sources for file in files)),
        *_listed("Licences of the code", _sum(file.licenses for file in files)),
        "Each row keeps the licence of its code, which holds whatever the licence of the collection is.",
    ]
    return f"---\n{head}---\n\n" + "\n\n".join(parts) + "\n"


def _sum(counters: Any) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total += counter
    return total


def _listed(title: str, counts: Mapping[str, int]) -> list[str]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    table = [["Name", "Rows"], *([_plain(name), f"{rows:,}"] for name, rows in ordered[:MOST_NAMES])]
    more = [f"and {len(ordered) - MOST_NAMES} more."] if len(ordered) > MOST_NAMES else []
    return [f"## {title}", _table(table), *more]


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def _plain(text: str) -> str:
    """Text of data on one line of a table, with what would be HTML written out."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
