"""The run folder of scorers of complexity as `codefit run` leaves it, made without training: shapes of real runs."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

from codefit.recipe import load_recipe
from codefit.records import write_rows
from run.report.sample_run import run_record, write

STAGES = ("data", "baselines", "tokenizer", "train", "chat", "export", "evaluate")
FUNCTIONS = 400
ASKED = 120  # of the functions, that the language model is asked about
# The noise of each scorer's answers, and what it reads.
SCORERS = {
    "formula": (0.0, "lizard's figures"),
    "complexity score": (0.05, "metrics"),
    "constant": (0.0, "nothing"),
    "lines of code": (0.9, "metrics"),
    "linear": (0.35, "metrics"),
    "boosted trees": (0.22, "metrics"),
    "encoder": (0.3, "code"),
    "language model, expectation": (0.7, "code"),
    "language model, constrained": (0.8, "code"),
    "language model, regex": (0.8, "code"),
    "ensemble": (0.2, "code and metrics"),
}
KINDS = {"broken": 2.0, "renamed": 1.0, "laid out anew": 1.2}  # how much larger the errors become
WEIGHTS = {"encoder": 0.31, "boosted": 0.66, "language model": 0.03}
HALF_WIDTHS = {"constant": 2.5, "lines of code": 1.92, "linear": 0.74, "boosted trees": 0.46, "encoder": 0.62}


def make_complexity_run(
    folder: Path,
    *,
    upto: str = "evaluate",
    state: str = "done",
    better: float = 0.0,
    name: str = "complexity-scoring-cpu",
    chat: bool = True,
) -> Path:
    """Write a run that came as far as the stage `upto`; learned scorers err less by a share of `better`."""
    stages = tuple(stage for stage in STAGES if chat or stage != "chat")
    came = stages[: stages.index(upto) + 1]
    finished = [stage for stage in came if stage != upto or state == "done"]
    folder.mkdir(parents=True)
    recipe = load_recipe("complexity-scoring-cpu", [f"name={name}", *([] if chat else ["language_model=null"])])
    record = run_record(came, state, name, stages)
    record |= {"system": recipe.system, "description": recipe.description}
    write(folder / "run.json", record | {"recipe": recipe.model_dump(mode="json")})
    scores = sample_scores(better, chat=chat)
    writers = {
        "data": lambda: write(folder / "data" / "manifest.json", manifest()),
        "baselines": lambda: write(folder / "baselines.json", {"functions": 11_214, "trees": 640}),
        "export": lambda: write(folder / "export.json", export()),
        "evaluate": lambda: _write_evaluation(folder, scores),
    }
    for stage in finished:
        if stage in writers:
            writers[stage]()
    for stage, file, rows in (
        ("train", "metrics.jsonl", metrics(better)),
        ("chat", "language_model/metrics.jsonl", answers()),
    ):
        if stage in came:
            (folder / file).parent.mkdir(exist_ok=True)
            kept = rows if stage in finished else rows[: len(rows) // 2]
            (folder / file).write_text("".join(json.dumps(row) + "\n" for row in kept))
    return folder


def _write_evaluation(folder: Path, scores: list[dict[str, Any]]) -> None:
    write(folder / "evaluation.json", evaluation(scores))
    write_rows(folder / "scores.jsonl.gz", scores)


def sample_scores(better: float = 0.0, *, chat: bool = True) -> list[dict[str, Any]]:
    """Functions whose scores fall off as those of code do, and what each scorer says of them."""
    rng = random.Random(3)
    rows = []
    for number in range(FUNCTIONS):
        truth = round(min(10.0, 1 + rng.expovariate(1 / 1.5)), 1)
        said: dict[str, Any] = {}
        for name, (noise, _) in SCORERS.items():
            own = noise if noise < 0.1 else noise * (1 - better)
            score = 2.5 if name == "constant" else min(10.0, max(1.0, truth + rng.gauss(0, own) * (0.4 + truth / 5)))
            half = HALF_WIDTHS.get(name, 0.5)
            bounded = name not in ("formula", "complexity score", "language model, regex")
            said[name] = [score, max(1.0, score - half), min(10.0, score + half)] if bounded else [score, None, None]
            if name.startswith("language model") and number >= ASKED:
                said[name] = None
            elif name == "language model, regex" and number % 40 == 7:
                said[name] = [None, None, None]
        asked = said if chat else {name: own for name, own in said.items() if not name.startswith("language model")}
        rows.append({"truth": truth, "path": f"src/file{number % 37}.js", "line": 10 * number + 1, "scores": asked})
    return rows


def evaluation(scores: list[dict[str, Any]]) -> dict[str, Any]:
    names = list(scores[0]["scores"])
    return {
        "n": len(scores),
        "scorers": [_scorer(name, scores) for name in names],
        "robustness": [_varied(name, kind, scores) for name in names for kind in KINDS],
        "people": {"n": 40, "scorers": [_person(number, name) for number, name in enumerate(names)]},
        "missing": {},
        "published": [{"name": "XGBoost", "mae": 0.71, "r2": 0.784}, {"name": "neural", "mae": 0.77, "r2": 0.737}],
    }


def errors_of(name: str, scores: list[dict[str, Any]]) -> list[float]:
    """The absolute errors of a scorer, of the functions that it has an answer for."""
    said = [(row["truth"], row["scores"][name]) for row in scores]
    return [abs(own[0] - truth) for truth, own in said if own is not None and own[0] is not None]


def _around(value: float, half: float) -> list[float]:
    return [value, value - half, value + half]


def _scorer(name: str, scores: list[dict[str, Any]]) -> dict[str, Any]:
    errors = errors_of(name, scores)
    said = [row["scores"][name] for row in scores if row["scores"][name] is not None]
    mean = sum(errors) / len(errors)
    squared = sum(error**2 for error in errors) / len(errors)
    half = 1.96 * math.sqrt(max(0.0, squared - mean**2) / len(errors))
    same = name == "constant"
    bounded = said[0][1] is not None
    return {
        "name": name,
        "reads": SCORERS[name][1],
        "ms": 212.4 if name.startswith("language") else 0.41,
        "n": len(said),
        "invalid": len(said) - len(errors),
        "mae": _around(mean, half),
        "rmse": _around(math.sqrt(squared), half),
        "r2": _around(1 - squared / 2.2, 0.02),
        "spearman": None if same else _around(1 - 0.4 * mean, 0.01),
        "kendall": None if same else _around(1 - 0.6 * mean, 0.01),
        "within_half": _around(sum(error <= 0.5 for error in errors) / len(errors), 0.02),
        "coverage": _around(0.91, 0.02) if bounded else None,
        "width": 1.21 if bounded else None,
    }


def _varied(name: str, kind: str, scores: list[dict[str, Any]]) -> dict[str, Any]:
    errors = errors_of(name, scores)
    mean = sum(errors) / len(errors)
    parses = kind != "broken" or SCORERS[name][1] in ("code", "nothing")
    value = mean * KINDS[kind] if parses else mean + 0.9
    moved = 0.0 if name == "constant" else value - mean + 0.05
    return {
        "name": name,
        "kind": kind,
        "n": 380,
        "invalid": 2 if "regex" in name else 0,
        "moved": _around(moved, 0.04),
        "mae": _around(value, 0.06),
    }


def _person(number: int, name: str) -> dict[str, Any]:
    said = None if name == "constant" else _around(0.3 - 0.06 * number, 0.29)
    return {"name": name, "n": 40, "error_rate": said, "time": said and _around(0.42 - 0.02 * number, 0.27)}


def metrics(better: float = 0.0) -> list[dict[str, Any]]:
    """The encoder's journal: a loss that falls with noise, a look every 20 steps."""
    noise = random.Random(0)
    rows: list[dict[str, Any]] = []
    for step in range(1, 201):
        loss = 0.4 + 6.5 * math.exp(-step / 30) + noise.gauss(0, 0.05)
        rows.append({"kind": "train", "step": step, "loss": loss, "rate": 0.5, "tokens_per_second": 9_000 + step})
        if step % 20 == 0:
            mae = (0.3 + 1.2 * math.exp(-step / 40)) * (1 - better)
            rows.append({"kind": "eval", "step": step, "mae": mae, "rmse": 1.6 * mae})
    return rows


