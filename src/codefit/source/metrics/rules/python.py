"""Python."""

from __future__ import annotations

import re

from tree_sitter import Node

from codefit.source.metrics.vocabulary import Branch, Container, Custom, Function, Logical, MetricRules, Nesting, Rule


def _loop(what: str) -> Custom:
    plain = Branch(what, nests=("body",), deepens=True)
    with_else = Branch(f"{what} … else", cyclomatic=2, lizard=1, nests=("body",), deepens=True)
    return Custom(lambda node: plain if node.child_by_field_name("alternative") is None else with_else)


_TRY = Branch("try", cyclomatic=0, cognitive=0, structural=False, deepens=True)
_TRY_ELSE = Branch("try … else", cyclomatic=1, lizard=0, cognitive=0, structural=False, deepens=True)


def _try(node: Node) -> Rule:
    return _TRY_ELSE if any(child.type == "else_clause" for child in node.named_children) else _TRY


_FILTER = Branch("if", structural=False)


def _if_clause(node: Node) -> Rule | None:
    return None if node.parent is not None and node.parent.type == "case_clause" else _FILTER


def _case(node: Node) -> Rule:
    return Branch("case", cognitive=0, structural=False)


_RULES: dict[str, Rule] = {
    "function_definition": Function(),
    "class_definition": Container(),
    "if_statement": Branch("if", nests=("consequence",), deepens=True, otherwise="alternative"),
    "elif_clause": Branch("if", nests=("consequence",)),
    "for_statement": _loop("for"),
    "while_statement": _loop("while"),
    "try_statement": Custom(_try),
    "except_clause": Branch("except", nests=(-1,)),
    "finally_clause": Branch("finally", cyclomatic=0, cognitive=0, structural=False, lizard=1),
    "with_statement": Branch("with", cyclomatic=0, cognitive=0, structural=False, deepens=True),
    "match_statement": Branch("match", cyclomatic=0, nests=("body",), deepens=True),
    "case_clause": Custom(_case),
    "assert_statement": Branch("assert", cognitive=0, structural=False, lizard=0),
    "conditional_expression": Branch("if … else", nests=(0, 2)),
    "for_in_clause": Branch("for"),
    "if_clause": Custom(_if_clause),
    "boolean_operator": Logical(frozenset({"and", "or"}), counted=frozenset({"and", "or"})),
    "lambda": Nesting(),
}


PYTHON = MetricRules(
    rules=_RULES,
    atoms=frozenset({"string"}),
    if_kinds=frozenset({"if_statement", "elif_clause"}),
    not_parameters=frozenset({"keyword_separator", "positional_separator"}),
)
