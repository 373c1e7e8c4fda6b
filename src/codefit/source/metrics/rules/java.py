"""Java: cyclomatic complexity as Checkstyle counts it, cognitive as SonarJava does.

| adds to | what |
|---|---|
| cyclomatic | `if`, loops, `case` (not `default`), a guard's `when`, `catch`, `?:`, `&&`, `\\|\\|` |
| cognitive | `if`, loops, `switch`, `catch`, `?:` with their nesting; `else`, runs of `&&`, labelled jumps |

A loop, a `switch` and a `?:` nest as a whole, conditions included. Lambdas belong to the method around them, one level
deeper. So do methods of local and anonymous classes, which are functions of their own as well. A `switch` that is a
value counts as one that is a statement does; SonarJava passes over it. Initializers belong to the method around them,
or to none. A method without a body is none.

lizard differs: it does not know guards, counts a receiver as a parameter, takes `Map<?, List<A>>` for `?:` and
`a < b ? c > d : e` for a wildcard, makes a method of an enum's constant with a body, loses compact constructors and the
code that stands between the methods of an anonymous class, and the first token and line of a method inside count for
the method around it too.
"""

from __future__ import annotations

from tree_sitter import Node

from codefit.source.metrics.rules.lizard import weigher
from codefit.source.metrics.vocabulary import (
    Branch,
    Container,
    Custom,
    Function,
    Lexed,
    Logical,
    MetricRules,
    Nesting,
    Rule,
)

_FUNCTION = Function()
_CASE = Branch("case", cognitive=0, structural=False)
_JUMP = Branch("jump to a label", cyclomatic=0, structural=False)
_OPERATORS = frozenset({"&&", "||"})
_MORE_THAN_NAMES = frozenset({"type_arguments", "array_type", "marker_annotation", "annotation"})


def _method(node: Node) -> Rule | None:
    return _FUNCTION if node.child_by_field_name("body") is not None else None


def _label(node: Node) -> Rule | None:
    first = node.child(0)
    return _CASE if first is not None and first.type == "case" else None


def _jump(node: Node) -> Rule | None:
    return _JUMP if any(child.type == "identifier" for child in node.named_children) else None


def _wildcards(node: Node) -> Rule | None:
    """lizard makes one token of `<? extends T>`, where nothing in it is generic or an array itself."""
    leaves, wildcards, rest = 0, 0, list(node.children)
    while rest:
        each = rest.pop()
        if each.type in _MORE_THAN_NAMES:
            return None
        leaves += not each.child_count
        wildcards += each.type == "wildcard"
        rest += each.children
    return Lexed(1 - leaves) if wildcards else None


def _loop(what: str, *nests: str) -> Branch:
    return Branch(what, nests=nests, deepens=True)


_RULES: dict[str, Rule] = {
    "method_declaration": Custom(_method),
    "constructor_declaration": _FUNCTION,
    "compact_constructor_declaration": _FUNCTION,
    "lambda_expression": Nesting(),
    "if_statement": Branch("if", nests=("consequence",), deepens=True, otherwise="alternative"),
    "for_statement": _loop("for", "init", "condition", "update", "body"),
    "enhanced_for_statement": _loop("for", "value", "body"),
    "while_statement": _loop("while", "condition", "body"),
    "do_statement": _loop("do", "body", "condition"),
    "switch_expression": Branch("switch", cyclomatic=0, nests=("condition", "body"), deepens=True),
    "switch_label": Custom(_label),
    "guard": Branch("guard", cognitive=0, structural=False, lizard=0),
    "try_statement": Branch("try", cyclomatic=0, cognitive=0, structural=False, deepens=True),
    "try_with_resources_statement": Branch("try", cyclomatic=0, cognitive=0, structural=False, deepens=True),
    "catch_clause": Branch("catch", nests=("body",)),
    "ternary_expression": Branch("?:", nests=("condition", "consequence", "alternative")),
    "binary_expression": Logical(_OPERATORS, counted=_OPERATORS),
    "type_arguments": Custom(_wildcards),
    "break_statement": Custom(_jump),
    "continue_statement": Custom(_jump),
    "class_declaration": Container(),
    "interface_declaration": Container(),
    "enum_declaration": Container(),
    "record_declaration": Container(),
    "annotation_type_declaration": Container(),
}
_TOKENS = weigher(r"\d*\.\d+(?:[eE][-+]?\d+)?", r"\d+\.\d*(?:[eE][-+]?\d+)?")


def _weight_of(token: str) -> int:
    return 0 if token == "~" else _TOKENS(token)  # `~x` is one


JAVA = MetricRules(
    rules=_RULES,
    atoms=frozenset({"string_literal"}),
    comments=frozenset({"line_comment", "block_comment"}),
    not_parameters=frozenset({"receiver_parameter"}),
    weight_of=_weight_of,
)
