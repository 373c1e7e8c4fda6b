"""Which function of before is which of now: by name within a file, then by content."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from codefit.review.rows import Function
from codefit.source.metrics.figures import FunctionMetrics


@dataclass(frozen=True, slots=True)
class Unit:
    """A function of one side of a change. `file` is the number of the changed file, the same on both sides."""

    function: Function
    file: int
    content: bytes
    nameless: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """What a function is made of, as hashes: its own text, and that text without its name."""

    exact: bytes
    nameless: bytes


# In this order: whoever has found his like is out. Within a key, the first of before is the first of now.
_KEYS: Sequence[Callable[[Unit], Hashable]] = (
    lambda unit: (unit.file, unit.function.qualified, unit.content),
    lambda unit: (unit.file, unit.function.qualified),
    lambda unit: (unit.file, unit.nameless),
    lambda unit: unit.content,
    lambda unit: unit.nameless,
)


def match(before: Sequence[Unit], now: Sequence[Unit]) -> Iterator[tuple[Unit | None, Unit | None]]:
    """Pairs of the functions of both sides, in the order of `now`; then those of `before` that are gone."""
    partner: dict[int, Unit] = {}
    old, new = list(before), list(range(len(now)))
    for key in _KEYS:
        waiting: defaultdict[Hashable, deque[Unit]] = defaultdict(deque)
        for unit in old:
            waiting[key(unit)].append(unit)
        for place in new:
            group = waiting[key(now[place])]
            if group:
                partner[place] = group.popleft()
        new = [place for place in new if place not in partner]
        left = {id(unit) for group in waiting.values() for unit in group}
        old = [unit for unit in old if id(unit) in left]
    for place, unit in enumerate(now):
        yield partner.get(place), unit
    for unit in old:
        yield unit, None


def contents(source: bytes, functions: Sequence[FunctionMetrics]) -> list[Content]:
    """The content of each function of a file, without the functions inside it, whatever its place and indentation."""
    pieces: list[list[bytes]] = [[] for _ in functions]
    around: list[tuple[int, int]] = []  # the number of each open function, and up to where its text is taken
    for number, each in enumerate(functions):
        while around and functions[around[-1][0]].end_byte <= each.start_byte:
            _close(around, functions, pieces, source)
        if around:
            outer, taken = around[-1]
            pieces[outer].append(source[taken : each.start_byte])
            around[-1] = (outer, each.end_byte)
        around.append((number, each.start_byte))
    while around:
        _close(around, functions, pieces, source)
    return [_content(b"\0".join(own), each.name) for own, each in zip(pieces, functions, strict=True)]


def _close(
    around: list[tuple[int, int]], functions: Sequence[FunctionMetrics], pieces: list[list[bytes]], source: bytes
) -> None:
    number, taken = around.pop()
    pieces[number].append(source[taken : functions[number].end_byte])


def _content(text: bytes, name: str) -> Content:
    lines = [line.rstrip() for line in text.split(b"\n")]
    rest = [line for line in lines[1:] if line]
    indent = min((len(line) - len(line.lstrip()) for line in rest), default=0)
    plain = b"\n".join([lines[0].lstrip(), *(line[indent:] for line in rest)])
    nameless = re.sub(rb"(?<!\w)%s(?!\w)" % re.escape(name.encode()), b"\0", plain)
    return Content(*(hashlib.blake2b(each, digest_size=16).digest() for each in (plain, nameless)))
