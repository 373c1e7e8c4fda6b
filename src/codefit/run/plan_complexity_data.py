"""The functions that scorers of complexity would learn from, by the data stage's own functions, in memory.

Rows of files are all read and divided, which needs no metrics; of documents a sample is mined and scaled up. A few
functions are measured, to see how long that takes and what the encoder would be shown.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from codefit.corpus.documents.read import read_documents
from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.recipe.complexity_scoring import ComplexityData, ComplexityScoring
from codefit.records import Document, ScoredFunction, load_rows, read_rows
from codefit.run.complexity_data import HumanSnippet, drawn, train_variants
from codefit.run.pair_data import expanded
from codefit.run.plan_sample import LowestHashes
from codefit.run.repair_data import needed_files
from codefit.source.metrics.rules import RULES
from codefit.tasks.complexity.dataset import Sides, divide
from codefit.tasks.complexity.functions import (
    MAX_FUNCTION_CHARACTERS,
    TOO_LONG,
    FunctionRow,
    mine_functions,
    score_row,
)

SAMPLED_DOCUMENTS = 150
SCORED_FUNCTIONS = 160  # that are measured: a second or two


@dataclass(frozen=True, slots=True)
class FunctionsFound:
    """The sides, what is left out by reason, a few functions with metrics, and how long things take.

    `scale` is how many times as many functions there are to learn from and to choose by, where documents were sampled.
    `measuring` is seconds to measure a function on one core, `data` those of the whole stage.
    """

    sides: Sides
    scored: list[ScoredFunction]
    dropped: dict[str, int]
    human: int
    documents: int
    sampled_documents: int
    scale: float
    train: int
    data: float
    measuring: float

    @property
    def counted(self) -> bool:
        """Whether no figure is scaled up."""
        return self.scale == 1

    @property
    def validation(self) -> int:
        """Functions to choose by."""
        return round(self.scale * len(self.sides.validation))

    @property
    def characters(self) -> int:
        """Of the functions to learn from."""
        return round(sum(len(row.code) for row in self.sides.train) * self.train / len(self.sides.train))


def survey_functions(recipe: ComplexityScoring, cores: int) -> FunctionsFound:
    """All functions, divided. Raises what the data stage would raise."""
    data = recipe.data
    started = time.monotonic()
    receipt = Receipt()
    evaluation = _given(data.evaluation, receipt)
    given = _given(data.functions, receipt) if data.functions else []
    human = sum(len(list(read_rows(path, HumanSnippet))) for path in needed_files(data.human))
    sample: LowestHashes[Document] = LowestHashes(SAMPLED_DOCUMENTS, recipe.seed)
    for document in _documents(data):
        sample.add(f"{document.repo}/{document.path}", document)
    reading = time.monotonic() - started
    started = time.monotonic()
    mined = mine_functions(sample.items(), receipt) if data.documents else []
    if data.documents and not mined:
        raise InputError("there is no function in the files looked at", where=", ".join(data.documents))
    times = sample.seen / max(1, len(sample.items()))
    mining = (time.monotonic() - started) * times
    rows = [*given, *mined]
    scale = (len(given) + times * len(mined)) / len(rows)
    started = time.monotonic()
    sides = divide(
        rows,
        evaluation,
        receipt,
        validation_share=data.validation_share,
        seed=recipe.seed,
        threshold=data.near_duplicate_threshold,
    )
    dividing = (time.monotonic() - started) * scale
    train = round(scale * len(sides.train))
    if data.train_functions is not None:
        train = min(train, data.train_functions)
    scored, measuring = _measured(sides.train, recipe.seed)
    varying = _varying(scored, recipe.seed)
    of_files = (len(given) + len(evaluation)) * measuring / cores
    return FunctionsFound(
        sides=replace(sides, train=drawn(sides.train, data.train_functions, recipe.seed)),
        scored=scored,
        dropped=dict(Counter(receipt.by_reason()).most_common()),
        human=human,
        documents=sample.seen,
        sampled_documents=len(sample.items()),
        scale=scale,
        train=train,
        data=reading + mining + dividing + of_files + train * varying,
        measuring=measuring,
    )


def _given(patterns: Sequence[str], receipt: Receipt) -> list[ScoredFunction]:
    """The rows of files as they stand: the score that they bring, and no metrics."""
    paths = needed_files(patterns)
    rows = [row for path in paths for row in load_rows(path, FunctionRow)]
    unknown = sorted({row.language for row in rows} - RULES.keys())
    if unknown:
        raise InputError(f"no metrics for {', '.join(unknown)}", where=str(paths[0]), fix=f"have {', '.join(RULES)}")
    fit = [row for row in rows if len(row.code) <= MAX_FUNCTION_CHARACTERS]
    if len(fit) < len(rows):
        receipt.drop(TOO_LONG, str(paths[0]), len(rows) - len(fit))
    return [
        ScoredFunction(
            code=row.code,
            language=row.language,
            score=row.given or 0.0,
            path=row.path,
            line=row.line,
            source=row.source or row.repo,
            license=row.license,
        )
        for row in fit
    ]


def _documents(data: ComplexityData) -> Iterable[Document]:
    if not data.documents:
        return []
    places = [expanded(path) for path in data.documents]
    return read_documents(places, languages=list(RULES), exclude=data.exclude, receipt=Receipt())


def _measured(rows: Sequence[ScoredFunction], seed: int) -> tuple[list[ScoredFunction], float]:
    """A sample with labels and metrics, and the seconds that a function took."""
    sample: LowestHashes[ScoredFunction] = LowestHashes(SCORED_FUNCTIONS, seed)
    for row in rows:
        sample.add(row.code, row)
    started = time.monotonic()
    found = []
    for row in sample.items():
        asked = FunctionRow(code=row.code, language=row.language, score=row.score or None)
        measured = score_row(asked)
        if measured is not None:
            found.append(msgspec.structs.replace(measured, path=row.path, line=row.line, source=row.source))
    return found, (time.monotonic() - started) / max(1, len(sample.items()))


def _varying(rows: Sequence[ScoredFunction], seed: int) -> float:
    started = time.monotonic()
    train_variants(rows, seed)
    return (time.monotonic() - started) / max(1, len(rows))
