"""Figures of functions beside lizard's."""

from collections import defaultdict
from pathlib import Path

import lizard

from codefit.source.metrics.figures import FunctionMetrics
from codefit.source.metrics.measure import measure

SAMPLES = Path(__file__).parent / "samples"
FILES = {"java": "a.java", "go": "a.go", "rust": "a.rs", "c": "a.c", "cpp": "a.cpp", "php": "a.php", "ruby": "a.rb"}
Figures = tuple[int, int, int, int]


def of_lizard(code: str, language: str) -> list[tuple[str, Figures, int]]:
    """Name, figures and first line of each function that lizard finds."""
    found = lizard.analyze_file.analyze_source_code(FILES[language], code).function_list
    return [
        (
            each.unqualified_name.split(".")[-1].replace(" ", ""),
            (each.cyclomatic_complexity, each.parameter_count, each.token_count, each.nloc),
            each.start_line,
        )
        for each in sorted(found, key=lambda each: each.start_line)
    ]


def own(metrics: FunctionMetrics) -> Figures:
    """What lizard counts too: ccn, parameters, tokens, lines."""
    return metrics.ccn, metrics.parameters, metrics.tokens, metrics.lines


def differences(code: str, language: str) -> tuple[int, dict[str, tuple[Figures | None, Figures | None]]]:
    """How many functions there are, and of those that differ the figures here and lizard's.

    Functions are told apart by their names; those with the same name stand in the same order.
    """
    pairs: dict[str, list[list[Figures | None]]] = defaultdict(lambda: [[], []])
    functions = measure(code, language).functions
    assert all(each.complete for each in functions)
    for each in functions:
        pairs[each.name.replace(" ", "")][0].append(own(each))
    for name, figures, _ in of_lizard(code, language):
        pairs[name][1].append(figures)
    found = {}
    for name, (ours, theirs) in pairs.items():
        for place in range(max(len(ours), len(theirs))):
            here = ours[place] if place < len(ours) else None
            there = theirs[place] if place < len(theirs) else None
            if here != there:
                found[name] = (here, there)
    return len(functions), found
