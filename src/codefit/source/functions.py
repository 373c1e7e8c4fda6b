"""The functions, methods and types of a file: name, lines, doc comment, and the code without it.

What comes out of a file with syntax errors is what is sound in it: a unit is left out where its own text holds an
error, its neighbours and members are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tree_sitter import Node

from codefit.errors import InputError
from codefit.source.docs import first_paragraph
from codefit.source.grammar import Language
from codefit.source.languages import LANGUAGES
from codefit.source.parsing import SECONDS, Captures, Parsed, parse
from codefit.source.surroundings import MAX_INDENT, Above, Surroundings

__all__ = ["Unit", "first_paragraph", "units_of"]

MAX_DEPTH = 32  # units inside units: keeps the texts of a file's units within 32 times its size
MAX_NAME = 300  # characters of a qualified name: longer ones are computed property names and the like

Kind = Literal["function", "method", "type"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A function, method or type of a file.

    `start_line` and `end_line` are 1-based and inclusive, decorators and attributes counted in, a doc above them not.
    `qualified` joins the names of the units and namespaces around the unit to its own by dots, in every language.
    `doc` is the text of its doc comment ("" where none). `code` is the source from the first to the last line less that
    doc and the first line's indentation; the docs of a type's members and of nested functions stay in it. `prelude` is
    how many characters of `code` are decorators or attributes.
    """

    kind: Kind
    name: str
    qualified: str
    start_line: int
    end_line: int
    doc: str
    code: str
    prelude: int = 0

    @property
    def definition(self) -> str:
        """The code without decorators and attributes, as public sets of doc-code pairs have it."""
        return self.code[self.prelude :]


@dataclass(slots=True)
class _Found:
    """A definition as the query saw it: `kind` is the capture's name."""

    kind: str
    node: Node
    name: Node | None
    owner: Node | None


@dataclass(slots=True)
class _Container:
    """A definition that is open while the ones inside it are visited."""

    end: int
    holds_methods: bool
    path: tuple[str, ...]
    depth: int


def units_of(text: str, language: str, *, seconds: float = SECONDS) -> list[Unit]:
    """The units of a file in the order of their lines, an outer one before those inside it.

    A declaration without a body (an interface's method, an overload's signature) is no unit of its own. Any text is
    accepted; `InputError` where it is above a million characters or the language is none of `LANGUAGES`, `CodefitError`
    where it takes longer than `seconds`, a limit that rare inputs break (see `codefit.source.parsing`).
    """
    known = LANGUAGES.get(language)
    if known is None:
        raise InputError(f"{language!r} is not a language that codefit reads", fix=f"one of {', '.join(LANGUAGES)}")
    parsed = parse(text, known, seconds)
    return list(_File(parsed, known).units())


class _File:
    """One parsed file on its way to units."""

    def __init__(self, parsed: Parsed, language: Language) -> None:
        self._source = parsed.source
        self._language = language
        self._found: dict[int, _Found] = {}
        self._outer: dict[int, Node] = {}
        self._decorated: dict[int, Node] = {}
        around: list[tuple[Node, bool]] = []
        for captures in parsed.matches:
            self._sort_in(captures, around)
        style = language.comments
        self._surroundings = Surroundings(self._source, around, style) if style is not None else None

    def _sort_in(self, captures: Captures, around: list[tuple[Node, bool]]) -> None:
        for capture, nodes in captures.items():
            node = nodes[0]
            if capture in ("comment", "attribute"):
                around += [(each, capture == "attribute") for each in nodes]
            elif capture == "outer":
                self._outer[captures["inner"][0].id] = node
            elif capture == "decorated":
                self._decorated[captures["inner"][0].id] = node
            elif capture not in ("inner", "name", "owner"):
                name, owner = captures.get("name"), captures.get("owner")
                self._found[node.id] = _Found(capture, node, name[0] if name else None, owner[0] if owner else None)

    def units(self) -> Iterator[Unit]:
        """Visits the definitions from the outside in, so that those around each are known."""
        around = [_Container(len(self._source) + 1, False, (), 0)]
        for found in sorted(self._found.values(), key=lambda each: (each.node.start_byte, -each.node.end_byte)):
            node = found.node
            while node.end_byte > around[-1].end:
                around.pop()
            inside = around[-1]
            if inside.depth >= MAX_DEPTH:
                continue
            own = self._own_path(found)
            path = inside.path + own
            around.append(_Container(node.end_byte, found.kind in ("type", "members"), path, inside.depth + 1))
            kind = _kind(found, inside, is_owned=len(own) > 1)
            qualified = ".".join(path)
            if kind is not None and own and len(qualified) <= MAX_NAME and self._is_sound(node):
                yield self._unit(kind, own[-1], qualified, node)

    def _own_path(self, found: _Found) -> tuple[str, ...]:
        path: tuple[str, ...] = ()
        for part in (found.owner, found.name):
            if part is not None:
                path += self._language.path_of(part, self._source)
        return path

    def _is_sound(self, node: Node) -> bool:
        if not node.has_error:
            return True
        body = node.child_by_field_name("body")
        return self._language.broken_heads and body is not None and not body.has_error

    def _unit(self, kind: Kind, name: str, qualified: str, node: Node) -> Unit:
        whole = node
        while (outer := self._outer.get(whole.id)) is not None:
            whole = outer
        top = self._decorated.get(whole.id, whole)
        above = self._surroundings.above(top.start_byte) if self._surroundings else Above(top.start_byte)
        doc, cuts = above.doc, [(start, end, "") for start, end in above.cuts]
        docstring = self._language.docstring_of(node, self._source) if self._language.docstring_of else None
        if docstring is not None:
            doc = docstring.text
            cuts.append((docstring.start, docstring.end, docstring.replacement))
        indent = self._indent(above.start)
        end = self._language.end_of(node) if self._language.end_of else whole.end_byte
        prelude = self._text(above.start, whole.start_byte, cuts, indent)
        code = prelude + self._text(whole.start_byte, end, cuts, indent)
        rows_above = self._source.count(b"\n", above.start, top.start_byte)
        start_line = top.start_point.row + 1 - rows_above
        end_line = start_line + self._source.count(b"\n", above.start, end)
        return Unit(kind, name, qualified, start_line, end_line, doc, code, len(prelude))

    def _indent(self, start: int) -> str:
        """The white space that opens the line on which the byte `start` stands."""
        line = self._source[max(0, start - MAX_INDENT) : start].rpartition(b"\n")[2]
        return line[: len(line) - len(line.lstrip(b" \t"))].decode()

    def _text(self, start: int, end: int, cuts: list[tuple[int, int, str]], indent: str) -> str:
        """The source from `start` to `end` less the cuts, with `indent` taken from the lines that have it."""
        pieces = []
        for cut_start, cut_end, replacement in cuts:
            if start <= cut_start < end:
                pieces += [self._source[start:cut_start].decode("utf-8", "replace"), replacement]
                start = min(cut_end, end)
        text = "".join([*pieces, self._source[start:end].decode("utf-8", "replace")])
        return text.replace("\n" + indent, "\n") if indent else text


def _kind(found: _Found, inside: _Container, *, is_owned: bool) -> Kind | None:
    """None for what only lends its name to others; a function that names its owner is a method (`Foo::bar` in C++)."""
    if found.kind in ("scope", "members"):
        return None
    if found.kind == "type":
        return "type"
    return "method" if found.kind == "method" or inside.holds_methods or is_owned else "function"
