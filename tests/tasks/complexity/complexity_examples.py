"""Functions to learn from, made up: names, lengths and branches are drawn, labels and metrics are real."""

from __future__ import annotations

import random

from codefit.records import ScoredFunction
from codefit.tasks.complexity.functions import FunctionRow, score_row

WORDS = ("item", "total", "count", "name", "node", "value", "index", "list", "key", "path")


def function_code(draw: random.Random) -> str:
    """A JavaScript function of one to twelve statements, some with branches."""
    lines = [draw.choice(_STATEMENTS)(draw) for _ in range(draw.randint(1, 12))]
    parameters = ", ".join(draw.sample(WORDS, draw.randint(0, 3)))
    return f"function {draw.choice(WORDS)}({parameters}) {{\n" + "\n".join(f"  {line}" for line in lines) + "\n}"


_STATEMENTS = (
    lambda draw: f"const {draw.choice(WORDS)} = {draw.choice(WORDS)}.{draw.choice(WORDS)} + {draw.randint(0, 9)};",
    lambda draw: f"if ({draw.choice(WORDS)} > {draw.randint(0, 9)}) {{\n    {draw.choice(WORDS)}();\n  }}",
    lambda draw: f"for (const a of {draw.choice(WORDS)}) {{\n    if (a && {draw.choice(WORDS)}) return a;\n  }}",
    lambda draw: f"return {draw.choice(WORDS)} ? {draw.choice(WORDS)} : {draw.choice(WORDS)};",
    lambda draw: f"// {draw.choice(WORDS)} of the {draw.choice(WORDS)}",
)


def scored_functions(count: int, *, seed: int = 0, source: str = "example/one") -> list[ScoredFunction]:
    """So many different functions, three a file."""
    draw = random.Random(seed)
    codes = dict.fromkeys(function_code(draw) for _ in range(3 * count))
    rows = [
        score_row(FunctionRow(code=code, path=f"src/file{number // 3}.js", line=number, source=source))
        for number, code in enumerate(list(codes)[:count])
    ]
    return [row for row in rows if row is not None]
