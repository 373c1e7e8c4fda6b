"""Parse a file within limits: in all but the rarest cases no input costs more than `seconds`.

tree-sitter asks back every hundred operations whether to go on, and that is where the limit is held. It does not ask
during error recovery: a few inputs (`A<B,A<B,…` for some tens of kilobytes in TypeScript or Java) keep it busy for
minutes inside one operation. Only ending the process stops these, so whoever reads files that he does not know runs
this under `codefit.engine.processes.map_records` with `seconds_per_item`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import tree_sitter

from codefit.errors import CodefitError, InputError
from codefit.source.grammar import Grammar, Language, error_query, load

MAX_CHARACTERS = 1_000_000  # hand-written files are smaller; pathological ones take up to 2.5 GB of memory a megabyte
SECONDS = 5.0  # a sound file of the largest size takes a tenth of it
READ_BYTES = 1 << 16
WINDOW_BYTES = 1 << 13  # most files are one window; the worst run of tokens takes a tenth of a second in each
MAX_TREE_DEPTH = 2_000  # beyond 65,535 a query's depth counter overflows and it takes minutes

Captures = dict[str, list[tree_sitter.Node]]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's bytes (UTF-8, lines end with a line feed) and the captures of each match of its language's query."""

    source: bytes
    matches: list[Captures]


@dataclass(frozen=True, slots=True)
class ParsedTree:
    """A file's bytes (UTF-8, lines end with a line feed), its tree, and the grammar that read it best."""

    source: bytes
    grammar: Grammar
    tree: tree_sitter.Tree


def parse(text: str, language: Language, seconds: float = SECONDS) -> Parsed:
    """Parse `text` with the grammar of `language` that reads it best.

    Raises `InputError` above `MAX_CHARACTERS` and `CodefitError` where it takes longer than `seconds`.
    """
    deadline = time.monotonic() + seconds
    parsed = parse_tree(text, language, seconds)
    try:
        return Parsed(parsed.source, _matches(parsed.tree, load(parsed.grammar)[1], deadline))
    except TimeoutError as error:
        raise CodefitError(f"not parsed within {seconds:g} s") from error


def parse_tree(
    text: str, language: Language, seconds: float = SECONDS, *, max_characters: int = MAX_CHARACTERS
) -> ParsedTree:
    """The tree of `text`, as `parse` reads it and with the same errors."""
    if len(text) > max_characters:
        raise InputError(f"{len(text):,} characters of source are above the limit of {max_characters:,}")
    source = normalized(text).encode("utf-8", "replace")
    try:
        grammar, tree = _best_tree(source, language, time.monotonic() + seconds)
    except TimeoutError as error:
        raise CodefitError(f"not parsed within {seconds:g} s") from error
    return ParsedTree(source, grammar, tree)


def normalized(text: str) -> str:
    """Without byte order mark, and with line feeds alone, as every editor and `open` read it."""
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _best_tree(source: bytes, language: Language, deadline: float) -> tuple[Grammar, tree_sitter.Tree]:
    trees = []
    for grammar in language.grammars:
        tree = _tree(source, grammar, deadline)
        if not tree.root_node.has_error:
            return grammar, tree
        trees.append((grammar, tree))
    if len(trees) == 1:
        return trees[0]
    return min(trees, key=lambda pair: len(_matches(pair[1], error_query(pair[0]), deadline)))


def _tree(source: bytes, grammar: Grammar, deadline: float) -> tree_sitter.Tree:
    def read(offset: int, _point: tree_sitter.Point) -> bytes:
        return source[offset : offset + READ_BYTES]

    def is_late(_offset: int, _has_error: bool) -> bool:
        return time.monotonic() > deadline

    parser = tree_sitter.Parser(load(grammar)[0])
    try:
        return parser.parse(read, progress_callback=is_late)
    except ValueError as error:  # what a parse that was told to stop ends with
        raise TimeoutError from error


def _matches(tree: tree_sitter.Tree, query: tree_sitter.Query, deadline: float) -> list[Captures]:
    """The matches of a query; one that lies in several windows comes several times.

    A query takes quadratic time in a long run of tokens without a named node between them (`;;;;…`), and its progress
    callback is not to be used: up to tree-sitter 0.26.1 the binding calls it through a dangling pointer. So the query
    runs window by window with a look at the clock between. Windows do not help where the root itself is an error;
    there its children are searched one by one.
    """
    cursor = tree_sitter.QueryCursor(query)
    cursor.set_max_start_depth(MAX_TREE_DEPTH)
    root = tree.root_node
    found: list[Captures] = []
    for node in root.named_children if root.is_error else [root]:
        for start in range(node.start_byte, node.end_byte, WINDOW_BYTES):
            cursor.set_byte_range(start, min(start + WINDOW_BYTES, node.end_byte))
            found += [captures for _, captures in cursor.matches(node)]
            if time.monotonic() > deadline:
                raise TimeoutError
    return found
