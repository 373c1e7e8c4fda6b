"""Go: the comment directly above, without the lines that speak to tools."""

from __future__ import annotations

import re

from tree_sitter import Node

from codefit.source.grammar import CommentStyle, Grammar, Language

_QUERY = """
(comment) @comment
(function_declaration name: (_) @name body: (_)) @function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: (_) @owner))
  name: (_) @name
  body: (_)) @method
(type_spec name: (_) @name) @type
(type_alias name: (_) @name) @type
(type_declaration . [(type_spec) (type_alias)] @inner .) @outer
"""
_IDENTIFIER = re.compile(r"\w+")


def _path_of(name: Node, source: bytes) -> tuple[str, ...]:
    """The identifier alone: a receiver `*List[T]` is of the type `List`."""
    found = _IDENTIFIER.search(source[name.start_byte : name.end_byte].decode("utf-8", "replace"))
    return (found[0],) if found else ()


GO = Language(
    name="go",
    extensions=(".go",),
    grammars=(Grammar("tree_sitter_go", _QUERY),),
    comments=CommentStyle(
        blocks=("/*",),
        lines=("//",),
        # What go/ast takes for a directive (//line, //export, //go:build, //nolint:errcheck), and the older // +build.
        directive=re.compile(r"//(?:(?:line|extern|export) |nolint\b|[a-z0-9]+:[a-z0-9]| ?\+build )"),
    ),
    path_of=_path_of,
)
