"""What is measured of a function, and what follows from it: Halstead's figures, maintainability, score and label."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

LABELS = ((3.0, "Simple"), (6.0, "Moderate"), (8.5, "Complex"))  # up to and with that score; above the last: Critical
LOWEST, HIGHEST = 1.0, 10.0


@dataclass(frozen=True, slots=True)
class Halstead:
    """Counts of operators and operands, different ones and all (Halstead, Elements of Software Science, 1977)."""

    different_operators: int
    different_operands: int
    operators: int
    operands: int

    @property
    def volume(self) -> float:
        """Bits: the length times the logarithm of the vocabulary."""
        vocabulary = self.different_operators + self.different_operands
        return (self.operators + self.operands) * math.log2(vocabulary) if vocabulary else 0.0

    @property
    def difficulty(self) -> float:
        """Half the different operators, times how often an operand is used."""
        if not self.different_operands:
            return 0.0
        return self.different_operators / 2 * self.operands / self.different_operands

    @property
    def effort(self) -> float:
        """Difficulty times volume."""
        return self.difficulty * self.volume


@dataclass(frozen=True, slots=True)
class Increment:
    """What adds to a function's complexity: 1-based line and column (in bytes); `nesting` is part of `cognitive`."""

    line: int
    column: int
    what: str
    cyclomatic: int
    cognitive: int
    nesting: int


@dataclass(frozen=True, slots=True)
class FunctionMetrics:
    """A function and its figures; what is inside a function of its own in it counts for that one alone.

    `line` and `end_line` are 1-based and inclusive. `nesting` is how deep control structures lie in each other.
    `lines` have code in them; `tokens` and `ccn` are counted by lizard's rules, the others by the language's (see
    `rules/`). `complete` is false where a syntax error lies inside. `increments` are kept where they were asked for.
    """

    name: str
    qualified: str
    line: int
    end_line: int
    start_byte: int
    end_byte: int
    cyclomatic: int
    cognitive: int
    nesting: int
    parameters: int
    lines: int
    tokens: int
    ccn: int
    halstead: Halstead
    complete: bool = True
    increments: tuple[Increment, ...] = field(default=(), repr=False)

    @property
    def maintainability(self) -> float:
        """The maintainability index from 0 to 100 (Coleman et al., 1994, as Visual Studio scales it)."""
        volume = max(self.halstead.volume, 1.0)
        index = 171 - 5.2 * math.log(volume) - 0.23 * self.cyclomatic - 16.2 * math.log(max(self.lines, 1))
        return min(100.0, max(0.0, index * 100 / 171))

    @property
    def score(self) -> float:
        """The reference formula's score, from 1.0 to 10.0."""
        return formula(self.ccn, self.tokens, self.lines)

    @property
    def label(self) -> str:
        """The score in a word."""
        return label_of(self.score)

    def to_dict(self) -> dict[str, float]:
        """The figures by name, as JSON has them; Halstead's bits and the index are rounded to a hundredth."""
        return {
            "cyclomatic": self.cyclomatic,
            "cognitive": self.cognitive,
            "nesting": self.nesting,
            "parameters": self.parameters,
            "lines": self.lines,
            "tokens": self.tokens,
            "ccn": self.ccn,
            "halstead_volume": round(self.halstead.volume, 2),
            "halstead_difficulty": round(self.halstead.difficulty, 2),
            "halstead_effort": round(self.halstead.effort, 2),
            "maintainability": round(self.maintainability, 2),
        }


def formula(ccn: int, tokens: int, lines: int) -> float:
    """The label formula of the reference run, rounded to a tenth: half cyclomatic complexity, the rest length."""
    branching = min(10.0, 2 * math.log2(ccn + 1))
    whole = 0.5 * branching + 0.3 * min(10.0, tokens / 40) + 0.2 * min(10.0, lines / 8)
    return round(min(HIGHEST, max(LOWEST, whole)), 1)


def label_of(score: float) -> str:
    """Simple up to 3, Moderate up to 6, Complex up to 8.5, else Critical."""
    return next((label for limit, label in LABELS if score <= limit), "Critical")
