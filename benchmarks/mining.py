"""Doc-code pairs mined from the Python environment, beside Python's own ast over the same files: functions a second.

    python -m benchmarks.mining [--quick] [--documents N] [--rounds N]

Each side runs in its own process, in turns, from documents in memory to functions with their names, docs and code.
codefit mines as `codefit data pairs env` does, with a worker a core; ast, the fastest there is for Python alone, in one
process. Functions a second and core are of the processor time of all processes, starting them included. What both
found in the files that codefit does not leave out is compared function by function.
"""

from __future__ import annotations

import argparse
import ast
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.common import in_turns, ratio, run_side, store_result, timing
from benchmarks.functions import SEED
from codefit.corpus.documents.environment import read_environment
from codefit.corpus.hashing import seeded_hash
from codefit.corpus.manifest import Receipt
from codefit.progress import say
from codefit.records import Document
from codefit.source.functions import first_paragraph
from codefit.tasks.pairs import NO_DOC, mine_pairs

OURS, PEER = "codefit", "ast"
SIDES = (OURS, PEER)
DOCUMENTS, QUICK_DOCUMENTS = 10_000, 600
ROUNDS, QUICK_ROUNDS = 3, 1
STATEMENT_LISTS = ("body", "orelse", "finalbody", "handlers", "cases")  # the fields of ast that hold statements
FUNCTIONS_ASKED = 1_500.0  # a second and core, of codefit


class Found(msgspec.Struct):
    """A documented function as a side found it; `line` is where its `def` stands."""

    place: str
    name: str
    line: int
    anchor: str


class Outcome(msgspec.Struct):
    """What a side found: documented functions, how many there are in all, and the files it left out with the reason."""

    found: list[Found]
    functions: int
    left_out: dict[str, str]


def main() -> None:
    arguments = _arguments()
    if arguments.side:
        _run_one(arguments.side, arguments.documents_file, arguments.outcome)
        return
    documents, reading = _draw(arguments.documents or (QUICK_DOCUMENTS if arguments.quick else DOCUMENTS))
    say(f"{len(documents):,} documents")
    runs, outcomes = _run_all(documents, arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS))
    seconds = {side: [run["seconds"] for run in runs[side]] for side in SIDES}
    processor = {side: [run["processor_seconds"] for run in runs[side]] for side in SIDES}
    rates = {side: outcomes[side].functions / timing(processor[side]).median for side in SIDES}
    result = {
        "documents": len(documents),
        "megabytes": round(sum(len(document.text.encode()) for document in documents) / 1e6, 1),
        "sources": len({document.repo for document in documents}),
        "reading": reading,
        **{
            side: {
                "functions": outcomes[side].functions,
                "documented": len(outcomes[side].found),
                "files_left_out": dict(Counter(outcomes[side].left_out.values()).most_common()),
                "workers": runs[side][0]["workers"],
                "seconds": asdict(timing(seconds[side])),
                "processor_seconds": asdict(timing(processor[side])),
                "functions_per_second": outcomes[side].functions / timing(seconds[side]).median,
                "functions_per_second_and_core": rates[side],
            }
            for side in SIDES
        },
        "ratio_of_processor_time": ratio(processor[OURS], processor[PEER]),
        "agreement": agreement(outcomes[OURS], outcomes[PEER]),
        "figure": {"functions_per_second_and_core": FUNCTIONS_ASKED, "met": rates[OURS] >= FUNCTIONS_ASKED},
    }
    store_result("mining", result, packages=("tree-sitter", "tree-sitter-python"), quick=arguments.quick)


def _draw(count: int) -> tuple[list[Document], dict[str, Any]]:
    """`count` files of the environment, the same ones each time, and how long reading all of it took."""
    started = time.perf_counter()
    # networkx is reserved for evaluation.
    documents = list(read_environment(exclude=["networkx"], receipt=Receipt()))
    seconds = time.perf_counter() - started
    drawn = sorted(documents, key=lambda document: seeded_hash(SEED, place_of(document)))[:count]
    return sorted(drawn, key=place_of), {"documents": len(documents), "seconds": seconds}


def place_of(document: Document) -> str:
    """A document's name, as receipts have it."""
    return f"{document.repo}/{document.path}"


