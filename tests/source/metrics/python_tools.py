"""Figures of Python functions by radon, complexipy, lizard and ruff, by the line and name of the function."""

import ast
import json
import re
import subprocess
import sys
import sysconfig
from collections import defaultdict
from pathlib import Path

import lizard
from complexipy import code_complexity
from radon.visitors import ComplexityVisitor

Place = tuple[int, str]
STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])


def library_files(step: int) -> dict[Path, str]:
    """Every `step`-th file of the standard library that Python can read, with its text."""
    paths = [path for path in sorted(STANDARD_LIBRARY.rglob("*.py")) if "site-packages" not in path.parts]
    texts = {}
    for path in paths[::step]:
        try:
            text = path.read_text("utf-8")
            ast.parse(text)
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue  # the tests of the library hold broken files
        if "\f" not in text:  # which some count as a line's end
            texts[path] = text
    return texts


def cyclomatic_of(code: str) -> dict[Place, int]:
    """radon's complexity of functions, each without the ones in it."""
    visitor = ComplexityVisitor.from_code(code)
    rest = [*visitor.functions]
    classes = [*visitor.classes]
    while classes:
        one = classes.pop()
        classes += one.inner_classes
        rest += one.methods
    found = {}
    while rest:
        one = rest.pop()
        found[one.lineno, one.name] = one.complexity
        rest += one.closures
    return found


def cognitive_of(code: str) -> dict[Place, int]:
    """complexipy's complexity of functions and methods of the file's own classes; its lines are those of decorators."""
    lines = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            lines[first, node.name] = node.lineno
    found = {}
    for one in code_complexity(code, no_ignore=True, with_plans=False).functions:
        name = one.name.split("::")[-1]
        found[lines[one.line_start, name], name] = one.complexity
    return found


def lizards_of(code: str) -> dict[Place, tuple[tuple[int, int, int, int], int]]:
    """lizard's count, parameters, tokens and lines, and the last line."""
    found = lizard.analyze_file.analyze_source_code("a.py", code).function_list
    return {
        (one.start_line, re.split(r"[.:]", one.name)[-1]): (
            (one.cyclomatic_complexity, one.parameter_count, one.token_count, one.nloc),
            one.end_line,
        )
        for one in found
    }


def depths_of(paths: list[Path]) -> dict[Path, list[tuple[int, int]]]:
    """Lines of blocks that lie outermost, and how deep ruff finds blocks in them."""
    options = ("--isolated", "--no-cache", "--preview", "--select=PLR1702", "--output-format=json", "--exit-zero")
    limit = ("--config", "lint.pylint.max-nested-blocks=0")
    program = [sys.executable, "-m", "ruff", "check", *options, *limit, *map(str, paths)]
    found = defaultdict(list)
    for each in json.loads(subprocess.run(program, capture_output=True, text=True, check=True).stdout):
        if each["code"] == "PLR1702":
            depth = re.search(r"\((\d+) > 0\)", each["message"])
            found[Path(each["filename"])].append((each["location"]["row"], int(depth[1])))
    return found
