"""Python: docs are strings that open a body."""

from __future__ import annotations

from tree_sitter import Node

from codefit.source.docs import clean_docstring
from codefit.source.grammar import Docstring, Grammar, Language

_QUERY = """
(function_definition name: (identifier) @name) @function
(class_definition name: (identifier) @name) @type
(decorated_definition definition: (_) @inner) @decorated
"""
_STRING_TYPES = frozenset({"string", "concatenated_string", "parenthesized_expression"})


def _docstring_of(definition: Node, source: bytes) -> Docstring | None:
    """The string that opens the body. An empty body is left with `...`, a whole line goes with its comment."""
    body = definition.child_by_field_name("body")
    statements = [] if body is None else _first_two_statements(body)
    if not statements or statements[0].type != "expression_statement":
        return None
    statement = statements[0]
    expression = statement.named_child(0)
    if expression is None or statement.named_child_count != 1 or expression.type not in _STRING_TYPES:
        return None
    start, end = statement.start_byte, statement.end_byte
    text = clean_docstring(source[start:end].decode("utf-8", "replace"))
    if not text:
        return None
    if len(statements) == 1:
        return Docstring(text, start, end, "...")
    return Docstring(text, *_whole_line(source, start, end), "")


def _first_two_statements(body: Node) -> list[Node]:
    found: list[Node] = []
    for index in range(body.named_child_count):
        child = body.named_child(index)
        if child is not None and child.type != "comment":
            found.append(child)
            if len(found) == 2:
                break
    return found


def _whole_line(source: bytes, start: int, end: int) -> tuple[int, int]:
    """The span of the string widened to its lines, or up to the statement that follows it on the same line."""
    line_end = source.find(b"\n", end)
    if line_end < 0:
        line_end = len(source)
    rest = source[end:line_end]
    separator, _, following = rest.partition(b";")
    if not separator.strip() and following.strip():
        return start, line_end - len(following.lstrip())
    return source.rfind(b"\n", 0, start) + 1, line_end + 1


def _end_of(definition: Node) -> int:
    """The end of the last statement, as Python's own parser has it: tree-sitter may add the comments below it."""
    node = definition
    while (last := _last_child(node)) is not None:
        node = last
    return node.end_byte


def _last_child(node: Node) -> Node | None:
    for index in reversed(range(node.child_count)):
        child = node.child(index)
        if child is not None and child.type != "comment":
            return child
    return None


PYTHON = Language(
    name="python",
    extensions=(".py", ".pyi", ".pyw"),
    grammars=(Grammar("tree_sitter_python", _QUERY),),
    docstring_of=_docstring_of,
    end_of=_end_of,
    file_names=("SConstruct", "SConscript", "wscript"),
)
