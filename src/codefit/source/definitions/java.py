"""Java: Javadoc above the modifiers and annotations, which the grammar counts to the definition."""

from __future__ import annotations

from codefit.source.grammar import CommentStyle, Grammar, Language

_QUERY = """
(line_comment) @comment
(block_comment) @comment
(method_declaration name: (_) @name body: (_)) @method
(constructor_declaration name: (_) @name) @method
(compact_constructor_declaration name: (_) @name) @method
(class_declaration name: (_) @name) @type
(interface_declaration name: (_) @name) @type
(enum_declaration name: (_) @name) @type
(record_declaration name: (_) @name) @type
(annotation_type_declaration name: (_) @name) @type
"""

JAVA = Language(
    name="java",
    extensions=(".java",),
    grammars=(Grammar("tree_sitter_java", _QUERY),),
    comments=CommentStyle(blocks=("/**",), passes_others=True, markup=True),
)
