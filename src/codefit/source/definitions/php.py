"""PHP: PHPDoc above the attributes and modifiers, which the grammar counts to the definition."""

from __future__ import annotations

from codefit.source.grammar import CommentStyle, Grammar, Language

_QUERY = """
(comment) @comment
(function_definition name: (_) @name) @function
(method_declaration name: (_) @name body: (_)) @method
(class_declaration name: (_) @name) @type
(interface_declaration name: (_) @name) @type
(trait_declaration name: (_) @name) @type
(enum_declaration name: (_) @name) @type
"""

PHP = Language(
    name="php",
    extensions=(".php", ".phtml", ".php5"),
    grammars=(Grammar("tree_sitter_php", _QUERY, entry="language_php"),),
    comments=CommentStyle(blocks=("/**",), passes_others=True, markup=True),
)
