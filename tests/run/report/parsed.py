"""A page as an HTML parser sees it: balanced, with its elements, attributes and text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input", "wbr"}


@dataclass
class Node:
    """An element with its children; `text` is all text below it, with single spaces."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())

    def all(self, *tags: str) -> list[Node]:
        """Every element of these tags below this one, in the order of the page."""
        found = []
        for child in self.children:
            found += [child] if not tags or child.tag in tags else []
            found += child.all(*tags)
        return found

    def by_id(self, ident: str) -> Node:
        """The one element with that id."""
        (found,) = [node for node in self.all() if node.attributes.get("id") == ident]
        return found

    def by_class(self, name: str) -> list[Node]:
        """Elements of a class."""
        return [node for node in self.all() if name in (node.attributes.get("class") or "").split()]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("document")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}> at {self.getpos()}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for node in self.open:
            node.pieces.append(data)


def parse(html: str) -> Node:
    """The page as a tree; fails where a tag is not closed by its own, or an id stands twice."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    assert [node.tag for node in parser.open] == ["document"], "a tag is left open"
    idents = [node.attributes["id"] for node in parser.root.all() if "id" in node.attributes]
    assert len(idents) == len(set(idents)), "an id stands twice"
    return parser.root


def cells(table: Node) -> list[list[str]]:
    """The texts of a table's body, row by row."""
    return [[cell.text for cell in row.children] for body in table.all("tbody") for row in body.all("tr")]


def table(page: Node, caption: str) -> Node:
    """The table whose caption has that id."""
    (found,) = [node for node in page.all("table") if node.all("caption")[0].attributes["id"] == caption]
    return found


def squeezed(text: str) -> str:
    """Text as `Node.text` gives it: narrow spaces are spaces to it."""
    return " ".join(text.split())
