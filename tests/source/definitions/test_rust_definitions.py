import pytest
from outline import only, outline

from codefit.source.functions import units_of

CASES = {
    "lines": ("/// Adds\n/// two.\n///\n/// # Panics\n/// Never.\npub fn add() {}", [("function", "add", "Adds two.")]),
    "block": ("/** Adds\n * two.\n */\npub(crate) const fn add() {}", [("function", "add", "Adds two.")]),
    "doc attribute": ('#[doc = "Adds two."]\n#[inline]\nfn add() {}', [("function", "add", "Adds two.")]),
    "attributes between doc and item": (
        "/// A point.\n#[derive(Debug)]\n#[repr(C)]\npub struct Point { x: i32 }",
        [("type", "Point", "A point.")],
    ),
    "attributes above the doc": (
        "#[derive(Debug)]\n/// A point.\npub struct Point;",
        [("type", "Point", "A point.")],
    ),
    "plain comments are no doc and may stand between": (
        "/// Adds.\n// really\n#[inline] // fast\nfn add() {}\n\n// Subtracts.\nfn sub() {}\n//// Not.\nfn four() {}",
        [("function", "add", "Adds."), ("function", "sub", ""), ("function", "four", "")],
    ),
    "inner docs are of what holds them": (
        "//! A crate.\nfn f() {}\nmod inner {\n    //! A module.\n    fn g() {}\n}",
        [("function", "f", ""), ("function", "inner.g", "")],
    ),
    "impl": (
        """\
        impl<'a, T: Clone> fmt::Display for &'a list::List<T> {
            /// Shows.
            fn fmt(&self, f: &mut Formatter) -> Result { Ok(()) }
        }
        impl List<u8> {
            /// Makes.
            pub async unsafe fn new() -> Self { Self }
        }
        """,
        [("method", "List.fmt", "Shows."), ("method", "List.new", "Makes.")],
    ),
    "trait: a signature is no unit, a default is": (
        """\
        /// Speaks.
        trait Speak {
            type Word;
            /// Says.
            fn say(&self);
            /// Sings.
            fn sing(&self) {}
        }
        """,
        [("type", "Speak", "Speaks."), ("method", "Speak.sing", "Sings.")],
    ),
    "types": (
        "/// E.\nenum E { A }\n/// U.\nunion U { a: u8 }\n/// T.\ntype T = Vec<u8>;\nimpl I for X { type Out = u8; }",
        [("type", "E", "E."), ("type", "U", "U."), ("type", "T", "T.")],
    ),
    "fields and variants keep their docs to themselves": (
        "struct A {\n    /// A field.\n    x: u8,\n}\nfn f() {}",
        [("type", "A", ""), ("function", "f", "")],
    ),
    "a comment at the end of a line": ("use x; /// trailing\nfn f() {}", [("function", "f", "")]),
    "nested": (
        "fn a() {\n    /// In.\n    fn b() {}\n    let c = |x| x;\n}",
        [("function", "a", ""), ("function", "a.b", "In.")],
    ),
    "a notice at the top": ("// Copyright 2020\n/// Copyright (c) 2020\nfn f() {}", [("function", "f", "")]),
}


@pytest.mark.parametrize("case", CASES)
def test_rust(case):
    source, expected = CASES[case]
    assert outline(source, "rust") == expected


def test_attributes_belong_to_the_code_and_docs_do_not():
    source = (
        "impl A {\n    #[inline]\n    /// Adds.\n    #[must_use]\n"
        "    /// Two.\n    fn add() -> u8 {\n        2\n    }\n}"
    )
    unit = units_of(source, "rust")[0]
    assert unit.doc == "Adds.\nTwo."
    assert unit.code == "#[inline]\n#[must_use]\nfn add() -> u8 {\n    2\n}"
    assert unit.definition == "fn add() -> u8 {\n    2\n}"
    assert (unit.start_line, unit.end_line) == (2, 8)


def test_a_raw_doc_attribute_of_several_lines():
    assert only('#[doc = r#"One "quoted"\n\nTwo."#]\nfn f() {}', "rust").doc == 'One "quoted"\n\nTwo.'
