"""The data stage of complexity scoring: functions with labels and metrics, divided, as rows and as chats."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import codefit
from codefit.corpus.documents.read import read_documents
from codefit.corpus.manifest import Receipt, describe_file, write_dropped
from codefit.engine.processes import map_records
from codefit.errors import InputError
from codefit.files import hash_file, write_json
from codefit.recipe.complexity_scoring import ComplexityData
from codefit.records import Row, ScoredFunction, load_rows, write_rows
from codefit.run.pair_data import expanded, input_files
from codefit.run.repair_data import needed_files
from codefit.source.metrics.rules import RULES
from codefit.tasks.complexity.augment import Drawn, in_another_style, words_of
from codefit.tasks.complexity.dataset import Sides, chat_of, divide, label_agreement
from codefit.tasks.complexity.functions import mine_functions, read_functions
from codefit.tasks.complexity.label import label_of_code
from codefit.tasks.complexity.variants import VARIANTS, broken

STYLES = 2  # other styles of each function, to learn from
ONE_BROKEN_OF = 4  # functions to learn from
NOT_DRAWN = "more functions than train_functions"

DATA = "data"
TRAIN, VALIDATION, EVALUATION = (f"{DATA}/{name}.jsonl.gz" for name in ("train", "validation", "evaluation"))
CHAT_TRAIN, CHAT_VALIDATION = (f"{DATA}/chat_{name}.jsonl.gz" for name in ("train", "validation"))
TRAIN_VARIANTS, VARIED = (f"{DATA}/{name}.jsonl.gz" for name in ("train_variants", "evaluation_variants"))
HUMAN = f"{DATA}/human.jsonl.gz"
MANIFEST = f"{DATA}/manifest.json"


class Varied(Row, frozen=True):
    """A function to measure on, written otherwise: `original` is its number, `score` the label of this code."""

    kind: str
    original: int
    code: str
    language: str
    score: float


class HumanSnippet(Row, frozen=True):
    """A snippet and how people fared with it: the share of wrong answers, and seconds to a right one."""

    code: str
    error_rate: float
    median_s_correct: float
    language: str = "javascript"
    id: str | None = None


def write_complexity_data(data: ComplexityData, seed: int, variant_functions: int, run: Path) -> str:
    """Write all sides, their chats and variants below `run/data`; a line that says what came of it."""
    stages = {name: Receipt() for name in ("documents", "functions", "evaluation", "split", "drawn")}
    files, evaluation_files = needed_files(data.functions), needed_files(data.evaluation)
    human_files = needed_files(data.human)
    evaluation = read_functions(evaluation_files, stages["evaluation"])
    rows = read_functions(files, stages["functions"]) if files else []
    if data.documents:
        rows += _mined(data, stages)
    sides = divide(
        rows,
        evaluation,
        stages["split"],
        validation_share=data.validation_share,
        seed=seed,
        threshold=data.near_duplicate_threshold,
    )
    kept = drawn(sides.train, data.train_functions, seed)
    if len(kept) < len(sides.train):
        stages["drawn"].drop(NOT_DRAWN, "data.train_functions", len(sides.train) - len(kept))
    stages["drawn"].keep(len(kept))
    sides = dataclasses.replace(sides, train=kept)
    human = [row for path in human_files for row in load_rows(path, HumanSnippet)]
    outputs = _write_sides(run, sides, human, seed, variant_functions)
    write_dropped(run / DATA / "dropped.jsonl.gz", stages)
    manifest = {
        "command": "data complexity",
        "codefit": codefit.__version__,
        "inputs": {str(path): hash_file(path) for path in (*files, *evaluation_files, *human_files)},
        "documents": list(data.documents),
        "stages": {name: receipt.to_dict() for name, receipt in stages.items()},
        "labels": {name: _agreement(side) for name, side in (("learn", rows), ("measure", evaluation))},
        "sources": {name: sorted({row.source or "unknown" for row in side}) for name, side in _named(sides)},
        "scores": {name: _spread(side) for name, side in _named(sides)},
        "outputs": outputs,
    }
    write_json(run / MANIFEST, manifest)
    return (
        f"{len(sides.train):,} functions to learn from, {len(sides.validation):,} to choose by, "
        f"{len(sides.evaluation):,} to measure on; {sum(stages['split'].by_reason().values()):,} left out"
    )


def write_given_functions(data: ComplexityData, seed: int, train_file: Path, eval_file: Path | None, run: Path) -> str:
    """Write the rows of two files to learn from and to choose by below `run/data`; of one file a part chooses."""
    receipt = Receipt()
    rows = read_functions([train_file], receipt)
    chosen_by = read_functions([eval_file], receipt) if eval_file is not None else []
    share = 0.0 if chosen_by else data.validation_share
    threshold = data.near_duplicate_threshold
    sides = divide(rows, chosen_by, receipt, validation_share=share, seed=seed, threshold=threshold)
    validation = [msgspec.structs.replace(row, split="validation") for row in sides.evaluation] or sides.validation
    (run / DATA).mkdir(parents=True, exist_ok=True)
    written: dict[str, Sequence[Row]] = {
        TRAIN: sides.train,
        VALIDATION: validation,
        CHAT_TRAIN: [chat_of(row) for row in sides.train],
        CHAT_VALIDATION: [chat_of(row) for row in validation],
        TRAIN_VARIANTS: train_variants(sides.train, seed),
    }
    for name, side in written.items():
        write_rows(run / name, side)
    write_dropped(run / DATA / "dropped.jsonl.gz", {"functions": receipt})
    left_out = sum(receipt.by_reason().values())
    return f"{len(sides.train):,} functions to learn from, {len(validation):,} to choose by, {left_out:,} left out"


def drawn(rows: list[ScoredFunction], most: int | None, seed: int) -> list[ScoredFunction]:
    """At most so many of the rows, drawn evenly, in their order."""
    if most is None or len(rows) <= most:
        return rows
    chosen = np.random.default_rng(seed).permutation(len(rows))[:most]
    return [rows[number] for number in sorted(chosen.tolist())]


def data_files(data: ComplexityData) -> dict[str, Any]:
    """Size and time of change of all that the data stage reads."""
    return input_files(data.documents, [*data.functions, *data.evaluation, *data.human])


def _mined(data: ComplexityData, stages: dict[str, Receipt]) -> list[ScoredFunction]:
    documents = read_documents(
        [expanded(path) for path in data.documents],
        languages=list(RULES),
        exclude=data.exclude,
        receipt=stages["documents"],
    )
    found = mine_functions(documents, stages["functions"])
    if not found:
        raise InputError("there is no function in data.documents", where=", ".join(data.documents))
    return found


def _named(sides: Sides) -> list[tuple[str, list[ScoredFunction]]]:
    return [("train", sides.train), ("validation", sides.validation), ("evaluation", sides.evaluation)]


def _write_sides(
    run: Path, sides: Sides, human: Sequence[HumanSnippet], seed: int, variant_functions: int
) -> dict[str, Any]:
    (run / DATA).mkdir(parents=True, exist_ok=True)
    written: dict[str, Sequence[Row]] = {
        TRAIN: sides.train,
        VALIDATION: sides.validation,
        EVALUATION: sides.evaluation,
        CHAT_TRAIN: [chat_of(row) for row in sides.train],
        CHAT_VALIDATION: [chat_of(row) for row in sides.validation],
        TRAIN_VARIANTS: train_variants(sides.train, seed),
        VARIED: varied_rows(sides.evaluation, seed, variant_functions),
        HUMAN: human,
    }
    return {Path(name).name: describe_file(run / name, write_rows(run / name, rows)) for name, rows in written.items()}


def train_variants(rows: Sequence[ScoredFunction], seed: int) -> list[ScoredFunction]:
    """JavaScript in other styles, labelled anew, and some functions less one sign, with the labels that they had."""
    rng = np.random.default_rng([seed, 1])
    changed = ((row, broken(row.code, row.language, rng)) for row in rows[::ONE_BROKEN_OF])
    found = [msgspec.structs.replace(row, code=code) for row, code in changed if code is not None]
    others = [rng.permutation(len(rows)).tolist() for _ in range(STYLES)]
    drawn = [
        Drawn(row, rows[others[style][number]], (seed, 3, style, number))
        for style in range(STYLES)
        for number, row in enumerate(rows)
    ]
    style = functools.partial(in_another_style, words=words_of(rows))
    return found + [outcome.value for outcome in map_records(style, drawn) if outcome.value is not None]


def varied_rows(rows: Sequence[ScoredFunction], seed: int, most: int) -> list[Varied]:
    """Some functions to measure on, spread over all, written otherwise in every way that suits them."""
    rng = np.random.default_rng([seed, 2])
    count = min(most, len(rows))
    found = []
    for number in (place * len(rows) // count for place in range(count)):
        row = rows[number]
        for kind, vary in VARIANTS.items():
            code = vary(row.code, row.language, rng)
            if code is not None:
                found.append(Varied(kind, number, code, row.language, label_of_code(code, row.language).score))
    return found


def _agreement(rows: Sequence[ScoredFunction]) -> dict[str, float]:
    """How far given scores are those of the formula; the figures are in the rows."""
    from codefit.source.metrics.figures import LOWEST, formula

    labels = []
    for row in rows:
        ccn, tokens, lines = (int(row.metrics[name]) for name in ("label_ccn", "label_tokens", "label_lines"))
        labels.append(formula(ccn, tokens, lines) if tokens else LOWEST)
    return label_agreement(rows, labels)


def _spread(rows: Sequence[ScoredFunction]) -> dict[str, float]:
    scores = np.array([row.score for row in rows])
    return {"mean": float(scores.mean()), "deviation": float(scores.std()), "median": float(np.median(scores))}
