"""Python beside radon, complexipy, lizard and ruff on a sample of the standard library."""

import ast

import pytest
from python_tools import cognitive_of, cyclomatic_of, depths_of, library_files, lizards_of

from codefit.source.metrics.measure import measure

STEP = 23  # of the library's files: some eighty, with some thousand functions
AGREEMENT = 0.99


@pytest.fixture(scope="module")
def sample():
    """The text of each file and its functions by line and name."""
    return {
        path: (text, {(each.line, each.name): each for each in measure(text, "python").functions})
        for path, text in library_files(STEP).items()
    }


def agreement(pairs):
    pairs = list(pairs)
    assert len(pairs) > 1000
    return sum(here == there for here, there in pairs) / len(pairs)


def test_functions_are_those_of_pythons_own_parser(sample):
    pairs = []
    for text, functions in sample.values():
        found = {place: (each.end_line, each.complete) for place, each in functions.items()}
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        pairs += [(found.pop((node.lineno, node.name), None), (node.end_lineno, True)) for node in nodes]
        pairs += [(each, None) for each in found.values()]
    assert agreement(pairs) >= AGREEMENT


def test_cyclomatic_complexity_is_radons(sample):
    pairs = [
        (functions[place].cyclomatic, figure)
        for text, functions in sample.values()
        for place, figure in cyclomatic_of(text).items()
    ]
    assert agreement(pairs) >= AGREEMENT


def test_cognitive_complexity_is_complexipys(sample):
    pairs = [
        (functions[place].cognitive, figure)
        for text, functions in sample.values()
        for place, figure in cognitive_of(text).items()
    ]
    assert agreement(pairs) >= AGREEMENT


@pytest.mark.parametrize("figure", ["ccn", "parameters", "tokens", "lines"])
def test_what_lizard_counts(sample, figure):
    """But of functions on one line and of those around them, at which it goes astray."""
    place_in_figures = ["ccn", "parameters", "tokens", "lines"].index(figure)
    pairs = []
    for text, functions in sample.values():
        short = [each for each in functions.values() if each.line == each.end_line]
        for place, (figures, _) in lizards_of(text).items():
            own = functions.get(place)
            if own is not None and not any(own.line <= each.line <= own.end_line for each in short):
                pairs.append((getattr(own, figure), figures[place_in_figures]))
    assert agreement(pairs) >= AGREEMENT


def test_depth_is_ruffs(sample):
    """Of functions that stand at the top or in a class there, without functions and `match` in them."""
    found = depths_of(list(sample))
    pairs = []
    for path, (text, _) in sample.items():
        tree = ast.parse(text)
        bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
        for node in [node for body in bodies for node in body]:
            inner = [type(each) for each in ast.walk(node)][1:]
            if not isinstance(node, ast.FunctionDef) or not {ast.FunctionDef, ast.ClassDef, ast.Match}.isdisjoint(
                inner
            ):
                continue
            depths = [depth for line, depth in found[path] if node.lineno <= line <= node.end_lineno]
            pairs.append((sample[path][1][node.lineno, node.name].nesting, max(depths, default=0)))
    assert agreement(pairs) >= AGREEMENT
