"""PHP: cyclomatic complexity as lizard 1.24 means it, cognitive as Sonar defines it (rule S3776).

Cyclomatic complexity: `if`, `elseif`, loops, `case`, `catch`, `?:`, arms of a `match` but the default, and `&&`, `||`,
`and`, `or`. Where lizard is not followed, though in `ccn`: it counts the `?` of a type and the word `match` instead of
its arms, and neither `?:` in one piece nor `and` and `or`.

Cognitive complexity: `if`, loops, `switch`, `match`, `catch`, `?:` with their nesting; `else`, `elseif`, runs of the
same operator, `goto`, and `break` and `continue` out of several loops. sonar-php itself knows no `match`, no `and` and
`or`, and nests what follows `else if` once more.

A closure belongs to the function around it, one level deeper; it is a function of its own where there is none.

lizard goes astray at methods called like a keyword (`$x->match()`), at `<?php` and `?>` in a string and at `<<<'A'`; it
takes what follows `#` for code, and all parameters for one.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from codefit.source.metrics.vocabulary import (
    Branch,
    Container,
    Custom,
    Function,
    Lexed,
    Logical,
    MetricRules,
    Namer,
    Nesting,
    Rule,
    Several,
)

_LOGICAL = frozenset({"&&", "||", "and", "or"})
_WORDS = frozenset({"and", "or"})
_FUNCTION = Function(begins=("parameters",))
_CLOSURE = Function(name=None, begins=("parameters",))
_JUMP = Branch("jump", cyclomatic=0, structural=False)
_SHORT_TERNARY = Several((Branch("?:", lizard=0, nests=("alternative",)), Lexed(-1)))
_TERNARY = Branch("?:", nests=("body", "alternative"))


def _loop(what: str) -> Branch:
    return Branch(what, nests=("body",), deepens=True)


def _method(node: Node) -> Rule | None:
    return None if node.child_by_field_name("body") is None else _FUNCTION


def _far_jump(node: Node) -> Rule | None:
    """Out of several loops: `break 2`."""
    return _JUMP if any(not child.is_extra for child in node.named_children) else None


def _ternary(node: Node) -> Rule:
    return _SHORT_TERNARY if node.child_by_field_name("body") is None else _TERNARY


_RULES: dict[str, Rule] = {
    "function_definition": _FUNCTION,
    "method_declaration": Custom(_method),
    "anonymous_function": Nesting("closure", alone=_CLOSURE),
    "arrow_function": Nesting("closure"),
    "if_statement": Branch("if", nests=("body",), deepens=True, otherwise="alternative"),
    "else_if_clause": Branch("if", nests=("body",)),
    "for_statement": _loop("for"),
    "foreach_statement": _loop("foreach"),
    "while_statement": _loop("while"),
    "do_statement": _loop("do"),
    "switch_statement": Branch("switch", cyclomatic=0, nests=("body",), deepens=True),
    "case_statement": Branch("case", cognitive=0, structural=False),
    "match_expression": Branch("match", cyclomatic=0, lizard=1, nests=("body",), deepens=True),
    "match_conditional_expression": Branch("case", cognitive=0, structural=False, lizard=0),
    "try_statement": Branch("try", cyclomatic=0, cognitive=0, structural=False, deepens=True),
    "catch_clause": Branch("catch", nests=("body",)),
    "conditional_expression": Custom(_ternary),
    "binary_expression": Logical(_LOGICAL, _LOGICAL, not_in_lizard=_WORDS),
    "break_statement": Custom(_far_jump),
    "continue_statement": Custom(_far_jump),
    "goto_statement": _JUMP,
    "optional_type": Branch("?", cyclomatic=0, cognitive=0, structural=False, lizard=1),
    "assignment_expression": Namer("left", "right"),
    "class_declaration": Container(),
    "interface_declaration": Container(),
    "trait_declaration": Container(),
    "enum_declaration": Container(),
}
_NUMBER = re.compile(r"\.?[0-9][\w.]*(?:(?<=[eE])[+-][0-9]\w*)?")
_PART = re.compile(r"\w+|[^\w\s]")
# Operators of which lizard makes several tokens.
_WEIGHTS = {**dict.fromkeys((">>", "<<", "<>", "<=>", "**=", "*=", "/=", "%=", ".=", "yield from"), 2), "?>": 0}


def _weight_of(token: str) -> int:
    if token in _WEIGHTS:
        return _WEIGHTS[token]
    return len(_PART.findall(token)) if _NUMBER.fullmatch(token) else 1


PHP = MetricRules(
    rules=_RULES,
    atoms=frozenset({"string", "encapsed_string", "heredoc", "nowdoc", "shell_command_expression", "variable_name"}),
    comments=frozenset({"comment", "php_tag"}),
    if_kinds=frozenset({"if_statement", "else_if_clause"}),
    weight_of=_weight_of,
)
