"""The model card: a README.md that says what a model is, what it is worth, how to load it and how it came about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from codefit.errors import InputError
from codefit.files import write_text
from codefit.models.info import ModelInfo, read_info
from codefit.run.report.formats import count, figure, share, signed, signed_span, span
from codefit.run.report.load import EncoderRun, load_run
from codefit.run.report.repeat import how_to_repeat
from codefit.run.report.shapes import METRICS, SYSTEMS, EvaluationSet, Manifest

FILE = "README.md"
MOST_NAMES = 12  # of sources and licences that are listed; the manifest has all
KINDS = {
    "static": "a table of token vectors, averaged",
    "encoder": "a BERT-style encoder with masked mean pooling",
}


def write_card(folder: Path, run: Path) -> None:
    """Write the card into a model's folder, from the figures and the data receipt of its run.

    The front matter is that of the Hugging Face Hub (docs: "Model Cards"). No licence of the model itself is stated:
    that is its owner's to choose. Raises `InputError` where the run has no evaluation or no manifest yet.
    """
    loaded = load_run(run)
    assert isinstance(loaded, EncoderRun)
    if loaded.evaluation is None or not loaded.evaluation.sets or loaded.manifest is None:
        raise InputError("a card needs the run's evaluation and data manifest", where=str(run))
    info = read_info(folder)
    entry = loaded.evaluation.sets[0]
    front = yaml.safe_dump(_front_matter(loaded, info, entry), sort_keys=False, allow_unicode=True)
    parts = [
        f"# {_plain(loaded.record.name)}",
        f"{_plain(loaded.record.description)}. Kind: {KINDS[info.kind]}; vectors of {info.dimensions} dimensions"
        f"{_sizes(info)}; texts of at most {count(info.max_tokens)} tokens.",
        *_figures(entry),
        *_loading(info),
        *_data(loaded.manifest),
        *_repeating(loaded, info),
    ]
    write_text(folder / FILE, f"---\n{front}---\n\n" + "\n\n".join(parts) + "\n")


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
    sources = ", ".join(_plain(name) for name in list(entry.by.get("source", {}))[:MOST_NAMES])
    asked = f"{count(entry.n)} questions, each to a pool of at most {count(entry.pool)} functions"
    return [
        "## What it is worth",
        f"{_plain(entry.description)} {asked}{f', from {sources}' if sources else ''}. In brackets the 95 % intervals.",
        _table(rows),
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
    rows = [["Licence", "Pairs", "Share"]]
    rows += [[name, count(n), share(n / train.rows)] for name, n in list(train.licenses.items())[:MOST_NAMES]]
    parts = [
        "## What it learned from",
        f"{count(train.rows)} pairs of a description and its function: {_named(train.languages)}. "
        f"Sources: {_named(train.sources)}.",
        "Licences of the code that it was trained on. The model's own licence is for its owner to choose.",
        _table(rows),
    ]
    if len(train.licenses) > MOST_NAMES:
        parts.append(f"{len(train.licenses) - MOST_NAMES} more licences are in the run's `data/manifest.json`.")
    if manifest.leakage is not None and not manifest.leakage.leaks:
        parts.append(
            f"Each of {count(manifest.leakage.eval_rows)} held-out rows was compared with all training rows: no source "
            "is on both sides, and no same or nearly same code."
        )
    hashes = [["File", "Rows", "SHA-256"]]
    hashes += [[f"`{name}`", count(file.rows), f"`{file.sha256}`"] for name, file in manifest.outputs.items()]
    return [*parts, _table(hashes)]


def _repeating(run: EncoderRun, info: ModelInfo) -> list[str]:
    repeat = how_to_repeat(run.record, run.folder.resolve().name)
    packages = ", ".join(f"{name} {version}" for name, version in info.packages.items())
    parts = ["## How to make it again", f"```sh\n{repeat.command}\n```"]
    if repeat.file is not None:
        parts.append(f"`{repeat.file}` is the resolved recipe, which stands in `codefit.json` as `recipe`.")
    revision = f"revision {info.code_revision}" if info.code_revision else "the installed package"
    return [*parts, f"Code: {revision}; seed {run.record.seed}.", f"Packages: {packages}."]


def _sizes(info: ModelInfo) -> str:
    return f", of which the first {', '.join(map(str, info.sizes))} work alone" if info.sizes else ""


def _named(counts: Mapping[str, int]) -> str:
    listed = ", ".join(f"{_plain(name)} {count(n)}" for name, n in list(counts.items())[:MOST_NAMES])
    more = len(counts) - MOST_NAMES
    return f"{listed} and {more} more" if more > 0 else listed


def _table(rows: list[list[str]]) -> str:
    """A Markdown table: the first row is the head."""
    head, *body = [[_cell(cell) for cell in row] for row in rows]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """Text of data on one line, with what would be HTML written out."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
