"""Rust: rustdoc above the item, between and above its attributes."""

from __future__ import annotations

import re

from tree_sitter import Node

from codefit.source.grammar import CommentStyle, Grammar, Language

_QUERY = """
(line_comment) @comment
(block_comment) @comment
(attribute_item) @attribute
(function_item name: (_) @name) @function
(struct_item name: (_) @name) @type
(enum_item name: (_) @name) @type
(union_item name: (_) @name) @type
(trait_item name: (_) @name) @type
(source_file (type_item name: (_) @name) @type)
(mod_item body: (declaration_list (type_item name: (_) @name) @type))
(impl_item type: (_) @name) @members
(mod_item name: (_) @name) @scope
"""
_IDENTIFIER = re.compile(r"\w+")


def _path_of(name: Node, source: bytes) -> tuple[str, ...]:
    """The name alone: `impl fmt::Display for &'a ns::Foo<T>` holds methods of `Foo`."""
    text = source[name.start_byte : name.end_byte].decode("utf-8", "replace")
    if name.type in ("identifier", "type_identifier"):
        return (text,)
    words = _IDENTIFIER.findall(text.partition("<")[0])
    return (words[-1],) if words else (text,)


RUST = Language(
    name="rust",
    extensions=(".rs",),
    grammars=(Grammar("tree_sitter_rust", _QUERY),),
    comments=CommentStyle(
        blocks=("/**",),
        lines=("///",),
        directive=re.compile(r"////"),  # four are no doc
        passes_others=True,
    ),
    path_of=_path_of,
)
