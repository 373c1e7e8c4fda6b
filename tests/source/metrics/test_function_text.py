"""The text of a function as a scorer reads it, in training and in the service alike."""

from __future__ import annotations

from codefit.source.metrics.measure import measure
from codefit.source.metrics.text import source_bytes, text_of


def test_a_function_stands_as_if_it_were_alone() -> None:
    text = "\ufeffclass A {\r\n    open(day) {\r\n        return 'é' + day;\r\n    }\r\n}\r\n"
    (own,) = measure(text, "javascript").functions
    assert text_of(source_bytes(text), own) == "open(day) {\n    return 'é' + day;\n}"


def test_only_the_indentation_of_its_first_line_goes() -> None:
    text = "const a = { b: function () {\n  return 1;\n} };\n\tfunction c() {\n\t\treturn `\n x`;\n\t}\n"
    source = source_bytes(text)
    assert [text_of(source, own) for own in measure(text, "javascript").functions] == [
        "function () {\n  return 1;\n}",
        "function c() {\n\treturn `\n x`;\n}",
    ]
