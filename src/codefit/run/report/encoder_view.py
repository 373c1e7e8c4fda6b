"""What the page of a code embedding model shows."""

from __future__ import annotations

from typing import Any

from codefit.run.report import figures, run_charts
from codefit.run.report.load import EncoderRun
from codefit.run.report.parts import Part, common_view
from codefit.run.report.shapes import MAIN_METRIC, METRICS, SYSTEMS
from codefit.run.report.svg import swatch

PARTS = (
    Part("retrieval", "Retrieval", "retrieval.html"),
    Part("training", "Training", "training.html"),
    Part("answers", "Questions and answers", "answers.html"),
    Part("data", "Data receipt", "data.html"),
    Part("tokenizer", "Tokenizer", "tokenizer.html"),
    Part("export", "Export and speed", "export.html"),
)

# What each number means, in a line for somebody who sees it for the first time.
MEANINGS = {
    "MRR@10": "One divided by the rank of the right function, 0 below rank 10, averaged over all questions: "
    "1 is always first, 0.5 is what always second would give.",
    "nDCG@10": "The same idea with a gentler discount: rank 1 counts 1, rank 3 counts 0.5, below rank 10 nothing.",
    "recall@k": "The share of questions whose right function is among the first k results.",
    "95 % interval": "Where the figure would fall in 95 of 100 repetitions with other questions of the same kind "
    "(bootstrap). Of a difference, it is taken question by question.",
    "BM25": "Classic word matching, what a good search box does without any model: the figure to beat.",
    "Model": "The trained model alone: it compares meanings as vectors and needs no word in common.",
    "Hybrid": "Model and BM25 fused into one ranking: what codefit search uses.",
}


def encoder_view(run: EncoderRun) -> dict[str, Any]:
    """What the template shows."""
    view = common_view(run, PARTS)
    charts = view["charts"]
    if run.steps:
        charts["loss"] = run_charts.loss_chart(run.steps, "contrastive loss")
    if run.looks:
        charts["looks"] = figures.looks_chart(run)
    if run.export is not None and run.export.benchmark is not None and run.export.benchmark.rows:
        charts["speed"] = figures.speed_chart(run.export.benchmark.rows, run.export.winner)
    sets = run.evaluation.sets if run.evaluation is not None else []
    return {
        **view,
        "short": "short_encoder.html",
        "metrics": METRICS,
        "main_metric": MAIN_METRIC,
        "systems": SYSTEMS,
        "meanings": MEANINGS,
        "legend": {system: swatch(figures.SHAPE_OF[system], system) for system in SYSTEMS},
        "backends": figures.BACKENDS,
        "sets": [_set_view(entry, number) for number, entry in enumerate(sets)],
        "verdict": figures.verdict(sets[0]) if sets else None,
        "best_look": figures.best_look(run) if run.looks else None,
    }


def _set_view(entry: Any, number: int) -> dict[str, Any]:
    groups = [
        {"kind": kind, "rows": rows, "chart": figures.groups_chart(rows, kind, f"set-{number}-{kind}")}
        for kind, rows in sorted(entry.by.items(), key=lambda item: item[0] != "source")
        if len(rows) > 1
    ]
    return {"entry": entry, "number": number, "chart": figures.metrics_chart(entry, f"set-{number}"), "groups": groups}
