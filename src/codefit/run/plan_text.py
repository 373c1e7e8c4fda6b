"""A plan for people: the costs as a table, and an example as the model sees it, in colour on a terminal."""

from __future__ import annotations

from typing import Any

from codefit.run.plan_complexity_text import complexity_text
from codefit.run.plan_language_text import language_text
from codefit.run.plan_words import facts_text, has_colour, heading, styled, time_facts

BRIGHTNESS = ((12, "1;36"), (7, "36"), (4, "32"), (2, "0"), (0, "2"))  # ANSI styles by how often a token counts


def plan_text(plan: dict[str, Any]) -> str:
    """What `codefit plan` prints."""
    if plan["system"] == "repair-ranking":
        from codefit.run.plan_repair_text import repair_text  # needs the extra `repair`

        return repair_text(plan)
    if plan["system"] == "complexity-scoring":
        return complexity_text(plan)
    return _encoder_text(plan) if plan["system"] == "code-encoder" else language_text(plan)


def _encoder_text(plan: dict[str, Any]) -> str:
    data, tokens = plan["data"], plan["tokens"]
    facts = [
        ("documents", f"{data['documents']:,} files, {data['bytes'] / 1e6:,.0f} MB"),
        ("pairs mined", f"about {data['mined_pairs']:,}"),
        ("pairs ready", f"{data['ready_pairs']:,}"),
        ("held out", f"about {data['held_out_pairs']:,}"),
        ("rows to train on", f"about {plan['rows']:,}"),
        ("tokens", f"about {tokens['per_pair']:,.0f} a pair, {tokens['total']:,} in all"),
        (
            "padding",
            f"{tokens['padding_share']:.1%} of positions (batches in no order: {tokens['padding_share_unsorted']:.1%})",
        ),
        ("parameters", f"{plan['parameters']:,}"),
        ("steps", f"{plan['steps']:,} of {plan['batch_size']:,} pairs"),
        ("memory", f"about {plan['memory_bytes'] / 2**30:.1f} GiB"),
        *time_facts(plan["seconds"]),
        *(("missing", pattern) for pattern in data["missing"]),
    ]
    lines = [heading(plan), "", *facts_text(facts)]
    example = plan["example"]
    lines += ["", f"an example, of {example['source']}, as the model sees it (brighter counts more):", ""]
    lines += [f"  query  {_coloured(example['query_tokens'])}", f"  code   {_coloured(example['code_tokens'])}"]
    lines += ["", "nothing was trained; the figures are scaled up from a sample"]
    return "\n".join(lines)


def _coloured(tokens: list[list[Any]]) -> str:
    colour = has_colour()
    parts = []
    for piece, count in tokens:
        shown = (piece if piece.strip() else repr(piece)[1:-1]) + (f"×{count}" if count > 1 else "")
        style = next(style for least, style in BRIGHTNESS if count > least or least == 0)
        parts.append(styled(shown, style) if colour else shown)
    return "".join(parts).strip()
