"""Python: cyclomatic complexity as radon 6 counts it, cognitive as complexipy 8 does.

Cyclomatic complexity: `if`, `elif`, conditional expressions, loops and their `else`, the `for` and `if` of
comprehensions, `except`, the `else` of a `try`, a `case` unless it takes all, `assert` whatever is in it, each `and`
and `or`.

Cognitive complexity: `if`, conditional expressions, loops, the `for` of comprehensions, `match` and `except` with their
nesting; `elif`, the `else` of an `if`, the `if` of comprehensions, groups of the same operator, the first recursion.

Control structures that lie in each other: `if`, loops, `try`, `with`, `match`.

Where the tools are not followed: radon takes `except*` and the code of classes in functions for nothing, and any
`case x if y` for one that takes all. complexipy looks into nothing of a class in a function but its methods, nor into
what `except` names and what a mere decorator returns, and sees no recursion in a lambda. lizard goes astray at a
function on one line (`def f(): pass`), for which it counts what follows; it takes a text in three quotes for a remark
unless it knows the token before it, and `#` in a format (`{x:#x}`) for a comment.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from codefit.source.metrics.vocabulary import (
    Branch,
    Broken,
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

_OPERATORS = frozenset({"and", "or"})
_NEGATIONS = frozenset({"not_operator", "unary_operator"})
# Code that complexipy does not look into.
_UNSEEN = (
    "attribute",
    "subscript",
    "binary_operator",
    "await",
    "yield",
    "keyword_argument",
    "list_splat",
    "named_expression",
    "type",
    "parameters",
    "lambda_parameters",
    "decorator",
)
_BESIDE, _DEEPER = Function(deeper=0), Function()
_TRY = Branch("try", cyclomatic=0, cognitive=0, structural=False, deepens=True)
_TRY_ELSE = Branch("try … else", lizard=0, cognitive=0, structural=False, deepens=True)
_CASE = Branch("case", cognitive=0, structural=False)
_LAST_CASE = Branch("case _", cyclomatic=0, cognitive=0, structural=False, lizard=1)
_GUARD = Branch("if", cyclomatic=0, cognitive=0, structural=False, lizard=1)
_COMPREHENSION = Branch("comprehension", cyclomatic=0, cognitive=0, structural=False, nests=("body",))
_FILTER = Branch("if", structural=False, nests=(0,))
_HIDDEN, _REMARK = Hidden(), Remark()
_DOUBLE_COLON = Lexed(-1)


def _loop(what: str) -> Custom:
    plain = Branch(what, nests=("body",), deepens=True)
    with_else = Branch(f"{what} … else", cyclomatic=2, lizard=1, nests=("body",), deepens=True)
    return Custom(lambda node: plain if node.child_by_field_name("alternative") is None else with_else)


def _function(node: Node) -> Rule:
    """A function lies deeper only where it is a statement of the one around it, which is not merely its decorator."""
    block = node.parent
    if block is not None and block.type == "decorated_definition":
        block = block.parent
    outer = None if block is None else block.parent
    if block is None or outer is None or outer.type != "function_definition":
        return _BESIDE
    statements = [child.type for child in block.named_children if not child.is_extra]
    return _BESIDE if len(statements) == 2 and statements[1] == "return_statement" else _DEEPER


def _try(node: Node) -> Rule:
    return _TRY_ELSE if any(child.type == "else_clause" for child in node.named_children) else _TRY


def _case(node: Node) -> Rule:
    """A name or `_` alone takes what is left."""
    pattern = [child for child in node.children if not child.is_extra][1:3]
    if [child.type for child in pattern] != ["case_pattern", ":"]:
        return _CASE
    parts = pattern[0].children
    is_name = len(parts) == 1 and (parts[0].type == "_" or (parts[0].type, parts[0].child_count) == ("dotted_name", 1))
    return _LAST_CASE if is_name else _CASE


def _if_clause(node: Node) -> Rule:
    return _GUARD if node.parent is not None and node.parent.type == "case_clause" else _FILTER


def _unpacked(node: Node) -> Rule | None:
    """Into what a dictionary takes up, complexipy looks; into such arguments it does not."""
    return None if node.parent is not None and node.parent.type == "dictionary" else _HIDDEN


def _negation(node: Node) -> Rule | None:
    inner = node.child_by_field_name("argument")
    while inner is not None and inner.type == "parenthesized_expression":
        inner = next((child for child in inner.named_children if not child.is_extra), None)
    return None if inner is not None and inner.type in ("boolean_operator", *_NEGATIONS) else _HIDDEN


def _statement(node: Node) -> Rule | None:
    """A string in three quotes that stands alone."""
    parts = node.named_children
    end = parts[0].named_children[-1:] if len(parts) == 1 and parts[0].type == "string" else []
    return _REMARK if end and end[0].end_byte - end[0].start_byte == 3 else None


def _slice(node: Node) -> Rule | None:
    ends = [child.end_byte for child in node.children if child.type == ":"]
    return _DOUBLE_COLON if len(ends) == 2 and ends[0] + 1 == ends[1] else None


_RULES: dict[str, Rule] = {
    "function_definition": Custom(_function),
    "class_definition": Container(),
    "lambda": Nesting(),
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
    "conditional_expression": Branch("if … else", nests=(0, 2)),
    "for_in_clause": Branch("for"),
    "if_clause": Custom(_if_clause),
    **dict.fromkeys(
        ("list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression"),
        _COMPREHENSION,
    ),
    "assert_statement": Several(
        (Branch("assert", cognitive=0, structural=False, lizard=0), Hidden(cognitive=False, cyclomatic=True))
    ),
    "boolean_operator": Logical(_OPERATORS, _OPERATORS, in_groups=True, negations=_NEGATIONS),
    **dict.fromkeys(_NEGATIONS, Custom(_negation)),
    "call": Several((Call(), Hidden("function"))),
    **dict.fromkeys(_UNSEEN, _HIDDEN),
    "interpolation": Several((_HIDDEN, Lexed(-2))),  # whose braces are no tokens of lizard's
    "dictionary_splat": Custom(_unpacked),
    "slice": Custom(_slice),
    "expression_statement": Custom(_statement),
    **dict.fromkeys(("print_statement", "exec_statement"), Broken()),
}
_NUMBER = re.compile(r"\.?[0-9][\w.]*(?:(?<=[eE])[+-][0-9]\w*)?")
_FORMAT = re.compile(r"![rsa]|:(?:.?[<>=^])?[-+]?#?[0-9]*[_,]?(?:\.[0-9]+)?[a-zA-Z%]?")
_PART = re.compile(r"\w+|[^\w\s]")
_PREFIXED = re.compile(r"[rbufRBUF]{1,2}[\"']")
# Of what lizard makes more or fewer tokens than one. It counts the name of a function for the code around it, too.
_WEIGHTS = {"def": 2, ":=": 1, **dict.fromkeys((">>", "<<", "*=", "**=", "/=", "%=", "@="), 2), "string_end": 0}


def _weight_of(token: str) -> int:
    if token in _WEIGHTS:
        return _WEIGHTS[token]
    if _NUMBER.fullmatch(token) or _FORMAT.fullmatch(token):
        return len(_PART.findall(token))
    return 2 if _PREFIXED.match(token) else 1


PYTHON = MetricRules(
    rules=_RULES,
    atoms=frozenset({"string", "string_content", "format_specifier"}),
    interpolations=frozenset({"interpolation", "format_expression"}),
    comments=frozenset({"comment", "line_continuation"}),
    operators=frozenset({"string_start"}),
    closing=frozenset({")", "]", "}", "string_end"}),
    if_kinds=frozenset({"elif_clause"}),
    not_parameters=frozenset({"keyword_separator", "positional_separator"}),
    continued=True,
    weight_of=_weight_of,
)
