"""What there is to know about a language: which grammar reads it, what its definitions look like, where its docs are.

A query's captures are the vocabulary between a language and `codefit.source.functions`:

| capture | a node that |
|---|---|
| `@function` | defines a function; it is a method where the nearest container is a type or `@members` |
| `@method` | always defines a method |
| `@type` | defines a type |
| `@members` | holds methods without being a unit itself (Rust's `impl`) |
| `@scope` | holds functions and only lends them its name (a namespace) |
| `@name`, `@owner` | names the definition; names the type that it belongs to, in its own head (Go's receiver) |
| `@inner`, `@outer` | is part of a statement (`export`, `const f =`, `template <…>`) that belongs to the definition |
| `@decorated` | holds an `@inner` definition under its decorators |
| `@comment`, `@attribute` | may stand above a definition |
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import tree_sitter


@dataclass(frozen=True, slots=True)
class Grammar:
    """A grammar wheel: `entry` of the module `package` gives the parser, `query` finds the definitions in its trees."""

    package: str
    query: str
    entry: str = "language"


@dataclass(frozen=True, slots=True)
class CommentStyle:
    """How a language writes the doc comment that stands above a definition, without a blank line between.

    `blocks` and `lines` are what a doc comment opens with. A comment that matches `directive` speaks to a tool: it is
    passed over and never part of a doc. Where `passes_others`, so is any other comment. `markup` says that the text
    holds HTML and inline tags such as `{@link X}`.
    """

    blocks: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    directive: re.Pattern[str] | None = None
    passes_others: bool = False
    markup: bool = False


@dataclass(frozen=True, slots=True)
class Docstring:
    """A doc inside the body: its cleaned text, and the bytes `start:end` that `replacement` takes the place of."""

    text: str
    start: int
    end: int
    replacement: str


def plain_path(name: tree_sitter.Node, source: bytes) -> tuple[str, ...]:
    """The name as it stands, for languages whose name nodes hold nothing else."""
    return (source[name.start_byte : name.end_byte].decode("utf-8", "replace"),)


@dataclass(frozen=True, slots=True)
class Language:
    """A language that codefit reads.

    `grammars` are tried in order: the first that reads a file without error wins, else the one with the fewest errors.
    `comments` or `docstring_of` tells where docs are. `path_of` turns an `@name` or `@owner` node into the parts of the
    qualified name, the last being the name itself; an empty path means that the node defines nothing with a name.
    `end_of` gives the byte where a definition ends, in a language whose nodes may run on.
    `broken_heads` keeps a definition whose head alone holds a syntax error, which in C is as a rule a macro.
    """

    name: str
    extensions: tuple[str, ...]
    grammars: tuple[Grammar, ...]
    comments: CommentStyle | None = None
    docstring_of: Callable[[tree_sitter.Node, bytes], Docstring | None] | None = None
    end_of: Callable[[tree_sitter.Node], int] | None = None
    path_of: Callable[[tree_sitter.Node, bytes], tuple[str, ...]] = plain_path
    file_names: tuple[str, ...] = ()
    broken_heads: bool = False


@cache
def load(grammar: Grammar) -> tuple[tree_sitter.Language, tree_sitter.Query]:
    """The parser tables and the compiled query, loaded when a language is first used."""
    language = tree_sitter.Language(getattr(importlib.import_module(grammar.package), grammar.entry)())
    return language, tree_sitter.Query(language, grammar.query)


@cache
def error_query(grammar: Grammar) -> tree_sitter.Query:
    """Finds what the parser could not read or had to invent."""
    return tree_sitter.Query(load(grammar)[0], "(ERROR) @error (MISSING) @error")
