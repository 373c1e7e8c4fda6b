"""How plans are put into words: the table of facts, durations, and colour where a terminal takes it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

NAME_WIDTH = 30
BUSY = 1.5  # processes a core that want to run, from which times say more of the others than of the run

Fact = tuple[str, str]


def heading(plan: dict[str, Any]) -> str:
    """What is planned, and for which machine."""
    machine = plan["machine"]
    return f"plan of {plan['recipe']} on {machine.get('device') or machine['cpu']}, {machine['cores']} cores"


def facts_text(facts: Sequence[Fact]) -> list[str]:
    """Names and values below each other."""
    return [f"  {name:<{NAME_WIDTH}}{value}" for name, value in facts]


def duration_words(seconds: float) -> str:
    """Seconds as a rough figure, as a plan's are."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def time_facts(seconds: dict[str, float]) -> list[Fact]:
    """The time of each stage."""
    return [(f"time, {stage}", f"about {duration_words(value)}") for stage, value in seconds.items()]


def busy_facts(machine: dict[str, Any]) -> list[Fact]:
    """What to think of the times where other programs run: what the plan itself does is a load of the cores at most."""
    if machine["load"] <= BUSY * machine["cores"]:
        return []
    told = f"a load of {machine['load']:.0f} on {machine['cores']} cores: the times are those of a busy machine"
    return [("other programs", told)]


def has_colour() -> bool:
    """Whether stdout is a terminal whose user has not asked for none (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def styled(text: str, style: str) -> str:
    """Text in an ANSI style; line by line, since some pagers end a style with the line."""
    return "\n".join(f"\x1b[{style}m{line}\x1b[0m" if line else "" for line in text.split("\n"))
