"""Edits as numbers, as the search, the lists and the models have them: place, kind, terminal."""

from __future__ import annotations

from dataclasses import dataclass

from numba import njit

INSERT, SUBSTITUTE, DELETE = range(3)
KINDS = ("insert", "substitute", "delete")
MAX_EDITS = 3
TERMINAL_BITS, KIND_BITS = 7, 2
PLACE_SHIFT = TERMINAL_BITS + KIND_BITS
NO_EDIT = -1


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: `kind` is insert, substitute or delete, `place` in the broken string, `terminal` what is written."""

    kind: str
    place: int
    terminal: int | None


def pack(edit: Edit) -> int:
    """An edit as one number."""
    return edit.place << PLACE_SHIFT | KINDS.index(edit.kind) << TERMINAL_BITS | (edit.terminal or 0)


def unpack(number: int) -> Edit:
    """The inverse of `pack`."""
    kind = number >> TERMINAL_BITS & 3
    return Edit(KINDS[kind], number >> PLACE_SHIFT, None if kind == DELETE else number & 127)


@njit(cache=True)
def write_repair(tokens, edits, out):  # type: ignore[no-untyped-def]
    """Write the broken string with edits, in the order of their places, into `out`; how long it is."""
    at, length = 0, 0
    for edit in edits:
        if edit == NO_EDIT:
            break
        place = edit >> PLACE_SHIFT
        kind = (edit >> TERMINAL_BITS) & 3
        while at < place:
            out[length] = tokens[at]
            length += 1
            at += 1
        if kind != DELETE:
            out[length] = edit & 127
            length += 1
        if kind != INSERT:
            at += 1
    while at < len(tokens):
        out[length] = tokens[at]
        length += 1
        at += 1
    return length
