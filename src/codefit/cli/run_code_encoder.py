"""What `codefit run` says of a code embedding model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codefit.cli.output import table


def places(folder: Path) -> dict[str, str]:
    """Where the run's results are."""
    return {"model": str(folder / "model"), "export": str(folder / "export")}


def results(folder: Path) -> dict[str, Any]:
    """What was measured, and the answers where the recipe asks."""
    from codefit.files import read_json

    answers = folder / "answers.json"
    return {
        "evaluation": read_json(folder / "evaluation.json")["sets"],
        "answers": read_json(answers) if answers.exists() else None,
    }


def text(found: Mapping[str, Any]) -> list[str]:
    """The same in words, a paragraph each."""
    return [_figures(found["evaluation"]), *_answers(found["answers"])]


def places_text(folder: Path) -> str:
    """Where the model is and how it is put to use."""
    return (
        f"model   {folder / 'export'}\n"
        f'search  codefit search "open a file and count its lines" PATH --model {folder / "export"}'
    )


def _figures(sets: list[dict[str, Any]]) -> str:
    rows = []
    for entry in sets:
        for system in ("bm25", "model", "hybrid"):
            low, high = entry[system]["ci95"]["mrr@10"]
            figures = [f"{entry[system][metric]:.3f}" for metric in ("mrr@10", "ndcg@10", "recall@1", "recall@10")]
            rows.append([system, figures[0], f"{low:.3f}–{high:.3f}", *figures[1:]])
    sources = len(sets[0].get("by", {}).get("source", {}))
    title = f"{sets[0]['n']:,} questions to {sources} sources unseen in training, pools of at most {sets[0]['pool']}"
    return title + "\n" + table(rows, ["", "MRR@10", "95 %", "nDCG@10", "recall@1", "recall@10"])


def _answers(answers: dict[str, Any] | None) -> list[str]:
    if answers is None:
        return []
    lines = [f"asked of {answers['source']}, {answers['functions']:,} functions:"]
    for query in answers["queries"]:
        lines.append(f"  {query['query']}")
        lines += [f"    {r['score']:6.2f}  {r['name']}  {r['path']}:{r['start_line']}" for r in query["results"]]
    return ["\n".join(lines)]
