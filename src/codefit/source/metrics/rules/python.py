"""Python."""

from __future__ import annotations

import re

from tree_sitter import Node

from codefit.source.metrics.vocabulary import (
    Branch,
    Call,
    Container,
    Custom,
    Function,
    Hidden,
    Lexed,
    Logical,
    MetricRules,
    Nesting,
    Remark,
    Rule,
    Several,
)


def _loop(what: str) -> Custom:
    plain = Branch(what, nests=("body",), deepens=True)
    with_else = Branch(f"{what} … else", cyclomatic=2, lizard=1, nests=("body",), deepens=True)
    return Custom(lambda node: plain if node.child_by_field_name("alternative") is None else with_else)


_TRY = Branch("try", cyclomatic=0, cognitive=0, structural=False, deepens=True)
_TRY_ELSE = Branch("try … else", cyclomatic=1, lizard=0, cognitive=0, structural=False, deepens=True)


def _try(node: Node) -> Rule:
    return _TRY_ELSE if any(child.type == "else_clause" for child in node.named_children) else _TRY


_FILTER = Branch("if", structural=False, nests=(0,))
_GUARD = Branch("if", cyclomatic=0, cognitive=0, structural=False, lizard=1)
_PLAIN = Branch("comprehension", cyclomatic=0, cognitive=0, structural=False, nests=("body",))
_HIDDEN = Hidden()


def _if_clause(node: Node) -> Rule | None:
    return _GUARD if node.parent is not None and node.parent.type == "case_clause" else _FILTER


def _not(node: Node) -> Rule | None:
    inner = node.child_by_field_name("argument")
    while inner is not None and inner.type == "parenthesized_expression":
        inner = next((child for child in inner.named_children if not child.is_extra), None)
    return None if inner is not None and inner.type in ("boolean_operator", "not_operator") else _HIDDEN


def _case(node: Node) -> Rule:
    return Branch("case", cognitive=0, structural=False)


def _statement(node: Node) -> Rule | None:
    """A string that stands alone, in three quotes."""
    text = node.named_children[0] if node.named_child_count == 1 else None
    end = text.named_children[-1] if text is not None and text.type == "string" else None
    return _REMARK if end is not None and end.end_byte - end.start_byte == 3 else None


_REMARK = Remark()


def _slice(node: Node) -> Rule | None:
    ends = [child.end_byte for child in node.children if child.type == ":"]
    return Lexed(-1) if len(ends) == 2 and ends[0] + 1 == ends[1] else None


_BESIDE, _DEEPER = Function(deeper=0), Function()


def _function(node: Node) -> Rule:
    block = node.parent
    if block is not None and block.type == "decorated_definition":
        block = block.parent
    outer = None if block is None else block.parent
    if block is None or outer is None or outer.type != "function_definition":
        return _BESIDE
    statements = [child.type for child in block.named_children if not child.is_extra]
    return _BESIDE if len(statements) == 2 and statements[1] == "return_statement" else _DEEPER


_LOGICAL = frozenset({"and", "or"})
_UNSEEN = (
    "attribute",
    "subscript",
    "binary_operator",
    "await",
    "yield",
    "keyword_argument",
    "list_splat",
    "dictionary_splat",
    "named_expression",
    "type",
    "parameters",
    "lambda_parameters",
    "decorator",
)
_RULES: dict[str, Rule] = {
    "function_definition": Custom(_function),
    "call": Call(),
    "expression_statement": Custom(_statement),
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
    "boolean_operator": Logical(_LOGICAL, _LOGICAL, in_groups=True, negations=frozenset({"not_operator"})),
    "not_operator": Custom(_not),
    "list_comprehension": _PLAIN,
    "set_comprehension": _PLAIN,
    "dictionary_comprehension": _PLAIN,
    "generator_expression": _PLAIN,
    **dict.fromkeys(_UNSEEN, _HIDDEN),
    "interpolation": Several((_HIDDEN, Lexed(-2))),
    "slice": Custom(_slice),
    "lambda": Nesting(),
}
_NUMBER = re.compile(r"\.?[0-9][\w.]*(?:(?<=[eE])[+-][0-9]\w*)?")
_FORMAT = re.compile(r"![rsa]|:(?:.?[<>=^])?[-+ ]?#?[0-9]*[_,]?(?:\.[0-9]+)?[a-zA-Z%]?")
_PART = re.compile(r"\w+|[^\w\s]")
_PREFIXED = re.compile(r"[rbuRBU]{1,2}[\"']")
# Operators of which lizard makes several tokens, braces of an f-string, of which it makes none.
_OPERATORS = {"def": 2, ":=": 1, **dict.fromkeys((">>", "<<", "*=", "**=", "/=", "%=", "@="), 2), "string_end": 0}


def _weight_of(token: str) -> int:
    if token in _OPERATORS:
        return _OPERATORS[token]
    if _NUMBER.fullmatch(token) or _FORMAT.fullmatch(token):
        return len(_PART.findall(token))
    return 2 if _PREFIXED.match(token) else 1


PYTHON = MetricRules(
    rules=_RULES,
    atoms=frozenset({"string", "string_content", "format_specifier"}),
    interpolations=frozenset({"interpolation", "format_expression"}),
    operators=frozenset({"string_start"}),
    closing=frozenset({")", "]", "}", "string_end"}),
    comments=frozenset({"comment", "line_continuation"}),
    continued=True,
    weight_of=_weight_of,
    if_kinds=frozenset({"if_statement", "elif_clause"}),
    not_parameters=frozenset({"keyword_separator", "positional_separator"}),
)
