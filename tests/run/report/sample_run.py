"""A run's folder as `codefit run` leaves it, made without training: shapes and magnitudes are those of real runs."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

from codefit.recipe import load_recipe

STAGES = ("data", "tokenizer", "train", "evaluate", "export", "ask")
SECONDS = {"data": 61.4, "tokenizer": 9.8, "train": 84.3, "evaluate": 12.6, "export": 17.9, "ask": 6.2}
SUMMARIES = {
    "data": "55,201 pairs to train on, 1,127 to choose by, 3,702 to measure on; 11,860 left out",
    "tokenizer": "32,000 pieces, 0.262 tokens a byte of unseen code",
    "train": "106 steps, 8,192,000 parameters, MRR@10 0.741 on validation",
    "evaluate": "MRR@10 model 0.712, BM25 0.603, hybrid 0.771 (+0.155 to +0.181 over BM25)",
    "export": "onnx-int8 is the fastest here: 21,480 texts/s, torch 9,020",
    "ask": "3 questions to 2,125 functions of networkx",
}
SOURCES = {"datasets": 402, "fsspec": 243, "jinja2": 187, "networkx": 500, "pydantic": 318}
SHIFTS = {"datasets": -0.05, "fsspec": 0.02, "jinja2": 0.06, "networkx": -0.01, "pydantic": 0.03}
BASE = {"bm25": 0.603, "model": 0.712, "hybrid": 0.771}


def make_run(
    folder: Path, *, upto: str = "ask", state: str = "done", better: float = 0.0, name: str = "quickstart"
) -> Path:
    """Write a run that came as far as the stage `upto`, which is left in `state`; `better` is added to the model."""
    folder.mkdir(parents=True)
    came = STAGES[: STAGES.index(upto) + 1]
    finished = [stage for stage in came if stage != upto or state == "done"]
    write(folder / "run.json", run_record(came, state, name))
    writers = {
        "data": lambda: write(folder / "data" / "manifest.json", manifest()),
        "tokenizer": lambda: write(folder / "tokenizer" / "report.json", tokenizer()),
        "evaluate": lambda: write(folder / "evaluation.json", evaluation(better)),
        "export": lambda: write(folder / "export" / "codefit-export.json", export()),
        "ask": lambda: write(folder / "answers.json", answers()),
    }
    for stage in finished:
        if stage in writers:
            writers[stage]()
    if "train" in came:
        steps = 106 if "train" in finished else 57
        rows = metrics(steps, better)
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def write(path: Path, value: Any) -> None:
    """Write a JSON file of the run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2))


def read(run: Path, file: str) -> Any:
    """The JSON of a file of the run."""
    return json.loads((run / file).read_text())


def change(run: Path, file: str, **fields: Any) -> None:
    """Set top-level fields of a JSON file of the run."""
    write(run / file, read(run, file) | fields)


def run_record(came: tuple[str, ...], state: str, name: str, names: tuple[str, ...] = STAGES) -> dict[str, Any]:
    stages = []
    for stage in names:
        reached = stage in came
        done = reached and (stage != came[-1] or state == "done")
        stages.append(
            {
                "name": stage,
                "state": "done" if done else state if reached else "waiting",
                "seconds": SECONDS.get(stage, 21.3) if (reached and state != "running") or done else None,
                "key": "5d41402abc4b2a76b9719d911017c592" if reached else None,
                "outputs": {f"{stage}/file": "ab" * 32} if done else {},
                "summary": SUMMARIES.get(stage, "") if done and names == STAGES else "",
            }
        )
    whole = state == "done" and came == names
    return {
        "format": 1,
        "name": name,
        "system": "code-encoder",
        "description": "A static code embedding model, trained on the functions of this Python environment",
        "recipe": load_recipe("quickstart", [f"name={name}"]).model_dump(mode="json"),
        "seed": 0,
        "code_revision": "1a2b3c4d5e6f",
        "machine": {
            "cpu": "Intel(R) Xeon(R) Processor @ 2.80GHz",
            "cores": 2,
            "memory_bytes": 25276510208,
            "gpu": None,
            "platform": "Linux-6.1-x86_64-with-glibc2.36",
            "python": "3.11.7",
        },
        "packages": {"codefit": "0.1.0", "numpy": "2.4.6", "onnxruntime": "1.31.1", "tokenizers": "0.23.3"},
        "started": "2026-01-31T12:34:56+00:00",
        "finished": "2026-01-31T12:38:09+00:00" if whole else None,
        "peak_memory_bytes": 2_684_354_560,
        "stages": stages,
    }


