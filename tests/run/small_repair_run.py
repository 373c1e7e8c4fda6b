"""A ranker of repairs that is small in everything, gone through by its real stages."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codefit.recipe import RepairRanking, load_recipe
from codefit.records import Repair, write_rows
from codefit.run.trip import run_recipe
from codefit.source.lexemes import lex
from codefit.source.syntax.python import python_tables
from codefit.source.syntax.terminals import to_names
from codefit.tasks.repairs.breaks import learn_mistakes, synthetic_pairs
from codefit.tasks.repairs.snippets import snippets
from small_repairs import PAIRS

STAGES = ("data", "propose", "names", "lists", "pretrain", "train", "variants", "export", "evaluate")
# A snippet that brings its source, whose tokens are those of the row, and one whose tokens are others.
SAME = Repair(
    broken="NAME ( NAME NEWLINE",
    fixed="NAME ( NAME ) NEWLINE",
    broken_source="print(value",
    fixed_source="print(value)",
)
OTHER = Repair(
    broken="NAME [ NUMBER NEWLINE",
    fixed="NAME [ NUMBER ] NEWLINE",
    broken_source="value[1 + 2",
    fixed_source="value[1 + 2]",
)
# Those whose name tells of the call that it was meant to be.
TELLING = [
    Repair(
        broken="NAME NAME NEWLINE",
        fixed="NAME ( NAME ) NEWLINE",
        broken_source=f"print {name}",
        fixed_source=f"print({name})",
    )
    for name in ("total", "answer", "result", "message", "number", "sentence")
]
# A repair that the search does not reach.
FAR = Repair(broken="NAME ( NAME NEWLINE", fixed="for NAME in NAME : NEWLINE INDENT pass NEWLINE DEDENT")


def repair_rows(source: Path, count: int, seed: int) -> list[Repair]:
    """Broken snippets of the Python files of a folder, made by the mistakes of `PAIRS`, with their repairs."""
    rng = np.random.default_rng(seed)
    tables, _ = python_tables()
    sound = {
        tuple(string)
        for path in sorted(source.rglob("*.py"))
        for string in snippets(lex(path.read_text(encoding="utf-8")).terminals, rng, most=30)
        if tables.accepts(string) and len(string) > 5
    }
    made = synthetic_pairs(sorted(sound), learn_mistakes(PAIRS), count, (3, 2, 1), rng)
    return [Repair(broken=to_names(pair.broken), fixed=to_names(pair.fixed)) for _, pair in made]


def write_repairs(folder: Path, sources: Path) -> None:
    """Files of repairs to learn from and, of another package, to measure on."""
    folder.mkdir(parents=True)
    write_rows(folder / "train.jsonl", [*repair_rows(sources / "email", 90, 0), SAME, OTHER, *TELLING])
    write_rows(folder / "evaluation.jsonl", [*repair_rows(sources / "xml", 24, 1), FAR])


def small_repair_recipe(folder: Path, sources: Path, *overrides: str) -> RepairRanking:
    """The bundled recipe over the files of `write_repairs` and packages of the standard library."""
    fields = [
        "name=small-repairs",
        f"data.repairs=[{folder / 'train.jsonl'}]",
        f"data.evaluation=[{folder / 'evaluation.jsonl'}]",
        "data.validation_share=0.25",
        f"data.snippets={{documents: [{sources / 'asyncio'}, {sources / 'logging'}]}}",
        "data.snippet_validation_sources=[logging]",
        "data.snippet_tokens=6000",
        "data.snippet_validation_tokens=1000",
        "data.counts=[]",
        "propose={order: 3, contexts: 500, synthetic: 10, folds: 2, rounds: 1, limit: 20, steps: 50000, epochs: 1}",
        "lists={synthetic: 20, limit: 20, steps: 50000, validation_limit: 60}",
        "model={hidden: 16, layers: 1, heads: 2, ffn: 32, edit: 16}",
        "pretrain={max_steps: 6, batch_size: 8, eval_every: 3}",
        "train={max_steps: 8, batch_size: 8, candidates: 16, eval_every: 4}",
        "variants={without-pretraining: {pretrained: false}, wide: {model: {hidden: 32}, train: {tau: 0.5}}}",
        "evaluate={limit: 200, seconds: 0.5}",
    ]
    recipe = load_recipe("repair-ranking-cpu", [*fields, *overrides])
    assert isinstance(recipe, RepairRanking)
    return recipe


def write_repair_run(folder: Path, sources: Path) -> Path:
    """Go the whole trip; the run's folder."""
    write_repairs(folder / "repairs", sources)
    run_recipe(small_repair_recipe(folder / "repairs", sources), folder / "small-repairs")
    return folder / "small-repairs"
