"""How many variables a function declares, as the answers of the reference run list them: different names, each once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import tree_sitter
from tree_sitter import Node

from codefit.source.grammar import load
from codefit.source.languages import LANGUAGES
from codefit.source.parsing import parse_tree

_JAVASCRIPT = "(variable_declarator name: (_) @name) (for_in_statement kind: _ left: (_) @name)"
_QUERIES: Mapping[str, str] = MappingProxyType(
    {
        "javascript": _JAVASCRIPT,
        "typescript": _JAVASCRIPT,
        "python": (
            "(assignment left: (_) @name) (named_expression name: (_) @name) (for_statement left: (_) @name)"
            " (as_pattern alias: (as_pattern_target (_) @name))"
        ),
        "java": "(variable_declarator name: (_) @name) (enhanced_for_statement name: (_) @name)",
        "go": "(short_var_declaration left: (_) @name) (var_spec name: (_) @name) (range_clause left: (_) @name)",
        "rust": "(let_declaration pattern: (_) @name) (for_expression pattern: (_) @name)",
        "ruby": "(assignment left: (_) @name)",
        "php": "(assignment_expression left: (variable_name) @name) (foreach_statement (variable_name) @name)",
        "c": "(declaration declarator: (_) @name)",
        "cpp": "(declaration declarator: (_) @name) (for_range_loop declarator: (_) @name)",
    }
)
_NAMES = frozenset(
    {"identifier", "shorthand_property_identifier_pattern", "variable_name", "instance_variable", "global_variable"}
)
# Fields of a declarator that hold its value and not a name.
_VALUES = frozenset({"value", "size", "parameters", "type", "index", "object", "attribute", "subscript", "right"})


def count_variables(code: str, language: str) -> int:
    """The number; errors as `codefit.source.parsing.parse_tree` raises them."""
    parsed = parse_tree(code, LANGUAGES[language])
    query = tree_sitter.Query(load(parsed.grammar)[0], _QUERIES[language])
    captures = tree_sitter.QueryCursor(query).captures(parsed.tree.root_node)
    return len({name for node in captures.get("name", []) for name in _names(node, parsed.source)})


def _names(node: Node, source: bytes) -> set[bytes]:
    """The names in a pattern or a declarator."""
    names, rest = set(), [node]
    while rest:
        each = rest.pop()
        if each.type in _NAMES:
            names.add(source[each.start_byte : each.end_byte])
            continue
        for index in range(each.child_count):
            child = each.child(index)
            place = each.field_name_for_child(index)
            # In `{key: name}` the value is the name.
            is_name = place == "value" if each.type == "pair_pattern" else place not in _VALUES
            if child is not None and child.is_named and is_name:
                rest.append(child)
    return names