def metrics(steps: int, better: float) -> list[dict[str, Any]]:
    """A loss that falls as a contrastive loss does, with noise; a look at the validation pairs every 20 steps."""
    noise = random.Random(0)
    rows: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        loss = 0.62 - better + 6.3 * math.exp(-step / 14) + noise.gauss(0, 0.06)
        rate = 1 - (step - 1) / 106
        rows.append({"kind": "train", "step": step, "loss": loss, "rate": rate, "tokens_per_second": 412_345 + step})
        if step % 20 == 0 or step == 106:
            mrr = 0.741 + better - 0.35 * math.exp(-step / 22)
            rows.append({"kind": "eval", "step": step, "mrr@10": mrr, "bm25 mrr@10": 0.6214})
    return rows


def _figures(mrr: float, n: int) -> dict[str, Any]:
    half = 0.82 / math.sqrt(n)
    values = {
        "mrr@10": mrr,
        "ndcg@10": mrr + 0.034,
        "recall@1": mrr - 0.087,
        "recall@5": min(0.99, mrr + 0.11),
        "recall@10": min(0.995, mrr + 0.154),
    }
    return values | {"ci95": {k: [max(0.0, v - half), min(1.0, v + half)] for k, v in values.items()}}


def _systems(n: int, shift: float, better: float) -> dict[str, Any]:
    return {"n": n} | {
        system: _figures(value + shift + (better if system != "bm25" else 0), n) for system, value in BASE.items()
    }


def evaluation(better: float = 0.0) -> dict[str, Any]:
    n = sum(SOURCES.values())
    differences = {
        system: {"mrr@10": BASE[system] + better - BASE["bm25"], "ci95": [at - 0.0137, at + 0.0131]}
        for system in ("model", "hybrid")
        for at in [BASE[system] + better - BASE["bm25"]]
    }
    whole = {
        "name": "unseen",
        "description": "Each source was kept out of training, and out of all that chose the model. A question is the "
        "first paragraph of a function's documentation; the answer is that function without it, among the functions "
        "of its source.",
        "pool": 500,
        **_systems(n, 0.0, better),
        "difference_to_bm25": differences,
        "by": {
            "source": {name: _systems(size, SHIFTS[name], better) for name, size in SOURCES.items()},
            "language": {"python": _systems(n, 0.0, better)},
        },
        "mean_over_sources": {system: value + 0.01 for system, value in BASE.items()},
    }
    return {"sets": [whole]}


def manifest() -> dict[str, Any]:
    train_sources = {"torch": 10479, "sympy": 7994, "python": 7399, "transformers": 5164, "pandas": 3947, "scipy": 3752}
    train_sources |= {f"package-{i:02}": 900 - 31 * i for i in range(18)}
    rows = sum(train_sources.values())
    outputs = {
        "train_pairs.jsonl.gz": {"rows": rows, "bytes": 13_481_900, "sha256": "3f" * 32},
        "eval_pairs.jsonl.gz": {"rows": 3702, "bytes": 901_233, "sha256": "7c" * 32},
        "validation_pairs.jsonl.gz": {"rows": 1127, "bytes": 300_411, "sha256": "b1" * 32},
        "dropped.jsonl": {"rows": 251_002, "bytes": 22_310_204, "sha256": "e9" * 32},
    }
    return {
        "command": "data pairs",
        "codefit": "0.1.0",
        "sources": ["env"],
        "pair_files": {},
        "missing": [],
        "languages": None,
        "exclude": [],
        "types": False,
        "stages": {
            "read": {"kept": 16885, "dropped": {"empty": 570, "not UTF-8": 5, "larger than 1 MB": 3}},
            "mine": {"kept": 71890, "dropped": {"no doc comment": 242841, "file generated": 1420, "mostly data": 28}},
            "pair files": {"kept": 0, "dropped": {}},
            "prepare": {
                "kept": rows + 3702 + 1127,
                "dropped": {
                    "exact duplicate": 2761,
                    "code is a stub": 2758,
                    "near duplicate": 1832,
                    "anchor is a parameter list": 1128,
                    "anchor too short": 811,
                    "anchor above many functions": 341,
                    "evaluation row known from training": 97,
                },
            },
        },
        "settings": {},
        "redacted": {"EMAIL": 18},
        "train": {
            "rows": rows,
            "languages": {"python": rows},
            "sources": train_sources,
            "licenses": {"BSD-3-Clause": 21_837, "Apache-2.0": 14_599, "Python-2.0": 7399, "MIT": rows - 43_835},
        },
        "evaluation": {
            "rows": 4829,
            "languages": {"python": 4829},
            "sources": {
                "networkx": 2125,
                "datasets": 713,
                "pydantic": 501,
                "fsspec": 243,
                "jinja2": 120,
                "joblib": 1127,
            },
            "licenses": {"BSD-3-Clause": 3615, "MIT": 501, "Apache-2.0": 713},
        },
        "leakage": {"train_rows": rows, "eval_rows": 4829, "shared_anchors": 12, "leaks": []},
        "outputs": outputs,
    }


