"""The card of scorers of complexity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from codefit.errors import InputError
from codefit.models.complexity import INFO, ComplexityInfo
from codefit.run.card.parts import MOST_NAMES, card_text, hashes, plain, repeating_parts, table
from codefit.run.report.complexity_shapes import (
    ENSEMBLE,
    METRICS,
    ComplexityEvaluation,
    ComplexityExport,
    ComplexityManifest,
    Measure,
    Scored,
    interval,
)
from codefit.run.report.complexity_words import PEOPLE, agreement, nearest, of_broken, with_interval
from codefit.run.report.formats import count, figure, milliseconds, signed, signed_span, size, span
from codefit.run.report.load import ComplexityRun

HONEST = (
    "**The label is a formula, and `codefit complexity score PATH` computes that formula exactly and at once, with no "
    "model.** A learned scorer earns its place on code that does not parse; where code parses, compute."
)
MEMBERS = {
    "encoder": "`encoder/` reads code, parsed or not, and counts what the formula counts (ONNX, no PyTorch)",
    "boosted": "`boosted.txt` are LightGBM's trees over a function's metrics",
    "language model": "`adapter/` is asked in a chat, and its answer is the mean over all scores it may give",
}


def complexity_card(
    folder: Path, run: ComplexityRun, evaluation: ComplexityEvaluation, manifest: ComplexityManifest
) -> str:
    """The whole README.md."""
    info = _info(folder)
    parts = [
        f"# {plain(run.record.name)}",
        HONEST,
        f"{plain(run.record.description)}, from 1.0 (simple) to 10.0 (critical).",
        *(_members(run, run.export) if run.export is not None else []),
        *_figures(evaluation),
        *_use(run),
        *_limits(evaluation, manifest),
        *_data(manifest),
        *(_export(run.export) if run.export is not None else []),
        *repeating_parts(run, info.code_revision, info.packages),
    ]
    return card_text(_front_matter(run, evaluation), parts)


def _info(folder: Path) -> ComplexityInfo:
    try:
        return msgspec.json.decode((folder / INFO).read_bytes(), type=ComplexityInfo)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"missing or damaged ({error})", where=str(folder / INFO), fix="run the recipe again"
        ) from error


def _front_matter(run: ComplexityRun, evaluation: ComplexityEvaluation) -> dict[str, Any]:
    front: dict[str, Any] = {
        "library_name": "codefit",
        "pipeline_tag": "text-classification",
        "language": ["code"],
        "tags": ["code", "complexity", "regression", "onnx", "codefit", run.record.system],
    }
    base = _base(run)
    if base is not None and base.count("/") == 1 and not Path(base).exists():
        front["base_model"] = base  # a name on the hub: a folder's would say nothing there
    ensemble = evaluation.scorer(ENSEMBLE)
    if ensemble is None:
        return front
    results = [
        {"type": name, "name": told, "value": round(found[0], 4)}
        for name, told in METRICS.items()
        if (found := ensemble.figure(name)) is not None
    ]
    dataset = {"type": "custom", "name": f"functions of repositories that nothing was learned from, {ensemble.n}"}
    task = {"type": "text-classification", "name": "Scoring how complex a function is"}
    return front | {
        "model-index": [{"name": run.record.name, "results": [{"task": task, "dataset": dataset, "metrics": results}]}]
    }


def _members(run: ComplexityRun, export: ComplexityExport) -> list[str]:
    said = [f"- {MEMBERS.get(name, plain(name))}: weight {figure(weight)}" for name, weight in export.weights.items()]
    base = _base(run)
    told = [f"The adapter needs its base, `{plain(base)}`."] if base is not None else []
    return [
        "It is an ensemble, a weighted mean of:",
        "\n".join(said),
        *told,
        "Weights and interval come from functions that chose, none of which is measured on: nine in ten errors there "
        f"are within ± {export.half_width:.2f}. A member that cannot be loaded is left out and named, and the weights "
        "are fitted anew to the others.",
    ]


def _base(run: ComplexityRun) -> str | None:
    """What the recipe's language model begins with; None where it has none."""
    section = run.record.recipe.get("language_model")
    return str(section["base"]) if section else None


def _figures(evaluation: ComplexityEvaluation) -> list[str]:
    rows = [["Scorer", "Reads", *METRICS.values(), "Coverage", "Width", "Functions", "No answer", "Time of one"]]
    rows += [_row(one) for one in evaluation.scorers]
    varied = [["Scorer", "Changed", "Moved by", "MAE against the score before", "Functions"]]
    varied += [
        [one.name, one.kind, _cell(one.moved), _cell(one.mae), count(one.n - one.invalid)]
        for one in evaluation.robustness
    ]
    parts = [
        "## What it is worth",
        _first(evaluation),
        nearest(evaluation),
        table(rows),
        "MAE and RMSE are errors on the scale from 1 to 10; in brackets the 95 % intervals, by bootstrap over the "
        "functions. Coverage is the share of true scores inside the scorer's own interval, made to hold nine in ten. "
        "An answer that is none is in no figure but its own.",
    ]
    if evaluation.robustness:
        parts += [
            "The same functions less one sign, so that they do not parse, with other names, and laid out anew:",
            table(varied),
            of_broken(evaluation),
        ]
    return [part for part in parts if part]


