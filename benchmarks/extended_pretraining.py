"""A small base model at home in a repository it never saw: perplexity before and after, and what it forgets.

    python -m benchmarks.extended_pretraining [--quick] [--runs DIR]

Runs the recipe base-lm-cpu, then extended-pretraining-cpu on it: as it stands, with other shares of replay, and with
every weight trained instead of an adapter. All are measured on the same held-out files of the repository, on the same
general code in three other languages and on the same files that were trained on; what is left out of training is the
same for all. Intervals are by bootstrap over files, of the change paired by file.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import data_folder, store_result
from codefit.files import read_json
from codefit.progress import say
from codefit.recipe import load_recipe
from codefit.run.record import read_record
from codefit.run.trip import run_recipe
from codefit.train.trainer import read_metrics

BASE, ADAPTED = "base-lm-cpu", "extended-pretraining-cpu"
DOMAIN_FALL, GENERAL_RISE = 0.324, 0.05  # the aims: the reference run's fall, and what of general code it may cost
BASE_SECONDS = 30 * 60
QUICK = ["evaluate.max_documents=6", "evaluate.validation_documents=4", "train.eval_every=0", "complete=null"]
QUICK_BASE = [*QUICK, "data.train_bytes=1000000", "train.max_steps=10", "tokenizer.vocab_size=1000"]
QUICK_ADAPTED = [*QUICK, "train.max_steps=6", "train.epochs=null", "data.top=20"]


@dataclass(frozen=True, slots=True)
class Variant:
    """A run of the recipe with some fields changed."""

    name: str
    overrides: tuple[str, ...]


NO_FORMS = "ship.forms=[]"
LARGE_RATE = "train.learning_rate=0.001"  # that of the reference run and of the large recipe
VARIANTS = (
    Variant("LoRA, half replay, as the recipe stands", ()),
    Variant("LoRA, no replay", ("data.replay_share=0", NO_FORMS, "complete=null")),
    Variant("LoRA, rate 0.001, 20 % replay", ("data.replay_share=0.2", LARGE_RATE, NO_FORMS, "complete=null")),
    Variant("LoRA, rate 0.001, half replay", (LARGE_RATE, NO_FORMS, "complete=null")),
    Variant("every weight, half replay", ("model.adapter=null", NO_FORMS, "complete=null")),
)


def main() -> None:
    """Run all and store the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few steps of each; nothing is stored")
    parser.add_argument("--runs", type=Path, help="folder for the runs; what is done there stays done")
    arguments = parser.parse_args()
    if data_folder() is None:
        raise SystemExit("this benchmark needs the development data: set CODEFIT_DATA to its folder")
    with tempfile.TemporaryDirectory() as temporary:
        result = measure(arguments.runs or Path(temporary), quick=arguments.quick)
    packages = ["torch", "transformers", "peft", "tokenizers", "bitsandbytes", "gguf"]
    store_result("extended_pretraining", result, packages=packages, quick=arguments.quick)


def measure(folder: Path, *, quick: bool) -> dict[str, Any]:
    """The whole result."""
    base = _run(BASE, folder / BASE, QUICK_BASE if quick else [])
    adapted = {}
    for number, variant in enumerate(VARIANTS[:2] if quick else VARIANTS):
        out = folder / f"{ADAPTED}-{number}"
        overrides = [f"model.base={folder / BASE / 'model'}", *variant.overrides, *(QUICK_ADAPTED if quick else [])]
        adapted[variant.name] = {"overrides": list(variant.overrides), **_run(ADAPTED, out, overrides)}
        _say(variant.name, adapted[variant.name])
    first = adapted[VARIANTS[0].name]
    fall = -first["sets"]["domain"]["change"]["perplexity"]
    rises = {entry["name"]: entry["change"]["perplexity"] for entry in first["sets"]["general"]}
    rise = _pooled(first["sets"]["general"])
    return {
        "base": base,
        "adapted": adapted,
        "aims": {
            "base_seconds": {"value": base["seconds"], "aim": BASE_SECONDS, "met": base["seconds"] <= BASE_SECONDS},
            "domain_fall": {"value": fall, "aim": DOMAIN_FALL, "met": fall >= DOMAIN_FALL},
            "general_rise": {"value": rise, "aim": GENERAL_RISE, "met": rise <= GENERAL_RISE, "by_set": rises},
        },
    }


def _pooled(sets: Sequence[dict[str, Any]]) -> float:
    """The change of perplexity over all sets together, a token weighing the same in each."""
    tokens = [entry["after"]["tokens"] for entry in sets]
    nats = [math.log1p(entry["change"]["perplexity"]) * count for entry, count in zip(sets, tokens, strict=True)]
    return math.expm1(sum(nats) / sum(tokens))


def _run(recipe: str, out: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """A run's figures; what is done already stays done."""
    run_recipe(load_recipe(recipe, overrides), out)
    shutil.rmtree(out / "checkpoints", ignore_errors=True)  # a hundred MB a run that nothing below reads
    record = read_record(out)
    rows = [row for row in read_metrics(out / "metrics.jsonl") if row["kind"] == "train"]
    sets: dict[str, Any] = {"general": []}
    for entry in read_json(out / "evaluation.json")["sets"]:
        figures = {key: entry[key] for key in ("name", "language", "before", "after", "change")}
        if entry["role"] == "general":
            sets["general"].append(figures)
        else:
            sets[entry["role"]] = figures
    found = {
        "seconds": sum(stage.seconds or 0 for stage in record.stages),
        "stages": {stage.name: {"seconds": stage.seconds, "summary": stage.summary} for stage in record.stages},
        "peak_memory_bytes": record.peak_memory_bytes,
        "steps": rows[-1]["step"],
        "tokens_per_second": rows[-1]["tokens_per_second"],
        "sets": sets,
    }
    if (out / "shipped.json").exists():
        found["shipped"] = json.loads((out / "shipped.json").read_text())["forms"]
    return found


def _say(name: str, found: dict[str, Any]) -> None:
    domain = found["sets"]["domain"]["change"]["perplexity"]
    general = ", ".join(f"{e['name']} {e['change']['perplexity']:+.1%}" for e in found["sets"]["general"])
    say(f"{name}: held-out {domain:+.1%}; {general}")


if __name__ == "__main__":
    main()
