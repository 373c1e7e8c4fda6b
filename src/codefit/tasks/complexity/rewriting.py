"""A function's code rewritten at the nodes of its tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import tree_sitter

from codefit.source.languages import LANGUAGES
from codefit.source.parsing import parse_tree
from codefit.tasks.complexity.functions import in_context

Edit = tuple[int, int, bytes]  # from one byte to another, and what stands there instead


@dataclass(frozen=True, slots=True)
class CodeTree:
    """The tree of code with what a parser needs around it; the code itself is `source[start:end]`."""

    source: bytes
    root: tree_sitter.Node
    start: int
    end: int

    def nodes(self) -> Iterator[tree_sitter.Node]:
        """All nodes, those around the code too, each before what is in it."""
        rest = [self.root]
        while rest:
            node = rest.pop()
            yield node
            rest += reversed(node.children)

    def rewritten(self, edits: Iterable[Edit]) -> str:
        """The code with the edits made that lie in it; of two that overlap the first, of two at one place the wider."""
        pieces, last = [], self.start
        for begin, stop, new in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
            if begin < last or stop > self.end:
                continue
            pieces += [self.source[last:begin], new]
            last = stop
        return b"".join([*pieces, self.source[last : self.end]]).decode("utf-8", "replace")


def code_tree(code: str, language: str) -> CodeTree:
    """The tree of a function's code, sound or broken."""
    context = in_context(code, language)
    start = len(context[: context.index(code)].encode())
    parsed = parse_tree(context, LANGUAGES[language])
    return CodeTree(parsed.source, parsed.tree.root_node, start, start + len(code.encode()))
