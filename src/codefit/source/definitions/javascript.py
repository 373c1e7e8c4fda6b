"""JavaScript and TypeScript: JSDoc, and functions that get their name from what they are assigned to."""

from __future__ import annotations

import re

from tree_sitter import Node

from codefit.source.grammar import CommentStyle, Grammar, Language

_QUERY = """
(comment) @comment
(function_declaration name: (_) @name) @function
(generator_function_declaration name: (_) @name) @function
(class_declaration name: (_) @name) @type
(method_definition name: (_) @name) @method
(export_statement value: (function_expression name: (_) @name) @function @inner) @outer

(variable_declarator
  name: (identifier) @name
  value: [(arrow_function) (function_expression) (generator_function)] @function @inner) @outer
(variable_declarator name: (identifier) @name value: (class) @type @inner) @outer
(variable_declarator name: (identifier) @name value: (object) @scope)
(lexical_declaration . (variable_declarator) @inner .) @outer
(variable_declaration . (variable_declarator) @inner .) @outer

(assignment_expression
  left: [(identifier) (member_expression)] @name
  right: [(arrow_function) (function_expression) (generator_function)] @function @inner) @outer
(assignment_expression left: [(identifier) (member_expression)] @name right: (class) @type @inner) @outer
(assignment_expression left: [(identifier) (member_expression)] @name right: (object) @scope)
(expression_statement (assignment_expression) @inner) @outer

(pair key: (_) @name value: [(arrow_function) (function_expression) (generator_function)] @method @inner) @outer
(export_statement declaration: (_) @inner) @outer
"""
_JAVASCRIPT_QUERY = f"""
{_QUERY}
(field_definition
  property: (_) @name
  value: [(arrow_function) (function_expression) (generator_function)] @method @inner) @outer
"""
_TYPESCRIPT_QUERY = f"""
{_QUERY}
(class_body (decorator) @attribute)
(public_field_definition
  name: (_) @name
  value: [(arrow_function) (function_expression) (generator_function)] @method @inner) @outer
(abstract_class_declaration name: (_) @name) @type
(interface_declaration name: (_) @name) @type
(enum_declaration name: (_) @name) @type
(type_alias_declaration name: (_) @name) @type
(internal_module name: (_) @name) @scope
(module name: [(identifier) (nested_identifier)] @name) @scope
(expression_statement (internal_module) @inner) @outer
(ambient_declaration (_) @inner) @outer
"""

_DOTTED = re.compile(r"[\w$#]+(?:\??\.[\w$#]+)*")
_NOT_PART_OF_A_NAME = frozenset({"prototype", "exports", "module", "this", "self", "window", "globalThis"})
_COMMENTS = CommentStyle(blocks=("/**",), passes_others=True, markup=True)

_JAVASCRIPT = Grammar("tree_sitter_javascript", _JAVASCRIPT_QUERY)
_TYPESCRIPT = Grammar("tree_sitter_typescript", _TYPESCRIPT_QUERY, entry="language_typescript")
_TSX = Grammar("tree_sitter_typescript", _TYPESCRIPT_QUERY, entry="language_tsx")


def _path_of(name: Node, source: bytes) -> tuple[str, ...]:
    """`Foo.prototype.bar` is the method `bar` of `Foo`, `module.exports.x` the function `x`; quotes are no part."""
    text = source[name.start_byte : name.end_byte].decode("utf-8", "replace")
    if name.type == "string":
        return (text[1:-1],) if len(text) > 2 else ()
    if name.type != "member_expression" and name.type != "nested_identifier":
        return (text,)
    path = dotted_path(text)
    if path is not None:
        return path
    field = name.child_by_field_name("property")
    return () if field is None else (source[field.start_byte : field.end_byte].decode("utf-8", "replace"),)


def dotted_path(text: str) -> tuple[str, ...] | None:
    """The parts of `a.b.c` that are of its name, None where it is more than names and dots."""
    if not _DOTTED.fullmatch(text):
        return None
    parts = text.replace("?", "").split(".")
    return (*(part for part in parts[:-1] if part not in _NOT_PART_OF_A_NAME), parts[-1])


JAVASCRIPT = Language(
    name="javascript",
    extensions=(".js", ".mjs", ".cjs", ".jsx", ".es6"),
    grammars=(_JAVASCRIPT, _TSX),  # the second reads Flow's type annotations
    comments=_COMMENTS,
    path_of=_path_of,
    file_names=("Jakefile",),
)
TYPESCRIPT = Language(
    name="typescript",
    extensions=(".ts", ".tsx", ".mts", ".cts"),
    grammars=(_TYPESCRIPT, _TSX),  # they differ in what `<` opens: a type assertion or an element
    comments=_COMMENTS,
    path_of=_path_of,
)
