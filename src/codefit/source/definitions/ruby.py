"""Ruby: RDoc and YARD, the comment directly above."""

from __future__ import annotations

import re

from tree_sitter import Node

from codefit.source.grammar import CommentStyle, Grammar, Language

_QUERY = """
(comment) @comment
(method name: (_) @name) @function
(singleton_method name: (_) @name) @method
(class name: (_) @name) @type
(module name: (_) @name) @type
(singleton_class) @members
(call arguments: (argument_list . [(method) (singleton_method)] @inner .)) @outer
"""


def _path_of(name: Node, source: bytes) -> tuple[str, ...]:
    """`class Foo::Bar` is the type `Bar` in `Foo`."""
    text = source[name.start_byte : name.end_byte].decode("utf-8", "replace")
    return tuple(part for part in text.split("::") if part) if name.type == "scope_resolution" else (text,)


RUBY = Language(
    name="ruby",
    extensions=(".rb", ".rake", ".gemspec", ".ru", ".podspec", ".thor"),
    grammars=(Grammar("tree_sitter_ruby", _QUERY),),
    comments=CommentStyle(
        blocks=("=begin",),
        lines=("#",),
        directive=re.compile(
            r"#!|#\s*-\*-|#\s*(?:frozen_string_literal|encoding|coding|typed|warn_indent|shareable_constant_value)\s*:"
            r"|#\s*(?:rubocop|standard|steep|sorbet|simplecov):|#\s*:(?:nodoc|doc|stopdoc|startdoc|enddoc|yields|notnew):"
        ),
    ),
    path_of=_path_of,
    file_names=("Rakefile", "Gemfile", "Guardfile", "Capfile", "Vagrantfile", "Podfile", "Fastfile", "Brewfile"),
)
