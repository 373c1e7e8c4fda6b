"""Exact metrics of functions beside lizard, ESLint and eslint-plugin-sonarjs: agreement, speed, a million lines.

    python -m benchmarks.complexity_metrics [--quick]

Labels: the formula by codefit's own reading of lizard's rules, on every function of the development data, beside the
`complexity` that stands there. Agreement: cyclomatic and cognitive complexity and nesting of every function of
openlayers and closure-library, nested ones too, beside the two linters (Node.js and `sh scripts/javascript-oracle.sh`).
Speed: functions a second of processor time, in one process, in turns with lizard, on whole files: the functions of a
file of the data, one after another. A million lines: `codefit complexity score FOLDER --json` as a user runs it, over
copies of the development data's own source files in five languages.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.common import MIB, ROOT, data_folder, in_turns, ratio, store_result
from benchmarks.measured_command import run_measured
from codefit.files import read_lines
from codefit.source.languages import language_of
from codefit.source.metrics.measure import measure
from codefit.source.metrics.rules import RULES
from codefit.tasks.complexity.functions import in_context
from codefit.tasks.complexity.label import label_of_code

AIMS = {"labels exact": 0.99, "speed": 20.0, "seconds": 60.0, "MiB": 500.0, "linters": 0.99}
ROUNDS = 7
QUICK_ROWS, QUICK_LINES = 400, 20_000
LINES = 1_000_000
ORACLE = ROOT / "tests" / "source" / "metrics" / "javascript_oracle"
AT_ONCE = 500  # sources that the linters are given together


def main() -> None:
    """Measure all parts and store the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few functions and files; nothing is stored")
    quick = parser.parse_args().quick
    folder = data_folder()
    if folder is None:
        raise SystemExit("this benchmark needs the development data: set CODEFIT_DATA to its folder")
    repositories = {
        name: rows_of(folder / "javascript" / f"{name}.jsonl.gz")[: QUICK_ROWS if quick else None]
        for name in ("google_closure-library", "openlayers_openlayers")
    }
    result = {
        "aims": AIMS,
        "labels": {name: labels(rows) for name, rows in repositories.items()},
        "linters": {name: beside_linters(rows) for name, rows in repositories.items()},
        "speed": speed([row for rows in repositories.values() for row in rows], 2 if quick else ROUNDS),
        "million": million_lines(folder, QUICK_LINES if quick else LINES),
    }
    store_result(
        "complexity_metrics", result, packages=["lizard", "tree-sitter", "tree-sitter-javascript"], quick=quick
    )


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a file."""
    return [msgspec.json.decode(line) for line in read_lines(path)]


def labels(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many labels and figures are those of the data."""
    exact = figures = 0
    error = 0.0
    started = time.process_time()
    for row in rows:
        own = label_of_code(row["code"], "javascript")
        exact += own.score == row["complexity"]
        figures += (own.ccn, own.tokens, own.lines) == (row["cyclomatic"], row["tokens"], row["nloc"])
        error += abs(own.score - row["complexity"])
    seconds = time.process_time() - started
    clean = [
        measure(in_context(row["code"], "javascript"), "javascript").functions[0].score - row["complexity"]
        for row in rows
    ]
    return {
        "rows": len(rows),
        "exact": exact,
        "figures": figures,
        "mae": error / len(rows),
        "rows_per_second": len(rows) / seconds,
        # What `complexity score` says: the function itself, read right; lizard reads its first nested one, or errs.
        "score": {
            "exact": sum(abs(difference) < 1e-9 for difference in clean),
            "mae": sum(map(abs, clean)) / len(clean),
        },
    }


def score_of(code: str) -> float:
    """The exact score of a function's code."""
    return measure(in_context(code, "javascript"), "javascript").functions[0].score