def _first(evaluation: ComplexityEvaluation) -> str:
    """The formula and the exact scores, before anything that was learned."""
    told = {
        "formula": "The formula over the figures that made the labels",
        "complexity score": "`codefit complexity score`, which counts branches, tokens and lines as the language has "
        "them and not as lizard does, whose figures are in the labels",
    }
    found = [(words, one.mae) for name, words in told.items() if (one := evaluation.scorer(name)) is not None]
    return " ".join(f"{words}: MAE {with_interval(mae)}." for words, mae in found if mae is not None)


def _row(one: Scored) -> list[str]:
    return [
        one.name,
        one.reads,
        *(_cell(one.figure(metric)) for metric in METRICS),
        _cell(one.coverage),
        f"{one.width:.2f}" if one.width is not None else "",
        count(one.n),
        count(one.invalid),
        milliseconds(one.ms),
    ]


def _cell(found: Measure | None) -> str:
    return f"{figure(found[0])} ({span(interval(found))})" if found is not None else ""


def _use(run: ComplexityRun) -> list[str]:
    place = f"runs/{plain(run.folder.resolve().name)}/model"
    return [
        "## How to use it",
        "Over HTTP, with a page for people:",
        f"```sh\ncodefit serve --complexity {place}\n```",
        "`POST /v1/complexity` on port 8083 answers each function's exact score with the figures behind it, and as "
        "`learned` what this model says, with its interval.",
        "From Python:",
        "```python\n"
        "from pathlib import Path\n\n"
        "from codefit.models.complexity import load_complexity_model\n\n"
        f'model = load_complexity_model(Path("{place}"))\n'
        '(found,) = model.score(["function f(x) { if (x) { return 1 }"], "javascript")\n'
        "print(found.score, found.low, found.high, found.error, dict(model.missing))\n"
        "```",
        f"On functions with known scores: `codefit complexity eval --functions FILE --model {place}`.",
    ]


def _limits(evaluation: ComplexityEvaluation, manifest: ComplexityManifest) -> list[str]:
    measured = ", ".join(f"`{plain(name)}`" for name in manifest.sources.get("evaluation", [])[:MOST_NAMES])
    said = [
        "- It is no better than the formula on code that parses, and knows nothing that the formula does not.",
        "- It says nothing about how hard code is for people, and no claim about people is made.",
    ]
    if measured:
        said.append(f"- It was measured on functions of {measured}; of other code and languages nothing is known.")
    people = evaluation.people
    parts = ["## Limits", "\n".join(said)]
    if people is None or not people.n:
        return parts
    rows = [["Scorer", "With the share of wrong answers", "With the time to a right one"]]
    rows += [[one.name, _signed(one.error_rate), _signed(one.time)] for one in people.scorers]
    return [
        *parts,
        f"Spearman's correlation over {count(people.n)} snippets that people were measured on. {count(people.n)} "
        f"{PEOPLE}",
        table(rows),
    ]


def _signed(found: Measure | None) -> str:
    return f"{signed(found[0])} ({signed_span(interval(found))})" if found is not None else "says the same of all"


def _data(manifest: ComplexityManifest) -> list[str]:
    def rows(name: str) -> int:
        return manifest.outputs[name].rows if name in manifest.outputs else 0

    dropped = manifest.stages["split"].dropped if "split" in manifest.stages else {}
    left_out = [f"{reason} {count(found)}" for reason, found in dropped.items()]
    return [
        "## What it learned from",
        f"{count(rows('train.jsonl.gz'))} functions, and {count(rows('validation.jsonl.gz'))} to choose by; measured "
        f"on {count(rows('evaluation.jsonl.gz'))} others. Learned from: {_sources(manifest, 'train')}. Measured on: "
        f"{_sources(manifest, 'evaluation')}. No repository is on both sides, and no near duplicate of a function to "
        "measure on or to choose by is learned from.",
        *([f"Left out: {plain(', '.join(left_out))}."] if left_out else []),
        *agreement(manifest),
        "The licences are those of the repositories; the model's own is for its owner to choose.",
        hashes(manifest),
    ]


def _sources(manifest: ComplexityManifest, side: str) -> str:
    names = manifest.sources.get(side, [])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(f"`{plain(name)}`" for name in names[:MOST_NAMES]) + more if names else "not recorded"


def _export(export: ComplexityExport) -> list[str]:
    rows = [["`encoder.onnx`", "Size", "MAE", "Largest difference", "A function, median"]]
    rows += [
        [
            f"{precision}, shipped" if precision == export.precision else precision,
            size(graph.bytes),
            figure(graph.mae),
            f"{graph.largest_difference:.1e}",
            milliseconds(graph.median_ms),
        ]
        for precision, graph in export.graphs().items()
    ]
    return [
        "## Precision",
        f"Measured on the {count(export.functions)} functions that choose the encoder; the largest difference is that "
        "of any score to the trained network's.",
        table(rows),
    ]
