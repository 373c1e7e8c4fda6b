"""The recipe repair-ranking-cpu end to end: finding repairs, ordering them, mending files; beside published figures.

    python -m benchmarks.repair_ranking [--quick] [--run DIR]

In the recipe's last stage every broken snippet of the evaluation file goes the whole way, one after another: candidates
in at most one second, then the ranker. A repair that was not found counts as a miss. Then `repair fix` gets the broken
sources here, as a user's files, each in this process with the model loaded.

The published figures are those of the tidyparse work on other snippets of the same source, by its own candidates and
ranker on other machines: a comparison of what is reported, not a measurement here.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import data_folder, store_result
from codefit.evaluate.intervals import bootstrap
from codefit.files import read_json
from codefit.models.repair import RepairModel, load_repair_model
from codefit.progress import track
from codefit.recipe import RepairRanking, load_recipe
from codefit.records import Repair, load_rows
from codefit.run.repair_data import EVALUATION, MANIFEST
from codefit.run.repair_ranking import (
    EVALUATION_REPORT,
    EXPORT_REPORT,
    LISTS_REPORT,
    MODEL,
    NAMES_REPORT,
    PROPOSER_REPORT,
    VARIANTS_REPORT,
)
from codefit.run.trip import run_recipe
from codefit.source.lexemes import lex
from codefit.tasks.repairs.candidates import closed
from codefit.tasks.repairs.fix import fix_source

RECIPE = "repair-ranking-cpu"
QUICK = 100  # snippets
QUICK_OVERRIDES = [
    "data.snippet_tokens=200000", "propose.synthetic=200", "propose.rounds=1", "propose.steps=100000",
    "lists.synthetic=200", "lists.steps=200000", "pretrain.max_steps=20", "train.epochs=null", "train.max_steps=20",
    f"evaluate.max_instances={QUICK}",
]  # fmt: skip
AIMS = {
    "recall in reach": 0.95, "search p50 ms": 200, "search p95 ms": 1000, "p@1": 0.45, "p@10": 0.80, "p@100": 0.90,
    "mrr": 0.60, "fix p50 ms": 1000,
}  # fmt: skip
# Considine, "Syntax Repair as Language Intersection", its published log: n = 2,211 end to end, 1,631 retrieved.
PUBLISHED = {
    "n": 2211, "p@1": 0.306, "p@10": 0.550, "p@100": 0.594, "p@all": 0.605,
    "by_distance": {"1": 0.415, "2": 0.489, "3": 0.143},
    "retrieved": {"n": 1631, "mrr": 0.532, "mrr_ngrams": 0.118},
    "ngrams": {"p@1": 0.045},
    "latency_s": [3.1, 5.1],
}  # fmt: skip


def main() -> None:
    """Run the recipe where it has not run, measure, and store the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"a tiny training, {QUICK} snippets; nothing is stored")
    parser.add_argument("--run", type=Path, help="folder of the run; what is done there stays done")
    arguments = parser.parse_args()
    if data_folder() is None:
        raise SystemExit("this benchmark needs the development data: set CODEFIT_DATA to its folder")
    with tempfile.TemporaryDirectory() as temporary:
        run = arguments.run or Path(temporary) / "run"
        result = measure(run, QUICK_OVERRIDES if arguments.quick else [], QUICK if arguments.quick else None)
    packages = ["numba", "onnxruntime", "torch"]
    store_result("repair_ranking", result, packages=packages, quick=arguments.quick)


def measure(run: Path, overrides: Sequence[str], most: int | None) -> dict[str, Any]:
    """The whole result."""
    recipe = load_recipe(RECIPE, overrides)
    assert isinstance(recipe, RepairRanking)
    record = run_recipe(recipe, run)
    model = load_repair_model(run / MODEL)
    rows = load_rows(run / EVALUATION, Repair)[:most]
    variants, lists = run / VARIANTS_REPORT, read_json(run / LISTS_REPORT)
    return {
        "recipe": recipe.model_dump(mode="json"),
        "end_to_end": read_json(run / EVALUATION_REPORT),
        "names": read_json(run / NAMES_REPORT),
        "fix": fixing(model, rows),
        "published": PUBLISHED,
        "aims": AIMS,
        "lexing": read_json(run / MANIFEST)["lexing"],
        "perplexity": read_json(run / PROPOSER_REPORT)["perplexity"],
        "lists_that_choose": {name: lists[name] for name in ("validation", "found", "edits")},
        "export": read_json(run / EXPORT_REPORT),
        "variants": read_json(variants)["variants"] if variants.exists() else [],
        "stages": {stage.name: {"seconds": stage.seconds, "summary": stage.summary} for stage in record.stages},
        "peak_memory_bytes": record.peak_memory_bytes,
    }


def fixing(model: RepairModel, rows: Sequence[Repair]) -> dict[str, Any]:
    """What `repair fix` makes of the broken sources: how long it takes, and how often it is what the author wrote.

    Sources that Python's own parser reads are sound to `repair fix` (a snippet may be broken as tokens of the data
    alone), and are counted, not timed.
    """
    seconds, mended, first = [], [], []
    sound = 0
    for row in track(rows, "mending", len(rows), "files"):
        assert row.broken_source is not None
        assert row.fixed_source is not None
        started = time.perf_counter()
        fix = fix_source(row.broken_source, lambda tokens, names: model.repairs(tokens, names=names, seconds=1.0))
        took = time.perf_counter() - started
        if fix.fault is None:
            sound += 1
            continue
        seconds.append(took)
        mended.append(bool(fix.repairs))
        truth = closed(lex(row.fixed_source).terminals)
        first.append(bool(fix.repairs) and closed(lex(fix.repairs[0].source).terminals) == truth)
    shares = {
        name: bootstrap(np.array(values, dtype=np.float64)) for name, values in (("mended", mended), ("first", first))
    }
    p50, p95 = np.quantile(np.array(seconds) * 1000, [0.5, 0.95])
    return {
        "files": len(seconds),
        "sound": sound,
        "latency_ms": {"p50": float(p50), "p95": float(p95)},
        **{name: {"mean": share.mean, "ci95": [share.low, share.high]} for name, share in shares.items()},
    }


if __name__ == "__main__":
    main()
