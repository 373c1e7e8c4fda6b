"""A function while it is being read: the figures so far, and where the parts around the current place end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from codefit.source.metrics.figures import FunctionMetrics, Halstead, Increment
from codefit.source.metrics.table import Table


@dataclass(slots=True, eq=False)
class Frame:
    """A function, or code that belongs to none, from the byte `start` to `end`; rows count from 0.

    Its tokens begin at `begins`. `levels` holds where the nested parts around the
    current place end, `coming` the ones further on (the next one last), `depths` where the control structures end.
    `base` is how deep it lies in the function around it.
    """

    start: int
    end: int
    row: int
    end_row: int
    is_function: bool = True
    name: str = ""
    qualified: str = ""
    begins: int = 0
    base: int = 0
    cyclomatic: int = 1
    ccn: int = 1
    cognitive: int = 0
    deepest: int = 0
    parameters: int = 0
    more_tokens: int = 0
    lines: int = 0
    complete: bool = True
    is_recursive: bool = False
    levels: list[int] = field(default_factory=list)
    coming: list[tuple[int, int]] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    operators: list[int] = field(default_factory=list)
    operands: list[bytes] = field(default_factory=list)
    increments: list[Increment] = field(default_factory=list)

    def level(self, place: int) -> int:
        """How many nested parts lie around a place; places are asked for from left to right."""
        levels, coming = self.levels, self.coming
        while levels and levels[-1] <= place:
            levels.pop()
        while coming and coming[-1][0] <= place:
            end = coming.pop()[1]
            if end > place:
                levels.append(end)
        return len(levels)

    def nest(self, parts: list[tuple[int, int]]) -> None:
        """Parts of one node, from left to right, lie one level deeper."""
        self.level(parts[0][0])  # parts around them are no longer to come
        self.coming += reversed(parts)

    def deepen(self, start: int, end: int) -> None:
        """A control structure begins."""
        depths = self.depths
        while depths and depths[-1] <= start:
            depths.pop()
        depths.append(end)
        self.deepest = max(self.deepest, len(depths))

    def metrics(self, table: Table, weights: dict[bytes, int]) -> FunctionMetrics:
        """The figures, when all of it is read; `weights` remembers how many tokens lizard makes of an operand."""
        operators, operands = Counter(self.operators), Counter(self.operands)
        tokens = self.more_tokens
        for kind, count in operators.items():
            tokens += count * table.weights.get(kind, 1)
        for text, count in operands.items():
            weight = weights.get(text)
            if weight is None:
                weight = weights[text] = table.language.weight_of(text.decode("utf-8", "replace"))
            tokens += count * weight
        closing = [kind for kind in operators if kind in table.closing]
        halstead = Halstead(
            len(operators) - len(closing),
            len(operands),
            len(self.operators) - sum(operators[kind] for kind in closing),
            len(self.operands),
        )
        return FunctionMetrics(
            name=self.name,
            qualified=self.qualified,
            line=self.row + 1,
            end_line=self.end_row + 1,
            start_byte=self.start,
            end_byte=self.end,
            cyclomatic=self.cyclomatic,
            cognitive=self.cognitive,
            nesting=self.deepest,
            parameters=self.parameters,
            lines=self.lines,
            tokens=tokens,
            ccn=self.ccn,
            halstead=halstead,
            complete=self.complete,
            increments=tuple(sorted(self.increments, key=lambda each: (each.line, each.column))),
        )
