"""What stands above a definition: its doc comment, attributes, and comments that are neither."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from tree_sitter import Node

from codefit.source.docs import clean_comment
from codefit.source.grammar import CommentStyle

MAX_GAP = 2_000  # bytes of white space between a doc and its definition; more is no layout that a person writes
MAX_INDENT = 1_000
HEADER_LINES = 4  # a notice that begins below the fourth line is not a file's header
_NOTICE = re.compile(
    r"copyright\b|\(c\) *(?:19|20)\d\d|SPDX-License|licensed under|all rights reserved|permission is hereby granted"
    r"|general public license|code is governed by",
    re.IGNORECASE,
)
_FILE_TAG = re.compile(
    r"^[@\\](?:file|fileoverview|license|preserve|copyright|packageDocumentation)\b", re.IGNORECASE | re.MULTILINE
)
_RUST_DOC_ATTRIBUTE = re.compile(r'#\[doc\s*=\s*r?#*"(.*)"#*\s*\]$', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Above:
    """Where a definition begins with its attributes (byte offset), its doc, and the byte spans in it that are docs."""

    start: int
    doc: str = ""
    cuts: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Item:
    """A comment or attribute; `end` is without the line feed that some grammars count to a comment."""

    start: int
    end: int
    row: int
    text: str
    is_attribute: bool


class Surroundings:
    """The comments and attributes of one file, to be asked what stands above a definition."""

    def __init__(self, source: bytes, nodes: list[tuple[Node, bool]], style: CommentStyle) -> None:
        """`nodes` are the comments and, marked True, the attributes of the file."""
        self._source = source
        self._style = style
        self._nodes = sorted(nodes, key=lambda pair: pair[0].end_byte)
        self._ends = [node.end_byte for node, _ in self._nodes]

    def above(self, start: int) -> Above:
        """What belongs to the definition whose first byte is `start`."""
        top = start
        begin = start
        docs: list[_Item] = []
        cuts: list[tuple[int, int]] = []
        while (item := self._item_before(top)) is not None:
            is_block = self._is_block_doc(item)
            if is_block and docs:
                break
            if is_block or self._is_line_doc(item):
                docs.append(item)
                cuts.append((item.start, top))
            elif item.is_attribute:
                begin = item.start
            elif not self._is_passed_over(item):
                break
            top = item.start
            if is_block:
                break
        return Above(begin, self._doc_text(docs[::-1]), tuple(cut for cut in cuts[::-1] if cut[0] >= begin))

    def _item_before(self, start: int) -> _Item | None:
        """The nearest comment or attribute with nothing but white space, and no blank line, between it and `start`."""
        index = bisect_right(self._ends, start) - 1
        if index < 0 or start - self._ends[index] > MAX_GAP:
            return None
        node, is_attribute = self._nodes[index]
        data = self._source[node.start_byte : node.end_byte].rstrip()
        end = node.start_byte + len(data)
        gap = self._source[end:start]
        if gap.strip() or gap.count(b"\n") > 1:
            return None
        if b"\n" in gap and not self._opens_line(node):
            return None
        return _Item(node.start_byte, end, node.start_point.row, data.decode("utf-8", "replace"), is_attribute)

    def _opens_line(self, node: Node) -> bool:
        """Whether nothing but attributes stands before it on its line; else it trails the code there."""
        column = node.start_point.column
        before = self._source[node.start_byte - column : node.start_byte].strip() if column <= MAX_INDENT else b"?"
        return not before or before.startswith(b"#[")

    def _is_line_doc(self, item: _Item) -> bool:
        if item.is_attribute:
            return _RUST_DOC_ATTRIBUTE.match(item.text) is not None
        return item.text.startswith(self._style.lines) and not self._is_directive(item)

    def _is_block_doc(self, item: _Item) -> bool:
        empty = item.text.startswith("/**/")  # which opens like a doc
        return item.text.startswith(self._style.blocks) and not empty and not self._is_directive(item)

    def _is_directive(self, item: _Item) -> bool:
        return self._style.directive is not None and self._style.directive.match(item.text) is not None

    def _is_passed_over(self, item: _Item) -> bool:
        return self._style.passes_others or self._is_directive(item)

    def _doc_text(self, docs: list[_Item]) -> str:
        if not docs:
            return ""
        texts = []
        for item in docs:
            attribute = _RUST_DOC_ATTRIBUTE.match(item.text) if item.is_attribute else None
            texts += [f"/// {line.strip()}" for line in attribute[1].split("\n")] if attribute else [item.text]
        if docs[0].row < HEADER_LINES and _NOTICE.search("\n".join(texts)):
            return ""
        text = clean_comment(texts, self._style)
        return "" if _FILE_TAG.search(text) else text
