"""Mending a file: from its source to a few sources that can be read, likeliest first."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from codefit.source.lexemes import Lexed, lex
from codefit.source.rendering import Token, render
from codefit.source.syntax.terminals import DEDENT, INDENT, NEWLINE, NUMBERS, TERMINALS
from codefit.tasks.repairs.candidates import Candidates
from codefit.tasks.repairs.characters import mend_characters
from codefit.tasks.repairs.names import Names, names_of
from codefit.tasks.repairs.packed import MAX_EDITS, Edit
from codefit.tasks.repairs.region import Region, fault_of, find_region, with_region

# From tokens, and the names among them, to candidates, the best first.
Rank = Callable[[Sequence[int], Names], Candidates]
_BODY = [NEWLINE, INDENT, NUMBERS["pass"], NEWLINE, DEDENT]
BYTE_ORDER_MARK = "\ufeff"
MAGICS = ("%", "!", "?")  # with which the commands of a notebook begin
LAYOUT = {NEWLINE: "a line break", INDENT: "an indent", DEDENT: "the end of a block"}  # as they are called
LOOKED_AT = 40  # of the candidates, until enough of them give a file that can be read


@dataclass(frozen=True, slots=True)
class Mended:
    """A source that mends the region: `probability` among all candidates found, `edits` as they are told."""

    source: str
    probability: float
    edits: list[str]


@dataclass(frozen=True, slots=True)
class Fix:
    """What came of a file. `fault` is what Python says of it, None for a sound one; `region` its lines, 1-based.

    `magic` says that the region is a notebook's command, which is Python nowhere else.
    """

    fault: str | None
    line: int | None = None
    region: tuple[int, int] | None = None
    repairs: Sequence[Mended] = ()
    beyond: bool = False  # three edits do not mend it
    more_faults: bool = False
    complete: bool = True
    magic: bool = False


def fix_source(source: str, rank: Rank, *, most: int = 3) -> Fix:
    """The likeliest repairs of a file's first syntax error."""
    mark = BYTE_ORDER_MARK if source.startswith(BYTE_ORDER_MARK) else ""
    found = _fix(source.removeprefix(mark), rank, most)
    return replace(found, repairs=[replace(each, source=mark + each.source) for each in found.repairs])


def _fix(source: str, rank: Rank, most: int) -> Fix:
    fault = fault_of(source)
    if fault is None:
        return Fix(None)
    region = find_region(source)
    if region is None:
        return Fix(fault.what, fault.line, more_faults=True)
    known = Fix(fault.what, fault.line, (region.start + 1, region.end), more_faults=not region.rest)
    if region.text.startswith(MAGICS):
        return replace(known, magic=True)
    mended = mend_characters(region.text)
    told = [f"line {region.start + 1 + line}: {what}" for line, what in mended.told]
    if told and _is_mended(whole := with_region(source, region, mended.text), region):
        return replace(known, repairs=[Mended(whole, 1.0, told)])
    return _ranked(source, region, lex(mended.text), told, known, rank, most)


def _ranked(source: str, region: Region, lexed: Lexed, told: list[str], known: Fix, rank: Rank, most: int) -> Fix:
    """The likeliest edits of a region's tokens; `told` is what was done to its characters."""
    tokens = lexed.terminals
    own = len(tokens)
    if region.opens:
        tokens = [*(tokens[:-1] if tokens[-1:] == [NEWLINE] else tokens), *_BODY]
        own = len(tokens) - len(_BODY)
    if not tokens:
        return known
    found = rank(tokens, names_of(lexed)[:own])
    shares = _probabilities(found.scores)
    repairs: list[Mended] = []
    seen: set[str] = set()
    for edits, share in list(zip(found.edits, shares, strict=True))[:LOOKED_AT]:
        if not edits or any(edit.place > own or (edit.place == own and edit.kind != "insert") for edit in edits):
            continue
        mended = with_region(source, region, _rendered(lexed, tokens[:own], edits))
        if mended in seen or not _is_mended(mended, region):
            continue
        seen.add(mended)
        repairs.append(Mended(mended, float(share), [*told, *(in_words(edit, lexed, region) for edit in edits)]))
        if len(repairs) == most:
            break
    beyond = found.least_edits is not None and found.least_edits > MAX_EDITS
    return replace(known, repairs=repairs, beyond=beyond, complete=found.complete)


def _is_mended(source: str, region: Region) -> bool:
    """Whether a file is sound, or as far as the region reaches where more is broken after it."""
    after = fault_of(source)
    return after is None or (not region.rest and after.line > region.end)


def _probabilities(scores: np.ndarray) -> np.ndarray:
    shares = np.exp(scores - scores.max()) if len(scores) else scores
    return shares / shares.sum() if len(shares) else shares


def _rendered(lexed: Lexed, tokens: Sequence[int], edits: Sequence[Edit]) -> str:
    result: list[Token] = []
    waiting = list(edits)
    for place in range(len(tokens) + 1):
        kept = place < len(tokens)
        while waiting and waiting[0].place == place:
            edit = waiting.pop(0)
            if edit.terminal is not None:
                result.append(Token(edit.terminal, None))
            if edit.kind != "insert":
                kept = False
        if kept:
            result.append(Token(tokens[place], place if place < len(lexed.lexemes) else None))
    return render(lexed, result)


def in_words(edit: Edit, lexed: Lexed, region: Region) -> str:
    """An edit in words, with the line in the file."""
    lexemes = lexed.lexemes
    here = lexemes[edit.place] if edit.place < len(lexemes) else None
    start = here.start if here is not None else len(lexed.source.rstrip())
    line = region.start + 1 + lexed.source.count("\n", 0, start)
    new = _named(edit.terminal) if edit.terminal is not None else ""
    if here is None:
        old = ""
    elif here.terminal in LAYOUT:
        old = LAYOUT[here.terminal]
    else:
        old = repr(lexed.source[here.start : here.end])
    what = {"insert": f"insert {new}", "delete": f"delete {old}", "substitute": f"{old} becomes {new}"}[edit.kind]
    return f"line {line}: {what}"


def _named(terminal: int) -> str:
    return LAYOUT.get(terminal, TERMINALS[terminal])


def share_text(probability: float) -> str:
    """A probability as people read it."""
    return "<1 %" if probability < 0.01 else f"{math.floor(probability * 100 + 0.5)} %"
