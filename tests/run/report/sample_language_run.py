"""A language model's run folder as `codefit run` leaves it, made without training: shapes are those of real runs."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

from codefit.recipe import load_recipe
from run.report.sample_run import run_record, write

EXTENDED = ("data", "train", "evaluate", "ship", "complete")
BASE = ("data", "tokenizer", "train", "evaluate", "complete")
LENGTHS = (256, 384, 512)
STEPS = 120
BEFORE = {"hyperswitch": 14.62, "docker/cli": 11.84, "apache/commons-io": 7.31, "networkx": 9.77, "seen": 14.11}
AFTER = {"hyperswitch": 8.93, "docker/cli": 12.06, "apache/commons-io": 7.29, "networkx": 10.02, "seen": 5.42}
DIRECTORIES = {f"crates/{name}": size for name, size in zip("abcdefghijklmnopqr", range(90, 0, -5), strict=True)}
DOMAIN = "hyperswitch"


def make_language_run(
    folder: Path,
    *,
    upto: str = "complete",
    state: str = "done",
    better: float = 0.0,
    name: str = "extended-pretraining-cpu",
    overrides: tuple[str, ...] = (),
) -> Path:
    """Write a run that came as far as the stage `upto`; `better` is taken from the perplexities after training."""
    base = name.startswith("base")
    stages = BASE if base else EXTENDED
    recipe = "base-lm-cpu" if base else "extended-pretraining-cpu"
    came = stages[: stages.index(upto) + 1]
    finished = [stage for stage in came if stage != upto or state == "done"]
    folder.mkdir(parents=True)
    record = run_record(came, state, name, stages)
    resolved = load_recipe(recipe, [f"name={name}", *overrides])
    record |= {"system": resolved.system, "description": resolved.description}
    write(folder / "run.json", record | {"recipe": resolved.model_dump(mode="json")})
    writers = {
        "data": lambda: write(folder / "data" / "manifest.json", manifest(base=base)),
        "evaluate": lambda: write(folder / "evaluation.json", evaluation(better, base=base)),
        "ship": lambda: write(folder / "shipped.json", shipped(better)),
        "complete": lambda: write(folder / "samples.json", samples(base=base)),
        "tokenizer": lambda: write(folder / "tokenizer" / "report.json", tokenizer()),
    }
    for stage in finished:
        if stage in writers:
            writers[stage]()
    if "train" in came:
        rows = metrics(STEPS if "train" in finished else STEPS // 2, better)
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def figures(perplexity: float, tokens: int, documents: int) -> dict[str, Any]:
    """P of the run folder's format, with an interval that narrows as files become more."""
    bits = math.log2(perplexity) / 3.1
    half = 0.5 / math.sqrt(documents)
    return {
        "perplexity": perplexity,
        "bits_per_byte": bits,
        "tokens": tokens,
        "bytes": round(tokens * 3.1),
        "documents": documents,
        "ci95": {
            "perplexity": [perplexity * math.exp(-half), perplexity * math.exp(half)],
            "bits_per_byte": [bits * (1 - half / 3), bits * (1 + half / 3)],
        },
    }


def _set(name: str, role: str, language: str | None, better: float, *, base: bool) -> dict[str, Any]:
    after = AFTER[name] - (better if role != "general" else -better)
    change = after / BEFORE[name] - 1
    half = 0.028 if role == "domain" else 0.012
    return {
        "name": name,
        "role": role,
        "language": language,
        "description": f"Files of {name} that no stage of training read.",
        "before": None if base else figures(BEFORE[name], 61_234, 31),
        "after": figures(after, 61_234, 31),
        "change": None if base else {"perplexity": change, "ci95": [change - half, change + half]},
        "by_directory": {},
    }


def evaluation(better: float = 0.0, *, base: bool = False) -> dict[str, Any]:
    """`evaluation.json`: held-out files, general code in three languages, files trained on."""
    general = [("docker/cli", "go"), ("apache/commons-io", "java"), ("networkx", "python")]
    sets = [_set(name, "general", language, better, base=base) for name, language in general]
    if base:
        return {"sets": sets, "window": 512, "stride": 256}
    domain = _set(DOMAIN, "domain", "rust", better, base=False)
    noise = random.Random(1)
    for place, size in DIRECTORIES.items():
        before = BEFORE[DOMAIN] * math.exp(noise.gauss(0, 0.2))
        domain["by_directory"][place] = {
            "before": figures(before, size * 410, size),
            "after": figures(before * 0.61 * math.exp(noise.gauss(0, 0.05)), size * 410, size),
        }
    return {"sets": [domain, *sets, _set("seen", "training", "rust", better, base=False)], "window": 512, "stride": 256}


