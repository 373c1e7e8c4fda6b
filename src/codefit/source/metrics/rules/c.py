"""C and C++: cyclomatic complexity as lizard counts it, cognitive as clang-tidy does.

| adds to | what |
|---|---|
| cyclomatic | `if`, loops, `case` (not `default`), `catch`, `?:`, `&&`, `\\|\\|`, `and`, `or` |
| cognitive | `if`, loops, `switch`, `catch`, `?:` with their nesting; `else`, runs of `&&`, `goto` |

A loop, a `switch` and a `?:` nest as a whole, conditions included; so do lambdas and `({ … })`, which belong to the
function around them. Methods of a local class are functions of their own as well. Runs of `&&` are counted from left to
right by Sonar's definition, where clang-tidy (14) goes down the tree; it passes over loops and jumps that stand under
an `if` without braces. `#if` chooses code before it runs: it is no decision, and its condition no code. What a macro
expands to is not looked at; where one stands in a head, the body's figures are right, and a name may be lost (a class
with a macro before its name loses the first method after `public:`).

lizard (ccn) counts `#if`, `#ifdef` and `#elif`, not `and` and `or`. Its mistakes, which are not followed: `&&` before
an assignment in the same brackets is none, `auto &&` of a range or of a lambda's parameter is one, what stands before
the body in a constructor is none. It leaves out parameters that end with a sign (`int a[]`, `const A &`), takes what a
local class holds for the function's, loses the name of a function that gives a function, and where `#if` leaves braces
unbalanced it loses the rest of the file.
"""

from __future__ import annotations

from dataclasses import replace

from tree_sitter import Node

from codefit.source.metrics.rules.lizard import weigher
from codefit.source.metrics.vocabulary import (
    Apart,
    Branch,
    Container,
    Custom,
    Function,
    Lexed,
    Logical,
    MetricRules,
    Nesting,
    Rule,
    Several,
)

_MAX_DECLARATORS = 100  # as in the definitions: deeper is no name that a person wrote
_WITHOUT_FIELD = frozenset({"reference_declarator", "parenthesized_declarator", "attributed_declarator"})
_TYPES = frozenset({"class_specifier", "struct_specifier", "union_specifier"})
_TYPE = Container("declarator")
_OPERATORS = frozenset({"&&", "||", "and", "or"})
# What the parser takes for the name of a function where a macro stands before a statement, and what it is.
_KEYWORDS = {
    b"if": Branch("if", nests=("body",), deepens=True),
    b"for": Branch("for", nests=("body",), deepens=True),
    b"while": Branch("while", nests=("body",), deepens=True),
    b"switch": Branch("switch", cyclomatic=0, nests=("body",), deepens=True),
}


def _head(node: Node) -> Node:
    """The declarator that has the name and the parameters, inside pointers, references and parentheses."""
    head = each = node
    for _ in range(_MAX_DECLARATORS):
        inner = each.child_by_field_name("declarator")
        if inner is None and each.type in _WITHOUT_FIELD:
            inner = each.named_child(0)
        if inner is None or each.type == "operator_cast":
            break
        if inner.type == "function_declarator":
            head = inner
        each = inner
    return head


# `enable_if_t<a || b, T> f()`: what its type depends on is no decision of the function.
_BARE = Function("declarator", ("parameters",), ("declarator",), inside=False, head_of=_head)
_FUNCTION = Several((replace(_BARE, inside=True), Apart("type")))
_AFTER_MACRO = Function("type", (), ("type",))  # `EXPORT size_of_t size_of(void)`: the parser reads a declaration first


def _is_type(node: Node) -> bool:
    """`class EXPORT Foo { … }`: the parser reads a function called Foo, with a class in front."""
    kind = node.child_by_field_name("type")
    return kind is not None and kind.type in _TYPES and _head(node).id == node.id


def _definition(node: Node) -> Rule | None:
    """A function with a body; what a macro makes of a statement or of a type is none.

    One without a type is a constructor or the like, or, in a function, a macro with a block (`foreach (a, b) { … }`).
    """
    if node.child_by_field_name("body") is None:
        return None
    if _is_type(node):
        second = node.named_child(1)  # an error where a base class is taken for the name
        return None if second is None or second.is_error else _TYPE
    name = _head(node).child_by_field_name("declarator")
    if name is not None and name.type == "identifier" and name.text in _KEYWORDS:
        return _KEYWORDS[name.text]
    if node.child_by_field_name("type") is None:
        return _BARE
    declarator = node.child_by_field_name("declarator")
    return _AFTER_MACRO if declarator is not None and declarator.type == "parenthesized_declarator" else _FUNCTION