def tokenizer() -> dict[str, Any]:
    rows = {
        "python": (412_345, 0.2617, 0.2893),
        "javascript": (301_222, 0.2741, 0.3012),
        "go": (288_101, 0.2903, 0.3188),
        "rust": (190_417, 0.2856, 0.3140),
    }
    names = ("bytes", "tokens_per_byte", "plain_tokens_per_byte")
    return {"vocab_size": 32000, "languages": {k: dict(zip(names, v, strict=True)) for k, v in rows.items()}}


def export() -> dict[str, Any]:
    return {
        "format": 1,
        "kind": "static",
        "dimensions": 256,
        "parity": {
            "fp32": {"texts": 64, "max_abs": 2.1e-07, "min_cosine": 0.9999998},
            "int8": {"texts": 64, "mean_cosine": 0.99962, "min_cosine": 0.9987},
        },
        "files": {"onnx-fp32": "model.onnx", "onnx-int8": "model.int8.onnx"},
        "bytes": {"onnx-fp32": 33_161_216, "onnx-int8": 8_421_376},
        "benchmark": {
            "batch_size": 16,
            "seq_len": 128,
            "machine": {"cpu": "Intel(R) Xeon(R) Processor @ 2.80GHz", "cores": 2},
            "rows": [
                {"backend": "torch", "p50_ms": 1.774, "p95_ms": 2.31, "texts_per_second": 9020.4},
                {"backend": "onnx-fp32", "p50_ms": 0.861, "p95_ms": 1.02, "texts_per_second": 18_583.0},
                {"backend": "onnx-int8", "p50_ms": 0.745, "p95_ms": 0.93, "texts_per_second": 21_480.5},
            ],
        },
        "winner": "onnx-int8",
    }


def _result(path: str, start: int, end: int, name: str, score: float, snippet: str) -> dict[str, Any]:
    signals = {"model": round(score * 0.81, 4), "bm25": round(score * 14.2, 3)}
    return {
        "path": path,
        "start_line": start,
        "end_line": end,
        "name": name,
        "score": score,
        "signals": signals,
        "snippet": snippet,
    }


def answers() -> dict[str, Any]:
    dijkstra = (
        'def dijkstra_path(G, source, target, weight="weight"):\n'
        "    (length, path) = single_source_dijkstra(G, source, target=target, weight=weight)\n"
        "    return path\n"
    )
    bipartite = "def is_bipartite(G):\n    try:\n        color(G)\n        return True\n    except nx.NetworkXError:\n"
    edges = (
        'def read_edgelist(path, comments="#", delimiter=None, create_using=None, nodetype=None, data=True, '
        'edgetype=None, encoding="utf-8"):\n    lines = (line if isinstance(line, str) else line.decode(encoding) '
        "for line in path)\n    return parse_edgelist(lines, comments=comments, delimiter=delimiter)\n"
    )
    weighted = "networkx/algorithms/shortest_paths/weighted.py"
    queries = [
        (
            "shortest path between two nodes of a weighted graph",
            [
                _result(weighted, 91, 182, "dijkstra_path", 0.97, dijkstra),
                _result(
                    weighted,
                    2312,
                    2390,
                    "johnson",
                    0.82,
                    "def johnson(G, weight='weight'):\n    dist = {v: 0 for v in G}\n",
                ),
                _result(
                    "networkx/algorithms/shortest_paths/generic.py",
                    42,
                    171,
                    "shortest_path",
                    0.8,
                    "def shortest_path(G):\n    ...\n",
                ),
            ],
        ),
        (
            "check whether the nodes can be split in two groups with no edge inside a group",
            [_result("networkx/algorithms/bipartite/basic.py", 86, 122, "is_bipartite", 0.91, bipartite)],
        ),
        (
            "read a graph from a file with one edge on each line",
            [_result("networkx/readwrite/edgelist.py", 309, 402, "read_edgelist", 0.95, edges)],
        ),
    ]
    return {
        "source": "networkx",
        "functions": 2125,
        "queries": [{"query": q, "took_ms": 3.2 + i, "results": r} for i, (q, r) in enumerate(queries)],
    }
