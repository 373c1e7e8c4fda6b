"""One walk over a tree that fills in the figures of every function.

The cursor goes through all nodes in order. Most mean nothing, or are tokens; for the rest the language's rules say
what happens. Nothing recurses, and the work for a node does not depend on how deep it lies, so that ten thousand nested
blocks and a function of a megabyte cost no more than their nodes.
"""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import tree_sitter
from tree_sitter import Node

from codefit.source.grammar import Language
from codefit.source.metrics.figures import FunctionMetrics, Increment
from codefit.source.metrics.frame import Frame
from codefit.source.metrics.parts import part_of, run_of
from codefit.source.metrics.table import ATOM, COMMENT, OPERAND, OPERATOR, Table
from codefit.source.metrics.vocabulary import (
    Apart,
    Branch,
    Broken,
    Call,
    Container,
    Custom,
    Function,
    Hidden,
    Lexed,
    Logical,
    Namer,
    Nesting,
    Remark,
    Rule,
    Several,
    ShortCircuit,
)

ANONYMOUS = "(anonymous)"
MODULE = "(module)"
NODES_BETWEEN_LOOKS = 4096  # at the clock
MAX_NAME = 300  # bytes of a name: longer ones are computed properties and the like


@dataclass(frozen=True, slots=True)
class FileMetrics:
    """The functions of a file in the order of their places, and what stands outside of them as if it were one."""

    functions: list[FunctionMetrics]
    module: FunctionMetrics


