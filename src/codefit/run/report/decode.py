"""The files of a run's folder as shapes: what is not there is None or no rows, what is damaged is an error."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from codefit.errors import CodefitError, InputError
from codefit.records import read_rows
from codefit.run.report.complexity_shapes import AnswerRow, ScoreRow, ScoresRow
from codefit.run.report.language_shapes import PerplexityRow
from codefit.run.report.repair_shapes import ListsRow
from codefit.run.report.shapes import EvalRow, Shape, TrainRow

S = TypeVar("S", bound=Shape)
L = TypeVar("L", EvalRow, PerplexityRow, ListsRow, ScoreRow, AnswerRow)


def read_file(file: Path, shape: type[S]) -> S | None:
    """A file of JSON."""
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"damaged ({error})", where=str(file), fix="run the recipe again to make it anew") from error


def read_metrics(file: Path, look: type[L], stage: str = "train") -> tuple[list[TrainRow], list[L]]:
    """Rows by kind, of what `stage` wrote. A last line without its newline was cut by a kill and does not count."""
    steps: list[TrainRow] = []
    looks: list[L] = []
    if not file.exists():
        return steps, looks
    decoder: msgspec.json.Decoder[TrainRow | L] = msgspec.json.Decoder(TrainRow | look)
    for number, line in enumerate(file.read_bytes().splitlines(keepends=True), start=1):
        if not line.endswith(b"\n"):
            break
        try:
            row = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(
                f"damaged ({error})", where=f"{file}:{number}", fix=f"codefit run RECIPE --from {stage} makes it anew"
            ) from error
        if isinstance(row, TrainRow):
            steps.append(row)
        else:
            looks.append(row)
    return steps, looks


def read_scores(file: Path) -> list[ScoresRow]:
    """What each scorer says of each function."""
    if not file.exists():
        return []
    try:
        return list(read_rows(file, ScoresRow))
    except CodefitError as error:
        raise InputError(
            f"damaged ({error.line()})", where=str(file), fix="codefit run RECIPE --from evaluate makes it anew"
        ) from error
