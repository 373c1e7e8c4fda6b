"""C and C++: Doxygen or any other comment directly above, and names that are wound in declarators."""

from __future__ import annotations

import re

from tree_sitter import Node

from codefit.source.grammar import CommentStyle, Grammar, Language

_QUERY = """
(comment) @comment
(function_definition
  declarator: [(function_declarator) (pointer_declarator)] @name
  body: (compound_statement)) @function
(struct_specifier name: (_) @name body: (_)) @type
(union_specifier name: (_) @name body: (_)) @type
(enum_specifier name: (_) @name body: (_)) @type
(type_definition
  type: [
    (struct_specifier !name body: (_)) (union_specifier !name body: (_)) (enum_specifier !name body: (_))
  ]
  declarator: (type_identifier) @name) @type
(type_definition type: [(struct_specifier) (union_specifier) (enum_specifier)] @inner) @outer
"""
_CPP_QUERY = f"""
{_QUERY}
(function_definition
  declarator: [(reference_declarator) (operator_cast) (qualified_identifier)] @name
  body: (compound_statement)) @function
(class_specifier name: (_) @name body: (_)) @type
(function_definition type: (class_specifier) declarator: (identifier) @name body: (_)) @type
(alias_declaration name: (_) @name) @type
(namespace_definition name: (_) @name) @scope
(template_declaration [
  (function_definition) (class_specifier) (struct_specifier) (union_specifier) (alias_declaration)
] @inner) @outer
(friend_declaration (function_definition) @inner) @outer
"""

# What a definition's head may turn into where a macro hides the true one.
_KEYWORDS = frozenset({"if", "for", "while", "switch", "return", "else", "do", "sizeof", "catch", "defined"})
_WITHOUT_FIELD = frozenset({"reference_declarator", "parenthesized_declarator", "attributed_declarator"})
_SCOPED = frozenset(
    {"qualified_identifier", "nested_namespace_specifier", "template_type", "template_function", "operator_cast"}
)
_TEMPLATE_ARGUMENTS = re.compile(r"<[^<>]*>")
_NAME = re.compile(r"~?\s*\w+|operator\b.+")
_OPERATOR = re.compile(r"\boperator\b\s*(?:\(\s*\)|[^(]+)")
_MAX_DECLARATORS = 100  # a pointer to a pointer to … : deeper is no name that a person wrote
_MAX_NAME = 1_000  # bytes with scopes and template arguments
_COMMENTS = CommentStyle(
    blocks=("/*",),
    lines=("//",),
    # Docs of what stands before them on the line, and notes to clang and other tools.
    directive=re.compile(r"(?://[/!]|/\*[*!])<|(?://|/\*)\s*(?:NOLINT|clang-format|cppcheck-|coverity|LCOV_|IWYU)"),
    markup=True,
)

_C = Grammar("tree_sitter_c", _QUERY)
_CPP = Grammar("tree_sitter_cpp", _CPP_QUERY)


def _path_of(name: Node, source: bytes) -> tuple[str, ...]:
    """The name inside pointers, references and parentheses; `ns::Foo<T>::bar` is `bar` in `Foo` in `ns`."""
    node = _unwound(name)
    if node.end_byte - node.start_byte > _MAX_NAME:
        return ()
    text = source[node.start_byte : node.end_byte].decode("utf-8", "replace")
    parts = _split_scopes(text) if node.type in _SCOPED else (text,)
    return () if any(part in _KEYWORDS or not _NAME.fullmatch(part) for part in parts) else parts


def _unwound(declarator: Node) -> Node:
    """What a declarator declares in the end."""
    node = declarator
    for _ in range(_MAX_DECLARATORS):
        inner = node.child_by_field_name("declarator")
        if inner is None and node.type in _WITHOUT_FIELD:
            inner = node.named_child(0)
        if inner is None or node.type == "operator_cast":
            break
        node = inner
    return node


def _split_scopes(text: str) -> tuple[str, ...]:
    """The parts of a name without template arguments; `operator bool() const` is one part, without what follows it."""
    operator = _OPERATOR.search(text)
    head, last = (text[: operator.start()], operator[0]) if operator else (text, "")
    while (shorter := _TEMPLATE_ARGUMENTS.sub("", head)) != head:
        head = shorter
    parts = [*head.split("::"), " ".join(last.split())]
    return tuple(part.strip() for part in parts if part.strip())


C = Language(
    name="c",
    extensions=(".c", ".h"),
    grammars=(_C, _CPP),  # a header may be either's
    comments=_COMMENTS,
    path_of=_path_of,
    broken_heads=True,
)
CPP = Language(
    name="cpp",
    extensions=(".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".tpp", ".inl", ".cu", ".cuh"),
    grammars=(_CPP,),
    comments=_COMMENTS,
    path_of=_path_of,
    broken_heads=True,
)