def _run_all(documents: list[Document], rounds: int) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Outcome]]:
    """Run the sides in turns: what each run printed, and what each side's last run found."""
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "documents.json")
        file.write_bytes(msgspec.json.encode(documents))
        for side in in_turns(SIDES, rounds):
            outcome = str(Path(folder, f"{side}.json"))
            run = run_side("benchmarks.mining", f"--side={side}", f"--documents-file={file}", f"--outcome={outcome}")
            say(f"{side}: {run['seconds']:.1f} s, {run['processor_seconds']:.1f} s of processor time")
            runs[side].append(run)
        read = {side: Path(folder, f"{side}.json").read_bytes() for side in SIDES}
    return runs, {side: msgspec.json.decode(data, type=Outcome) for side, data in read.items()}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_DOCUMENTS} documents, one round, nothing stored")
    parser.add_argument("--documents", type=int, help=f"how many files (default {DOCUMENTS:,})")
    parser.add_argument("--rounds", type=int, help=f"how often each side runs (default {ROUNDS})")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--documents-file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--outcome", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_one(side: str, documents_file: Path, outcome_file: Path) -> None:
    """One side in this process: prints its times as JSON, writes what it found."""
    documents = msgspec.json.decode(documents_file.read_bytes(), type=list[Document])
    started, before = time.perf_counter(), _processor_seconds()
    outcome = mine_with_codefit(documents) if side == OURS else mine_with_ast(documents)
    seconds, processor = time.perf_counter() - started, _processor_seconds() - before
    outcome_file.write_bytes(msgspec.json.encode(outcome))
    workers = _cores() if side == OURS else 1
    told = {"seconds": seconds, "processor_seconds": processor, "workers": workers}
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")


def _processor_seconds() -> float:
    """Of this process and of those it has waited for, user and system."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def mine_with_codefit(documents: list[Document]) -> Outcome:
    """The product's own path."""
    receipt = Receipt()
    pairs = list(mine_pairs(documents, workers=_cores(), receipt=receipt))
    return Outcome(
        found=[Found(f"{p.source}/{p.path}", p.name or "", p.line or 0, p.anchor) for p in pairs],
        functions=len(pairs) + receipt.by_reason().get(NO_DOC, 0),
        left_out={row.where: row.reason for row in receipt.dropped if row.reason != NO_DOC},
    )


def mine_with_ast(documents: list[Document]) -> Outcome:
    """The peer: parse, walk, and take of each function its name, docstring and source lines."""
    found = []
    functions = 0
    left_out = {}
    for document in documents:
        try:
            tree = ast.parse(document.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            left_out[place_of(document)] = type(error).__name__
            continue
        lines = document.text.splitlines(keepends=True)
        for node, name in _functions_of(tree, ""):
            functions += 1
            doc = ast.get_docstring(node)
            code = "".join(lines[node.lineno - 1 : node.end_lineno])
            anchor = first_paragraph(doc) if doc else ""
            if anchor and code:
                found.append(Found(place_of(document), name, node.lineno, anchor))
    return Outcome(found, functions, left_out)


def _functions_of(tree: ast.AST, prefix: str) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    """Every function under a node with its qualified name. Only statements are walked: no expression holds a `def`."""
    pending = [(tree, prefix)]
    while pending:
        parent, path = pending.pop()
        for block in STATEMENT_LISTS:
            for node in getattr(parent, block, ()):
                inner = path
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    inner = f"{path}{node.name}."
                    if not isinstance(node, ast.ClassDef):
                        yield node, f"{path}{node.name}"
                pending.append((node, inner))


def agreement(ours: Outcome, theirs: Outcome) -> dict[str, Any]:
    """How far both found the same documented functions, in the files that neither left out, with examples if not.

    `functions` is the Jaccard index of (file, line, qualified name); `docs` the share of the common ones whose first
    paragraph is the same.
    """
    out = set(ours.left_out) | set(theirs.left_out)
    sides = [{(f.place, f.line, f.name): f.anchor for f in side.found if f.place not in out} for side in (ours, theirs)]
    common = sides[0].keys() & sides[1].keys()
    same = [key for key in common if sides[0][key] == sides[1][key]]
    return {
        "functions": len(common) / max(1, len(sides[0].keys() | sides[1].keys())),
        "docs": len(same) / max(1, len(common)),
        "only_codefit": len(sides[0].keys() - common),
        "only_ast": len(sides[1].keys() - common),
        "examples": {
            "only_codefit": [list(key) for key in sorted(sides[0].keys() - common)[:5]],
            "only_ast": [list(key) for key in sorted(sides[1].keys() - common)[:5]],
            "other_doc": [[*key, sides[0][key], sides[1][key]] for key in sorted(common - set(same))[:5]],
        },
    }


if __name__ == "__main__":
    main()
