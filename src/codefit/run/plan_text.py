"""A plan for people: the costs as a table, and an example as the model sees it, in colour on a terminal."""

from __future__ import annotations

import os
import sys
from typing import Any

BRIGHTNESS = ((12, "1;36"), (7, "36"), (4, "32"), (2, "0"), (0, "2"))  # ANSI styles by how often a token counts


def plan_text(plan: dict[str, Any]) -> str:
    """What `codefit plan` prints."""
    data, tokens, seconds = plan["data"], plan["tokens"], plan["seconds"]
    rows = [
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
        *((f"time, {stage}", f"about {_duration(value)}") for stage, value in seconds.items()),
    ]
    lines = [f"plan of {plan['recipe']} on {plan['machine']['cpu']}, {plan['machine']['cores']} cores", ""]
    lines += [f"  {name:<18}{value}" for name, value in rows]
    lines += [f"  missing           {pattern}" for pattern in data["missing"]]
    example = plan["example"]
    lines += ["", f"an example, of {example['source']}, as the model sees it (brighter counts more):", ""]
    lines += [f"  query  {_coloured(example['query_tokens'])}", f"  code   {_coloured(example['code_tokens'])}"]
    lines += ["", "nothing was trained; the figures are scaled up from a sample"]
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _coloured(tokens: list[list[Any]]) -> str:
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    parts = []
    for piece, count in tokens:
        shown = piece if piece.strip() else repr(piece)[1:-1]
        times = f"×{count}" if count > 1 else ""
        if colour:
            style = next(style for least, style in BRIGHTNESS if count > least or least == 0)
            parts.append(f"\x1b[{style}m{shown}{times}\x1b[0m")
        else:
            parts.append(shown + times)
    return "".join(parts).strip()
