"""JavaScript and TypeScript: cyclomatic complexity as ESLint 10 counts it, cognitive as eslint-plugin-sonarjs 4 does.

| adds to | what |
|---|---|
| cyclomatic | `if`, loops, `case`, `catch`, `?:`, `&&`, `\\|\\|`, `??` and their assignments, `?.`, default values |
| cognitive | `if`, loops, `switch`, `catch`, `?:` with their nesting; `else`, runs of `&&`, labelled jumps |

Held against ESLint and sonarjs function by function. One difference is known: sonarjs 4.2 loses count of the nesting
where a function is itself a branch of `?:` or the body of a loop, since it leaves that level only after it left the
function. `ccn` is lizard's count, without `?.`; what lizard misreads (`codefit.tasks.complexity.lizard_reader`) is read
right here.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from codefit.source.metrics.vocabulary import (
    Apart,
    Branch,
    Container,
    Custom,
    Function,
    Logical,
    MetricRules,
    Namer,
    Rule,
    ShortCircuit,
)

_ASSIGNS = frozenset({"&&=", "||=", "??="})
_ASSIGN = Branch("logical assignment", cognitive=0, structural=False)
_DEFAULT = Branch("default value", cognitive=0, structural=False)
_JUMP = Branch("jump to a label", cyclomatic=0, structural=False)


def _assignment(node: Node) -> Rule | None:
    operator = node.child_by_field_name("operator")
    return _ASSIGN if operator is not None and operator.type in _ASSIGNS else None


def _jump(node: Node) -> Rule | None:
    return _JUMP if node.child_by_field_name("label") is not None else None


def _default(node: Node) -> Rule | None:
    return _DEFAULT if node.child_by_field_name("value") is not None else None


def _loop(what: str) -> Branch:
    return Branch(what, nests=("body",), deepens=True)


_PARAMETERS = ("parameters", "parameter")
_FUNCTION = Function(parameters=_PARAMETERS, begins=_PARAMETERS)
_RULES: dict[str, Rule] = {
    "function_declaration": _FUNCTION,
    "function_expression": _FUNCTION,
    "generator_function_declaration": _FUNCTION,
    "generator_function": _FUNCTION,
    "arrow_function": _FUNCTION,
    "method_definition": _FUNCTION,
    "class_static_block": Apart(),
    "field_definition": Apart("value", name="property"),
    "if_statement": Branch("if", nests=("consequence",), deepens=True, otherwise="alternative"),
    "for_statement": _loop("for"),
    "for_in_statement": _loop("for"),
    "while_statement": _loop("while"),
    "do_statement": _loop("do"),
    "with_statement": Branch("with", cyclomatic=0, cognitive=0, structural=False, deepens=True),
    "try_statement": Branch("try", cyclomatic=0, cognitive=0, structural=False, deepens=True),
    "switch_statement": Branch("switch", cyclomatic=0, nests=("body",), deepens=True),
    "switch_case": Branch("case", cognitive=0, structural=False),
    "catch_clause": Branch("catch", nests=("body",)),
    "ternary_expression": Branch("?:", nests=("consequence", "alternative")),
    "binary_expression": Logical(frozenset({"&&", "||", "??"}), counted=frozenset({"&&"})),
    "augmented_assignment_expression": Custom(_assignment),
    "optional_chain": Branch("?.", cognitive=0, structural=False, lizard=0),
    "assignment_pattern": _DEFAULT,
    "object_assignment_pattern": _DEFAULT,
    "break_statement": Custom(_jump),
    "continue_statement": Custom(_jump),
    "jsx_expression": ShortCircuit(),
    "variable_declarator": Namer("name", "value"),
    "assignment_expression": Namer("left", "right"),
    "pair": Namer("key", "value"),
    "class_declaration": Container(),
    "class": Container(),
}
_NUMBER = re.compile(r"\w+|\W")
_WORD = re.compile(r"\$\w+|\w+|.", re.DOTALL)
# Operators of which lizard makes several tokens.
_OPERATORS = {
    **dict.fromkeys((">>", "<<", "**=", "%=", "/=", "*=", "&&=", "||=", "??="), 2),
    **dict.fromkeys((">>>=", ">>>"), 3),
    ">>=": 1,
}


def _weight_of(token: str) -> int:
    if token in _OPERATORS:
        return _OPERATORS[token]
    if token[0].isdigit() or (token[0] == "." and token[1:2].isdigit()):
        return len(_NUMBER.findall(token))
    if "$" in token and token[0] not in "'\"`/":
        return len(_WORD.findall(token))
    return 1


JAVASCRIPT = MetricRules(
    rules=_RULES,
    atoms=frozenset({"string", "regex"}),
    comments=frozenset({"comment", "html_comment"}),
    nested_functions_count=False,
    weight_of=_weight_of,
)
TYPESCRIPT = MetricRules(
    rules={
        **_RULES,
        "public_field_definition": Apart("value", name="name"),
        "required_parameter": Custom(_default),
        "optional_parameter": Custom(_default),
        "abstract_class_declaration": Container(),
        "internal_module": Container(),
        "module": Container(),
    },
    atoms=frozenset({"string", "regex"}),
    comments=frozenset({"comment", "html_comment"}),
    not_parameters=frozenset({"decorator"}),
    nested_functions_count=False,
    weight_of=_weight_of,
)
