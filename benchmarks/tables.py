"""Write the tables of README.md and docs/ from the stored results, so that no number in them is typed by hand.

    python -m benchmarks.tables [--check]

A table stands between `<!-- table: NAME -->` and `<!-- end -->`. `--check` changes nothing and fails where a file
differs from what its results give.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import complexity_tables, language_tables, repair_tables
from benchmarks.common import RESULTS, ROOT
from benchmarks.markdown import markdown, ratio_text
from codefit.files import read_json, write_text

Result = Mapping[str, Any]

_TABLE = re.compile(r"(<!-- table: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    """Write or check every file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a file is not up to date; write nothing")
    stale = [path for path in documents() if with_tables(path.read_text()) != path.read_text()]
    if parser.parse_args().check:
        if stale:
            names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
            raise SystemExit(f"not what the results give: {names}; run python -m benchmarks.tables")
        return
    for path in stale:
        write_text(path, with_tables(path.read_text()))
        print(path.relative_to(ROOT))


def documents() -> list[Path]:
    """The files that may hold tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def with_tables(text: str) -> str:
    """The text with each table made anew."""
    return _TABLE.sub(lambda match: f"{match[1]}{table(match['name'])}\n{match[3]}", text)


def table(name: str) -> str:
    """A table and the line that says where it comes from."""
    if name == "figures":
        return figures()
    if not (RESULTS / f"{name}.json").exists():
        return f"Not measured yet: `python -m benchmarks.{name}`."
    result = read_json(RESULTS / f"{name}.json")
    return f"{TABLES[name](result)}\n\n{_source(result)}"


def figures() -> str:
    """One line a claim, over all results that are stored."""
    rows = []
    for name, lines in LINES.items():
        file = RESULTS / f"{name}.json"
        if file.exists():
            result = read_json(file)
            rows += [[*line, f"`{result['command'].split(' --')[0]}`"] for line in lines(result)]
    return markdown(["what", "measured", "aim", "command"], rows)


def _source(result: Result) -> str:
    machine = result["machine"]
    return (
        f"`{result['command']}` on {machine['processor']}, {machine['cores']} cores, "
        f"Python {machine['python']}; {result['date'][:10]}, commit {result['commit']}."
    )


def _interval(low_high: list[float]) -> str:
    return f"{low_high[0]:+.3f} to {low_high[1]:+.3f}"


def _code_encoder_cpu(result: Result) -> str:
    header = ["", "BM25", "codefit", "codefit + BM25", "MiniLM", "MiniLM + BM25"]
    columns = ("bm25", "model", "hybrid", "minilm", "minilm_hybrid")
    rows = [
        [f"{name} ({result['pools'][name]})", *(f"{values[column]:.3f}" for column in columns)]
        for name, values in result["first_seed_by_source"].items()
        if name != "networkx"
    ]
    first = result["seeds"]["0"]
    rows.append(["**mean**", *(f"**{first['mrr@10'][column]['mean']:.3f}**" for column in columns)])
    beside = result["first_seed_by_source"].get("networkx")
    if beside:
        rows.append(["networkx, beside the mean", *(f"{beside[column]:.3f}" for column in columns)])
    differences = "; ".join(
        f"{name.replace('_hybrid', ' + BM25').replace('minilm', 'MiniLM').replace('hybrid', 'codefit + BM25')} "
        f"{value['mean']:+.3f} ({_interval(value['ci95'])})"
        for name, value in first["differences"].items()
    )
    seeds = ", ".join(
        f"{seed['mrr@10']['model']['mean']:.3f} / {seed['mrr@10']['hybrid']['mean']:.3f}"
        for seed in result["seeds"].values()
    )
    return (
        markdown(header, rows)
        + f"\n\nMRR@10. Differences of the means with 95 % intervals: {differences}. "
        + f"Alone / fused with each seed of training: {seeds}."
    )


def _code_encoder_cpu_lines(result: Result) -> list[list[str]]:
    differences = result["seeds"]["0"]["differences"]
    aims = result["aims"]
    encoding = result["encoding"]["minilm / codefit"]
    costs = result["run"]

    def gain(name: str) -> str:
        return f"{differences[name]['mean']:+.3f} ({_interval(differences[name]['ci95'])})"

    return [
        ["MRR@10 on 8 unseen repositories, model − BM25", gain("model - bm25"), f"≥ {aims['model - bm25']:+.2f}"],
        ["the same, fused − BM25", gain("hybrid - bm25"), f"≥ {aims['hybrid - bm25']:+.2f}"],
        ["the same, fused − all-MiniLM-L6-v2 fused", gain("hybrid - minilm_hybrid"), "≥ 0"],
        ["encoding a function, MiniLM's time ÷ codefit's", ratio_text(encoding), "≥ 20"],
        [
            "the whole recipe code-encoder-cpu",
            f"{costs['seconds_total'] / 60:.0f} min, {costs['peak_memory_bytes'] / 2**30:.1f} GiB",
            "< 45 min",
        ],
    ]


def _quickstart_lines(result: Result) -> list[list[str]]:
    first = result["rounds"][0]
    difference = first["difference_to_bm25"]["hybrid"]
    return [
        [
            "`make quickstart` after installation",
            f"{result['seconds']['median']:.0f} s, {result['peak_mib'] / 1024:.1f} GiB",
            f"≤ {result['seconds_allowed']:.0f} s, ≤ {result['mib_allowed'] / 1024:.0f} GiB",
        ],
        [
            "its fused model − BM25, MRR@10 on unseen packages",
            f"{difference['mrr@10']:+.3f} ({_interval(difference['ci95'])})",
            "> 0",
        ],
    ]


def _training_speed(result: Result) -> str:
    header = ["", "codefit, tokens/s", "sentence-transformers, tokens/s", "times as fast", "held-out loss, both"]
    rows = []
    for name in ("encoder", "static"):
        case = result[name]
        ours, peer = case["codefit"], case["sentence_transformers"]
        rows.append(
            [
                f"{name} ({case['model']}), batch {case['batch_size']:,}",
                f"{ours['tokens_per_second']:,}",
                f"{peer['tokens_per_second']:,}",
                ratio_text(case["ratio"]["sentence_transformers"]),
                f"{ours['loss']:.3f} / {peer['loss']:.3f} (from {ours['loss_before']:.3f})",
            ]
        )
    return markdown(header, rows)


def _training_speed_lines(result: Result) -> list[list[str]]:
    return [
        [
            f"training, {name}: speed ÷ sentence-transformers' trainer, to the same loss or lower",
            ratio_text(result[name]["ratio"]["sentence_transformers"]),
            f"≥ {result[name]['figure']['ratio']:g}",
        ]
        for name in ("encoder", "static")
    ]


def _onnx_encoding(result: Result) -> str:
    header = ["functions/s, text to vector", "sentence-transformers", "ONNX fp32", "ONNX int8", "model2vec"]
    rows = []
    for name in ("encoder", "static"):
        rates = result[name]["functions_per_second"]
        sides = ("sentence_transformers", "onnx-fp32", "onnx-int8", "model2vec")
        rows.append([name, *(f"{rates[side]:,.0f}" if side in rates else "" for side in sides)])
    return markdown(header, rows)


def _onnx_encoding_lines(result: Result) -> list[list[str]]:
    lines = []
    for name in ("encoder", "static"):
        case = result[name]
        lines.append(
            [
                f"encoding, {name}: speed of the export ({case['winner']}) ÷ `SentenceTransformer.encode`",
                ratio_text(case["times_as_fast"][case["winner"]]),
                f"≥ {case['figure']['times_as_fast']:g}",
            ]
        )
    return lines


def _mining_lines(result: Result) -> list[list[str]]:
    found = result["codefit"]["functions_per_second_and_core"]
    return [["mining, functions/s a core", f"{found:,.0f}", f"≥ {result['figure']['functions_per_second_and_core']:,}"]]


def _near_duplicates_lines(result: Result) -> list[list[str]]:
    ours = result["codefit"]
    return [
        [
            f"near duplicates of {result['n']:,} functions",
            f"{ours['seconds']['median']:.0f} s, {ours['peak_mib']:,.0f} MiB, recall {ours['recall']:.3f}",
            "≤ 60 s, ≤ 2,048 MiB",
        ]
    ]


def _curation_lines(result: Result) -> list[list[str]]:
    agreement, rankings = result["agreement"], result["rankings"]
    return [
        [
            f"curation of {result['files']:,} files, the whole command",
            f"{result['seconds']['median']:.1f} s",
            f"≤ {result['figure']['seconds']:g} s",
        ],
        [
            "files that its choice of 300 shares with the reference run's",
            f"{agreement['overlap']} (longest files {rankings['lines']['overlap']}, "
            f"at random {rankings['at random']['overlap']:.0f})",
            "",
        ],
    ]


def _startup_lines(result: Result) -> list[list[str]]:
    return [
        [
            "`codefit --help`; `import codefit` loads no torch",
            f"{result['codefit --help']['median']:.2f} s",
            f"≤ {result['figure']['seconds']:g} s",
        ]
    ]


TABLES: Mapping[str, Callable[[Result], str]] = {
    "code_encoder_cpu": _code_encoder_cpu,
    "training_speed": _training_speed,
    "onnx_encoding": _onnx_encoding,
    **language_tables.TABLES,
    **repair_tables.TABLES,
    **complexity_tables.TABLES,
}
LINES: Mapping[str, Callable[[Result], list[list[str]]]] = {
    "quickstart": _quickstart_lines,
    "code_encoder_cpu": _code_encoder_cpu_lines,
    "training_speed": _training_speed_lines,
    "onnx_encoding": _onnx_encoding_lines,
    "mining": _mining_lines,
    "near_duplicates": _near_duplicates_lines,
    "curation": _curation_lines,
    **language_tables.LINES,
    **repair_tables.LINES,
    **complexity_tables.LINES,
    "startup": _startup_lines,
}


if __name__ == "__main__":
    main()
