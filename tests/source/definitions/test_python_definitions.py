import ast
import copy
import random
import sysconfig
import warnings
from pathlib import Path
from textwrap import dedent

import pytest
from outline import only, outline

from codefit.source.functions import units_of

FILES = 250  # of the standard library: enough to meet every way of writing a definition, in a few seconds
KNOWN_LARGE = 300_000  # characters


def _standard_library() -> list[Path]:
    root = Path(sysconfig.get_paths()["stdlib"])
    files = [file for file in sorted(root.rglob("*.py")) if "site-packages" not in file.parts]
    return random.Random(7).sample(files, FILES)


def _as_python_sees_it(tree: ast.AST) -> list[tuple[str, str, int, int, str]]:
    found = []

    def visit(node: ast.AST, path: tuple[str, ...], around: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                kind = "type" if isinstance(child, ast.ClassDef) else "method" if around == "type" else "function"
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                inner = (*path, child.name)
                found.append((kind, ".".join(inner), first, child.end_lineno, ast.get_docstring(child) or ""))
                visit(child, inner, kind)
            else:
                visit(child, path, around)

    visit(tree, (), "")
    return sorted(found, key=lambda each: (each[2], each[1]))


def test_names_lines_and_docs_are_those_of_pythons_own_parser():
    compared = 0
    for file in _standard_library():
        try:
            text = file.read_text(encoding="utf-8")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(text)
        except (UnicodeDecodeError, SyntaxError):
            continue  # lib2to3's and the tests' files that are meant to be broken
        if len(text) > KNOWN_LARGE:
            continue
        units = units_of(text, "python")
        found = [(unit.kind, unit.qualified, unit.start_line, unit.end_line, unit.doc) for unit in units]
        assert sorted(found, key=lambda each: (each[2], each[1])) == _as_python_sees_it(tree), file
        compared += len(units)
    assert compared > 3_000


def test_the_code_is_the_definition_without_its_docstring():
    for file in _standard_library()[:60]:
        try:
            text = file.read_text(encoding="utf-8")
            tree = ast.parse(text)
        except (UnicodeDecodeError, SyntaxError):
            continue
        whole = {
            (node.lineno, node.name): node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        for unit in units_of(text, "python"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                (node,) = ast.parse(unit.code).body
            original = copy.deepcopy(whole[unit.start_line + node.lineno - 1, unit.name])
            if ast.get_docstring(original):
                del original.body[0]
            if not original.body:
                original.body = ast.parse("...").body
            assert _dump(node) == _dump(original), (file, unit.qualified)


def _dump(node: ast.AST) -> str:
    """Strings are left out: taking the indentation off changes those of several lines."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str | bytes):
            each.value = ""
    return ast.dump(node)


CODE_CASES = {
    "a docstring alone": ('def f():\n    """Doc."""\n', "def f():\n    ..."),
    "on the line of the head": ('def f(): "Doc."', "def f(): ..."),
    "with a comment": ('def f():\n    """Doc."""  # noqa\n    return 1', "def f():\n    return 1"),
    "before a semicolon": ('def f():\n    "Doc."; x = 1\n    return x', "def f():\n    x = 1\n    return x"),
    "on the line of the head, before a semicolon": ('def f(): "Doc."; return 1', "def f(): return 1"),
    "below a comment": ('def f():\n    # Why.\n    """Doc."""\n    return 1', "def f():\n    # Why.\n    return 1"),
    "above a comment alone": ('def f():\n    """Doc."""\n    # Later.\n', "def f():\n    ..."),
    "of several lines": ('def f():\n    r"""Doc.\n\n    More.\n    """\n\n    return 1', "def f():\n\n    return 1"),
    "joined": ('def f():\n    ("Do"\n     "c.")\n    return 1', "def f():\n    return 1"),
    "none": ("def f():\n    x = 'Doc.'\n    return x", "def f():\n    x = 'Doc.'\n    return x"),
    "tabs": ('def f():\n\t"""Doc."""\n\treturn 1', "def f():\n\treturn 1"),
    "indented": ('  def f():\n      """Doc."""\n      return 1', "def f():\n    return 1"),
    "text at the margin stays": ('  def f():\n    return """\na\n  b"""', 'def f():\n  return """\na\nb"""'),
    "a class": ('class A:\n    """Doc."""\n    x = 1', "class A:\n    x = 1"),
}


@pytest.mark.parametrize("case", CODE_CASES)
def test_code(case):
    source, expected = CODE_CASES[case]
    (unit,) = units_of(source, "python")
    assert unit.code == expected
    assert unit.doc == ("" if case in ("none", "text at the margin stays") else unit.doc)


DOC_CASES = {
    "an f-string is none": ('def f():\n    f"Doc {x}."\n    return 1', ""),
    "bytes are none": ('def f():\n    b"Doc."\n    return 1', ""),
    "escapes": ("def f():\n    'It\\'s \\u00e9.'", "It's é."),
    "raw": ('def f():\n    r"""A \\d."""', "A \\d."),
    "invalid escape": ('def f():\n    """A \\d."""', "A \\d."),
    "indentation": ('def f():\n    """One\n\n      two\n    three\n    """', "One\n\n  two\nthree"),
    "parentheses": ('def f():\n    ("Doc.")', "Doc."),
    "many blank lines first": ('def f():\n    """' + "\n" * 5 + '    Doc.\n      More."""', "Doc.\n  More."),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", DOC_CASES)
def test_doc(case):
    source, expected = DOC_CASES[case]
    assert only(source, "python").doc == expected


def test_decorators_are_the_prelude():
    unit = only('@first\n@second(\n    1\n)\nasync def f():\n    """Doc."""\n    return 1\n', "python")
    assert unit.code == "@first\n@second(\n    1\n)\nasync def f():\n    return 1"
    assert unit.definition == "async def f():\n    return 1"
    assert (unit.start_line, unit.end_line) == (1, 7)


def test_a_comment_above_is_no_doc():
    assert outline("# Adds.\ndef add(): pass", "python") == [("function", "add", "")]


def test_sound_units_of_a_broken_file():
    source = """\
        def good():
            '''Stays.'''
            return 1

        def bad(:
            return 1

        class Kept:
            def also_good(self):
                return 2

            def cut_off(self
        """
    names = [unit.qualified for unit in units_of(dedent(source), "python")]
    assert "good" in names
    assert any(name.endswith("also_good") for name in names)
    assert not any(name.endswith(("bad", "cut_off")) for name in names)


def test_python_2_is_read_as_far_as_it_goes():
    assert outline('def old():\n    """Prints."""\n    print "x"\n', "python") == [("function", "old", "Prints.")]
