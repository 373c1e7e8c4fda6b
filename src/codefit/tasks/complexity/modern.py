"""JavaScript rewritten with what the language has had since 2015, for scorers that learn from code older than that.

A repository that began with `var` and `function` has no arrow functions, destructuring, templates or optional chains.
Here single nodes are replaced by newer ones, and newer statements put between the others. What the code computes may
change, and so may its label, which is computed anew; that it parses does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import tree_sitter

from codefit.tasks.complexity.rewriting import Edit, code_tree

# How likely a place is changed, where the kind of change was drawn for the function at all (half of the kinds are).
OFTEN, SELDOM = 0.7, 0.08
STATEMENTS = 0.12  # share of statements that get a new one before them

_NEW = (  # A, B, …: names
    "const { A, B } = C;",
    "const { A, B: { C } } = this.D;",
    "const [A, B] = C(D);",
    "const A = B.filter(C => C.D);",
    "const A = B.map((C, D) => C.E(D));",
    "A.forEach(B => {\n  C(B);\n});",
    "const A = B?.C ?? D;",
    "let A;",
    "const A = `text ${B.C} of ${D}`;",
    "A.B(C, { D: true });",
    "A({\n  B,\n  C: D,\n});",
    "const A = B ? C : D;",
    "if (!A) {\n  return;\n}",
    "if (A === undefined) return B;",
    "for (const A of B) {\n  C(A);\n}",
    "for (const [A, B] of Object.entries(C)) {\n  D[A] = B;\n}",
    "throw new Error(`text ${A}`);",
    "/** @type {A} */\nconst B = /** @type {C} */ (D.E);",
    "// A of the B, as C has it",
    "switch (A.B) {\n  case 'c':\n    return D;\n  default:\n    break;\n}",
    "const A = { ...B, C };",
    "const A = new B({ C, D });",
    "A ||= {};",
)

_MARK = re.compile(r"(?<![A-Za-z0-9])[A-E](?![A-Za-z0-9])")


@dataclass(slots=True)
class _Choices:
    """What is drawn once for a function: which kinds of change it undergoes."""

    rng: np.random.Generator
    name: Callable[[], str]
    kinds: frozenset[str]

    def often(self, kind: str) -> bool:
        return kind in self.kinds and self.rng.random() < OFTEN

    def seldom(self, kind: str) -> bool:
        return kind in self.kinds and self.rng.random() < SELDOM


def modernized(code: str, language: str, rng: np.random.Generator, name: Callable[[], str]) -> str:
    """The code with some of its nodes replaced by newer ones; `name` gives the names in what is new."""
    kinds = frozenset(kind for kind in _KINDS if rng.random() < 0.5)
    choices = _Choices(rng, name, kinds)
    tree = code_tree(code, language)
    return tree.rewritten(
        edit for node in tree.nodes() if node.type in _REWRITES for edit in _REWRITES[node.type](node, choices)
    )


def _declaration(node: tree_sitter.Node, choices: _Choices) -> Iterator[Edit]:
    if not choices.often("const"):
        return
    given = all(part.child_by_field_name("value") for part in node.named_children if part.type == "variable_declarator")
    in_for = node.parent is not None and node.parent.type.startswith("for")
    word = node.children[0]
    yield word.start_byte, word.end_byte, b"const" if given and not in_for else b"let"


def _function(node: tree_sitter.Node, choices: _Choices) -> Iterator[Edit]:
    """A function expression as an arrow; its value alone where it only returns one."""
    parameters, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
    called = node.parent is not None and node.parent.type in ("arguments", "pair", "variable_declarator")
    if not called or parameters is None or body is None or not choices.often("arrow"):
        return
    sync = b"async " if node.children[0].type == "async" else b""
    yield node.start_byte, parameters.start_byte, sync
    plain = [part for part in parameters.named_children if part.type == "identifier"]
    alone = len(plain) == len(parameters.named_children) == 1 and not {"destructured", "default"} & choices.kinds
    if alone and choices.often("bare"):
        yield parameters.start_byte, plain[0].start_byte, b""
        yield plain[0].end_byte, body.start_byte, b" => "
    else:
        yield parameters.end_byte, body.start_byte, b" => "
    inner = body.named_children
    if len(inner) == 1 and inner[0].type == "return_statement" and inner[0].named_children:
        value = inner[0].named_children[0]
        opening, closing = (b"(", b")") if value.type in ("object", "sequence_expression") else (b"", b"")
        yield body.start_byte, value.start_byte, opening
        yield value.end_byte, body.end_byte, closing


def _string(node: tree_sitter.Node, choices: _Choices) -> Iterator[Edit]:
    text = node.text or b""
    if node.parent is not None and node.parent.type in ("pair", "import_statement", "method_definition"):
        return
    inner = text[1:-1]
    if set(b"\\'\"`$\n") & set(inner):
        return
    if choices.often("double quotes"):
        yield node.start_byte, node.end_byte, b'"' + inner + b'"'
    elif choices.seldom("template") and node.parent is not None and node.parent.type != "expression_statement":
        yield node.start_byte, node.end_byte, b"`" + inner + b" ${" + choices.name().encode() + b"}`"


def _member(node: tree_sitter.Node, choices: _Choices) -> Iterator[Edit]:
    parent = node.parent
    if parent is None or parent.type in ("assignment_expression", "augmented_assignment_expression", "new_expression"):
        return
    dot = next((child for child in node.children if child.type == "."), None)
    of_this = node.children[0].type in ("this", "super")
    in_target = of_this or parent.type in (
        "member_expression",
        "subscript_expression",
        "update_expression",
        "unary_expression",
    )
    if dot is not None and not in_target and choices.seldom("optional chain"):
        yield dot.start_byte, dot.end_byte, b"?."


def _parameters(node: tree_sitter.Node, choices: _Choices) -> Iterator[Edit]:
    for part in node.named_children:
        if part.type != "identifier":
            continue
        own = part.text or b""
        if choices.seldom("destructured"):
            yield part.start_byte, part.end_byte, b"{ " + own + b", " + choices.name().encode() + b" }"
        elif choices.seldom("default"):
            yield part.end_byte, part.end_byte, b" = " + choices.name().encode()


def _condition(node: tree_sitter.Node, choices: _Choices) -> Iterator[Edit]:
    """`a && b`, the second on a line of its own, the sign before or behind the break."""
    sign = node.child_by_field_name("operator")
    if sign is None or sign.type not in ("&&", "||") or "wrapped" not in choices.kinds:
        return
    before, after = b" ", b" "
    if choices.often("wrapped"):
        before, after = (b" ", b"\n    ") if "sign behind" in choices.kinds else (b"\n    ", b" ")
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is not None and right is not None and left.end_byte <= sign.start_byte <= right.start_byte:
        yield left.end_byte, right.start_byte, before + (sign.text or b"") + after


def _arguments(node: tree_sitter.Node, choices: _Choices) -> Iterator[Edit]:
    inner = node.named_children
    if not inner or not choices.seldom("options"):
        return
    pair = f"{choices.name()}: {choices.rng.choice(['true', 'false', '0', 'null'])}"
    text = f", {{ {pair} }}" if choices.rng.random() < 0.5 else f", {{\n    {pair},\n  }}"
    yield inner[-1].end_byte, inner[-1].end_byte, text.encode()


def _block(node: tree_sitter.Node, choices: _Choices) -> Iterator[Edit]:
    """New statements before some of a block's; semicolons gone where that is the style."""
    row = node.start_point.row
    for part in node.named_children:
        leads, row = part.start_point.row > row, part.end_point.row
        if leads and choices.rng.random() < STATEMENTS * ("new" in choices.kinds):
            text = _placed(str(choices.rng.choice(_NEW)), {letter: choices.name() for letter in "ABCDE"})
            indent = "\n" + " " * part.start_point.column
            yield part.start_byte, part.start_byte, (text.replace("\n", indent) + indent).encode()
        if part.type != "empty_statement" and "no semicolons" in choices.kinds and (part.text or b"").endswith(b";"):
            yield part.end_byte - 1, part.end_byte, b""


def _placed(text: str, names: Mapping[str, str]) -> str:
    """The text with names in the places that capitals mark, those that are no part of a word."""
    return _MARK.sub(lambda mark: names.get(mark[0], mark[0]), text)


_KINDS = (
    "const",
    "arrow",
    "bare",
    "double quotes",
    "template",
    "optional chain",
    "destructured",
    "default",
    "wrapped",
    "sign behind",
    "options",
    "new",
    "no semicolons",
)
_REWRITES: dict[str, Callable[[tree_sitter.Node, _Choices], Iterator[Edit]]] = {
    "variable_declaration": _declaration,
    "function_expression": _function,
    "string": _string,
    "member_expression": _member,
    "formal_parameters": _parameters,
    "binary_expression": _condition,
    "arguments": _arguments,
    "statement_block": _block,
}
