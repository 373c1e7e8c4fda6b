"""What a file holds, counted beside Python's own ast; and a file that the parser hangs on."""

from __future__ import annotations

import ast
import inspect
import json
import time
from collections import Counter

import pytest

from codefit.corpus.examine import Checks, examine_documents
from codefit.corpus.manifest import Receipt
from codefit.corpus.richness import Richness, bytes_of, lines_of, richness_of, total_richness
from codefit.errors import InputError
from codefit.records import Document
from document_examples import document


@pytest.mark.parametrize("module", [json.decoder, inspect, Counter])
def test_functions_and_types_are_those_that_ast_finds(module: object) -> None:
    source_file = inspect.getsourcefile(module)  # type: ignore[arg-type]
    assert source_file is not None
    with open(source_file, encoding="utf-8") as stream:
        text = stream.read()
    nodes = list(ast.walk(ast.parse(text)))
    functions = sum(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes)
    types = sum(isinstance(node, ast.ClassDef) for node in nodes)
    found = richness_of(text, "python")
    assert (found.functions, found.types) == (functions, types)
    assert found.structure == functions + types
    assert found.lines == len(text.splitlines())
    assert found.bytes == len(text.encode())


def test_types_of_rust_are_counted_and_macros_are_not() -> None:
    text = (
        "struct A;\nenum B { X }\ntrait T { fn t(&self); }\nimpl A { fn m(&self) {} }\nm! { fn no() {} }\nfn f() {}\n"
    )
    found = richness_of(text, "rust")
    assert (found.functions, found.types) == (2, 3)


@pytest.mark.parametrize(("text", "lines"), [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("a\n\n", 2)])
def test_lines(text: str, lines: int) -> None:
    assert lines_of(text) == lines


def test_bytes_and_totals() -> None:
    assert bytes_of("é") == 2
    assert bytes_of("\udc80") == 3  # half a surrogate pair, as undecodable names have, is no error
    assert total_richness([Richness(1, 2, 3, 4), Richness(10, 20, 30, 40)]) == {
        "functions": 11,
        "types": 22,
        "lines": 33,
        "bytes": 44,
    }


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(InputError, match="not a language"):
        richness_of("x", "klingon")


def test_a_file_that_the_parser_hangs_on_costs_itself_alone_and_is_named() -> None:
    # tree-sitter is busy for minutes inside one operation, where it does not ask whether to go on.
    slow = Document(path="src/slow.ts", text="A<B,\n" * 8_000, language="typescript", repo="owner/name")
    receipt = Receipt()
    started = time.monotonic()
    passed = examine_documents(
        [document("a.py", 1), slow, document("b.py", 2)],
        Checks(),
        receipt,
        Counter(),
        workers=1,
        seconds_per_document=1.0,
    )
    assert time.monotonic() - started < 20
    assert [each.document.path for each in passed] == ["a.py", "b.py"]
    assert [(row.reason, row.where) for row in receipt.dropped] == [
        ("not examined: took longer than 1 s", "owner/name/src/slow.ts")
    ]
