"""Ruby: cyclomatic complexity as lizard 1.24 means it, cognitive as Sonar defines it (rule S3776).

Cyclomatic complexity: `if`, `unless`, `elsif` and their modifiers, `while`, `until`, `for`, `when`, `in`, `rescue`,
`?:`, each `&&`, `||`, `and`, `or`, and `||=`, `&&=`. Where lizard is not followed, though in `ccn`: it counts `ensure`
and the `if` of a pattern, and neither `unless` nor `in`.

Cognitive complexity: `if`, `unless`, loops, `case`, `rescue` and `?:` with their nesting; `else`, `elsif`, runs of the
same operator. Blocks and lambdas belong to the method around them and lie no deeper. sonar-ruby itself knows only the
`rescue` of a `begin`, and no `case … in`.

lizard goes astray at `case`, `until` and `x = if`, whose `end` it takes for that of the method, at methods without
`end`, and at texts (`<<~A`) and most regular expressions, whose words it takes for code. It takes RSpec's `it` for a
function, and does not count parameters without a value of their own (`a:`, `...`), nor those of `x=` and `[]`.
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
    Nesting,
    Rule,
    Several,
)

_LOGICAL = frozenset({"&&", "||", "and", "or"})
_ASSIGNS = frozenset({"||=", "&&="})
_ASSIGN = Branch("logical assignment", cognitive=0, structural=False)
_TRY = Branch("begin", cyclomatic=0, cognitive=0, structural=False, deepens=True)
_CASE = Several((Branch("case", cyclomatic=0, deepens=True), Nesting("case")))
_METHOD = Function(begins=("object", "name"))
_KEY = Lexed(-1)  # `a:` is one token
_SCOPE = Lexed(-1)
_LONGEST_SCOPE = 16  # no one writes longer ones, and their tokens are read in quadratic time


def _loop(what: str) -> Branch:
    return Branch(what, nests=("body",), deepens=True)


def _assignment(node: Node) -> Rule | None:
    operator = node.child_by_field_name("operator")
    return _ASSIGN if operator is not None and operator.type in _ASSIGNS else None


def _begin(node: Node) -> Rule | None:
    return _TRY if any(child.type in ("rescue", "ensure") for child in node.named_children) else None


def _pair(node: Node) -> Rule | None:
    key = node.child_by_field_name("key")
    return _KEY if key is not None and key.type == "hash_key_symbol" else None


def _scope(node: Node) -> Rule | None:
    """lizard reads `A::B::C` as `A:`, `:B`, `::`, `C`: every other `::` is a token, and one at the beginning."""
    before, inner = 0, node.child_by_field_name("scope")
    while inner is not None and inner.type == "scope_resolution" and before < _LONGEST_SCOPE:
        before, inner = before + 1, inner.child_by_field_name("scope")
        if inner is None:
            before -= 1
    is_first = node.child_by_field_name("scope") is None
    return None if is_first or before % 2 else _SCOPE


def _string(node: Node) -> Rule | None:
    """lizard makes a string of what stands before, between and behind interpolations, be it empty."""
    if node.type != "string":
        return None
    parts = [child.type for child in node.named_children]
    count = parts.count("interpolation")
    quotes, texts = 2, len(parts) - count
    return Lexed(count + 1 - quotes - texts)


_RULES: dict[str, Rule] = {
    "method": _METHOD,
    "singleton_method": _METHOD,
    "class": Container(),
    "module": Container(),
    "if": Branch("if", nests=("consequence",), deepens=True, otherwise="alternative"),
    "unless": Branch("unless", lizard=0, nests=("consequence",), deepens=True, otherwise="alternative"),
    "elsif": Branch("if", nests=("consequence",), otherwise="alternative"),
    "if_modifier": Branch("if", nests=("body",)),
    "unless_modifier": Branch("unless", lizard=0, nests=("body",)),
    "conditional": Branch("?:", nests=("consequence", "alternative")),
    "while": _loop("while"),
    "until": _loop("until"),
    "for": _loop("for"),
    "while_modifier": Branch("while", nests=("body",)),
    "until_modifier": Branch("until", nests=("body",)),
    "case": _CASE,
    "when": Branch("when", cognitive=0, structural=False),
    "case_match": _CASE,
    "in_clause": Branch("in", cognitive=0, structural=False, lizard=0),
    "if_guard": Branch("if", cyclomatic=0, cognitive=0, structural=False, lizard=1),
    "begin": Custom(_begin),
    "rescue": Branch("rescue", nests=("body",)),
    "rescue_modifier": Branch("rescue", nests=("handler",)),
    "ensure": Branch("ensure", cyclomatic=0, cognitive=0, structural=False, lizard=1),
    "binary": Logical(_LOGICAL, _LOGICAL, parentheses=frozenset({"parenthesized_statements"})),
    "operator_assignment": Custom(_assignment),
    "pair": Custom(_pair),
    "scope_resolution": Custom(_scope),
    "keyword_parameter": _KEY,
    "keyword_pattern": _KEY,
}
_NUMBER = re.compile(r"[0-9][\w.]*(?:(?<=[eE])[+-][0-9]\w*)?")
_PART = re.compile(r"\w+|[^\w\s]")
_OTHER = re.compile(r"[:$][^\w\s@:]{1,3}|<<[-~]?[\"'`]?\w+[\"'`]?")  # `:+`, `$!`, `<<~A`
# Of what lizard makes more or fewer tokens than one. It counts the name of a method for the code around it, too.
_WEIGHTS = {
    "def": 2,
    **dict.fromkeys(("&.", "<<", ">>", "||=", "&&=", "<=>", "=~", "!~", "%=", "*=", "/=", "**="), 2),
}


def _weight_of(token: str) -> int:
    if token in _WEIGHTS:
        return _WEIGHTS[token]
    if token[:2] in (":'", ':"'):
        return 2
    if _NUMBER.fullmatch(token) or _OTHER.fullmatch(token):
        return len(_PART.findall(token))
    return 1


RUBY = MetricRules(
    rules=_RULES,
    atoms=frozenset(
        {"string", "string_array", "symbol_array", "delimited_symbol", "regex", "subshell", "heredoc_body"}
    ),
    interpolations=frozenset({"interpolation"}),
    interpolated=Custom(_string),
    comments=frozenset({"comment", "uninterpreted"}),
    closing=frozenset({")", "]", "}", "end", '"'}),
    if_kinds=frozenset({"elsif"}),
    else_clauses=frozenset(),
    continued=True,
    weight_of=_weight_of,
)
