"""The card of a code embedding model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codefit.models.info import ModelInfo, read_info
from codefit.run.card.parts import MOST_NAMES, card_text, data_parts, named, plain, repeating_parts, table
from codefit.run.report.formats import count, figure, signed, signed_span, span
from codefit.run.report.load import EncoderRun
from codefit.run.report.shapes import METRICS, SYSTEMS, EvaluationSet, Manifest

KINDS = {
    "static": "a table of token vectors, averaged",
    "encoder": "a BERT-style encoder with masked mean pooling",
}


def encoder_card(folder: Path, run: EncoderRun, entry: EvaluationSet, manifest: Manifest) -> str:
    """The whole README.md."""
    info = read_info(folder)
    parts = [
        f"# {plain(run.record.name)}",
        f"{plain(run.record.description)}. Kind: {KINDS[info.kind]}; vectors of {info.dimensions} dimensions"
        f"{_sizes(info)}; texts of at most {count(info.max_tokens)} tokens.",
        *_figures(entry),
        *_loading(info),
        *_data(manifest),
        *repeating_parts(run, info.code_revision, info.packages),
    ]
    return card_text(_front_matter(run, info, entry), parts)


def _front_matter(run: EncoderRun, info: ModelInfo, entry: EvaluationSet) -> dict[str, Any]:
    results = [
        {"type": metric, "name": METRICS[metric], "value": round(entry.model.value(metric), 4)} for metric in METRICS
    ]
    return {
        "library_name": "sentence-transformers",
        "pipeline_tag": "sentence-similarity",
        "language": ["en", "code"],
        "tags": ["sentence-transformers", "feature-extraction", "code", "code-search", "codefit", info.kind],
        "model-index": [
            {
                "name": run.record.name,
                "results": [
                    {
                        "task": {"type": "information-retrieval", "name": "Code retrieval"},
                        "dataset": {"type": "custom", "name": f"{entry.name}, {entry.n} questions"},
                        "metrics": results,
                    }
                ],
            }
        ],
    }


def _figures(entry: EvaluationSet) -> list[str]:
    rows = [["", *METRICS.values()]]
    for system, name in SYSTEMS.items():
        found = entry.of(system)
        cells = [f"{figure(found.value(m))} ({span(found.ci95[m])})" for m in METRICS]
        rows.append([name, *cells])
    gains = [
        f"{SYSTEMS[system]} over BM25: {signed(gain.mrr)} MRR@10 ({signed_span(gain.ci95)}), question by question."
        for system, gain in entry.difference_to_bm25.items()
    ]
    sources = ", ".join(plain(name) for name in list(entry.by.get("source", {}))[:MOST_NAMES])
    asked = f"{count(entry.n)} questions, each to a pool of at most {count(entry.pool)} functions"
    return [
        "## What it is worth",
        f"{plain(entry.description)} {asked}{f', from {sources}' if sources else ''}. In brackets the 95 % intervals.",
        table(rows),
        "BM25 is word matching without a model. Hybrid is model and BM25 fused: what `codefit search` uses.",
        " ".join(gains),
    ]


def _loading(info: ModelInfo) -> list[str]:
    parts = [
        "## How to use it",
        "With codefit, which is how the figures above were measured:",
        "```python\n"
        "from pathlib import Path\n\n"
        "from codefit.models.embedder import load_embedder\n\n"
        'embedder = load_embedder(Path("path/to/this/folder"))\n'
        'questions = embedder.encode_queries(["read a file line by line"])\n'
        'codes = embedder.encode_codes(["def lines(path):\\n    return open(path).read().splitlines()"])\n'
        "print(questions @ codes.T)\n"
        "```",
        "With sentence-transformers:",
        "```python\n"
        "from sentence_transformers import SentenceTransformer\n\n"
        'model = SentenceTransformer("path/to/this/folder")\n'
        'vectors = model.encode(["read a file line by line", "def lines(path): ..."])\n'
        "print(model.similarity(vectors, vectors))\n"
        "```",
    ]
    if info.words is not None:
        parts.append(
            "**The two are not the same.** codefit writes a text anew before it embeds it: identifiers are split into "
            "words, and the words of a function's name and signature count more (`words` in `codefit.json`). "
            "`SentenceTransformer` embeds the text as it stands, so its ranking is another one, and the figures above "
            "do not hold for it."
        )
    return parts


def _data(manifest: Manifest) -> list[str]:
    train = manifest.train
    said = [
        f"{count(train.rows)} pairs of a description and its function: {named(train.languages)}. "
        f"Sources: {named(train.sources)}."
    ]
    leakage = None
    if manifest.leakage is not None and not manifest.leakage.leaks:
        leakage = (
            f"Each of {count(manifest.leakage.eval_rows)} held-out rows was compared with all training rows: no source "
            "is on both sides, and no same or nearly same code."
        )
    return data_parts(manifest, train, "Pairs", said, leakage)


def _sizes(info: ModelInfo) -> str:
    return f", of which the first {', '.join(map(str, info.sizes))} work alone" if info.sizes else ""
