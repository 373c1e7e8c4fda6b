"""The vocabulary between a language's tree and its metrics: what each kind of node adds to which figure.

Every rule is data: kinds of nodes and fields of them as the grammar names them. `codefit.source.metrics.walk` reads a
tree with them once. A language's file in `rules/` says what decides in it, and which tool its rules are held against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tree_sitter import Node


@dataclass(frozen=True, slots=True)
class Branch:
    """A node that parts or breaks the flow.

    `what` is what an explanation calls it, `cyclomatic` what it adds to the cyclomatic complexity, `lizard` what it
    adds to lizard's count where that differs. Of cognitive complexity it adds `cognitive`, and the nesting around it
    where it is `structural`. What stands in its fields `nests` lies one level deeper; a number is the place of a part
    that has no field, among those with a name. `deepens` counts it in the depth of nesting.

    `otherwise` is the field of an else branch, as it stands or in a clause around it. A further `if` there adds one
    without its nesting and lies no deeper; any other branch adds one to the cognitive complexity and nests.
    """

    what: str
    cyclomatic: int = 1
    cognitive: int = 1
    structural: bool = True
    nests: tuple[str | int, ...] = ()
    deepens: bool = False
    lizard: int | None = None
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class Logical:
    """A binary expression, logical where its operator is one of `operators`.

    Each operator adds one to the cyclomatic complexity, and to lizard's count unless `not_in_lizard`; each run of the
    same operator of `counted` adds one to the cognitive complexity. A run goes through parentheses, not through other
    operators. Where `in_groups`, it is no run but a group that adds one: an operator and those among its operands that
    are the same; and what else is in an operand is `Hidden`, but for those of the kinds `negations`, which have rules
    of their own.
    """

    operators: frozenset[str]
    counted: frozenset[str]
    left: str = "left"
    operator: str = "operator"
    right: str = "right"
    not_in_lizard: frozenset[str] = frozenset()
    in_groups: bool = False
    negations: frozenset[str] = frozenset()
    parentheses: frozenset[str] = frozenset({"parenthesized_expression"})


@dataclass(frozen=True, slots=True)
class Function:
    """A function of its own: the fields of its name and its parameters, and the field that its tokens begin with.

    Of several fields the first that a node has is taken; tokens begin with the node where it has none of `begins`.
    One of `begins` may be a keyword. In a function around it, it lies `deeper` by that many levels than the code
    beside it. `head_of` gives the node below that has the fields, `owner_of` the type that the head itself names.
    Where it is not to lie `inside`, it is no function in another one, unless in a type there.
    """

    name: str | None = "name"
    parameters: tuple[str, ...] = ("parameters",)
    begins: tuple[str, ...] = ("name", "parameters")
    deeper: int = 1
    inside: bool = True
    head_of: Callable[[Node], Node] | None = None
    owner_of: Callable[[Node], Node | None] | None = None


@dataclass(frozen=True, slots=True)
class Nesting:
    """Code one level deeper that belongs to the function around it: a lambda. `cyclomatic` is what it adds itself.

    Where there is no function around it, it is one of its own if `alone` says so.
    """

    what: str = "lambda"
    cyclomatic: int = 0
    alone: Function | None = None


@dataclass(frozen=True, slots=True)
class Apart:
    """Code that is of no function around it (a field's first value, a static block): the node, or a field of it.

    Its tokens are the function's where they `count`. `name` is the field of the name that a function there has.
    """

    field: str | None = None
    count: bool = True
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Namer:
    """A node that gives the function in its field `value` the name in its field `name`."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Container:
    """A type or a namespace: its name goes before those of the functions in it."""

    name: str = "name"


@dataclass(frozen=True, slots=True)
class ShortCircuit:
    """A place where a logical expression chooses what is shown (`{open && <Menu/>}`): it is not cognitive there."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A text that stands where a statement would: none of its lines has code."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """Code that the reference tool does not look into for the `cognitive` or the `cyclomatic` complexity.

    It is the node, or its first part, a field.
    """

    field: str | None = None
    cognitive: bool = True
    cyclomatic: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call: the first of a function to itself adds one to the cognitive complexity. `callee` is what is called.

    Where it `is_qualified`, a method's name alone does not call it.
    """

    callee: str = "function"
    is_qualified: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """What the grammar reads although the language no longer has it: code around it is not complete."""


@dataclass(frozen=True, slots=True)
class Lexed:
    """What lizard makes more or fewer `tokens` of than the tokens in it tell."""

    tokens: int


@dataclass(frozen=True, slots=True)
class Several:
    """A node with several rules."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Custom:
    """What data cannot say: the function looks at a node and tells the rule that it follows, or None."""

    rule: Callable[[Node], Rule | None]


Rule = (
    Branch
    | Logical
    | Function
    | Nesting
    | Apart
    | Namer
    | Container
    | ShortCircuit
    | Remark
    | Hidden
    | Call
    | Broken
    | Lexed
    | Several
    | Custom
)


@dataclass(frozen=True, slots=True)
class MetricRules:
    """The rules of a language, by kind of node.

    `if_kinds` are the nodes of an `if`, `else_clauses` those around an else branch. `atoms` are nodes that are one
    token although they have parts, but where one of the `interpolations` is among these: then it is
    `interpolated`; `comments` are no code.
    `operators` are nodes with a name that are none the less operators. `closing` are brackets that close and the like:
    the opening one stands for the operator that they are together. `not_parameters` are children of a parameter list
    that are none.

    `nested_functions_count` says whether the cognitive complexity takes in the functions inside, one level deeper.

    `parameters_in` tells how many a parameter's node declares. `weight_of` tells how many tokens lizard makes of one:
    three of `1.5`. Where `continued`, a backslash that ends a line is one, too.
    """

    rules: Mapping[str, Rule]
    atoms: frozenset[str] = frozenset()
    interpolations: frozenset[str] = frozenset()
    interpolated: Rule | None = None
    comments: frozenset[str] = frozenset({"comment"})
    operators: frozenset[str] = frozenset()
    closing: frozenset[str] = frozenset({")", "]", "}"})
    if_kinds: frozenset[str] = frozenset({"if_statement"})
    else_clauses: frozenset[str] = frozenset({"else_clause"})
    not_parameters: frozenset[str] = frozenset()
    nested_functions_count: bool = True
    parameters_in: Callable[[Node], int] = field(default=lambda _parameter: 1)
    continued: bool = False
    weight_of: Callable[[str], int] = field(default=lambda _token: 1)
