"""From files to the figures of their functions, by as many processes as the work is worth."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import TypeVar

from msgspec import UNSET

from codefit.corpus.documents.text import NotSourceError
from codefit.engine.processes import Outcome, map_records
from codefit.errors import InputError
from codefit.progress import say, track
from codefit.review.files import SourceFile
from codefit.review.read import LEFT_OUT_ON_PURPOSE, MAX_BYTES, read_text, text_of
from codefit.review.rows import FileScores, Function, Review, Step
from codefit.source.metrics.figures import FunctionMetrics
from codefit.source.metrics.javascript import available, compile_once, is_compiled
from codefit.source.metrics.measure import measure
from codefit.source.metrics.rules import RULES
from codefit.source.metrics.walk import FileMetrics

SECONDS = 10.0  # a file may take: a function of a megabyte takes a quarter of it
# Of all files together: below it they are done before a worker process has started, and the worst input that is known
# (see `codefit.source.parsing`) ends by itself within seconds.
SMALL_BYTES = 1 << 15
# Of JavaScript, from which on the scanner saves more time than it takes to load, and to compile.
LOADED_BYTES, COMPILED_BYTES = 8_000_000, 150_000_000
STANDARD_INPUT = "-"
SOURCE_SHOWN = 200  # characters of a line that an explanation keeps

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Explain:
    """Whose increments are wanted: functions whose name or qualified name matches, with a score above `above`."""

    pattern: str = "*"
    above: float = 0.0

    def wants(self, function: FunctionMetrics) -> bool:
        """Whether a function is one of them."""
        names = (function.name, function.qualified)
        return function.score > self.above and any(fnmatchcase(name, self.pattern) for name in names)


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read: with generated and minified ones or not, how long each may take, and what is explained.

    `compiled` reads plain JavaScript by the compiled scanner.
    """

    everything: bool = False
    seconds: float = SECONDS
    explain: Explain | None = None
    compiled: bool = False


def score_files(files: Sequence[SourceFile], reading: Reading, *, review: Review, workers: int | None = None) -> None:
    """Measure files and add them to `review`; what cannot be measured is noted there with its reason.

    A file may be generated, minified, too large or too slow. Raises `InputError` where one that the user named cannot
    be read at all.
    """
    started = time.perf_counter()
    reading = replace(reading, compiled=_is_worth_compiling(files, reading))
    outcomes = map_small(partial(score_file, reading=reading), files, _size, reading.seconds, workers)
    for outcome in track(outcomes, "measured", len(files), "files"):
        file, value = files[outcome.index], outcome.value
        if isinstance(value, FileScores):
            review.add(value)
        elif file.is_named and value is not None and value not in LEFT_OUT_ON_PURPOSE:
            raise InputError(value, where=file.path, fix="give a source file that can be read")
        else:
            review.receipt.drop(value or outcome.error or "", file.path)
    review.functions.sort(key=lambda each: (each.path, each.line))
    review.seconds += time.perf_counter() - started


def score_stream(data: bytes, language: str, reading: Reading, review: Review) -> None:
    """Measure the bytes of standard input, whatever they look like, and add them to `review`.

    Raises `InputError` where they are no text, and as `measure` does.
    """
    started = time.perf_counter()
    try:
        text = text_of(data, everything=True)
    except NotSourceError as reason:
        raise InputError(str(reason), where=STANDARD_INPUT, fix="give source code") from reason
    review.add(score_text(text, STANDARD_INPUT, language, reading))
    review.seconds += time.perf_counter() - started


def score_text(text: str, path: str, language: str, reading: Reading) -> FileScores:
    """The figures of a text. Raises as `measure` does."""
    return file_scores(measured(text, language, reading), text, path, language, reading)


def score_file(file: SourceFile, reading: Reading) -> FileScores | str:
    """A file's figures, or why it is not measured."""
    try:
        text = read_text(file.place, everything=reading.everything)
    except NotSourceError as reason:
        return str(reason)
    return score_text(text, file.path, file.language, reading)


def score_blob(blob: tuple[str, str, bytes], reading: Reading) -> FileScores | str:
    """The figures of a file's bytes, given with its path and language, or why they are not measured."""
    path, language, data = blob
    try:
        text = text_of(data, everything=reading.everything)
    except NotSourceError as reason:
        return str(reason)
    return score_text(text, path, language, reading)


def measured(text: str, language: str, reading: Reading) -> FileMetrics:
    """The engine's figures of a text."""
    return measure(
        text, language, explain=reading.explain is not None, seconds=reading.seconds, compiled=reading.compiled
    )


def _is_worth_compiling(files: Sequence[SourceFile], reading: Reading) -> bool:
    """Whether the scanner is the faster way to so much JavaScript; it is compiled here, before there are workers."""
    size = sum(file.size for file in files if file.language == "javascript")
    if reading.explain is not None or size < LOADED_BYTES or not available():
        return False
    if not is_compiled():
        if size < COMPILED_BYTES:
            return False
        say("compiling what reads JavaScript; this is done once")
    compile_once()
    return True


def file_scores(metrics: FileMetrics, text: str, path: str, language: str, reading: Reading) -> FileScores:
    """The engine's figures as rows."""
    explain = reading.explain
    lines = text.split("\n")
    functions = []
    for each in metrics.functions:
        wanted = explain is not None and explain.wants(each)
        functions.append(
            Function(
                path=path,
                line=each.line,
                name=each.name,
                language=language,
                score=each.score,
                label=each.label,
                metrics=each.to_dict(),
                qualified=each.qualified,
                end_line=each.end_line,
                complete=each.complete,
                increments=_steps(each, lines) if wanted else UNSET,
            )
        )
    count = len(lines) - (not lines[-1])
    return FileScores(path, functions, count, total_cognitive(metrics, language), metrics.module.complete)


def total_cognitive(metrics: FileMetrics, language: str) -> int:
    """The cognitive complexity of all code of a file, each part counted once.

    Where a function takes in what the functions inside it have, those are not counted again.
    """
    total, end = metrics.module.cognitive, 0
    for each in metrics.functions:
        if each.end_byte > end or not RULES[language].nested_functions_count:
            total += each.cognitive
            end = max(end, each.end_byte)
    return total


def map_small(
    function: Callable[[T], R], items: Iterable[T], size: Callable[[T], int], seconds: float, workers: int | None
) -> Iterator[Outcome[R]]:
    """`map_records` under a limit of time, but in this process where all items together are small."""
    iterator = iter(items)
    head: list[T] = []
    total = 0
    for item in iterator:
        head.append(item)
        total += size(item)
        if total > SMALL_BYTES:
            break
    else:
        return map_records(function, head, workers=0)
    # The parser stops itself at the limit, but for a few inputs that only the end of the process stops.
    return map_records(function, itertools.chain(head, iterator), workers=workers, seconds_per_item=3 * seconds)


def _steps(function: FunctionMetrics, lines: Sequence[str]) -> tuple[Step, ...]:
    """What adds to a function, from left to right: an else is told by the if that it belongs to."""
    return tuple(
        Step(
            each.line,
            each.column,
            each.what,
            each.cyclomatic,
            each.cognitive,
            each.nesting,
            lines[each.line - 1].strip()[:SOURCE_SHOWN],
        )
        for each in sorted(function.increments, key=lambda each: (each.line, each.column))
    )


def _size(file: SourceFile) -> int:
    return file.size if file.size <= MAX_BYTES else 0  # a larger one is not read
