"""Snippets as people post them, cut from whole files: some statements that stand one after another, whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from codefit.source.syntax.terminals import DEDENT, INDENT, NEWLINE, NUMBERS

MAX_TOKENS = 78  # as in the tidyparse data
# What goes on with the statement before it rather than beginning its own.
_CONTINUES = {NUMBERS[word] for word in ("elif", "else", "except", "finally")}
_DECORATOR = NUMBERS["@"]


def snippets(tokens: Sequence[int], rng: np.random.Generator, *, most: int = MAX_TOKENS) -> Iterator[list[int]]:
    """Runs of whole statements of a file's tokens, of at most `most` tokens, how many is drawn; none twice.

    A statement that is longer gives what stands indented in it.
    """
    spans = _statements(tokens)
    at = 0
    while at < len(spans):
        room = int(rng.integers(most // 10, most + 1))
        start, end = spans[at]
        if end - start > most:
            yield from _inside(tokens[start:end], rng, most)
            at += 1
            continue
        at += 1
        while at < len(spans) and spans[at][1] - start <= room:
            end = spans[at][1]
            at += 1
        yield list(tokens[start:end])


def _statements(tokens: Sequence[int]) -> list[tuple[int, int]]:
    """Where the statements of the outermost level begin and end; what belongs together is one."""
    spans: list[tuple[int, int]] = []
    depth, start, joins = 0, 0, False
    for place, token in enumerate(tokens):
        depth += (token == INDENT) - (token == DEDENT)
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        ends = token == DEDENT or (token == NEWLINE and following != INDENT)
        if depth or not ends:
            continue
        if (joins or tokens[start] in _CONTINUES) and spans:
            spans[-1] = (spans[-1][0], place + 1)
        else:
            spans.append((start, place + 1))
        joins = tokens[start] == _DECORATOR
        start = place + 1
    return spans


def _inside(tokens: Sequence[int], rng: np.random.Generator, most: int) -> Iterator[list[int]]:
    """The snippets of the indented parts of one statement."""
    depth, start = 0, 0
    for place, token in enumerate(tokens):
        if token == INDENT:
            depth += 1
            if depth == 1:
                start = place + 1
        elif token == DEDENT:
            depth -= 1
            if depth == 0:
                yield from snippets(tokens[start:place], rng, most=most)
