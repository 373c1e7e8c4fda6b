"""The repairs and snippets that a ranker of repairs would learn from, by the data stage's own functions, in memory.

Repairs are all read and divided. Of the files with sound code all are counted and those are lexed that the stage would
lex first, with how many times as many it would come to.
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from dataclasses import dataclass

from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.recipe import RepairData, RepairRanking
from codefit.records import Document, Repair
from codefit.run.document_data import sources_reader
from codefit.run.plan_sample import LowestHashes
from codefit.run.repair_data import lexing_agreement, needed_files
from codefit.tasks.repairs.instances import divide, pair_of, read_repairs, without_known
from codefit.tasks.repairs.names import clues_of
from codefit.tasks.repairs.snippet_files import gather_snippets
from codefit.train.names import names_of_source

SAMPLED_FILES = 250  # two cores lex them in some three seconds
SAMPLED_HELD_OUT = 40
LEXED_REPAIRS = 400  # of those that stages lex: to compare their tokens with the data's, to see what names tell


@dataclass(frozen=True, slots=True)
class RepairsFound:
    """The sides as the data stage divides them, what it leaves out, by reason, and how long it takes for that.

    Of `telling` pairs to learn from the names tell something; `naming_seconds` is how long it takes to see that.
    """

    train: list[Repair]
    validation: list[Repair]
    evaluation: list[Repair]
    dropped: dict[str, int]
    seconds: float
    telling: int
    naming_seconds: float


@dataclass(frozen=True, slots=True)
class SnippetsFound:
    """Snippets of the files that are lexed first, and what the stage comes to.

    `read_files` and `read_bytes` are of all Python files, `held_bytes` what their texts take in memory, `lexed_files`
    how many of them are needed; `tokens` and `held_out_tokens` those of the snippets in all. `counted` says that no
    figure is scaled up.
    """

    snippets: list[bytes]
    sampled_files: int
    read_files: int
    read_bytes: int
    held_bytes: int
    lexed_files: int
    count: int
    tokens: int
    held_out_tokens: int
    missing: list[str]
    seconds: float
    counted: bool


def survey_repairs(recipe: RepairRanking) -> RepairsFound:
    """All repairs, divided. Raises what the data stage would raise."""
    data = recipe.data
    files, evaluation_files = needed_files(data.repairs), needed_files(data.evaluation)
    started = time.monotonic()
    receipt = Receipt()
    evaluation = read_repairs(evaluation_files, receipt)
    rows = without_known(read_repairs(files, receipt), evaluation, receipt, threshold=data.near_duplicate_threshold)
    divided = divide(rows, data.validation_share, recipe.seed, threshold=data.near_duplicate_threshold)
    seconds = time.monotonic() - started
    started = time.monotonic()
    lexed = rows[:LEXED_REPAIRS]
    lexing_agreement(lexed)
    seconds += (time.monotonic() - started) * len(rows) / len(lexed)
    started = time.monotonic()
    looked_at = divided.train[:LEXED_REPAIRS]
    scale = len(divided.train) / len(looked_at)
    telling = sum(_tells(row) for row in looked_at)
    return RepairsFound(
        train=divided.train,
        validation=divided.validation,
        evaluation=evaluation,
        dropped=dict(Counter(receipt.by_reason()).most_common()),
        seconds=seconds,
        telling=round(scale * telling),
        naming_seconds=scale * (time.monotonic() - started),
    )


def _tells(row: Repair) -> bool:
    pair = pair_of(row)
    names = names_of_source(pair, row.broken_source)
    return names is not None and bool(clues_of(pair.broken, names))


def survey_snippets(data: RepairData, seed: int) -> SnippetsFound:
    """Snippets of a part of the files. Raises what the data stage would raise."""
    started = time.monotonic()
    own: LowestHashes[Document] = LowestHashes(SAMPLED_FILES, seed)
    held_out: LowestHashes[Document] = LowestHashes(SAMPLED_HELD_OUT, seed)
    missing: list[str] = []
    size = held = 0
    for document in sources_reader(data.snippets, missing)(receipt=Receipt(), inputs={}):
        if document.language != "python":
            continue
        size += len(document.text.encode())
        held += sys.getsizeof(document.text)
        side = held_out if document.repo in data.snippet_validation_sources else own
        # Those that the stage lexes first: it goes by the hashes of the same names.
        side.add(f"{document.repo}/{document.path}", document)
    reading = time.monotonic() - started
    started = time.monotonic()
    found = gather_snippets(
        [*own.items(), *held_out.items()],
        held_out=data.snippet_validation_sources,
        most_tokens=data.snippet_tokens,
        validation_tokens=data.snippet_validation_tokens,
        seed=seed,
    )
    lexing = time.monotonic() - started
    if not found.train:
        raise InputError("there is no Python to pre-train on", fix="name other documents in data.snippets")
    tokens, held_out_tokens = (sum(map(len, side)) for side in (found.train, found.validation))
    scale = _scale(tokens, data.snippet_tokens, len(own.items()), own.seen)
    more = _scale(held_out_tokens, data.snippet_validation_tokens, len(held_out.items()), held_out.seen)
    files = found.files + round((scale - 1) * len(own.items()) + (more - 1) * len(held_out.items()))
    return SnippetsFound(
        snippets=found.train,
        sampled_files=found.files,
        read_files=own.seen + held_out.seen,
        read_bytes=size,
        held_bytes=held,
        lexed_files=files,
        count=round(scale * len(found.train)),
        tokens=round(scale * tokens),
        held_out_tokens=round(more * held_out_tokens),
        missing=missing,
        seconds=reading + lexing * files / found.files,
        counted=max(scale, more) == 1,
    )


def _scale(tokens: int, wanted: int, sampled: int, files: int) -> float:
    """How many times what the sample has the stage comes to: until it has as much as wanted, or there are no more."""
    if not tokens or tokens >= wanted or sampled == files:
        return 1.0
    return math.ceil(sampled * min(wanted / tokens, files / sampled)) / sampled
