"""How documents become rows: the steps, tokens and padding of each length of the curriculum."""

from __future__ import annotations

import copy
import math
from bisect import bisect_right
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from codefit.train.causal_data import CausalData, Curriculum, Row
    from codefit.train.language_model import LanguageTraining

# Without a tokenizer: bytes of code that a token of a large vocabulary stands for. An assumption, not measured here.
BYTES_A_TOKEN = 3.5
# Without a tokenizer: the part of a row's positions that packing fills.
ASSUMED_FILL = 0.97


@dataclass(frozen=True, slots=True)
class StagePlan:
    """A length of the curriculum. `tokens` are those predicted, `tokens_a_pass` those of one pass over the documents.

    `row_fill` is the filled share of a packed row's positions, `padding_share` the share that padding would take if
    pieces were batched as they come, as many as a step has rows; `context` is how many tokens a token looks back on, on
    average, itself included. `documents_cut` of the documents make more than one piece. What needs a tokenizer is None
    without one.
    """

    length: int
    steps: int
    tokens: int
    tokens_a_pass: int
    rows_a_pass: int
    row_fill: float
    context: float
    padding_share: float | None
    pieces: int | None
    documents_cut: int | None
    most_pieces: int | None
    ends_a_pass: int | None

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a plan."""
        return asdict(self)


@dataclass(slots=True)
class _Pass:
    """A pass over the documents at one length."""

    rows: int = 0
    tokens: int = 0
    positions: int = 0
    squares: int = 0
    ends: int = 0
    first: list[Row] = field(default_factory=list)


def plan_stages(data: CausalData, training: LanguageTraining, scale: float) -> tuple[list[StagePlan], list[list[Row]]]:
    """The stages of the curriculum, and the rows of the first step of each.

    `scale` is how many times as many documents there are as `data` has: 1 where it has all, and steps are then exact.
    """
    passes = _passes(data, training)
    padding = data.padding(training.rows_a_step)
    stages = []
    for place, length in enumerate(data.curriculum.lengths):
        one = passes[place]
        steps = _steps(data, training, place, one.rows, scale)
        counts = np.bincount([piece.document for piece in data.pieces(length)])
        rows = steps * training.rows_a_step
        if data.curriculum.steps is None and scale == 1:
            rows = min(rows, math.ceil(data.curriculum.passes * one.rows))
        stages.append(
            StagePlan(
                length=length,
                steps=steps,
                tokens=round(rows * one.tokens / one.rows),
                tokens_a_pass=round(scale * one.tokens),
                rows_a_pass=round(scale * one.rows),
                row_fill=one.positions / (one.rows * length),
                context=(one.squares / one.tokens + 1) / 2,
                padding_share=padding[str(length)],
                pieces=round(scale * int(counts.sum())),
                documents_cut=round(scale * int((counts > 1).sum())),
                most_pieces=int(counts.max()),
                ends_a_pass=round(scale * one.ends),
            )
        )
    return stages, [one.first for one in passes]


def assumed_stages(curriculum: Curriculum, rows_a_step: int, size: int, longest: int) -> list[StagePlan]:
    """The stages for so many bytes of text, without a tokenizer: see `BYTES_A_TOKEN` and `ASSUMED_FILL`.

    `longest` are the bytes of the longest document.
    """
    tokens = round(size / BYTES_A_TOKEN)
    stages = []
    for place, length in enumerate(curriculum.lengths):
        rows = math.ceil(tokens / (length * ASSUMED_FILL))
        if curriculum.steps is None:
            steps = max(1, round(curriculum.passes * rows / rows_a_step))
            predicted = round(curriculum.passes * tokens)
        else:
            steps = _share(curriculum.steps, len(curriculum.lengths), place)
            predicted = round(steps * rows_a_step * length * ASSUMED_FILL)
        stages.append(
            StagePlan(
                length=length,
                steps=steps,
                tokens=predicted,
                tokens_a_pass=tokens,
                rows_a_pass=rows,
                row_fill=ASSUMED_FILL,
                context=min(length, longest / BYTES_A_TOKEN) / 2,
                padding_share=None,
                pieces=None,
                documents_cut=None,
                most_pieces=None,
                ends_a_pass=None,
            )
        )
    return stages


def _passes(data: CausalData, training: LanguageTraining) -> list[_Pass]:
    """A pass at each length, row by row: the first of those that training takes."""
    one = _under(data, replace(data.curriculum, passes=1.0, steps=None))
    found = [_Pass() for _ in one.curriculum.lengths]
    ends = [_upto(one, place + 1, 1, training.seed) for place in range(len(found))]
    for step, batch in enumerate(islice(one.batches(1, seed=training.seed, first_step=0), ends[-1])):
        row = batch.rows[0]
        sizes = [len(ids) - 1 for ids in row.sequences]
        taken = found[bisect_right(ends, step)]
        taken.rows += 1
        taken.tokens += sum(sizes)
        taken.positions += sum(sizes) + len(sizes)
        taken.squares += sum(size * size for size in sizes)
        taken.ends += sum(int(np.count_nonzero(ids[1:] == data.tokenize.end)) for ids in row.sequences)
        if len(taken.first) < training.rows_a_step:
            taken.first.append(row)
    return found


def _steps(data: CausalData, training: LanguageTraining, place: int, rows: float, scale: float) -> int:
    """Steps at the length in that place; `rows` are those of a pass over `data`."""
    curriculum = data.curriculum
    if curriculum.steps is not None:
        return _share(curriculum.steps, len(curriculum.lengths), place)
    if scale != 1:
        return max(1, round(curriculum.passes * scale * rows / training.rows_a_step))
    before = _upto(data, place, training.rows_a_step, training.seed) if place else 0
    return _upto(data, place + 1, training.rows_a_step, training.seed) - before


def _upto(data: CausalData, count: int, batch_size: int, seed: int) -> int:
    """Steps of the first `count` lengths."""
    shorter = replace(data.curriculum, lengths=data.curriculum.lengths[:count])
    return _under(data, shorter).steps(batch_size, seed=seed)


def _under(data: CausalData, curriculum: Curriculum) -> CausalData:
    """The same documents, cut already, under another curriculum."""
    view = copy.copy(data)
    view.curriculum = curriculum
    return view


def _share(steps: int, lengths: int, place: int) -> int:
    share, rest = divmod(steps, lengths)
    return share + (place < rest)
