"""Curation of the files of hyperswitch: seconds of the whole command, and how far the choice is the reference run's.

    python -m benchmarks.curation [--quick] [--rounds N]

Needs documents/hyperswitch.jsonl.gz of the development data (`$CODEFIT_DATA`), whose rows say in `original_300` which
300 files the reference run trained on: by its account those of `crates/` richest in functions and types, of 25 to 4,000
lines. `agreement` holds against them what `codefit data documents --top 300 --hold-out-share 0` chooses, and says by
which rule it does not choose the others. `rankings` are the top 300 of all files of `crates/` in those limits by one
figure each, without filters or duplicates: lines and bytes are the baselines that structure has to beat, and words
alone, without a parser, are what the reference run may have counted.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.common import ROOT, data_folder, store_result, timing
from codefit.corpus.curate import DEFAULT_TOP, CurationSettings
from codefit.corpus.examine import place_of
from codefit.corpus.richness import Richness, richness_of
from codefit.files import read_json, read_lines
from codefit.progress import say, track
from codefit.records import Document, read_rows

FILE = "documents/hyperswitch.jsonl.gz"
ROUNDS, QUICK_ROUNDS = 3, 1
SECONDS_ALLOWED = 20.0  # for all 1,386 files, the whole command
ALL_KEPT = "chosen"

# What a text search for definitions finds, in macros and comments too.
_WORDS = re.compile(r"\b(?:fn|struct|enum|trait)\s+\w")
_IMPLS = re.compile(r"\bimpl\b")


@dataclass(frozen=True, slots=True)
class File:
    """A file with all that rankings go by; `words` are definitions by text search, `impls` Rust's impl blocks."""

    place: str
    is_original: bool
    richness: Richness
    words: int
    impls: int


RANKINGS: Mapping[str, Callable[[File], float]] = {
    "functions + types": lambda file: file.richness.structure,
    "functions": lambda file: file.richness.functions,
    "types": lambda file: file.richness.types,
    "functions + types a line": lambda file: file.richness.structure / file.richness.lines,
    "lines": lambda file: file.richness.lines,
    "bytes": lambda file: file.richness.bytes,
    "words fn, struct, enum, trait": lambda file: file.words,
    "words fn, struct, enum, trait, impl": lambda file: file.words + file.impls,
}


class _Row(msgspec.Struct):
    path: str
    text: str
    repo: str
    original_300: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round, nothing stored")
    parser.add_argument("--rounds", type=int, help=f"how often the command runs (default {ROUNDS})")
    arguments = parser.parse_args()
    folder = data_folder()
    if folder is None or not (folder / FILE).exists():
        raise SystemExit(f"{FILE} is not there: set CODEFIT_DATA to the folder of the development data")
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(temporary)
        seconds = [_run(folder / FILE, output / "held_out") for _ in range(rounds)]
        _run(folder / FILE, output / "all", "--hold-out-share=0")
        files = read_files(folder / FILE)
        result = {
            "files": len(files),
            "seconds": asdict(timing(seconds)),
            "held_out": _sides(output / "held_out"),
            "agreement": agreement(files, output / "all"),
            "rankings": rankings(files),
            "figure": {"seconds": SECONDS_ALLOWED, "met": timing(seconds).median <= SECONDS_ALLOWED},
        }
    store_result("curation", result, packages=("tree-sitter", "tree-sitter-rust", "rensa"), quick=arguments.quick)


def _run(file: Path, output: Path, *flags: str) -> float:
    """Seconds of the command as a user types it, from its start to its end."""
    command = [sys.executable, "-m", "codefit", "data", "documents", str(file), f"--output-dir={output}", *flags]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:])} ended with {done.returncode}")
    seconds = time.perf_counter() - started
    say(f"{seconds:.1f} s")
    return seconds


def read_files(path: Path) -> list[File]:
    """Every file, measured."""
    rows = [msgspec.json.decode(line, type=_Row) for line in read_lines(path)]
    files = []
    for row in track(rows, "measure", total=len(rows), unit="files"):
        place = place_of(Document(path=row.path, text="", repo=row.repo))
        words, impls = len(_WORDS.findall(row.text)), len(_IMPLS.findall(row.text))
        files.append(File(place, row.original_300, richness_of(row.text, "rust"), words, impls))
    return files


def _sides(output: Path) -> dict[str, Any]:
    """What the manifest says of each side, directories by their number."""
    manifest = read_json(output / "manifest.json")
    names = ("rows", "functions", "types", "lines", "bytes")
    return {
        side: {name: manifest[side][name] for name in names} | {"directories": len(manifest[side]["directories"])}
        for side in ("train", "evaluation")
    } | {"dropped": manifest["stages"]["curate"]["dropped"]}


def agreement(files: list[File], output: Path) -> dict[str, Any]:
    """How far the command's choice is the original one, and by which rule the other original files are not in it."""
    chosen = {place_of(row) for row in read_rows(output / "train_documents.jsonl.gz", Document)}
    reasons = {row["where"]: row["reason"] for row in map(msgspec.json.decode, read_lines(output / "dropped.jsonl"))}
    original = {file.place for file in files if file.is_original}
    rules = Counter(reasons.get(place, ALL_KEPT) for place in original)
    missed = {place: reasons[place] for place in sorted(original - chosen)}
    return {**_overlap(chosen, original), "original_by_rule": dict(rules.most_common()), "not_chosen": missed}


def rankings(files: list[File]) -> dict[str, Any]:
    """The same for the top 300 by each single figure, and for a choice at random."""
    limits = CurationSettings()
    original = {file.place for file in files if file.is_original}
    fitting = [
        file
        for file in files
        if "/crates/" in file.place and limits.min_lines <= file.richness.lines <= (limits.max_lines or 0)
    ]
    expected = DEFAULT_TOP * sum(file.is_original for file in fitting) / len(fitting)
    found: dict[str, Any] = {
        "candidates": len(fitting),
        "at random": {"overlap": round(expected, 1), "jaccard": expected / (len(original) + DEFAULT_TOP - expected)},
    }
    for name, key in RANKINGS.items():
        top = sorted(fitting, key=lambda file: (-key(file), file.place))[:DEFAULT_TOP]
        found[name] = _overlap({file.place for file in top}, original)
    return found


def _overlap(chosen: set[str], original: set[str]) -> dict[str, Any]:
    both = len(chosen & original)
    return {"overlap": both, "jaccard": both / len(chosen | original)}


if __name__ == "__main__":
    main()