def _parameters_in(node: Node) -> int:
    """`(void)` has none, and a macro beside a parameter is an error to the parser, not one more."""
    kind = node.child_by_field_name("type")
    is_alone = node.child_by_field_name("declarator") is None
    is_void = is_alone and kind is not None and kind.type == "primitive_type" and kind.text == b"void"
    return int(not (is_void or node.is_error))


_CASE = Branch("case", cognitive=0, structural=False)
_TERNARY = Branch("?:", nests=("condition", "consequence", "alternative"))
_SHORT_TERNARY = Branch("?:", cognitive=0, structural=False)


def _case(node: Node) -> Rule | None:
    first = node.child(0)
    return _CASE if first is not None and first.type == "case" else None


def _ternary(node: Node) -> Rule:
    return _TERNARY if node.child_by_field_name("consequence") is not None else _SHORT_TERNARY


def _parentheses(node: Node) -> Rule | None:
    """`({ … })`, a statement as an expression."""
    inner = node.named_child(0)
    return Nesting("statement expression") if inner is not None and inner.type == "compound_statement" else None


def _pointer(node: Node) -> Rule | None:
    """lizard makes one token of `**`."""
    inner = next(reversed(node.named_children), None)
    is_double = inner is not None and inner.type == node.type and inner.start_byte == node.start_byte + 1
    return Lexed(-1) if is_double else None


def _directive(what: str, field: str) -> Custom:
    """lizard counts `#if`, `#ifdef` and `#elif`; the condition of one is no code of the function."""
    condition = Apart(field, count=False)
    counted = Several((Branch(what, cyclomatic=0, cognitive=0, structural=False, lizard=1), condition))

    def rule(node: Node) -> Rule:
        first = node.child(0)
        return counted if first is not None and first.type == what else condition

    return Custom(rule)


def _loop(what: str, *nests: str) -> Branch:
    return Branch(what, nests=nests, deepens=True)


_RULES: dict[str, Rule] = {
    "function_definition": Custom(_definition),
    "if_statement": Branch("if", nests=("consequence",), deepens=True, otherwise="alternative"),
    "for_statement": _loop("for", "initializer", "condition", "update", "body"),
    "while_statement": _loop("while", "condition", "body"),
    "do_statement": _loop("do", "body", "condition"),
    "switch_statement": Branch("switch", cyclomatic=0, nests=("condition", "body"), deepens=True),
    "case_statement": Custom(_case),
    "conditional_expression": Custom(_ternary),
    "goto_statement": Branch("goto", cyclomatic=0, structural=False),
    "parenthesized_expression": Custom(_parentheses),
    "pointer_declarator": Custom(_pointer),
    "abstract_pointer_declarator": Custom(_pointer),
    "pointer_expression": Custom(_pointer),
    "binary_expression": Logical(_OPERATORS, counted=_OPERATORS, not_in_lizard=frozenset({"and", "or"})),
    "preproc_if": _directive("#if", "condition"),
    "preproc_elif": _directive("#elif", "condition"),
    "preproc_ifdef": _directive("#ifdef", "name"),
    "preproc_elifdef": Apart("name", count=False),
    # C++, which a header may be (its grammar reads the ones that C's does not).
    "for_range_loop": _loop("for", "initializer", "right", "body"),
    "try_statement": Branch("try", cyclomatic=0, cognitive=0, structural=False, deepens=True),
    "catch_clause": Branch("catch", nests=("body",)),
    "lambda_expression": Nesting(),
    "class_specifier": Container(),
    "struct_specifier": Container(),
    "union_specifier": Container(),
    "namespace_definition": Container(),
}
_TOKENS = weigher(
    r'(?:u8|u|U|L)?R"\((?:[^)]|\)(?!"))*\)"',
    r"\d*\.\d+(?:[eE][-+]?\d+)?",
    r"\d+\.\d*(?:[eE][-+]?\d+)?",
    r"(?:\d+')+\d+",
    r"0x(?:[0-9A-Fa-f]+')+[0-9A-Fa-f]+",
    r"0b(?:[01]+')+[01]+",
)


def _weight_of(token: str) -> int:
    return 0 if token == "~" else _TOKENS(token)  # `~x` is one


_DIRECTIVES = ("#if", "#ifdef", "#ifndef", "#elif", "#elifdef", "#elifndef", "#else", "#endif", "\n")
C_FAMILY = MetricRules(
    rules=_RULES,
    atoms=frozenset({"string_literal", "char_literal", "raw_string_literal"}),
    comments=frozenset(
        {"comment", *_DIRECTIVES, "preproc_include", "preproc_def", "preproc_function_def", "preproc_call"}
    ),
    not_parameters=frozenset({"variadic_parameter"}),
    parameters_in=_parameters_in,
    weight_of=_weight_of,
)