def metrics(steps: int, better: float) -> list[dict[str, Any]]:
    """Three stages of a curriculum; a loss that falls, and jumps down a little where sequences become longer."""
    noise = random.Random(0)
    rows: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        stage = min(len(LENGTHS) - 1, (step - 1) * len(LENGTHS) // STEPS)
        loss = 2.3 - better / 20 + 0.6 * math.exp(-step / 18) - 0.06 * stage + noise.gauss(0, 0.05)
        speed = 1480 - 170 * stage + noise.gauss(0, 25)
        rows.append(
            {"kind": "train", "step": step, "loss": loss, "rate": 0.5, "tokens_per_second": speed}
            | {"length": LENGTHS[stage]}
        )
        if step % 20 == 0:
            perplexity = 9.4 - better + 4.0 * math.exp(-step / 30)
            rows.append({"kind": "eval", "step": step, "perplexity": perplexity, "loss": math.log(perplexity)})
    return rows


def shipped(better: float = 0.0) -> dict[str, Any]:
    """`shipped.json`: one form that is refused, and one that nothing here can measure."""
    trained = AFTER[DOMAIN] - better

    def form(
        name: str, place: str, size: int, change: float | None, bound: float | None, **more: Any
    ) -> dict[str, Any]:
        return {
            "form": name,
            "place": place,
            "bytes": size,
            "perplexity": None if change is None else trained * (1 + change),
            "change": change,
            "bound": bound,
            "published": change is None or bound is None or change <= bound,
            "note": None,
        } | more

    return {
        "domain": figures(trained, 61_234, 31),
        "forms": [
            form("adapter", "adapter", 3_145_728, 0.0, None),
            form("merged", "model", 20_971_520, 0.00002, 0.001),
            form("int8", "ship/int8", 8_388_608, 0.0031, 0.01),
            form("nf4", "ship/nf4", 6_291_456, 0.081, 0.05, note="perplexity rises by 8.1 %, above its bound of 5 %"),
            form("gguf", "ship/model.gguf", 20_985_000, None, None, note="not measured: no llama.cpp on this machine"),
        ],
    }


def samples(*, base: bool = False) -> dict[str, Any]:
    """`samples.json`: a place to write on from, and one to fill in."""
    prefix = "".join(f"    // line {number}\n" for number in range(20)) + (
        "impl ConnectorIntegration<Authorize, PaymentsAuthorizeData, PaymentsResponseData> for Adyen {\n"
        "    fn get_headers(&self, req: &types::PaymentsAuthorizeRouterData) -> "
    )
    truth = "CustomResult<Vec<(String, request::Maskable<String>)>, errors::ConnectorError> {\n        "
    middle = "request.amount"
    rows = [
        (
            "crates/a/src/adyen.rs",
            "completion",
            prefix,
            None,
            truth,
            "Result<(), String> {\n        Ok(())",
            truth[:60],
        ),
        ("crates/b/src/lib.rs", "infill", "let total = ", " + fee;\n}\n", middle, "self.a", middle),
        ("crates/c/src/lib.rs", "completion", "use ", None, "serde::Serialize;", "", "serde::Serialize;"),
    ]
    names = ("path", "kind", "prefix", "suffix", "truth", "before", "after")
    return {"samples": [dict(zip(names, row, strict=True)) | ({"before": None} if base else {}) for row in rows]}


def tokenizer() -> dict[str, Any]:
    return {
        "vocab_size": 8000,
        "languages": {"python": {"bytes": 412_345, "tokens_per_byte": 0.31, "plain_tokens_per_byte": None}},
    }


def _side(rows: int, sources: dict[str, int], language: str, directories: dict[str, int]) -> dict[str, Any]:
    return {
        "rows": rows,
        "languages": {language: rows},
        "sources": sources,
        "licenses": {"Apache-2.0": rows},
        "functions": rows * 31,
        "types": rows * 9,
        "lines": rows * 402,
        "bytes": rows * 14_321,
        "directories": directories,
    }


def manifest(*, base: bool = False) -> dict[str, Any]:
    """`data/manifest.json` of a run that learns from files."""
    train = {f"crates/{name}": 40 - 2 * place for place, name in enumerate("mnopqrstuvwx")}
    rows = sum(train.values())
    general = {"docker/cli": 31, "apache/commons-io": 31, "networkx": 31}
    sides = {
        "train": _side(rows, {"juspay/hyperswitch": rows}, "rust", train),
        "evaluation": _side(93, {"juspay/hyperswitch": 93}, "rust", {"crates/a": 61, "crates/b": 32}),
        "validation": _side(31, {"juspay/hyperswitch": 31}, "rust", {"crates/z": 31}),
    }
    if not base:
        sides |= {
            "general": _side(93, general, "go", {}),
            "replay": _side(211, {"celery/celery": 120, "sympy": 91}, "python", {}),
        }
    outputs = {
        "train_documents.jsonl.gz": {"rows": rows, "bytes": 1_301_900, "sha256": "3f" * 32},
        "eval_documents.jsonl.gz": {"rows": 93, "bytes": 401_233, "sha256": "7c" * 32},
        "general_documents.jsonl.gz": {"rows": 93, "bytes": 301_233, "sha256": "8d" * 32},
        "dropped.jsonl": {"rows": 900, "bytes": 22_310, "sha256": "e9" * 32},
    }
    return {
        "command": "data documents",
        "stages": {
            "read": {"kept": 1386, "dropped": {"not UTF-8": 2}},
            "curate": {
                "kept": rows + 93 + 31,
                "dropped": {"below the top 300": 704, "fewer than 25 lines": 131, "near duplicate": 44},
            },
        },
        "missing": [],
        "redacted": {"EMAIL": 3},
        "settings": {},
        **sides,
        "leakage": {"train_documents": rows, "eval_documents": 124, "by": "directory", "leaks": []},
        "outputs": outputs,
    }
