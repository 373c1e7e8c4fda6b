import pytest
from outline import outline

from codefit.source.functions import units_of

CASES = {
    "function": (
        "// Add adds\n// two.\nfunc Add(a, b int) int { return a + b }",
        [("function", "Add", "Add adds two.")],
    ),
    "generic function": (
        "// Map maps.\nfunc Map[T any](xs []T) []T { return nil }",
        [("function", "Map", "Map maps.")],
    ),
    "block comment": ("/*\nAdd adds.\n*/\nfunc Add() {}", [("function", "Add", "Add adds.")]),
    "methods": (
        """\
        // Len counts.
        func (l *List[T]) Len() int { return 0 }
        // Cap is full.
        func (List[T]) Cap() int { return 0 }
        """,
        [("method", "List.Len", "Len counts."), ("method", "List.Cap", "Cap is full.")],
    ),
    "directives are no doc": (
        "// Add adds.\n//\n//go:noinline\n//nolint:errcheck // why\nfunc Add() {}\n\n//go:build linux\nfunc B() {}\n",
        [("function", "Add", "Add adds."), ("function", "B", "")],
    ),
    "export directive": ("//export Add\nfunc Add() {}", [("function", "Add", "")]),
    "a blank line parts": ("// Something else.\n\nfunc Add() {}", [("function", "Add", "")]),
    "types": (
        """\
        // Point is flat.
        type Point struct {
            // X goes right.
            X int
        }

        type (
            // Shape has an area.
            Shape interface {
                // Area measures.
                Area() float64
            }
            // Name is text.
            Name = string
        )
        """,
        [
            ("type", "Point", "Point is flat."),
            ("type", "Shape", "Shape has an area."),
            ("type", "Name", "Name is text."),
        ],
    ),
    "the doc of a group is of none of its types": (
        "// Some.\ntype (\n\tA int\n\tB int\n)",
        [("type", "A", ""), ("type", "B", "")],
    ),
    "without a body": ("// Fast is assembly.\nfunc Fast(x int) int", []),
    "function values are none": ("// F is.\nvar F = func() {}\nfunc g() { func() {}() }", [("function", "g", "")]),
    "a trailing comment": ("var x = 1 // the x\nfunc f() {}", [("function", "f", "")]),
}


@pytest.mark.parametrize("case", CASES)
def test_go(case):
    source, expected = CASES[case]
    assert outline(source, "go") == expected


def test_the_licence_above_the_package_and_the_code_below_the_doc():
    source = "// Copyright 2020 The Authors. All rights reserved.\n\npackage x\n\n// F does.\nfunc F() {\n\tg()\n}\n"
    (unit,) = units_of(source, "go")
    assert (unit.doc, unit.code) == ("F does.", "func F() {\n\tg()\n}")
    assert (unit.start_line, unit.end_line) == (6, 8)
