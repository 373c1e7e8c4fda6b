"""Go: cyclomatic complexity as gocyclo counts it, cognitive as gocognit does.

| adds to | what |
|---|---|
| cyclomatic | `if`, `for`, `case` (not `default`) of `switch` and `select`, `&&`, `\\|\\|` |
| cognitive | `if`, `for`, `switch`, `select` with their nesting; `else`, runs of `&&`, jumps to labels, recursion |

Function literals belong to the function around them, one level deeper, or to none. A run of `&&` goes on through
parentheses, as in Sonar's definition; newer versions of gocognit begin another one there. The first call of a function
to itself adds one; methods are not followed.

lizard makes a function of each literal: a function's ccn is lizard's and that of its literals, less one each; their
first tokens and lines count twice there. It takes the braces of a result (`map[int]struct{}`) for the body and the
next function's body for that of one without, and commas in the types of parameters for those between parameters; it
leaves out parameters whose type ends with a brace.
"""

from __future__ import annotations

from tree_sitter import Node

from codefit.source.metrics.rules.lizard import weigher
from codefit.source.metrics.vocabulary import (
    Branch,
    Call,
    Custom,
    Function,
    Logical,
    MetricRules,
    Nesting,
    Rule,
)

_OPERATORS = frozenset({"&&", "||"})
_JUMP = Branch("jump to a label", cyclomatic=0, structural=False)
_CASE = Branch("case", cognitive=0, structural=False, nests=(-1,))


def _receiver(node: Node) -> Node | None:
    receiver = node.child_by_field_name("receiver")
    declared = None if receiver is None else receiver.named_child(0)
    return None if declared is None else declared.child_by_field_name("type")


_FUNCTION = Function(begins=("func",), owner_of=_receiver)


def _function(node: Node) -> Rule | None:
    return _FUNCTION if node.child_by_field_name("body") is not None else None


def _jump(node: Node) -> Rule | None:
    return _JUMP if node.named_child_count else None


def _names(parameter: Node) -> int:
    """`a, b int` are two, and so are the two types of `(int, string)`."""
    return max(1, len(parameter.children_by_field_name("name")))


def _switch(what: str) -> Branch:
    return Branch(what, cyclomatic=0, deepens=True)


GO = MetricRules(
    rules={
        "function_declaration": Custom(_function),
        "method_declaration": Custom(_function),
        "func_literal": Nesting("func literal"),
        "call_expression": Call(is_qualified=True),
        "if_statement": Branch("if", nests=("consequence",), deepens=True, otherwise="alternative"),
        "for_statement": Branch("for", nests=("body",), deepens=True),
        "expression_switch_statement": _switch("switch"),
        "type_switch_statement": _switch("switch"),
        "select_statement": _switch("select"),
        "expression_case": _CASE,
        "type_case": _CASE,
        "communication_case": _CASE,
        "default_case": Nesting("default"),
        "binary_expression": Logical(_OPERATORS, counted=_OPERATORS),
        "goto_statement": _JUMP,
        "break_statement": Custom(_jump),
        "continue_statement": Custom(_jump),
    },
    atoms=frozenset({"interpreted_string_literal", "raw_string_literal"}),
    parameters_in=_names,
    weight_of=weigher(r"`[^`]*`"),
)