def beside_linters(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """On how many functions the figures are the linters', and the differences by what they are."""
    counts = {"functions": 0, "cyclomatic": 0, "cognitive": 0, "nesting": 0, "not read by ESLint": 0}
    differences: list[dict[str, Any]] = []
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        sources = [in_context(row["code"], "javascript") for row in part]
        for row, source, theirs in zip(part, sources, linters(sources), strict=True):
            found = measure(source, "javascript").functions
            if isinstance(theirs, dict):
                counts["not read by ESLint"] += len(found)
                continue
            if len(found) != len(theirs):
                raise SystemExit(f"other functions than ESLint's: {row['path']}:{row['line']}")
            for own, other in zip(found, theirs, strict=True):
                pairs = {
                    "cyclomatic": (own.cyclomatic, other["complexity"]),
                    "cognitive": (own.cognitive, other["cognitive"]),
                    "nesting": (own.nesting, other["depth"]),
                }
                counts["functions"] += 1
                for name, (ours, value) in pairs.items():
                    counts[name] += ours == value
                    if ours != value:
                        place = f"{row['path']}:{row['line'] + own.line - 1}"
                        differences.append({"figure": name, "place": place, "codefit": ours, "linter": value})
    return {**counts, "differences": differences}


def linters(sources: Sequence[str]) -> list[Any]:
    """The linters' figures of each source, functions in the order of their places."""
    if not (ORACLE / "node_modules").is_dir():
        raise SystemExit("ESLint is not installed; install it with: sh scripts/javascript-oracle.sh")
    question = json.dumps([{"name": "a.js", "code": source} for source in sources])
    done = subprocess.run(
        ["node", "figures.mjs"], cwd=ORACLE, input=question, capture_output=True, text=True, check=True
    )
    answers: list[Any] = json.loads(done.stdout)
    return [
        each if isinstance(each, dict) else sorted(each, key=lambda own: (own["start"], -own["end"]))
        for each in answers
    ]


def speed(rows: Sequence[Mapping[str, Any]], rounds: int) -> dict[str, Any]:
    """Functions a second of processor time: the scanner, the walk over a tree, and lizard, in turns."""
    import lizard

    from codefit.source.metrics.javascript import available, scan

    files = whole_files(rows)
    encoded = [text.encode() for text in files]
    functions = sum(len(measure(text, "javascript").functions) for text in files)
    scanned = sum(scan(text) is not None for text in encoded) if available() else 0

    def by_codefit() -> None:
        for text, data in zip(files, encoded, strict=True):
            if not available() or scan(data) is None:
                measure(text, "javascript")

    def by_walk() -> None:
        for text in files:
            measure(text, "javascript")

    def by_lizard() -> None:
        for text in files:
            lizard.analyze_file.analyze_source_code("a.js", text)

    seconds = processor_seconds({"codefit": by_codefit, "walk": by_walk, "lizard": by_lizard}, rounds)
    return {
        "files": len(files),
        "scanned": scanned,
        "bytes": sum(map(len, encoded)),
        "functions": functions,
        "functions_per_second": {
            name: functions / sorted(values)[len(values) // 2] for name, values in seconds.items()
        },
        "ratio": msgspec.to_builtins(ratio(seconds["lizard"], seconds["codefit"])),
        "ratio_walk": msgspec.to_builtins(ratio(seconds["lizard"], seconds["walk"])),
    }


def processor_seconds(sides: Mapping[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Processor seconds of each side's calls in turns, after one untimed call of each."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for call in sides.values():
        call()
    for name in in_turns(list(sides), rounds):
        started = time.process_time()
        sides[name]()
        found[name].append(time.process_time() - started)
    return found


def whole_files(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The functions of each file, one after another, as a source: methods in a class, the others as values."""
    files: dict[str, list[str]] = {}
    for row in rows:
        files.setdefault(f"{row['repo']}:{row['path']}", []).append(in_context(row["code"], "javascript"))
    return [";\n".join(parts) + ";\n" for parts in files.values()]


def million_lines(folder: Path, lines: int) -> dict[str, Any]:
    """`codefit complexity score` over a folder of so many lines: seconds, memory, functions."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        written = write_sources(folder, root, lines)
        command = [sys.executable, "-m", "codefit", "--json", "complexity", "score", str(root)]
        run = run_measured(command)
        found = json.loads(run.stdout)
    return {
        **written,
        "functions": len(found["functions"]),
        "skipped": len(found["skipped"]),
        "seconds": run.seconds,
        "peak_mib": run.peak_bytes / MIB,
    }


def write_sources(folder: Path, root: Path, lines: int) -> dict[str, Any]:
    """Write the data's source files below `root`, again and again under other names, up to so many lines."""
    texts = list(source_texts(folder))
    total = files = copy = 0
    by_language: dict[str, int] = {}
    while total < lines:
        for number, (path, text) in enumerate(texts):
            if total >= lines:
                break
            target = root / f"copy{copy}" / f"{number}{Path(path).suffix}"
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
            count = text.count("\n")
            language = language_of(path) or "unknown"
            by_language[language] = by_language.get(language, 0) + count
            total, files = total + count, files + 1
        copy += 1
    return {"lines": total, "files": files, "lines_by_language": by_language}


def source_texts(folder: Path) -> Iterable[tuple[str, str]]:
    """The source files of the development data: whole repositories, and the functions of JavaScript as files."""
    for path in (*sorted((folder / "search").glob("*.jsonl.gz")), *sorted((folder / "documents").glob("*.jsonl.gz"))):
        for row in rows_of(path):
            if language_of(row["path"]) in RULES and row["text"].strip():
                yield row["path"], row["text"]
    for path in sorted((folder / "javascript").glob("*_*.jsonl.gz")):
        rows = [row for row in rows_of(path) if "repo" in row]
        for number, text in enumerate(whole_files(rows)):
            yield f"{number}.js", text


if __name__ == "__main__":
    main()
