"""Rust: cyclomatic complexity as lizard means it, cognitive by Sonar's definition.

| adds to | what |
|---|---|
| cyclomatic | `if`, `for`, `while`, arms of a `match` but one, guards, `let … else`, `?`, `&&`, `\\|\\|` |
| cognitive | `if`, loops, `match`, `let … else` with their nesting; `else`, runs of `&&`, labelled jumps |

rust-code-analysis, which counts cognitive complexity, passes over `loop` and `let … else`; here they are what the
definition has them be, a loop and a condition. `?` leaves the function, which is a
decision; a `loop` has none of its own. Closures belong to the function around them, one level deeper. Functions inside
of functions are functions of their own as well. Blocks that are `async` or `unsafe` add nothing.

What a macro is given is tokens to the parser, not code: `assert!(a && b)` adds nothing but to lizard's count.

Of lizard's count (ccn) that is no decision, this too is counted: `where`, the `for` of `for<'a>` and of `impl A for B`
in a function, `?Sized`, `||` of a closure without parameters, `&&` of a reference to a reference. Not followed are its
mistakes: after a character ('a') it looks for the next quote and swallows what lies between; so it does with the rest
of a line after `#`, be it of `#[test]` or `r#"a"#`. It takes the type `fn(A)` for a function, the brace of
`if let A { .. } = b` for the body, the next function's body for that of one without, commas in the types of parameters
for those between parameters; the first token and line of a function inside count for the one around it too.
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
    Several,
)

_OPERATORS = frozenset({"&&", "||"})
_JUMP = Branch("jump to a label", cyclomatic=0, structural=False)
_GUARD = Branch("guard", cognitive=0, structural=False)
_LET_ELSE = Branch("let … else", nests=("alternative",), deepens=True)
_COUNTED_IN_MACROS = frozenset({"if", "for", "while", "where", "&&", "||", "?"})


def _seen_by_lizard(count: int) -> Branch:
    """What lizard alone takes for a decision."""
    return Branch("none", cyclomatic=0, cognitive=0, structural=False, lizard=count)


def _jump(node: Node) -> Rule | None:
    return _JUMP if any(child.type == "label" for child in node.named_children) else None


def _guard(node: Node) -> Rule | None:
    return _GUARD if node.child_by_field_name("condition") is not None else None


def _let(node: Node) -> Rule | None:
    return _LET_ELSE if node.child_by_field_name("alternative") is not None else None


def _match(node: Node) -> Rule:
    """Of n arms one is always taken: n - 1 decisions."""
    body = node.child_by_field_name("body")
    arms = 0 if body is None else sum(child.type == "match_arm" for child in body.named_children)
    return Branch("match", cyclomatic=max(0, arms - 1), nests=("value", "body"), deepens=True)


def _chain(node: Node) -> Rule:
    """`let Some(a) = b && c`: one run of `&&`, with those of an expression that stands in it."""
    count = sum(child.type == "&&" for child in node.children)
    begun = any(
        child.type == "binary_expression"
        and (operator := child.child_by_field_name("operator")) is not None
        and operator.type == "&&"
        for child in node.named_children
    )
    return Branch("&&", cyclomatic=count, cognitive=int(not begun), structural=False)


def _closure(node: Node) -> Rule | None:
    """lizard takes the `||` of a closure without parameters for an operator."""
    is_together = not node.named_child_count and node.end_byte - node.start_byte == 2
    return Several((_seen_by_lizard(1), Lexed(-1))) if is_together else None


def _is_double(node: Node) -> bool:
    inner = next(reversed(node.named_children), None)
    return inner is not None and inner.type == node.type and inner.start_byte == node.start_byte + 1


def _reference(node: Node) -> Rule | None:
    """lizard takes the `&&` of a reference to a reference for an operator."""
    return Several((_seen_by_lizard(1), Lexed(-1))) if _is_double(node) else None


def _unary(node: Node) -> Rule | None:
    """lizard makes one token of `**` and of `--`."""
    first = node.child(0)
    return Lexed(-1) if first is not None and first.type in "*-" and _is_double(node) else None


def _tokens_of_macro(node: Node) -> Rule | None:
    """What a macro is given is no code for the parser; lizard counts it as if it were."""
    count, is_match = 0, False
    for child in node.children:
        kind = child.type
        count += kind in _COUNTED_IN_MACROS
        if kind == "match":
            is_match = True
        elif is_match and kind == "token_tree":
            arms = sum(part.type == "=>" for part in child.children)
            count, is_match = count + max(0, arms - 1), False
    return _seen_by_lizard(count) if count else None


_IMPL = Container("type")
_IMPL_OF_TRAIT = Several((_IMPL, _seen_by_lizard(1)))


def _impl(node: Node) -> Rule:
    """lizard takes the `for` for a loop's."""
    return _IMPL if node.child_by_field_name("trait") is None else _IMPL_OF_TRAIT


RUST = MetricRules(
    rules={
        "function_item": Function(begins=("fn",)),
        "closure_expression": Nesting("closure"),
        "closure_parameters": Custom(_closure),
        "if_expression": Branch("if", nests=("consequence",), deepens=True, otherwise="alternative"),
        "for_expression": Branch("for", nests=("body",), deepens=True),
        "while_expression": Branch("while", nests=("body",), deepens=True),
        "loop_expression": Branch("loop", cyclomatic=0, nests=("body",), deepens=True),
        "match_expression": Custom(_match),
        "match_pattern": Custom(_guard),
        "let_declaration": Custom(_let),
        "let_chain": Custom(_chain),
        "try_expression": Branch("?", cognitive=0, structural=False),
        "binary_expression": Logical(_OPERATORS, counted=_OPERATORS),
        "break_expression": Custom(_jump),
        "continue_expression": Custom(_jump),
        "token_tree": Custom(_tokens_of_macro),
        "where_clause": _seen_by_lizard(1),
        "removed_trait_bound": _seen_by_lizard(1),
        "higher_ranked_trait_bound": _seen_by_lizard(1),
        "reference_expression": Custom(_reference),
        "reference_type": Custom(_reference),
        "reference_pattern": Custom(_reference),
        "unary_expression": Custom(_unary),
        "impl_item": Custom(_impl),
        "trait_item": Container(),
        "mod_item": Container(),
    },
    atoms=frozenset(
        {"string_literal", "raw_string_literal", "lifetime", "label", "attribute_item", "inner_attribute_item"}
    ),
    comments=frozenset({"line_comment", "block_comment"}),
    if_kinds=frozenset({"if_expression"}),
    not_parameters=frozenset({"attribute_item"}),
    weight_of=weigher(r"#[^\n]*", r"'\w+"),
)
