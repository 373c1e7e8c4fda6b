"""Functions with their labels and metrics: from rows that others made, and from files, folders and checkouts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from codefit.corpus.manifest import Receipt
from codefit.engine.processes import map_records
from codefit.errors import InputError
from codefit.progress import track
from codefit.records import Document, Row, ScoredFunction, load_rows
from codefit.source.metrics.measure import measure
from codefit.source.metrics.rules import RULES
from codefit.source.metrics.text import source_bytes, text_of
from codefit.tasks.complexity.label import is_method, label_of_code
from codefit.tasks.complexity.variables import count_variables

SECONDS_A_FUNCTION = 20.0  # the parser's own limit is shorter; a few inputs break it
MAX_FUNCTION_CHARACTERS = 200_000  # of a function: a longer one is a bundle, and its score is 10 whatever is in it
TOO_LONG, UNREAD = "longer than a function is", "cannot be measured"


class FunctionRow(Row, frozen=True):
    """A function as a file of rows has it; a score that it brings is kept, else it is computed."""

    code: str
    language: str = "javascript"
    score: float | None = None
    complexity: float | None = None
    path: str | None = None
    line: int | None = None
    source: str | None = None
    repo: str | None = None
    license: str | None = None

    @property
    def given(self) -> float | None:
        """The score that the row brings."""
        return self.score if self.score is not None else self.complexity


def read_functions(paths: Sequence[Path], receipt: Receipt, *, workers: int | None = None) -> list[ScoredFunction]:
    """The functions of files of rows, with the scores they bring; the ones that do not fit are in the receipt.

    Raises `InputError` where there is none, or a language is unknown.
    """
    rows = [row for path in paths for row in load_rows(path, FunctionRow)]
    unknown = sorted({row.language for row in rows} - RULES.keys())
    if unknown:
        raise InputError(f"no metrics for {', '.join(unknown)}", where=str(paths[0]), fix=f"have {', '.join(RULES)}")
    found = list(_scored(rows, receipt, workers))
    if not found:
        raise InputError("holds no function to learn from", where=", ".join(map(str, paths)))
    return found


def mine_functions(
    documents: Iterable[Document], receipt: Receipt, *, workers: int | None = None
) -> list[ScoredFunction]:
    """Every function of the documents, nested ones too, with computed labels."""
    found = map_records(_functions_of, documents, workers=workers, seconds_per_item=SECONDS_A_FUNCTION)
    rows: list[FunctionRow] = []
    for outcome in found:
        if outcome.error is not None:
            receipt.drop(UNREAD, f"file {outcome.index}: {outcome.error}")
        rows += outcome.value or []
    return list(_scored(rows, receipt, workers))


def _functions_of(document: Document) -> list[FunctionRow]:
    language = document.language
    if language is None or language not in RULES:
        return []
    source = source_bytes(document.text)
    return [
        FunctionRow(
            code=text_of(source, own),
            language=language,
            path=document.path,
            line=own.line,
            source=document.repo,
            license=document.license,
        )
        for own in measure(document.text, language).functions
        if own.complete
    ]


def _scored(rows: Sequence[FunctionRow], receipt: Receipt, workers: int | None) -> Iterator[ScoredFunction]:
    outcomes = map_records(score_row, rows, workers=workers, seconds_per_item=SECONDS_A_FUNCTION)
    for outcome in track(outcomes, "functions", len(rows), "functions"):
        row = rows[outcome.index]
        if outcome.value is not None and outcome.error is None:
            receipt.keep()
            yield outcome.value
            continue
        where = f"{row.source or row.repo or ''}:{row.path or outcome.index}:{row.line or ''}"
        receipt.drop(TOO_LONG if outcome.error is None else UNREAD, where)


def score_row(row: FunctionRow) -> ScoredFunction | None:
    """A row with its label and its metrics; None where its code is too long."""
    if len(row.code) > MAX_FUNCTION_CHARACTERS:
        return None
    label = label_of_code(row.code, row.language)
    metrics = {**label.to_dict(), **metrics_of_code(row.code, row.language)}
    return ScoredFunction(
        code=row.code,
        language=row.language,
        score=label.score if row.given is None else row.given,
        metrics=metrics,
        path=row.path,
        line=row.line,
        source=row.source or row.repo,
        license=row.license,
    )


def metrics_of_code(code: str, language: str) -> dict[str, float]:
    """The figures of a function's own code, and how many variables and functions are in it.

    Code in which no function is found is measured as it stands, as if it were one.
    """
    found = measure(in_context(code, language), language)
    own = found.functions[0] if found.functions else found.module
    return {
        **own.to_dict(),
        "variables": count_variables(code, language),
        "functions": max(1, len(found.functions)),
        "characters": len(code),
    }


def in_context(code: str, language: str) -> str:
    """The code with what a parser needs around it: a class around a method, a sign before an expression."""
    if language in ("javascript", "typescript"):
        return f"class X extends Y {{\n{code}\n}}" if is_method(code) else f"x = {code}" if _is_nameless(code) else code
    if language == "java":
        return f"class X {{\n{code}\n}}"
    if language == "php":
        return code if "<?" in code else f"<?php class X {{\n{code}\n}}"
    return code


def _is_nameless(code: str) -> bool:
    stripped = code.lstrip()
    return stripped.startswith(("function(", "function (", "async function(", "async function (", "function*("))
