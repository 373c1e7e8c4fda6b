"""Parts of a node: by field or place, and the operators and operands of a logical expression."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from codefit.source.metrics.vocabulary import Logical


def parts_of(node: Node) -> list[Node]:
    """The parts that have a name, without comments."""
    return [child for child in node.named_children if not child.is_extra]


def part_of(node: Node, name: str | int) -> Node | None:
    """The part in a field, or at a place among the parts that have a name."""
    if isinstance(name, str):
        return node.child_by_field_name(name)
    parts = parts_of(node)
    return parts[name] if -len(parts) <= name < len(parts) else None


def run_of(rule: Logical, node: Node, seen: set[int]) -> Iterator[tuple[Node, str]]:
    """The operators of a logical expression and of those that are its operands, and the operands that are none.

    They come from left to right, each with the operator that it is an operand of. The expressions' numbers are added
    to `seen`.
    """
    rest: list[tuple[Node, str]] = [(node, "")]
    while rest:
        each, around = rest.pop()
        while each.type in rule.parentheses and len(parts := parts_of(each)) == 1:
            each = parts[0]
        operator = each.child_by_field_name(rule.operator)
        if each.type != node.type or operator is None or operator.type not in rule.operators:
            yield each, around
            continue
        seen.add(each.id)
        sides = (each.child_by_field_name(rule.right), operator, each.child_by_field_name(rule.left))
        rest += [(part, around if part.id == operator.id else operator.type) for part in sides if part is not None]