def answers() -> list[dict[str, Any]]:
    """The language model's journal."""
    rows: list[dict[str, Any]] = []
    for step in range(1, 61):
        loss = 0.9 + 4.5 * math.exp(-step / 12)
        rows.append({"kind": "train", "step": step, "loss": loss, "rate": 0.5, "tokens_per_second": 1_400 + step})
        if step % 15 == 0:
            rows.append({"kind": "eval", "step": step, "loss": loss + 0.05, "perplexity": math.exp(loss + 0.05)})
    return rows


def export() -> dict[str, Any]:
    graph = {"bytes": 3_054_293, "mae": 0.2976, "largest_difference": 1.67e-06, "median_ms": 3.13}
    return {
        "precision": "fp32",
        "functions": 982,
        "fp32": graph,
        "int8": graph | {"bytes": 889_831, "mae": 0.3012, "largest_difference": 0.0046, "median_ms": 1.55},
        "weights": WEIGHTS,
        "half_width": 0.57,
        "half_widths": HALF_WIDTHS,
    }


def manifest() -> dict[str, Any]:
    files = {
        "train": 11_214,
        "validation": 982,
        "evaluation": FUNCTIONS,
        "chat_train": 11_214,
        "chat_validation": 982,
        "train_variants": 11_180,
        "evaluation_variants": 1_140,
        "human": 40,
    }
    spread = {"mean": 2.51, "deviation": 1.63, "median": 2.0}
    return {
        "command": "data complexity",
        "codefit": "0.1.0",
        "inputs": {"/data/javascript/library.jsonl.gz": "4c" * 32, "/data/javascript/maps.jsonl.gz": "06" * 32},
        "documents": ["env"],
        "stages": {
            "documents": {"kept": 0, "dropped": {}},
            "functions": {"kept": 12_275, "dropped": {"longer than a function is": 2}},
            "evaluation": {"kept": FUNCTIONS, "dropped": {}},
            "split": {"kept": 12_196, "dropped": {"near duplicate of a function to choose by": 48}},
        },
        "labels": {
            "learn": {"rows": 12_275, "same": 12_270, "mean_absolute_difference": 0.0004},
            "measure": {"rows": FUNCTIONS, "same": FUNCTIONS, "mean_absolute_difference": 0.0},
        },
        "sources": {
            "train": ["example/library", "env"],
            "validation": ["example/library"],
            "evaluation": ["example/maps"],
        },
        "scores": dict.fromkeys(("train", "validation", "evaluation"), spread),
        "outputs": {
            f"{name}.jsonl.gz": {"rows": rows, "bytes": 190 * rows, "sha256": f"{number:02x}" * 32}
            for number, (name, rows) in enumerate(files.items(), start=161)
        },
    }
