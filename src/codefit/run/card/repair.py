"""The card of a ranker of repairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codefit.models.repair import read_repair_info
from codefit.run.card.parts import MOST_NAMES, card_text, hashes, plain, repeating_parts, table
from codefit.run.report.formats import count, figure, milliseconds, share, size, span
from codefit.run.report.load import RepairRun
from codefit.run.report.repair_published import edits
from codefit.run.report.repair_shapes import (
    METRICS,
    ORDERS,
    InputFolder,
    Ranked,
    RepairEvaluation,
    RepairExport,
    RepairManifest,
)
from codefit.run.report.repair_view import recall_words, verdict

SNIPPETS = "snippets.txt.gz"


def repair_card(folder: Path, run: RepairRun, evaluation: RepairEvaluation, manifest: RepairManifest) -> str:
    """The whole README.md."""
    info = read_repair_info(folder)
    parts = [
        f"# {plain(run.record.name)}",
        f"{plain(run.record.description)}. It reads the lexical tokens of a snippet of Python that does not parse, "
        "finds sentences of Python that are at most three edits away, and puts first what its author is likely to have "
        "meant. It runs without PyTorch.",
        "`ngrams.npz` and `edits.npz` propose: n-grams over tokens, and a log-linear model of edits. `ranker.onnx` "
        f"orders: {_network(run)} that reads the broken string once and scores the edits in it."
        f"{_names(run)}",
        *_figures(run, evaluation),
        *_use(),
        *_data(run, manifest),
        *(_precisions(run.export) if run.export is not None else []),
        *repeating_parts(run, info.code_revision, info.packages),
    ]
    return card_text(_front_matter(run, evaluation), parts)


def _front_matter(run: RepairRun, evaluation: RepairEvaluation) -> dict[str, Any]:
    model = evaluation.orders.model
    results = [{"type": metric, "name": METRICS[metric], "value": round(model.value(metric), 4)} for metric in METRICS]
    return {
        "library_name": "codefit",
        "pipeline_tag": "text-ranking",
        "language": ["code"],
        "tags": ["code", "python", "syntax-repair", "reranker", "onnx", "codefit", run.record.system],
        "model-index": [
            {
                "name": run.record.name,
                "results": [
                    {
                        "task": {"type": "text-ranking", "name": "Ranking of syntax repairs"},
                        "dataset": {"type": "custom", "name": f"broken snippets of Python, {evaluation.n} strings"},
                        "metrics": results,
                    }
                ],
            }
        ],
    }


def _network(run: RepairRun) -> str:
    model = run.record.recipe.get("model", {})
    return f"a transformer of {model.get('layers')} layers, {model.get('hidden')} wide,"


def _names(run: RepairRun) -> str:
    if run.names is None or not run.names.lists:
        return ""
    return (
        " `names.json` weighs what names tell where the source is known, as `codefit repair fix` has it: one that "
        "resembles a keyword, or that begins a call written as a statement. The figures below are without."
    )


def _figures(run: RepairRun, evaluation: RepairEvaluation) -> list[str]:
    orders = [["Order", *METRICS.values()]]
    orders += [[name, *_cells(evaluation.orders.of(order))] for order, name in ORDERS.items()]
    distances = [["Distance", "Strings", *METRICS.values()]]
    distances += [
        [edits(distance), count(found.count or 0), *_cells(found)] for distance, found in evaluation.by_distance.items()
    ]
    latency, machine = evaluation.latency_ms, run.record.machine
    return [
        "## What it is worth",
        " ".join(verdict(evaluation)),
        table(orders),
        "P@k is the share of strings whose true repair, the one that the author made, is among the first k; one that "
        f"was not found is a miss. In brackets the 95 % intervals. At most {count(evaluation.limit)} candidates are "
        f"found in at most {evaluation.seconds:g} s. The model orders what n-grams and edits propose; all orders are "
        "of the same candidates.",
        table(distances),
        recall_words(evaluation),
        f"Half of the strings take {milliseconds(latency.p50)} at most and 95 of 100 {milliseconds(latency.p95)}, one "
        f"after another, on {plain(str(machine.get('cpu')))}, {machine.get('cores')} cores.",
    ]


def _cells(found: Ranked) -> list[str]:
    return [f"{figure(found.value(metric))} ({span(found.ci95[metric])})" for metric in METRICS]


def _use() -> list[str]:
    return [
        "## How to use it",
        "Mend a file; without `--apply` the repairs are shown as diffs:",
        "```sh\ncodefit repair fix FILE --model path/to/this/folder\n```",
        "Order repairs that something else proposes, over HTTP:",
        "```sh\ncodefit serve --model path/to/this/folder\n```",
        "answers `POST /rerank` on port 8082: line 1 the broken string, then repairs, one a line, a character a token; "
        "the answer is the same lines, best first.",
        "From Python:",
        "```python\n"
        "from pathlib import Path\n\n"
        "from codefit.models.repair import load_repair_model\n"
        "from codefit.source.lexemes import lex\n"
        "from codefit.source.syntax.terminals import to_names\n\n"
        'model = load_repair_model(Path("path/to/this/folder"))\n'
        'found = model.repairs(lex("print(sum([1, 2])").terminals)\n'
        "print(to_names(found.strings[0]))\n"
        "```",
    ]


def _data(run: RepairRun, manifest: RepairManifest) -> list[str]:
    def rows(name: str) -> int:
        return manifest.outputs[name].rows if name in manifest.outputs else 0

    said = [
        f"{count(rows('train.jsonl.gz'))} pairs of a broken snippet and its repair, and "
        f"{count(rows('validation.jsonl.gz'))} to choose by; measured on {count(rows('evaluation.jsonl.gz'))} others, "
        f"no near duplicate of which is among the former. They come from files that the recipe names: "
        f"{_files(manifest)}.",
        *_snippets(run, manifest),
        "What is learned of them are sequences of the kinds of lexical tokens, 90 different ones: no name, no string, "
        "no number and no comment is kept. The licences are those of the files and packages; the model's own is for "
        "its owner to choose.",
    ]
    agreement = [
        f"{count(found.same)} of {count(found.rows)} {side} ones ({share(found.same / found.rows)})"
        for side, found in manifest.lexing.items()
        if found.rows
    ]
    if agreement:
        said.append(
            "Of the repairs that bring their sources, codefit's own lexer gives the tokens of the data for "
            f"{' and '.join(agreement)}."
        )
    return ["## What it learned from", *said, hashes(manifest)]


def _files(manifest: RepairManifest) -> str:
    names = [Path(name).name for name, found in manifest.inputs.items() if isinstance(found, str)]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(f"`{plain(name)}`" for name in names[:MOST_NAMES]) + more


def _snippets(run: RepairRun, manifest: RepairManifest) -> list[str]:
    """What the encoder was pre-trained on; nothing where it was not."""
    written = manifest.outputs.get(SNIPPETS)
    if not run.has_stage("pretraining") or written is None:
        return []
    places = [
        f"{'the Python environment that it was trained in' if name == 'env' else f'`{plain(name)}`'} "
        f"({count(found.documents)} files read)"
        for name, found in manifest.inputs.items()
        if isinstance(found, InputFolder)
    ]
    tokens = f", {count(written.tokens)} tokens," if written.tokens is not None else ""
    return [f"Pre-trained on {count(written.rows)} snippets of sound code{tokens} from {' and '.join(places)}."]


def _precisions(export: RepairExport) -> list[str]:
    rows = [["`ranker.onnx`", "Size", "MRR", "P@1", "A list, median"]]
    rows += [
        [
            f"{precision}, shipped" if precision == export.precision else precision,
            size(graph.bytes),
            figure(graph.mrr),
            figure(graph.p_1),
            milliseconds(graph.median_ms),
        ]
        for precision, graph in export.graphs().items()
    ]
    return [
        "## Precision",
        f"Measured on the {count(export.lists)} lists that choose the model; no score in fp32 differs from that of the "
        f"trained network by more than {export.largest_difference:.1e}.",
        table(rows),
    ]
