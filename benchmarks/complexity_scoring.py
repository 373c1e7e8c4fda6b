"""The recipe complexity-scoring-cpu end to end: every scorer of functions on one table, beside the published figures.

    python -m benchmarks.complexity_scoring [--quick] [--run DIR]

It learns from closure-library and is measured on openlayers, as `codefit run complexity-scoring-cpu` does it; the base
of the language model is the run `runs/base-lm-cpu`. The published figures are those of the reference run, on functions
of its own drawing: a comparison of what is reported, not a measurement here.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common import data_folder, store_result
from codefit.files import read_json
from codefit.recipe import ComplexityScoring, load_recipe
from codefit.run.complexity_data import MANIFEST
from codefit.run.complexity_scoring import EVALUATION_REPORT, EXPORT_REPORT
from codefit.run.trip import run_recipe

RECIPE = "complexity-scoring-cpu"
QUICK = [
    "data.train_functions=300", "train.max_steps=30", "language_model.max_steps=10",
    "language_model.validation_chats=20", "language_model.evaluation_functions=20", "evaluate.variant_functions=20",
    "evaluate.max_functions=100",
]  # fmt: skip
AIMS = {"encoder mae": 0.60, "encoder r2": 0.80, "invalid": 0.0}


def main() -> None:
    """Run the recipe where it has not run, and store what it measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tiny training; nothing is stored")
    parser.add_argument("--run", type=Path, help="folder of the run; what is done there stays done")
    arguments = parser.parse_args()
    if data_folder() is None:
        raise SystemExit("this benchmark needs the development data: set CODEFIT_DATA to its folder")
    with tempfile.TemporaryDirectory() as temporary:
        run = arguments.run or Path(temporary) / "run"
        result = measure(run, QUICK if arguments.quick else [])
    packages = ["torch", "onnxruntime", "lightgbm", "llguidance"]
    store_result("complexity_scoring", result, packages=packages, quick=arguments.quick)


def measure(run: Path, overrides: list[str]) -> dict[str, Any]:
    """The run's figures, what it cost, and what it learned from."""
    recipe = load_recipe(RECIPE, overrides)
    assert isinstance(recipe, ComplexityScoring)
    record = run_recipe(recipe, run)
    manifest = read_json(run / MANIFEST)
    return {
        "aims": AIMS,
        "evaluation": read_json(run / EVALUATION_REPORT),
        "export": read_json(run / EXPORT_REPORT),
        "data": {
            "rows": {name: output["rows"] for name, output in manifest["outputs"].items()},
            "labels": manifest["labels"],
            "scores": manifest["scores"],
        },
        "stages": {stage.name: {"seconds": stage.seconds, "summary": stage.summary} for stage in record.stages},
        "seconds": sum(stage.seconds or 0 for stage in record.stages),
        "peak_memory_bytes": record.peak_memory_bytes,
        "revision_of_run": record.code_revision,
    }


if __name__ == "__main__":
    main()