class Walk:
    """The state of one walk over one tree."""

    def __init__(self, source: bytes, language: Language, table: Table, *, explain: bool, deadline: float) -> None:
        self._source = source
        self._language = language
        self._table = table
        self._rules = table.language
        self._explain = explain
        self._deadline = deadline
        self._finished: list[Frame] = []
        self._containers: list[tuple[int, str]] = []
        self._namer: tuple[Node, Node] | None = None
        self._else_ifs: set[int] = set()  # nodes of an `if` that follows an else
        self._in_run: set[int] = set()  # logical expressions that are part of one that was looked at
        self._shown: set[int] = set()  # logical expressions that choose what is shown
        self._to_hide: list[tuple[int, int]] = []  # parts further on that are not cognitive, the next one last
        self._hidden_until = 0
        self._uncounted_until = 0  # what stands before it is not cyclomatic
        self._line_end = -1  # of the line of the last token
        self._boundary = 0  # a token from there on belongs to another line or function than the one before

    def measure(self, tree: tree_sitter.Tree) -> FileMetrics:
        """The figures of all functions. Raises `TimeoutError` after the deadline."""
        end = len(self._source) + 1
        module = Frame(
            0, end, 0, tree.root_node.end_point.row, is_function=False, complete=not tree.root_node.has_error
        )
        module.name = module.qualified = MODULE
        self._frames = [module]  # the functions around the current node
        self._counting = [module]  # the functions that the current token belongs to
        self._waiting: list[Frame] = []  # functions whose own tokens have not begun, the next one last
        self._read(tree)
        weights: dict[bytes, int] = {}
        done = [frame.metrics(self._table, weights) for frame in self._finished if frame.is_function]
        return FileMetrics(done, module.metrics(self._table, weights))

    def _read(self, tree: tree_sitter.Tree) -> None:
        cursor = tree.walk()
        down, across, up = cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
        role_of, rules, source = self._table.roles.get, self._table.rules, self._source
        operators, operands = self._counting[-1].operators, self._counting[-1].operands
        interpolations, looks = self._table.interpolations, NODES_BETWEEN_LOOKS
        while True:
            node: Node = cursor.node  # type: ignore[assignment]  # never None: the cursor stands somewhere
            kind = node.kind_id
            role = role_of(kind, OPERAND)
            if role >= 0:
                self._meet(rules[role], node)
            if role != COMMENT:
                if role == ATOM and interpolations and any(part.kind_id in interpolations for part in node.children):
                    role = OPERAND
                    if self._rules.interpolated is not None:
                        self._meet(self._rules.interpolated, node)
                if role != ATOM and down():
                    looks -= 1
                    if not looks:
                        looks = self._look_at_clock()
                    continue
                start = node.start_byte
                if start >= self._boundary:
                    self._settle(start)
                    operators, operands = self._counting[-1].operators, self._counting[-1].operands
                end = node.end_byte
                if role == OPERATOR:
                    if start != end:  # else the parser made it up
                        operators.append(kind)
                elif start != end:
                    operands.append(source[start:end])
                    if end > self._line_end:
                        self._pass_lines(start, end)
            while not across():
                if not up():
                    return

    def _look_at_clock(self) -> int:
        if time.monotonic() > self._deadline:
            raise TimeoutError
        return NODES_BETWEEN_LOOKS

    # Which function and line a token belongs to.

    def _settle(self, start: int) -> None:
        """A token begins at or beyond the boundary."""
        counting, waiting = self._counting, self._waiting
        is_new_line = start > self._line_end  # a text may begin with the end of its line
        while counting[-1].end <= start:
            counting.pop()
        while waiting and waiting[-1].begins <= start:
            frame = waiting.pop()
            if frame.end > start:
                frame.lines += not is_new_line
                counting.append(frame)
        if is_new_line:
            counting[-1].lines += 1
            if self._rules.continued and self._source[max(0, self._line_end - 1) : self._line_end] == b"\\":
                counting[-1].more_tokens += 1
            self._line_end = self._end_of_line(start)
        self._set_boundary()

    def _set_boundary(self) -> None:
        self._boundary = min(self._line_end, self._counting[-1].end)
        if self._waiting:
            self._boundary = min(self._boundary, self._waiting[-1].begins)

    def _end_of_line(self, place: int) -> int:
        end = self._source.find(b"\n", place)
        return end if end >= 0 else len(self._source)

    def _pass_lines(self, start: int, end: int) -> None:
        """A token of several lines: all of them have code. In broken code it may run on behind its function."""
        frame = self._counting[-1]
        frame.lines += self._source.count(b"\n", start, min(end, frame.end))
        self._line_end = self._end_of_line(end)
        self._set_boundary()

    # What a node with a rule means.

    def _meet(self, rule: Rule, node: Node) -> None:
        while self._frames[-1].end <= node.start_byte:
            self._frames.pop()
        _MEANINGS[type(rule)](self, rule, node)

    def _custom(self, rule: Custom, node: Node) -> None:
        told = rule.rule(node)
        if told is not None:
            self._meet(told, node)

    def _several(self, rule: Several, node: Node) -> None:
        for each in rule.rules:
            self._meet(each, node)

    def _name(self, rule: Namer, node: Node) -> None:
        name, value = node.child_by_field_name(rule.name), node.child_by_field_name(rule.value)
        if name is not None and value is not None:
            self._namer = (name, value)

    def _nesting(self, rule: Nesting, node: Node) -> None:
        if rule.alone is not None and not self._frames[-1].is_function:
            self._function(rule.alone, node)
            return
        if rule.cyclomatic:
            self._add(node, rule.what, cyclomatic=rule.cyclomatic)
        self._frames[-1].nest([(node.start_byte, node.end_byte)])

    def _short_circuit(self, _rule: ShortCircuit, node: Node) -> None:
        self._shown.update(child.id for child in node.named_children)

    def _remark(self, _rule: Remark, node: Node) -> None:
        self._line_end = max(self._line_end, self._end_of_line(node.end_byte))
        self._set_boundary()

    def _hide(self, rule: Hidden, node: Node) -> None:
        part = node if rule.field is None else node.child_by_field_name(rule.field)
        if part is not None and rule.cognitive:
            self._hidden_until = max(self._hidden_until, part.end_byte)
        if part is not None and rule.cyclomatic:
            self._uncounted_until = max(self._uncounted_until, part.end_byte)

    def _broken(self, _rule: Broken, _node: Node) -> None:
        for frame in self._frames:
            frame.complete = False

    def _lexed(self, rule: Lexed, node: Node) -> None:
        own = next(frame for frame in reversed(self._counting) if frame.end > node.start_byte)
        own.more_tokens += rule.tokens

    def _add(
        self,
        node: Node,
        what: str,
        *,
        cyclomatic: int = 0,
        ccn: int | None = None,
        cognitive: int = 0,
        is_structural: bool = False,
    ) -> None:
        """What adds to the function around a node and, one level deeper, to those around that function."""
        frame = self._frames[-1]
        if cyclomatic and node.start_byte < self._uncounted_until:
            cyclomatic, ccn = 0, cyclomatic if ccn is None else ccn
        if cognitive and self._is_hidden(node.start_byte):
            cognitive, is_structural = 0, False
        nesting = frame.level(node.start_byte) if is_structural else 0
        frame.cyclomatic += cyclomatic
        frame.ccn += cyclomatic if ccn is None else ccn
        self._add_cognitive(frame, node, what, cyclomatic, cognitive, nesting)
        if not (cognitive and self._rules.nested_functions_count):
            return
        for outer in reversed(self._frames[:-1]):
            if not (frame.is_function and outer.is_function):
                return
            if is_structural:
                nesting += frame.base
            self._add_cognitive(outer, node, what, 0, cognitive, nesting)
            frame = outer

    def _is_hidden(self, place: int) -> bool:
        to_hide = self._to_hide
        while to_hide and to_hide[-1][0] <= place:
            self._hidden_until = max(self._hidden_until, to_hide.pop()[1])
        return place < self._hidden_until

    def _add_cognitive(
        self, frame: Frame, node: Node, what: str, cyclomatic: int, cognitive: int, nesting: int
    ) -> None:
        frame.cognitive += cognitive + nesting
        if self._explain and (cyclomatic or cognitive):
            row, column = node.start_point
            frame.increments.append(Increment(row + 1, column + 1, what, cyclomatic, cognitive + nesting, nesting))

    def _branch(self, rule: Branch, node: Node) -> None:
        is_else_if = node.id in self._else_ifs
        self._else_ifs.discard(node.id)
        self._add(
            node,
            f"else {rule.what}" if is_else_if else rule.what,
            cyclomatic=rule.cyclomatic,
            ccn=rule.lizard,
            cognitive=rule.cognitive,
            is_structural=rule.structural and not is_else_if,
        )
        frame = self._frames[-1]
        if rule.deepens and not is_else_if:
            frame.deepen(node.start_byte, node.end_byte)
        deeper = [child for name in rule.nests if (child := part_of(node, name)) is not None]
        if rule.otherwise is not None:
            deeper += self._otherwise(node.children_by_field_name(rule.otherwise))
        if deeper:
            frame.nest([(child.start_byte, child.end_byte) for child in deeper])

    def _otherwise(self, branches: list[Node]) -> Iterator[Node]:
        """The branches that lie deeper; a further `if` is remembered instead."""
        for branch in branches:
            inner = branch
            if branch.type in self._rules.else_clauses:
                inner = next((child for child in reversed(branch.named_children) if not child.is_extra), branch)
            if inner.type in self._rules.if_kinds:
                self._else_ifs.add(inner.id)
            elif inner.is_named:
                self._add(branch, "else", cognitive=1)
                yield inner

    def _call(self, rule: Call, node: Node) -> None:
        frame, callee = self._frames[-1], node.child_by_field_name(rule.callee)
        if frame.is_recursive or callee is None or callee.child_count or callee.end_byte - callee.start_byte > MAX_NAME:
            return
        called = self._source[callee.start_byte : callee.end_byte].decode("utf-8", "replace")
        if called == (frame.qualified if rule.is_qualified else frame.name):
            frame.is_recursive = True
            self._add_cognitive(frame, node, "recursion", 0, 1, 0)

    def _logical(self, rule: Logical, node: Node) -> None:
        if node.id in self._in_run:
            self._in_run.discard(node.id)
            return
        operator = node.child_by_field_name(rule.operator)
        if operator is None or operator.type not in rule.operators:
            return
        is_shown = node.id in self._shown
        is_hidden = self._is_hidden(node.start_byte)
        before = ""
        operands: list[tuple[int, int]] = []
        for part, around in run_of(rule, node, self._in_run):
            name = part.type
            if name not in rule.operators:
                if part.type not in rule.negations:
                    operands.append((part.start_byte, part.end_byte))
                continue
            is_cognitive = name in rule.counted and name != (around if rule.in_groups else before) and not is_shown
            self._add(part, name, cyclomatic=1, ccn=int(name not in rule.not_in_lizard), cognitive=int(is_cognitive))
            before = name
        if rule.in_groups and not is_hidden:
            self._to_hide += reversed(operands)
        self._in_run.discard(node.id)

    def _function(self, rule: Function, node: Node) -> None:
        start, end = node.start_byte, node.end_byte if self._language.end_of is None else self._language.end_of(node)
        end_row = node.end_point.row - self._source.count(b"\n", end, node.end_byte)
        outer = self._frames[-1]
        if not rule.inside and outer.is_function and self._is_directly_in(outer, start):
            return
        body = node.child_by_field_name("body") if self._language.broken_heads else None
        complete = not (node if body is None else body).has_error
        frame = Frame(start, end, node.start_point.row, end_row, complete=complete)
        frame.base = outer.level(start) + rule.deeper
        head = node if rule.head_of is None else rule.head_of(node)
        frame.name, frame.qualified = self._names(rule, node, head)
        frame.parameters = self._parameters(rule, head)
        frame.begins = self._begins(rule, head)
        self._frames.append(frame)
        self._finished.append(frame)
        self._await(frame)
        if frame.name != ANONYMOUS:
            self._containers.append((end, frame.name))

    def _is_directly_in(self, function: Frame, place: int) -> bool:
        """Whether no type lies between a function around a place and the place."""
        self._around(place)
        return not self._containers or self._containers[-1][0] >= function.end

    def _await(self, frame: Frame) -> None:
        """From `frame.begins` on tokens belong to a frame."""
        insort(self._waiting, frame, key=lambda each: -each.begins)
        self._set_boundary()

    def _begins(self, rule: Function, head: Node) -> int:
        for name in rule.begins:
            first = head.child_by_field_name(name)
            if first is None:
                first = next((child for child in head.children if child.type == name), None)
            if first is not None:
                return first.start_byte
        return head.start_byte

    def _names(self, rule: Function, node: Node, head: Node) -> tuple[str, str]:
        """The name and the qualified name; a function without one has that of what it is the value of."""
        path: tuple[str, ...] = ()
        if self._namer is not None and self._namer[1].id == node.id:
            path = self._path(self._namer[0])
        elif rule.name is not None and (named := head.child_by_field_name(rule.name)) is not None:
            path = self._path(named)
        around = self._around(node.start_byte)
        path = path if path and path[-1] else (ANONYMOUS,)  # a name may be one that the parser made up
        if rule.owner_of is not None and (owner := rule.owner_of(node)) is not None:
            around += self._path(owner)
        return path[-1], ".".join([*around, *path])

    def _path(self, name: Node) -> tuple[str, ...]:
        return self._language.path_of(name, self._source) if name.end_byte - name.start_byte <= MAX_NAME else ()

    def _around(self, place: int) -> list[str]:
        containers = self._containers
        while containers and containers[-1][0] <= place:
            containers.pop()
        return [name for _, name in containers]

    def _parameters(self, rule: Function, head: Node) -> int:
        for name in rule.parameters:
            child = head.child_by_field_name(name)
            if child is not None:
                if not child.child_count:
                    return 1  # an arrow function's single name
                left_out = self._rules.not_parameters | self._rules.comments
                count = self._rules.parameters_in
                return sum(count(each) for each in child.named_children if each.type not in left_out)
        return 0

    def _container(self, rule: Container, node: Node) -> None:
        self._around(node.start_byte)
        name = node.child_by_field_name(rule.name)
        path = self._path(name) if name is not None else ()
        if path:
            self._containers.append((node.end_byte, ".".join(path)))

    def _apart(self, rule: Apart, node: Node) -> None:
        part = node if rule.field is None else node.child_by_field_name(rule.field)
        if part is not None:
            if rule.name is not None and (name := node.child_by_field_name(rule.name)) is not None:
                self._namer = (name, part)
            frame = Frame(part.start_byte, part.end_byte, 0, 0, is_function=False, begins=part.start_byte)
            self._frames.append(frame)
            if not rule.count:
                self._await(frame)


_MEANINGS: dict[type, Callable[[Walk, Any, Node], None]] = {
    Apart: Walk._apart,
    Branch: Walk._branch,
    Broken: Walk._broken,
    Call: Walk._call,
    Container: Walk._container,
    Custom: Walk._custom,
    Function: Walk._function,
    Hidden: Walk._hide,
    Lexed: Walk._lexed,
    Logical: Walk._logical,
    Namer: Walk._name,
    Nesting: Walk._nesting,
    Remark: Walk._remark,
    Several: Walk._several,
    ShortCircuit: Walk._short_circuit,
}
