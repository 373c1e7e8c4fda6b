"""What `codefit complexity score` answers: for programs and for people, of files as they are and of a change."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from codefit.corpus.manifest import Receipt
from codefit.errors import InputError
from codefit.progress import say
from codefit.review.changes import Changed, Changes, review_changes
from codefit.review.changes_text import changed_text, changes_text
from codefit.review.explain import explanation_text
from codefit.review.files import Choice, find_files
from codefit.review.limits import Breach, Limits, breaches
from codefit.review.order import Selection, ordered
from codefit.review.rows import Function, Review
from codefit.review.scope import Scope
from codefit.review.score import STANDARD_INPUT, Reading, score_files, score_stream
from codefit.review.text import Look, breaches_text, broken_limits, counted, functions_table, summary_text


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: paths, which files of them and how to read them, limits, and what to show.

    `explained` is the pattern of names whose increments are shown, None for none.
    """

    paths: tuple[str, ...]
    choice: Choice
    reading: Reading
    limits: Limits
    selection: Selection
    explained: str | None = None
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """An answer: the limits that are broken, what was left out, and both forms of it, made when they are asked for."""

    breaches: list[Breach]
    receipt: Receipt
    to_dict: Callable[[], dict[str, Any]]
    text: Callable[[Look], str]


def report_files(request: Request) -> Report:
    """The functions of files, or of standard input. Raises `InputError` as `find_files` and `score_files` do."""
    review = _review(request)
    found = breaches(review.functions, request.limits)
    wanted = _explained(review.functions, request)

    def text(look: Look) -> str:
        candidates = _shown(wanted, request, found)
        shown = request.selection.for_people(candidates)
        if request.explained is not None:
            blocks = [explanation_text(each, look) + "\n" for each in shown]
        elif request.limits.are_given:
            blocks = [breaches_text(shown, found, look)] if shown else []
        else:
            blocks = [functions_table(shown, look)] if shown else []
        verdict = _verdict(request.limits, found)
        return "\n".join([*blocks, *_more(candidates, shown), *verdict, summary_text(review, look)])

    def to_dict() -> dict[str, Any]:
        result = review.to_dict(request.selection.for_programs(wanted))
        return {**result, **_limits_dict(request.limits, found)}

    return Report(found, review.receipt, to_dict, text)


def report_changes(request: Request, revisions: str) -> Report:
    """The functions that a change made or changed. Raises `InputError` as `review_changes` does."""
    scope = Scope(request.paths, request.choice)
    changes = review_changes(scope, revisions, request.reading, request.workers)
    found = [
        breach
        for each in changes.functions
        for breach in request.limits.broken_by(each, (each.increase or {}).get("score"))
    ]
    wanted = _explained(changes.functions, request)

    def text(look: Look) -> str:
        candidates = _shown(wanted, request, found)
        shown = request.selection.for_people(candidates)
        if request.explained is not None:
            blocks = [explanation_text(each, look) + "\n" for each in shown]
        else:
            broken = broken_limits(found)
            blocks = [changed_text(each, broken.get(id(each), ""), look) for each in shown]
        verdict = _verdict(request.limits, found)
        return "\n".join([*blocks, *_more(candidates, shown), *verdict, changes_text(changes, look)])

    return Report(found, changes.review.receipt, lambda: _changes_dict(changes, wanted, request, found), text)


def _review(request: Request) -> Review:
    review = Review()
    if STANDARD_INPUT in request.paths:
        if len(request.paths) > 1 or len(request.choice.languages) != 1:
            raise InputError(
                "standard input is one text in one language", where="-", fix="say which with --language, and - alone"
            )
        score_stream(sys.stdin.buffer.read(), request.choice.languages[0], request.reading, review)
        return review
    files = find_files(request.paths, request.choice, review.receipt)
    if not files:
        choice = request.choice
        is_filtered = choice.languages or choice.globs or choice.exclude
        left = "left by the filters" if is_filtered else "in a language that codefit measures"
        say(f"{' '.join(request.paths)}: there is no source file {left}")
    score_files(files, request.reading, review=review, workers=request.workers)
    return review


def _explained(functions: Sequence[Any], request: Request) -> list[Any]:
    """The functions that an explanation is wanted of, all where it is of none in particular."""
    if request.explained is None:
        return list(functions)
    wanted = [each for each in functions if each.increments is not UNSET]
    if not wanted and functions:
        names = sorted({name for each in functions for name in (each.name, each.qualified)})
        near = difflib.get_close_matches(request.explained, names, n=1)
        fix = f"did you mean {near[0]}?" if near else "give a name as the table has it; * stands for anything"
        raise InputError(f"no function is called {request.explained!r}", fix=fix)
    return wanted


def _shown(wanted: list[Any], request: Request, found: Sequence[Breach]) -> list[Any]:
    """With limits only those that break one are shown to people."""
    if not request.limits.are_given:
        return wanted
    above = {id(each) for each in _above(found)}
    return [each for each in wanted if id(each) in above]


def _more(candidates: Sequence[Function], shown: Sequence[Function]) -> list[str]:
    more = len(candidates) - len(shown)
    return [f"and {more:,} more: --top 0 shows all"] if more else []


def _above(found: Sequence[Breach]) -> list[Function]:
    """The functions that break a limit, each once."""
    return list({id(each.function): each.function for each in found}.values())


def _verdict(limits: Limits, found: Sequence[Breach]) -> list[str]:
    if not limits.are_given:
        return []
    above = len(_above(found))
    return [f"{counted(above, 'function')} above a limit" if above else "no function is above a limit"]


def _limits_dict(limits: Limits, found: Sequence[Breach]) -> dict[str, Any]:
    if not limits.are_given:
        return {}
    return {"limits": limits.to_dict(), "exceeded": [each.to_dict() for each in found]}


def _changes_dict(
    changes: Changes, wanted: Sequence[Changed], request: Request, found: Sequence[Breach]
) -> dict[str, Any]:
    return {
        **changes.review.to_dict(request.selection.for_programs(wanted)),
        "from": changes.range.old,
        "to": changes.range.new,
        "changed_files": changes.files,
        "counts": changes.counts(),
        "removed": ordered(changes.removed, "path"),
        **_limits_dict(request.limits, found),
    }
