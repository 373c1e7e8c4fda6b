"""A language's rules by the numbers that a grammar gives its kinds of nodes, so that a walk compares no text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from codefit.source.grammar import Grammar, load
from codefit.source.metrics.rules import RULES
from codefit.source.metrics.vocabulary import MetricRules, Rule

# What a kind of node is where no rule speaks of it; from 0 on, the number of its rule.
OPERATOR, OPERAND, ATOM, COMMENT = range(-4, 0)


@dataclass(frozen=True, slots=True)
class Table:
    """The rules of a language for one grammar: `roles` by kind of node, the rest as `MetricRules` has it."""

    language: MetricRules
    roles: dict[int, int]
    rules: list[Rule]
    closing: frozenset[int]
    interpolations: frozenset[int]
    weights: dict[int, int]


@cache
def table_of(grammar: Grammar, name: str) -> Table:
    """The table of the language called `name`."""
    language = RULES[name]
    parser, _ = load(grammar)
    names = [parser.node_kind_for_id(kind) or "" for kind in range(parser.node_kind_count)]
    rules: list[Rule] = []
    number: dict[str, int] = {}
    for name, rule in language.rules.items():
        number[name] = len(rules)
        rules.append(rule)
    roles: dict[int, int] = {}
    closing, interpolations, weights = set(), set(), {}
    for kind, name in enumerate(names):
        is_operand = parser.node_kind_is_named(kind) and name not in language.operators and name not in language.closing
        roles[kind] = OPERAND if is_operand else OPERATOR
        if name in language.interpolations:
            interpolations.add(kind)
        if not is_operand:
            if name in language.closing:
                closing.add(kind)
            if (weight := language.weight_of(name)) != 1:
                weights[kind] = weight
        elif name in number:
            roles[kind] = number[name]
        elif name in language.atoms:
            roles[kind] = ATOM
        if name in language.comments:
            roles[kind] = COMMENT
    return Table(language, roles, rules, frozenset(closing), frozenset(interpolations), weights)
