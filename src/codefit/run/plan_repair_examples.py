"""Broken strings with their candidates, for the eyes: each candidate as the edits that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from codefit.records import Repair
from codefit.source.syntax.terminals import TERMINALS, to_names
from codefit.tasks.repairs.candidates import Candidates, closed
from codefit.tasks.repairs.instances import pair_of
from codefit.tasks.repairs.packed import Edit

# What became of a token of the broken string; a gap stands for tokens that are left out of what is shown.
SAME, ADDED, REMOVED, GAP = "same", "added", "removed", "gap"
AROUND = 4  # tokens that are shown on either side of an edit
MOST_CANDIDATES = 5  # that are shown; the true one is always
LONGEST = 40  # tokens of a string that is shown, where there is one

Shown = tuple[str, str]


def choose_examples(rows: Sequence[Repair], found: Sequence[Candidates]) -> list[dict[str, Any]]:
    """One string whose true repair comes first, and one where it does not, where there are such; else what there is."""
    ranked = [(row, one, rank_of(row, one)) for row, one in zip(rows, found, strict=True)]
    ranked.sort(key=lambda entry: len(pair_of(entry[0]).broken) > LONGEST)
    first = [entry for entry in ranked if entry[2] == 1][:1]
    later = [entry for entry in ranked if entry[2] is not None and entry[2] > 1][:1]
    return [_example(row, one, rank) for row, one, rank in (first + later or ranked[:1])]


def rank_of(row: Repair, found: Candidates) -> int | None:
    """The place of the true repair among what was found, from 1; None where it is not there."""
    truth = closed(pair_of(row).fixed)
    return found.strings.index(truth) + 1 if truth in found.strings else None


def _example(row: Repair, found: Candidates, rank: int | None) -> dict[str, Any]:
    broken = pair_of(row).broken
    shown = list(range(min(MOST_CANDIDATES, len(found.strings))))
    if rank is not None and rank - 1 not in shown:
        shown.append(rank - 1)
    edits = found.edits
    return {
        "source": row.broken_source,
        "broken": to_names(broken),
        "fixed": to_names(pair_of(row).fixed),
        "found": len(found.strings),
        "rank": rank,
        "candidates": [
            {
                "rank": number + 1,
                "true": number + 1 == rank,
                "score": float(found.scores[number]),
                "tokens": to_names(found.strings[number]),
                "marked": list(marked(broken, edits[number])),
            }
            for number in shown
        ],
    }


def marked(broken: Sequence[int], edits: Sequence[Edit]) -> Iterator[Shown]:
    """The broken string with its edits, (text, kind) of each token; what stands far from every edit is a gap."""
    gap = False
    for place in range(len(broken) + 1):
        here = [edit for edit in edits if edit.place == place]
        for edit in here:
            if edit.kind == "insert" and edit.terminal is not None:
                yield TERMINALS[edit.terminal], ADDED
        if place == len(broken):
            return
        changed = [edit for edit in here if edit.kind != "insert"]
        if not changed and min((abs(edit.place - place) for edit in edits), default=0) > AROUND:
            if not gap:
                yield "…", GAP
            gap = True
            continue
        gap = False
        yield TERMINALS[broken[place]], REMOVED if changed else SAME
        for edit in changed:
            if edit.terminal is not None:
                yield TERMINALS[edit.terminal], ADDED
